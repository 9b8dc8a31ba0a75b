"""Puts what arrives into the spool: all that is waiting when the disk is ready goes with one sync."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any, Final

from sqlalchemy import Connection

from inbox import spool
from inbox.counts import Counts
from store.database import Database
from store.tables import CachedKey

log = logging.getLogger(__name__)

MOST: Final = 64  # messages in one transaction
BUSY: Final = 4  # of them in the last one mean that more will come …
GATHER: Final = 0.002  # … within these seconds, and can share the next sync
SIZE_EVERY: Final = 1.0  # seconds between two looks at the size of the spool


class Appender:
    """`await append(row)` returns when the row is on disk.

    limit: bytes that the spool may hold, and some more: it is looked at once in a second.
    wake:  called after each write, for a processor in the same process.
    """

    def __init__(
        self, db: Database, counts: Counts, *, limit: int = spool.LIMIT, wake: Callable[[], None] = lambda: None
    ) -> None:
        self._db = db
        self._counts = counts
        self._limit = limit
        self._wake = wake
        self._waiting: list[tuple[dict[str, Any], CachedKey | None, asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None
        self._measured = 0.0

    def append(self, row: dict[str, Any], key: CachedKey | None = None) -> "asyncio.Future[None]":
        """`row` is made by spool.row; `key` signed it, and is kept with it.

        Raises: spool.Full; what the database says, when it cannot keep it.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[None] = loop.create_future()
        self._waiting.append((row, key, answer))
        if self._writing is None:
            self._writing = loop.create_task(self._write())
        return answer

    async def flush(self) -> None:
        """Waits for what is being written, then writes the counts."""
        while self._writing is not None:
            await asyncio.wait({self._writing})
        if counted := self._counts.take():
            try:
                await self._db.write(spool.count, counted)
            except Exception as error:  # noqa: BLE001  they wait for the next time
                self._counts.give_back(counted)
                log.warning("the counts could not be written: %s", error)

    async def _write(self) -> None:
        while self._waiting:
            taken, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
            error = await self._keep([row for row, _, _ in taken], [key for _, key, _ in taken if key])
            for _, _, answer in taken:
                if not answer.done():
                    answer.set_result(None) if error is None else answer.set_exception(error)
            self._wake()
            if BUSY <= len(taken) < MOST:
                await asyncio.sleep(GATHER)
        self._writing = None

    async def _keep(self, rows: Sequence[dict[str, Any]], keys: Sequence[CachedKey]) -> Exception | None:
        now = asyncio.get_running_loop().time()
        limit = self._limit if now - self._measured >= SIZE_EVERY else None
        try:
            await self._db.write(_append, rows, keys, limit)
        except Exception as error:  # noqa: BLE001  it is the sender's answer
            return error
        if limit is not None:
            self._measured = now
        return None


def _append(tx: Connection, rows: Sequence[dict[str, Any]], keys: Sequence[CachedKey], limit: int | None) -> None:
    if limit is not None and spool.size(tx) > limit:
        raise spool.Full
    spool.keep(tx, rows)
    spool.keep_keys(tx, keys)
