"""Several machines, one PostgreSQL: who has it open, and who alone may change its tables.

A lock of PostgreSQL's own, of a session: it goes with the connection, however the process ends.  Each server process
shares it while it has the database open; whoever changes the tables has it alone.  Nothing of it for SQLite, whose
file is of one machine (connectme/lock.py).  Light.
"""

import asyncio
import logging
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import TYPE_CHECKING, Final

from ops.findings import first_line

if TYPE_CHECKING:
    import asyncpg

log = logging.getLogger(__name__)

PATIENCE: Final = 2.0  # seconds: a session that just ended needs a moment to vanish
LOOK: Final = 0.2  # seconds between two tries
HEALING: Final = 1.0  # … before a lost connection is made anew
QUIET: Final = 30.0  # … after which it is tried
KEY: Final = "1131376238, 1"  # of ours among such locks
_SHARE: Final = f"SELECT pg_try_advisory_lock_shared({KEY})"
_ALONE: Final = f"SELECT pg_try_advisory_lock({KEY})"
_AWAKE: Final = (  # since PostgreSQL 14 an administrator may end sessions that are quiet
    "SELECT set_config('idle_session_timeout', '0', false) WHERE current_setting('idle_session_timeout', true) <> '0'"
)
_HOLDERS: Final = (
    "SELECT DISTINCT l.mode = 'ExclusiveLock', coalesce(nullif(a.application_name, ''), 'process ' || a.pid)"  # noqa: S608
    " FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
    " WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2 AND pid <> pg_backend_pid()"
    f" AND (l.classid, l.objid) = ({KEY})"
    " AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) ORDER BY 2"
)


class Taken(Exception):
    """By others.  `str` is a line for the administrator."""


@contextmanager
def alone(url: str) -> Iterator[Callable[[], None]]:
    """Nobody else has the database open, or changes it, until the block ends.

    Yields what is to be asked before each step: it raises when the connection, and the lock with it, was lost.
    Raises: Taken; OSError.
    """
    if not _is_postgresql(url):
        yield lambda: None
        return
    with asyncio.Runner() as runner:
        connection = runner.run(_connected(url))
        try:
            end = time.monotonic() + PATIENCE
            while not runner.run(_taken(connection, _ALONE)):
                if time.monotonic() >= end:
                    raise Taken(runner.run(_by_whom(connection)))
                time.sleep(LOOK)
            yield lambda: runner.run(_tried(connection))
        finally:
            connection.terminate()


class Share:
    """One process that has the database open."""

    def __init__(self, url: str, connection: "asyncpg.Connection") -> None:
        self._url, self._connection = url, connection

    async def keep(self, lost: asyncio.Event) -> None:
        """Without end.  A lost connection is made anew; lost: set when somebody changes the database meanwhile."""
        while not lost.is_set():
            await self._ended()
            try:
                self._connection = await _shared(self._url)
            except Taken as error:
                log.warning("%s", error)
                lost.set()
            except OSError:
                await asyncio.sleep(HEALING)

    async def _ended(self) -> None:
        """Returns when the connection is lost."""
        ended = asyncio.Event()
        self._connection.add_termination_listener(lambda _: ended.set())
        while not (ended.is_set() or self._connection.is_closed()):
            with suppress(TimeoutError):
                async with asyncio.timeout(QUIET):
                    await ended.wait()
            with suppress(OSError):
                await _tried(self._connection)

    def end(self) -> None:
        self._connection.terminate()


@asynccontextmanager
async def shared(url: str) -> AsyncIterator[Share | None]:
    """Nobody changes the tables until the block ends.  Raises: Taken; OSError."""
    if not _is_postgresql(url):
        yield None
        return
    share = Share(url, await _shared(url))
    try:
        yield share
    finally:
        share.end()


async def _shared(url: str) -> "asyncpg.Connection":
    connection = await _connected(url)
    if await _taken(connection, _SHARE):
        return connection
    try:
        raise Taken(await _by_whom(connection))
    finally:
        connection.terminate()


def _is_postgresql(url: str) -> bool:
    return not url.startswith("sqlite")


async def _connected(url: str) -> "asyncpg.Connection":
    """One that PostgreSQL misses within a minute when this machine vanishes.  Raises: OSError."""
    import asyncpg  # noqa: PLC0415  an extra

    settings = {
        "application_name": f"connectme on {socket.gethostname()}"[:63],
        "tcp_keepalives_idle": "30",
        "tcp_keepalives_interval": "10",
        "tcp_keepalives_count": "3",
    }
    try:
        connection = await asyncpg.connect(url, timeout=10, command_timeout=10, server_settings=settings)
        await connection.execute(_AWAKE)
    except (asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as error:
        raise ConnectionError(first_line(error)) from error
    return connection


async def _taken(connection: "asyncpg.Connection", statement: str) -> bool:
    return bool(await _asked(connection, statement))


async def _tried(connection: "asyncpg.Connection") -> None:
    """Raises: OSError."""
    await _asked(connection, "SELECT true")


async def _asked(connection: "asyncpg.Connection", statement: str) -> object:
    import asyncpg  # noqa: PLC0415  an extra

    try:
        return await connection.fetchval(statement)
    except (asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as error:
        raise ConnectionError(f"the connection to PostgreSQL was lost ({first_line(error)})") from error


async def _by_whom(connection: "asyncpg.Connection") -> str:
    rows = [tuple(row) for row in await connection.fetch(_HOLDERS)]
    changing = [name for is_change, name in rows if is_change]
    if changing:
        return f"the database is being changed already ({', '.join(changing)}); wait until that has ended"
    names = ", ".join(name for _, name in rows) or "a process that just ended"
    return f"servers have the database open ({names}); stop them on all machines, and try again"
