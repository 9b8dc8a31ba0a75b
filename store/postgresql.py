"""PostgreSQL: the same units, through `AsyncConnection.run_sync`, on a pool of asyncpg connections."""

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from sqlalchemy import URL, Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from store import races
from store.memory import READ_ONLY, Readers
from store.units import Unit, run

T = TypeVar("T")

LANES = 4
READERS = 8
DAMAGE = {"XX001", "XX002"}  # data_corrupted, index_corrupted


class PostgreSQL:
    lanes = LANES

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        # As on SQLite, a read of several statements sees one moment; it costs no further round trip.
        self._snapshots = engine.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True, **{READ_ONLY: Readers()}
        )

    async def read(self, work: Callable[[Connection], T], unit: Hashable = None) -> T:  # noqa: ARG002  an Engine
        async with self._snapshots.connect() as connection:
            return await connection.run_sync(work)

    async def write(self, units: list[Unit[Any]]) -> None:
        async with self._engine.begin() as connection:
            await connection.run_sync(lambda tx: run(tx, tx.exec_driver_sql, units))

    def is_transient(self, error: Exception, /) -> bool:
        return races.is_lost(error) or races.is_outrun(error)

    def is_damage(self, error: Exception, /) -> bool:
        return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", "") in DAMAGE

    async def close(self) -> None:
        await self._engine.dispose()


def open_engine(url: URL) -> PostgreSQL:
    return PostgreSQL(
        create_async_engine(
            url.set(drivername="postgresql+asyncpg"),
            pool_size=LANES + READERS,
            max_overflow=0,
            hide_parameters=True,  # errors are logged
        )
    )
