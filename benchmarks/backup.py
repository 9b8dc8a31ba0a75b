"""A backup while people read, its drill, the move to PostgreSQL.  BENCH_POSTS: how many; BENCH_MANY=1: a million."""

import asyncio
import os
import statistics
import sys
import time
from pathlib import Path

from benchmarks.measure import Goal, show
from benchmarks.reads import MANY, fill
from connectme.demo import Instance
from tests import postgresql
from tests.ports import free_port

HELD = int(os.environ.get("BENCH_POSTS", "200000"))
ALONE = 200  # requests before
HOME = "/api/v1/timelines/home?limit=20"


def run(folder: Path, *, many: bool) -> None:
    asyncio.run(measure(folder, MANY if many else HELD))


async def measure(folder: Path, held: int) -> None:
    server = Instance(folder, free_port(), RATE_LIMITS="false")
    server.person("alice")
    await fill(f"sqlite:///{folder}/connectme.db?synchronous=off", 0, held)
    size = (folder / "connectme.db").stat().st_size >> 20
    print(f"  -- {held:,} posts held, {size} MB")
    server.start("--single-process")
    try:
        await server.ready()
        before = [await _read(server) for _ in range(ALONE)]
        began = time.monotonic()
        saving = await _command(server, "backup", "create")
        meanwhile = [await _read(server)]
        while saving.returncode is None:
            meanwhile.append(await _read(server))
        assert saving.returncode == 0
        show("backup create, while it is read", time.monotonic() - began, "s")
        slower = statistics.median(meanwhile) / statistics.median(before)
        show(f"home meanwhile ({len(meanwhile)} times) against before, median", slower, "x", Goal(1.5, 1.1))
        began = time.monotonic()
        assert await (await _command(server, "drill", "run")).wait() == 0
        show("drill of it, to E4", time.monotonic() - began, "s", Goal(600, 120))
    finally:
        await server.close()
        server.stop()
    await _moved(server, held)


async def _read(server: Instance) -> float:
    began = time.monotonic()
    await server.api("alice", "GET", HOME)
    return time.monotonic() - began


async def _command(server: Instance, *words: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        "nice", "-n", "10", sys.executable, "-m", "connectme", *words, env={**os.environ, **server.environment},
        stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip


async def _moved(server: Instance, held: int) -> None:
    if postgresql.why_not():
        return
    with postgresql.cluster() as url:
        began = time.monotonic()
        assert await (await _command(server, "db", "move", "--to", url.format("postgres"))).wait() == 0
        show("db move to PostgreSQL, read back and compared", held / (time.monotonic() - began), "/s")
