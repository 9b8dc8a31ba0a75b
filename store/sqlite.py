"""SQLite: one connection that writes and a few that read, each in the thread that aiosqlite gives it.

Awaiting statement by statement crosses that thread four times per statement.  Here a whole unit
crosses once, and talks to SQLAlchemy's plain, synchronous connection on the other side.
Several processes may open the same file: BEGIN IMMEDIATE waits for the others, up to `busy_timeout`.
"""

import asyncio
import os
import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import aiosqlite
from sqlalchemy import URL, Connection, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool

from store.memory import READ_ONLY, Readers
from store.units import Unit, run

T = TypeVar("T")

READERS = 2
PRAGMAS = (
    "journal_mode = wal",  # readers and the writer do not wait for each other
    "busy_timeout = 5000",
    "foreign_keys = on",
    "cache_size = -32768",  # KiB
    "temp_store = memory",
)


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
            url.database or "", factory=CallingConnection, isolation_level=None, cached_statements=512
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
        for pragma in pragmas:
            raw.execute(f"PRAGMA {pragma}")
        engine = create_engine("sqlite://", creator=lambda: raw, poolclass=StaticPool, hide_parameters=True)
        self._tx = engine.connect().execution_options(isolation_level="AUTOCOMMIT", **{READ_ONLY: readers})
        self._tx.begin()  # to SQLAlchemy all is one transaction; the real ones are ours, see _commit

    async def run(self, work: Work[T]) -> T:
        """What `work` returns, in the connection's thread.

        Raises: what it raises; DBAPIError for what BEGIN and COMMIT say, too (locked, full): SQLAlchemy never sees it.
        """
        results: list[T] = []
        try:
            await self._cross(lambda raw: results.append(work(self._tx, raw)))
        except sqlite3.Error as error:
            dialect = self._tx.dialect
            raise DBAPIError.instance("", None, error, sqlite3.Error, hide_parameters=True, dialect=dialect) from error
        return results[0]

    async def close(self) -> None:
        await self._cross(lambda _raw: self._tx.close())
        await self._driver.close()

    async def _cross(self, f: Callable[[sqlite3.Connection], None]) -> None:
        await self._driver.execute_fetchall(f)


class Replaced(OSError):
    """Another file, or none, is where the database was: what is written now would be seen by nobody later."""


class SQLite:
    lanes = 1

    def __init__(self, writer: Line, readers: list[Line], file: str = "") -> None:
        self._file = file
        self._opened = _which(file)
        self._all = [writer, *readers]
        self._writer = writer
        self._free: asyncio.LifoQueue[Line] = asyncio.LifoQueue()
        for reader in readers:
            self._free.put_nowait(reader)

    async def read(self, work: Callable[[Connection], T]) -> T:
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
        code = getattr(getattr(error, "orig", error), "sqlite_errorcode", 0) & 0xFF
        return code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)

    async def close(self) -> None:
        for line in self._all:
            await line.close()


async def open_engine(url: URL) -> SQLite:
    writer, readers = await Line.open(url), Readers()
    return SQLite(writer, [await Line.open(url, readers) for _ in range(READERS)], url.database or "")


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
