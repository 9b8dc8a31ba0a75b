"""Processes on any number of machines with one PostgreSQL: LISTEN and NOTIFY on a connection of their own.

A NOTIFY within the transaction that changes something would make all commits of the cluster wait for each other; so it
is sent after the commit, by itself, many messages in one statement.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

import asyncpg
from sqlalchemy import URL

log = logging.getLogger(__name__)

CHANNEL: Final = "connectme"
MOST: Final = 1_000  # messages that wait while the database is away; later ones are dropped
AT_ONCE: Final = 100  # messages in one statement
QUIET: Final = 30.0  # seconds after which the connection is tried
PATIENCE: Final = 10.0  # seconds for an answer
GOODBYE: Final = 1.0  # seconds for the last words
HEALING: Final = 1.0  # seconds before a lost connection is made anew
_SAY: Final = "SELECT pg_notify($1, said) FROM unnest($2::text[]) AS said"
_TROUBLE: Final = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)


class PostgreSQLWire:
    def __init__(self, url: URL) -> None:
        self._url = url.set(drivername="postgresql+asyncpg")
        self._waiting: deque[bytes] = deque()
        self._wake = asyncio.Event()
        self._hear: Callable[[bytes], None] | None = None
        self._working: asyncio.Task[None] | None = None
        self._listening = asyncio.Event()
        self._told = asyncio.Event()
        self._told.set()

    def send(self, message: bytes) -> None:
        if len(self._waiting) < MOST:
            self._waiting.append(message)
            self._told.clear()
        self._wake.set()
        self._start()

    async def listen(self, hear: Callable[[bytes], None]) -> None:
        """Returns when the database knows that we listen, or does not answer; then it is tried until it does."""
        self._hear = hear
        self._wake.set()
        self._start()
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await self._listening.wait()

    async def close(self) -> None:
        """What was sent before is told first, if the database answers: a command ends at once."""
        if self._working is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(GOODBYE):
                    await self._told.wait()
            self._working.cancel()
            await asyncio.wait({self._working})

    def _start(self) -> None:
        """A process that has nothing to say and does not listen needs no connection."""
        if self._working is None:
            self._working = asyncio.create_task(self._work())

    async def _work(self) -> None:
        while True:
            try:
                await self._talk()
            except _TROUBLE as error:
                log.warning("no word from the other processes: %s", error or type(error).__name__)
            await asyncio.sleep(HEALING)

    async def _talk(self) -> None:
        """As long as the connection lives."""
        connection = await asyncpg.connect(timeout=PATIENCE, **_arguments(self._url))
        try:
            connection.add_termination_listener(lambda _: self._wake.set())
            own, listens = connection.get_server_pid(), False
            while not connection.is_closed():
                if self._hear is not None and not listens:
                    await connection.add_listener(CHANNEL, _hearer(own, self._hear))
                    listens = True
                    self._listening.set()
                await self._say(connection)
        finally:
            connection.terminate()

    async def _say(self, connection: Any) -> None:
        if not self._waiting:
            self._wake.clear()
            try:
                async with asyncio.timeout(QUIET):
                    await self._wake.wait()
            except TimeoutError:
                await connection.execute("SELECT 1", timeout=PATIENCE)
        some = [self._waiting.popleft().decode() for _ in range(min(AT_ONCE, len(self._waiting)))]
        if some:
            await connection.execute(_SAY, CHANNEL, some, timeout=PATIENCE)
        if not self._waiting:
            self._told.set()


def _hearer(own: int, hear: Callable[[bytes], None]) -> Callable[[Any, int, str, str], None]:
    def heard(_connection: Any, process: int, _channel: str, said: str) -> None:
        if process != own:
            hear(said.encode())

    return heard


def _arguments(url: URL) -> dict[str, Any]:
    """What SQLAlchemy would give to asyncpg, so that both read DATABASE_URL alike."""
    _, found = url.get_dialect()().create_connect_args(url)
    return {name: value for name, value in found.items() if name != "prepared_statement_cache_size"}
