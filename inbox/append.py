"""Puts what arrives into the spool: all that is waiting when the disk is ready goes with one sync."""

import asyncio
from collections.abc import Callable
from typing import Any

from inbox import spool
from inbox.counts import Counts
from store.database import Database
from store.units import MOST


class Appender:
    """`await append(row)` returns when the row is on disk.

    limit: bytes that the spool may hold.
    wake:  called after each write, for a processor in the same process.
    """

    def __init__(
        self, db: Database, counts: Counts, *, limit: int = spool.LIMIT, wake: Callable[[], None] = lambda: None
    ) -> None:
        self._db = db
        self._counts = counts
        self._limit = limit
        self._wake = wake
        self._waiting: list[tuple[dict[str, Any], asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None

    def append(self, row: dict[str, Any]) -> "asyncio.Future[None]":
        """`row` is made by spool.row.  Raises: spool.Full; what the database says, when it cannot keep it."""
        answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((row, answer))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())
        return answer

    async def flush(self) -> None:
        """Waits for what is being written, then writes the counts."""
        while self._writing is not None:
            await asyncio.wait({self._writing})
        await self._keep([])

    async def _write(self) -> None:
        while self._waiting:
            taken, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
            error = await self._keep([row for row, _ in taken])
            for _, answer in taken:
                if not answer.done():
                    answer.set_exception(error) if error else answer.set_result(None)
            self._wake()
        self._writing = None

    async def _keep(self, rows: list[dict[str, Any]]) -> Exception | None:
        counted = self._counts.take()
        if not rows and not counted:
            return None
        try:
            await self._db.write(_keep, rows, counted, self._limit)
        except Exception as error:  # noqa: BLE001  it is the sender's answer
            self._counts.give_back(counted)
            return error
        return None


def _keep(tx: Any, rows: list[dict[str, Any]], counted: dict[str, int], limit: int) -> None:
    if rows:
        spool.keep(tx, rows, limit)
    spool.count(tx, counted)
