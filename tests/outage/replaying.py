"""Replays faults, one after the other on a lane of its own: `replay(fault, lane, every=10)`."""

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

from connectme.demo import Instance
from tests import postgresql
from tests.outage.fault import Engine, Fault
from tests.outage.scene import MORTAL, Scene, copied
from tests.outage.traffic import Count
from tests.ports import free_port

DURABLE = "ALTER ROLE test SET synchronous_commit = on"  # what is killed here must not lose what it acknowledged
SETTLED = 60.0  # seconds that it may take until all has arrived everywhere


@dataclass(frozen=True, slots=True)
class Result:
    """told: by whom, after how many seconds.  kept: acknowledged to other servers meanwhile.  back: seconds."""

    fault: Fault
    told: dict[str, float] = field(default_factory=dict)
    kept: int = 0
    count: Count = field(default_factory=Count)
    back: float = 0.0
    skipped: str = ""

    @property
    def good(self) -> bool:
        """Nothing that was acknowledged is lost or doubled, but for what no backup had."""
        return not (self.count.doubled or self.count.undelivered) and (self.fault.loses or not self.count.lost)

    @property
    def noticed(self) -> float:
        """By those who are to tell of it."""
        return min((self.told[who] for who in self.fault.told if who in self.told), default=0.0)


class Lane:
    """A port, and a server with people that stands ready to be copied."""

    def __init__(self, folder: Path, engine: Engine) -> None:
        self.engine, self._folder, self._port = engine, folder, free_port()
        self._settings = {"RATE_LIMITS": "false", "BACKUP_EVERY_HOURS": "0", "DRILL_EVERY_DAYS": "0"}
        self._tokens: dict[str, str] = {}
        self._cluster = ""  # of PostgreSQL; {} stands for the database
        self._open = ExitStack()

    def make_ready(self) -> None:
        if self.engine == "PostgreSQL":
            self._cluster = self._open.enter_context(postgresql.cluster())
            asyncio.run(postgresql.do(self._cluster.format("postgres"), "CREATE DATABASE pristine", DURABLE))
        pristine = self._server("pristine", "pristine")
        pristine.person("alice")
        self._tokens = pristine.tokens

    @asynccontextmanager
    async def scene(self, fault: Fault, *, every: int) -> AsyncIterator[Scene]:
        name = fault.id.replace("-", "_")
        if self._cluster:
            await postgresql.do(self._cluster.format("postgres"), f"CREATE DATABASE {name} TEMPLATE pristine")
        server = self._server(fault.id, name)
        server.tokens = self._tokens
        with disk(server.folder, fault.disk_mb):
            copied(self._folder / "pristine", server.folder)
            async with Scene(server, self.engine, self._cluster.format(name), every=every) as scene:
                yield scene

    def close(self) -> None:
        self._open.close()

    def _server(self, name: str, database: str) -> Instance:
        more = {"DATABASE_URL": self._cluster.format(database)} if self._cluster else {}
        server = Instance(self._folder / name, self._port, **self._settings, **more)
        server.prefix = MORTAL if os.getuid() == 0 and self.engine == "SQLite" else ()
        return server


@contextmanager
def disk(folder: Path, megabytes: int) -> Iterator[None]:
    """A disk of its own for that folder; with 0, none."""
    if not megabytes:
        yield
        return
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=700", "tmpfs", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


async def replay(fault: Fault, lane: Lane, *, every: int) -> Result:
    """every: seconds between two looks of the server's supervisor.  Raises: AssertionError, TimeoutError."""
    if why := fault.cannot():
        return Result(fault, skipped=why)
    async with lane.scene(fault, every=every) as scene:
        await fault.make(scene)
        before = sum(scene.traffic.numbers)
        await scene.is_told(fault.told)
        if not fault.shut:
            await scene.traffic.accepted()
        kept = sum(scene.traffic.numbers) - before
        found = await scene.examined() if fault.finding else {}
        assert not fault.finding or fault.finding in found, f"the doctor does not find {fault.finding}: {sorted(found)}"
        begun = monotonic()
        if fault.finding:
            await fault.mend(scene, found[fault.finding])
        await scene.is_back()
        back = round(monotonic() - begun, 1)
        told = dict(scene.watch.told)
        found = await scene.examined()
        schema = {f"schema.{name}" for name in ("change", "half", "needed", "drift", "version")}
        wrong = {fault.finding, *schema} & set(found)
        assert not wrong, f"it is not mended: {[found[one] for one in wrong]}"
        return Result(fault, told, kept, await settled(scene), back)


async def settled(scene: Scene) -> Count:
    """When nobody says anything any more, and all that was said has arrived; else what has not."""
    await scene.traffic.end()
    end = monotonic() + SETTLED
    while True:
        count = scene.traffic.count(await scene.held())
        if count.agrees or monotonic() > end:
            return count
        await asyncio.sleep(0.5)


async def replay_all(faults: list[Fault], folder: Path, *, every: int, lanes: int) -> list[Result | BaseException]:
    """Of each fault what came of it, in their order.  lanes: servers at the same time, for each engine."""
    results: dict[str, Result | BaseException] = {}

    async def run(waiting: list[Fault], lane: Lane) -> None:
        await asyncio.to_thread(lane.make_ready)
        try:
            while waiting:
                fault = waiting.pop(0)
                try:
                    results[fault.id] = await replay(fault, lane, every=every)
                except Exception as error:  # noqa: BLE001  the others go on; it is told at the end
                    results[fault.id] = error
        finally:
            await asyncio.to_thread(lane.close)

    async with asyncio.TaskGroup() as group:
        for engine in ("SQLite", "PostgreSQL"):
            waiting = [fault for fault in faults if fault.engine == engine]
            if engine == "PostgreSQL" and (why := postgresql.why_not()):
                results |= {fault.id: Result(fault, skipped=why) for fault in waiting}
                continue
            for number in range(min(lanes, len(waiting))):
                place = folder / f"{engine.lower()}{number}"
                place.mkdir()
                group.create_task(run(waiting, Lane(place, engine)))  # type: ignore[arg-type]
    return [results[fault.id] for fault in faults]
