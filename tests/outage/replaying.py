"""Replays faults, one after the other on a lane of its own: `replay(fault, lane, every=10)`."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

from connectme.demo import Instance
from tests.outage.fault import Engine, Fault
from tests.outage.scene import MORTAL, Scene, copied
from tests.outage.traffic import Count
from tests.pairs.conftest import free_port

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
    def noticed(self) -> float:
        return min(self.told.values(), default=0.0)


class Lane:
    """A port, and a server with people that stands ready to be copied."""

    def __init__(self, folder: Path, engine: Engine) -> None:
        self.engine, self._folder, self._port = engine, folder, free_port()
        self._settings = {"RATE_LIMITS": "false", "BACKUP_EVERY_HOURS": "0", "DRILL_EVERY_DAYS": "0"}
        self._tokens: dict[str, str] = {}

    def make_ready(self) -> None:
        pristine = self._server("pristine")
        pristine.person("alice")
        self._tokens = pristine.tokens

    @asynccontextmanager
    async def scene(self, fault: Fault, *, every: int) -> AsyncIterator[Scene]:
        server = self._server(fault.id)
        server.tokens = self._tokens
        copied(self._folder / "pristine", server.folder)
        async with Scene(server, self.engine, every=every) as scene:
            yield scene

    def _server(self, name: str) -> Instance:
        return Instance(self._folder / name, self._port, **self._settings)


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
        found = await scene.examined()
        assert fault.finding in found, f"the doctor does not find {fault.finding}: {sorted(found)}"
        begun = monotonic()
        await fault.mend(scene, found[fault.finding])
        await scene.is_back()
        back = round(monotonic() - begun, 1)
        told = {who: seconds for who, seconds in scene.watch.told.items()}
        found = await scene.examined()
        assert fault.finding not in found, f"it is not mended: {found[fault.finding]}"
        return Result(fault, told, kept, await _settled(scene), back)


async def _settled(scene: Scene) -> Count:
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
        while waiting:
            fault = waiting.pop(0)
            try:
                results[fault.id] = await replay(fault, lane, every=every)
            except Exception as error:  # noqa: BLE001  the others go on; it is told at the end
                results[fault.id] = error

    async with asyncio.TaskGroup() as group:
        for engine in ("SQLite", "PostgreSQL"):
            waiting = [fault for fault in faults if fault.engine == engine]
            for number in range(min(lanes, len(waiting))):
                place = folder / f"{engine.lower()}{number}"
                place.mkdir()
                group.create_task(run(waiting, Lane(place, engine)))  # type: ignore[arg-type]
    return [results[fault.id] for fault in faults]
