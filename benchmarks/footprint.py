"""Idle memory, and the time from start to the first answer."""

import asyncio
import time
from pathlib import Path

from benchmarks.measure import Goal, pss, show
from connectme.demo import Instance
from tests.ports import free_port

IDLE = 4.0  # seconds until it is idle


async def measure(folder: Path) -> None:
    for name, flags, memory in (
        ("serve --single-process", ["--single-process"], Goal(120, 95)),
        ("serve: supervisor, web and worker", [], Goal(170, 140)),
    ):
        server = Instance(folder / name.split()[1].strip(":-"), free_port())
        server.person("alice")
        server.start(*flags)
        await server.ready()
        server.stop()
        await server.close()
        start = time.perf_counter()
        server.start(*flags)
        try:
            await _answers(server)
            show(f"{name}: start to first answer", time.perf_counter() - start, "s", Goal(1.5, 1.0))
            for path in ("/", "/@alice", "/api/v2/instance", "/login"):
                async with server.session.get(server.base.with_path(path)) as response:
                    await response.read()
            await asyncio.sleep(IDLE)
            show(f"{name}: idle memory (PSS)", pss(server.pid), "MB", memory)
        finally:
            await server.close()
            server.stop()


async def _answers(server: Instance) -> None:
    while True:
        try:
            async with server.session.get(server.base / "livez") as response:
                if response.status == 200:
                    return
        except OSError:
            await asyncio.sleep(0.005)
