"""SQLite: one connection that writes and a few that read, each in the thread that aiosqlite gives it.

Awaiting statement by statement crosses that thread four times per statement.  Here a whole unit
crosses once, and talks to SQLAlchemy's plain, synchronous connection on the other side.

Most reads are over sooner than a thread is woken: a connection of the loop's own does them (Here), and gives up when
one takes too long, which a thread then does from its beginning.
Several processes may open the same file: BEGIN IMMEDIATE waits for the others, up to `busy_timeout`.
"""

import asyncio
import os
import sqlite3
from collections.abc import Callable, Hashable
from contextlib import suppress
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any, Final, TypeAlias, TypeVar

import aiosqlite
from sqlalchemy import URL, Connection, Engine, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool, StaticPool

from store.memory import READ_ONLY, Readers
from store.prepared import as_sqlalchemy
from store.units import Unit, run

T = TypeVar("T")

READERS = 2
CACHED: Final = 512  # statements of a connection
READING = ("cache_size = -16384", "temp_store = memory")  # KiB
PRAGMAS = (
    "journal_mode = wal",  # readers and the writer do not wait for each other
    "busy_timeout = 5000",
    "foreign_keys = on",
    *READING,
)
PATIENCE: Final = 0.005  # seconds that a read may keep the loop; as long as a thread keeps the interpreter from others
LOOKS: Final = 1_000  # steps of SQLite's machine, some 30 µs, after which the time is looked at
SPARED: Final = 16  # times that a unit goes to a thread at once after it took too long


class CallingConnection(sqlite3.Connection):
    """A SQLite connection to which `execute(f)`, with a function, means `f(connection)`.

    aiosqlite makes its connection with our `factory` and hands the first argument of `execute_fetchall`
    to it, in its thread: so a function crosses by public means (test_sqlite.py pins that it does).
    """

    def execute(self, sql: "str | Callable[[sqlite3.Connection], None]", parameters: Any = (), /) -> sqlite3.Cursor:
        if callable(sql):
            sql(self)
            return self.cursor()  # with no rows, for fetchall
        return super().execute(sql, parameters)


Work: TypeAlias = Callable[[Connection, sqlite3.Connection], T]  # SQLAlchemy's view, and the thing itself


class Line:
    """One connection: aiosqlite's thread, and SQLAlchemy's view of the connection in it."""

    def __init__(self, driver: aiosqlite.Connection) -> None:
        self._driver = driver
        self._tx: Connection

    @classmethod
    async def open(cls, url: URL, readers: Readers | None = None) -> "Line":
        """readers: those that this one belongs to, which cannot write."""
        driver = await aiosqlite.connect(
            url.database or "", factory=CallingConnection, isolation_level=None, cached_statements=CACHED
        )
        line = cls(driver)
        synchronous = f"synchronous = {url.query.get('synchronous', 'full')}"
        only = f"query_only = {int(readers is not None)}"
        try:
            await line._cross(partial(line._begin, (*PRAGMAS, synchronous, only), readers))
        except BaseException:
            await driver.close()  # its thread, too
            raise
        return line

    def _begin(self, pragmas: tuple[str, ...], readers: Readers | None, raw: sqlite3.Connection) -> None:
        _set(raw, *pragmas)
        engine = create_engine("sqlite://", creator=lambda: raw, poolclass=StaticPool, hide_parameters=True)
        self._tx = _as_one(engine, readers)

    async def run(self, work: Work[T]) -> T:
        """What `work` returns, in the connection's thread.

        Raises: what it raises; DBAPIError for what BEGIN and COMMIT say, too (locked, full): SQLAlchemy never sees it.
        """
        results: list[T] = []
        try:
            await self._cross(lambda raw: results.append(work(self._tx, raw)))
        except sqlite3.Error as error:
            raise as_sqlalchemy(self._tx, error) from error
        return results[0]

    async def close(self) -> None:
        await self._cross(lambda _raw: self._tx.close())
        await self._driver.close()

    async def _cross(self, f: Callable[[sqlite3.Connection], None]) -> None:
        await self._driver.execute_fetchall(f)


class Late(Exception):
    """A read that cannot be done at once."""


class Here:
    """A connection in the loop's own thread, for reads that are over before a thread would have begun.

    To wake a thread and to be woken by it costs 0.2 ms of CPU, and what it finds in another core's cache is cold.
    """

    def __init__(self, url: URL, readers: Readers) -> None:
        self._url, self._readers = url, readers
        self._end, self._late = 0.0, False
        self._spared: dict[Hashable, int] = {}
        self._spent = 0.0  # seconds, of this turn of the loop
        self._file = _which(url.database or "")
        self._engine = create_engine("sqlite://", creator=self._connect, poolclass=NullPool, hide_parameters=True)
        self._tx = _as_one(self._engine, readers)

    async def read(self, work: Callable[[Connection], T], unit: Hashable = None) -> T:
        """What `work` returns.  Raises: what it raises, Late.  unit: what it is called among those that were late."""
        left = self._spared.pop(unit, 0)
        if left:
            if left > 1:
                self._spared[unit] = left - 1
            raise Late
        begun = perf_counter()
        try:
            return self._at_once(work, begun)
        finally:
            took = perf_counter() - begun
            if took > PATIENCE:
                self._spare(unit)
            if not self._spent:
                asyncio.get_running_loop().call_soon(self._next_turn)
            self._spent += took
            if self._spent > PATIENCE:  # whoever reads again and again lets others have their turn
                await asyncio.sleep(0)

    def close(self) -> None:
        self._tx.close()

    def _connect(self) -> sqlite3.Connection:
        self._raw = sqlite3.connect(self._url.database or "", isolation_level=None, cached_statements=CACHED)
        _set(self._raw, "busy_timeout = 0", "query_only = 1", *READING)  # for who has the file one waits in a thread
        self._raw.set_progress_handler(self._is_late, LOOKS)
        return self._raw

    def _at_once(self, work: Callable[[Connection], T], begun: float) -> T:
        """Once it was interrupted nothing is believed, whatever the unit made of it: an answer, an error of its own."""
        self._end, self._late = begun + PATIENCE, False
        try:
            self._raw.execute("BEGIN")
            found = work(self._tx)
        except Exception as error:
            if not (self._late or _is_busy(error)):
                if isinstance(error, sqlite3.Error):
                    raise as_sqlalchemy(self._tx, error) from error
                raise
        else:
            if not self._late:
                return found
        finally:
            self._end = float("inf")
            if self._raw.in_transaction:
                self._raw.execute("ROLLBACK")
        if self._late:
            self._begin_anew()
        raise Late

    def _begin_anew(self) -> None:
        """Python 3.11 takes a statement that was interrupted for one in use, and prepares it anew each time."""
        if _which(self._url.database or "") == self._file:
            old, self._tx = self._tx, _as_one(self._engine, self._readers)
            old.close()

    def _is_late(self) -> bool:
        self._late = self._late or perf_counter() > self._end
        return self._late and self._end < float("inf")

    def _spare(self, unit: Hashable) -> None:
        if len(self._spared) > 1_000:
            self._spared.clear()
        self._spared[unit] = SPARED

    def _next_turn(self) -> None:
        self._spent = 0.0


class Replaced(OSError):
    """Another file, or none, is where the database was: what is written now would be seen by nobody later."""


class SQLite:
    lanes = 1

    def __init__(self, writer: Line, here: Here, readers: list[Line], file: str = "") -> None:
        self._file = file
        self._opened = _which(file)
        self._all = [writer, *readers]
        self._writer, self._here = writer, here
        self._free: asyncio.LifoQueue[Line] = asyncio.LifoQueue()
        for reader in readers:
            self._free.put_nowait(reader)

    async def read(self, work: Callable[[Connection], T], unit: Hashable = None) -> T:
        with suppress(Late):
            return await self._here.read(work, unit)
        reader = await self._free.get()
        try:
            return await reader.run(partial(_snapshot, work))
        finally:
            self._free.put_nowait(reader)  # after a cancelled read, the next one waits in its thread

    async def write(self, units: list[Unit[Any]]) -> None:
        await self._writer.run(partial(_commit, units))
        if self._file and _which(self._file) != self._opened:  # asked after COMMIT, and before anybody is answered
            raise Replaced(f"{Path(self._file).name} was removed or replaced")

    def is_transient(self, _: Exception, /) -> bool:
        return False  # one writer, who takes the lock first: nothing to lose a race for

    def is_damage(self, error: Exception, /) -> bool:
        return is_damage(error)

    async def close(self) -> None:
        self._here.close()
        for line in self._all:
            await line.close()


def is_damage(error: Exception) -> bool:
    """Does it say that the file is no database, or that a page of it cannot be believed?"""
    code = getattr(getattr(error, "orig", error), "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


async def open_engine(url: URL) -> SQLite:
    writer, readers = await Line.open(url), Readers()
    lines = [await Line.open(url, readers) for _ in range(READERS)]
    return SQLite(writer, Here(url, readers), lines, url.database or "")


def _set(raw: sqlite3.Connection, *pragmas: str) -> None:
    for pragma in pragmas:
        raw.execute(f"PRAGMA {pragma}")


def _as_one(engine: Engine, readers: Readers | None) -> Connection:
    """To SQLAlchemy all is one transaction; the real ones are ours, see _commit."""
    tx = engine.connect().execution_options(isolation_level="AUTOCOMMIT", **{READ_ONLY: readers})
    tx.begin()
    return tx


def _is_busy(error: BaseException | None) -> bool:
    """Has another the file for himself?  Also where a unit raised what it made of that."""
    while error is not None:
        cause = error.orig if isinstance(error, DBAPIError) else error
        if getattr(cause, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY:
            return True
        error = error.__cause__ or error.__context__
    return False


def _which(file: str) -> tuple[int, int] | None:
    """Which file has that name now.  A stat, for to open and close it would end the locks of this process."""
    try:
        found = os.stat(file) if file else None
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if found else None


def _snapshot(work: Callable[[Connection], T], tx: Connection, raw: sqlite3.Connection) -> T:
    raw.execute("BEGIN")
    try:
        return work(tx)
    finally:
        raw.execute("ROLLBACK")


def _commit(units: list[Unit[Any]], tx: Connection, raw: sqlite3.Connection) -> None:
    raw.execute("BEGIN IMMEDIATE")
    try:
        run(tx, raw.execute, units)
        raw.execute("COMMIT")
    except BaseException:
        if raw.in_transaction:  # SQLite itself rolls back when, for example, the disk is full
            raw.execute("ROLLBACK")
        raise
