"""A backup while people read, and its drill, on both engines; the move between.  BENCH_POSTS: how many posts."""

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
ALONE = 200  # requests before, and after
HOME = "/api/v1/timelines/home?limit=20"


def run(folder: Path, *, many: bool) -> None:
    asyncio.run(measure(folder, MANY if many else HELD))


async def measure(folder: Path, held: int) -> None:
    server = Instance(folder, free_port(), RATE_LIMITS="false")
    server.person("alice")
    await fill(f"sqlite:///{folder}/connectme.db?synchronous=off", 0, held)
    size = (folder / "connectme.db").stat().st_size >> 20
    print(f"  -- {held:,} posts held, {size} MB")
    await _saved(server)
    if postgresql.why_not():
        return
    with postgresql.cluster() as cluster:
        url, began = cluster.format("postgres"), time.monotonic()
        assert await (await _command(server, "db", "move", "--to", url)).wait() == 0
        show("db move to PostgreSQL, read back and compared", held / (time.monotonic() - began), "/s")
        server.settings["DATABASE_URL"] = url
        print("  -- the same there")
        await _saved(server)


async def _saved(server: Instance) -> None:
    """A backup while the home timeline is read, and its drill."""
    server.start("--single-process")
    try:
        await server.ready()
        alone = [await _read(server) for _ in range(2 * ALONE)][ALONE:]
        began = time.monotonic()
        saving = await _command(server, "backup", "create")
        meanwhile = [await _read(server)]
        while saving.returncode is None:
            meanwhile.append(await _read(server))
        assert saving.returncode == 0
        show("backup create, while it is read", time.monotonic() - began, "s")
        alone += [await _read(server) for _ in range(ALONE)]
        slower = statistics.median(meanwhile) / statistics.median(alone)
        show(f"home meanwhile ({len(meanwhile)} times) against alone, median", slower, "x", Goal(1.5, 1.1))
        began = time.monotonic()
        assert await (await _command(server, "drill", "run")).wait() == 0
        show("drill of it, to E4", time.monotonic() - began, "s", Goal(600, 120))
    finally:
        await server.close()
        server.stop()


async def _read(server: Instance) -> float:
    began = time.monotonic()
    await server.api("alice", "GET", HOME)
    return time.monotonic() - began


async def _command(server: Instance, *words: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        "nice", "-n", "10", sys.executable, "-m", "connectme", *words, env={**os.environ, **server.environment},
        stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
