"""The one door to the tables: `await db.read(f, …)`, `await db.write(f, …)`.

`f(tx, …)` is a unit of work, a plain function of a SQLAlchemy Connection.  It cannot wait for the
network because it cannot wait at all.  A read sees one snapshot.  Writes that arrive together share
one COMMIT, a savepoint each, and are answered after it: fewer disk syncs and fewer hops.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Hashable
from functools import partial
from types import FunctionType
from typing import Any, Concatenate, ParamSpec, Protocol, Self, TypeVar

from sqlalchemy import Connection, make_url

from store import sqlite
from store.units import MOST, Unit

P = ParamSpec("P")
T = TypeVar("T")
log = logging.getLogger(__name__)

TRIES = 3  # of a unit that lost a race, see Engine.is_transient


class Engine(Protocol):
    """What SQLite and PostgreSQL do each in their own way."""

    lanes: int  # how many transactions may write at once

    async def read(self, work: Callable[[Connection], T], unit: Hashable = None) -> T:
        """Runs `work` on a snapshot that it cannot change.  unit: what it is called, the same each time."""

    async def write(self, units: list[Unit[Any]]) -> None:
        """Runs `units` in one transaction (store.units.run) and commits it, or raises."""

    def is_transient(self, error: Exception, /) -> bool:
        """Might the same unit succeed when tried again, since others wrote at the same moment (store/races.py)?"""

    def is_damage(self, error: Exception, /) -> bool:
        """Does it say that what lies on the disk cannot be believed?"""

    async def close(self) -> None: ...


class Away(OSError):
    """The database is known to be away: nothing is asked of it until it is back."""


class Nowhere:
    """The engine of a database that could not be opened yet."""

    lanes = 1

    async def read(self, work: Callable[[Connection], T], unit: Hashable = None) -> T:  # noqa: ARG002  an Engine
        raise Away("the database is not open yet")

    async def write(self, units: list[Unit[Any]]) -> None:  # noqa: ARG002  an Engine
        raise Away("the database is not open yet")

    def is_transient(self, _: Exception, /) -> bool:
        return False

    is_damage = is_transient

    async def close(self) -> None:
        pass


class Database:
    """`async with await Database.open(url) as db:`, used from one event loop.

    A process that forgets to close it does not end: the threads of SQLite wait for more.
    """

    def __init__(self, engine: Engine) -> None:
        self.listeners: list[Callable[[object], None]] = []  # are told what units announce
        self._engine = engine
        self._waiting: deque[Unit[Any]] = deque()
        self._lanes: set[asyncio.Task[None]] = set()
        self._closed = False
        self.shut = ""  # why nothing may be asked now; empty: all may
        self.damage = ""  # what the engine said of pages that it could not believe; empty: it met none

    @classmethod
    async def open(cls, url: str) -> Self:
        """`sqlite:///file`, `sqlite:///file?synchronous=normal` or `postgresql://user@host/name`."""
        address = make_url(url)
        if address.get_backend_name() == "sqlite":
            return cls(await sqlite.open_engine(address))
        from store import postgresql  # noqa: PLC0415  brings SQLAlchemy's asyncio and ORM: 0.1 s and 10 MB

        return cls(postgresql.open_engine(address))

    def aside(self) -> "Database":
        """A second door to the same, open also while this one is shut: to look whether the database is back."""
        return Database(self._engine)

    async def read(self, f: Callable[Concatenate[Connection, P], T], *args: P.args, **more: P.kwargs) -> T:
        """What `f` finds.  It fails when it tries to change anything."""
        if self.shut:
            raise Away(self.shut)
        try:
            return await self._engine.read(partial(_call, f, args, more), (f, *filter(_is_function, args)))
        except Exception as error:
            self._look_at(error)
            raise

    def write(self, f: Callable[Concatenate[Connection, P], T], *args: P.args, **more: P.kwargs) -> asyncio.Future[T]:
        """What `f` returns, after it is committed.  When this raises, nothing of `f` remains.

        A future rather than a coroutine: `gather` of many then makes no task for each, and they wait in
        the order of the calls.  Cancelled before the turn of `f`, it never runs; later, it is committed
        unseen.
        """
        if self._closed:
            raise RuntimeError("the database is closed")
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        if self.shut:
            answer.set_exception(Away(self.shut))
            return answer
        self._waiting.append(Unit(partial(_call, f, args, more), answer))
        self._open_lane()
        return answer

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Finishes what is waiting, then lets go of the database.  A second call does nothing."""
        if self._closed:
            return
        self._closed = True
        while self._lanes:
            await asyncio.wait(self._lanes)
        await self._engine.close()

    def _open_lane(self) -> None:
        if self._waiting and len(self._lanes) < self._engine.lanes:
            lane = asyncio.create_task(self._work())
            self._lanes.add(lane)
            lane.add_done_callback(self._lanes.discard)

    async def _work(self) -> None:
        """One lane: takes what is waiting, commits it together, until nothing waits."""
        while self._waiting:
            taken = [self._waiting.popleft() for _ in range(min(MOST, len(self._waiting)))]
            units = [unit for unit in taken if not unit.answer.done()]
            if units:
                await self._commit(units)
                self._finish(units)
        self._lanes -= {asyncio.current_task()}  # at once: a write that comes now must open another

    async def _commit(self, units: list[Unit[Any]]) -> None:
        try:
            await self._engine.write(units)
        except Exception as error:  # noqa: BLE001  it goes to each caller
            for unit in units:
                unit.error = unit.error or error

    def _finish(self, units: list[Unit[Any]]) -> None:
        again = [unit for unit in units if not unit.done or self._deserves_another_try(unit)]
        self._waiting.extendleft(reversed(again))
        self._open_lane()
        for unit in units:
            if not unit.done:
                continue
            if unit.error is not None:
                self._look_at(unit.error)
            for event in unit.events if unit.error is None else ():
                self._tell(event)
            unit.settle()

    def _deserves_another_try(self, unit: Unit[Any]) -> bool:
        if unit.error is None or unit.tries >= TRIES or not self._engine.is_transient(unit.error):
            return False
        unit.tries, unit.error, unit.results = unit.tries + 1, None, ()
        return True

    def _look_at(self, error: Exception) -> None:
        if not self.damage and self._engine.is_damage(error):
            self.damage = str(getattr(error, "orig", error))

    def _tell(self, event: object) -> None:
        for listener in self.listeners:
            try:
                listener(event)
            except Exception:
                log.exception("%s was not heard", event)


def _is_function(one: object) -> bool:
    """A unit may be given the one that it is asked for: then both say which it is."""
    return type(one) is FunctionType


def _call(f: Callable[..., T], args: tuple[Any, ...], more: dict[str, Any], tx: Connection) -> T:
    try:
        return f(tx, *args, **more)
    except StopIteration as error:  # a stray next(); a future refuses it, and its caller would wait for ever
        raise RuntimeError(f"{f} ended in StopIteration") from error
