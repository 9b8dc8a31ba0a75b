"""What it costs to be watched: the doctor without the network, the supervisor, the status page.

The server is `connectme serve`, with three processes, and does nothing else.
"""

import asyncio
import os
import statistics
import sys
import time
from pathlib import Path

from benchmarks.measure import Goal, own_cpu, own_pss, show
from benchmarks.reads import fill
from connectme.demo import Instance
from tests.ports import free_port

HELD = 50_000
LOOKED = 61.0  # seconds: six looks of the supervisor, and one of what it does every minute
PAGES = 300


async def measure(folder: Path, database_url: str | None) -> None:
    more = {"DATABASE_URL": database_url} if database_url else {}
    server = Instance(folder, free_port(), RATE_LIMITS="false", **more)
    server.person("alice")
    await fill(database_url or f"sqlite:///{folder}/connectme.db?synchronous=off", 0, HELD)
    server.start()
    try:
        await server.ready()
        show("doctor --offline, the best of five", min([await _doctor(server) for _ in range(5)]), "s", Goal(2, 1))
        used, begun = own_cpu(server.pid), time.monotonic()
        await asyncio.sleep(LOOKED)
        spent = (own_cpu(server.pid) - used) / (time.monotonic() - begun)
        show("the supervisor, CPU", spent * 100, "%", Goal(1, 0.1))
        show("the supervisor, memory (PSS)", own_pss(server.pid), "MB", Goal(35, 30))
        pages = [await _status(server) for _ in range(PAGES)]
        show("/status, median", statistics.median(pages) * 1000, "ms", Goal(5, 1))
        show("/status, the slowest but one in a hundred", sorted(pages)[-PAGES // 100] * 1000, "ms")
    finally:
        await server.close()
        server.stop()


async def _doctor(server: Instance) -> float:
    begun = time.monotonic()
    doctor = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "connectme", "doctor", "--offline", "--json",
        env={**os.environ, **server.environment}, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    found, _ = await doctor.communicate()
    assert found.startswith((b"[", b"{")), found
    return time.monotonic() - begun


async def _status(server: Instance) -> float:
    begun = time.monotonic()
    async with server.session.get(server.base / "status") as answer:
        assert answer.status == 200
        await answer.read()
    return time.monotonic() - begun
