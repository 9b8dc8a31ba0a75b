"""One transaction, run to its end where it is called: migrations want no loop, and other rules than a server has.

On SQLite a migration may copy a table, drop the old one and rename the copy; with foreign keys on, the drop would
empty every table that names it.  So they are off while the schema changes, and checked when all is done (checks.py).
A lock is waited for briefly; whoever calls tries again.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, create_engine, make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, SQLAlchemyError
from sqlalchemy.pool import NullPool, StaticPool

from ops import machines
from ops.change.place import Locked, NotChanged

T = TypeVar("T")

WAIT: Final = 5.0  # seconds for a lock
_LOCKED: Final = {"55P03", "40P01"}  # lock_not_available, deadlock_detected


def read(url: str, f: Callable[[Connection], T]) -> T:
    """What `f` finds in one snapshot.  Raises: NotChanged."""
    return _run(url, f, write=False, wait=WAIT)


def write(url: str, f: Callable[[Connection], T], *, wait: float = WAIT) -> T:
    """What `f` returns, after it is committed; foreign keys are not looked after.  Raises: NotChanged."""
    return _run(url, f, write=True, wait=wait)


@contextmanager
def alone(url: str) -> Iterator[Callable[[], None]]:
    """No other machine has it open or changes it until the block ends; before each step, ask what is yielded.

    Raises: Locked; so does what is yielded, when that holds no longer.
    """
    with ExitStack() as stack:
        still = _or_locked(lambda: stack.enter_context(machines.alone(url)))
        yield lambda: _or_locked(still)


def _or_locked(ask: Callable[[], T]) -> T:
    try:
        return ask()
    except (machines.Taken, OSError) as error:
        raise Locked(str(error)) from error


def _run(url: str, f: Callable[[Connection], T], *, write: bool, wait: float) -> T:
    address = make_url(url)
    try:
        if address.get_backend_name() == "sqlite":
            return _sqlite(Path(address.database or ""), f, write, wait)
        return asyncio.run(_postgresql(url, f, write, wait))
    except (SQLAlchemyError, sqlite3.Error, OSError) as error:
        says = next(iter(str(error).splitlines()), type(error).__name__)
        if _is_locked(error):
            raise Locked(f"the database is held by somebody else ({says}); stop what uses it, and try again") from error
        if _is_lost(error):
            raise NotChanged(
                f"the connection to the database was lost ({says}), and nothing of this was kept; look whether it runs,"
                " and give the same command again"
            ) from error
        raise NotChanged(f"the database refused: {says}") from error


def _sqlite(file: Path, f: Callable[[Connection], T], write: bool, wait: float) -> T:
    mode = "rwc" if write else "rw"
    with closing(
        sqlite3.connect(f"{file.absolute().as_uri()}?mode={mode}", uri=True, isolation_level=None, timeout=wait)
    ) as raw:
        for pragma in ("foreign_keys = off", "synchronous = full", f"query_only = {int(not write)}"):
            raw.execute(f"PRAGMA {pragma}")
        engine = create_engine("sqlite://", creator=lambda: raw, poolclass=StaticPool, hide_parameters=True)
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.begin()  # to SQLAlchemy; the real one is ours
            raw.execute("BEGIN IMMEDIATE" if write else "BEGIN")
            try:
                result = f(connection)
                raw.execute("COMMIT")
            except BaseException:
                if raw.in_transaction:
                    raw.execute("ROLLBACK")
                raise
        engine.dispose()
    return result


async def _postgresql(url: str, f: Callable[[Connection], T], write: bool, wait: float) -> T:
    from sqlalchemy.ext.asyncio import create_async_engine  # noqa: PLC0415  not for SQLite

    how: dict[str, Any] = {} if write else {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    engine = create_async_engine(
        make_url(url).set(drivername="postgresql+asyncpg"), poolclass=NullPool, hide_parameters=True
    )
    try:
        async with engine.execution_options(**how).connect() as connection:
            if write:
                await connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{max(1, int(wait * 1000))}ms'")
            result = await connection.run_sync(f)
            await connection.commit()
            return result
    finally:
        await engine.dispose()


def command(url: str, statement: str) -> None:
    """PostgreSQL, outside of any transaction: CREATE DATABASE.  Raises: NotChanged."""

    async def run() -> None:
        from sqlalchemy.ext.asyncio import create_async_engine  # noqa: PLC0415  not for SQLite

        address = make_url(url).set(drivername="postgresql+asyncpg")
        engine = create_async_engine(address, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        try:
            async with engine.connect() as connection:
                await connection.exec_driver_sql(statement)
        finally:
            await engine.dispose()

    try:
        asyncio.run(run())
    except (SQLAlchemyError, OSError) as error:
        raise NotChanged(f"the database refused: {str(error).splitlines()[0]}") from error


def _is_lost(error: Exception) -> bool:
    """It was stopped in the midst, or somebody ended the connection."""
    state = str(getattr(getattr(error, "orig", None), "sqlstate", "") or "")
    return state.startswith(("57P", "08")) or (
        isinstance(error, InterfaceError) and "connection is closed" in str(error)
    )


def _is_locked(error: Exception) -> bool:
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, sqlite3.Error):
        return getattr(cause, "sqlite_errorname", "").startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))
    return getattr(cause, "sqlstate", "") in _LOCKED
