"""Brings the index of words up to date (social/fulltext.py), a moment after posts came, changed or went."""

import asyncio
import logging
from contextlib import suppress
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from connectme.loop import until
from social import fulltext
from store.database import Database

log = logging.getLogger(__name__)

EVERY: Final = 1.0  # seconds between looks for posts of other processes
GATHER: Final = 0.2  # seconds that posts gather before they are looked at together


class Indexer:
    def __init__(self, db: Database) -> None:
        self._db = db
        self._woken = asyncio.Event()

    def wake(self) -> None:
        self._woken.set()

    async def run(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                await self.round()
            except (SQLAlchemyError, OSError) as error:
                log.warning("the index of words has to wait: %s", error)
            with suppress(TimeoutError):
                async with asyncio.timeout(EVERY):
                    await self._woken.wait()
            self._woken.clear()
            await until(stop, GATHER)

    async def round(self) -> int:
        """All that waits, some posts at a time: nothing is written for nothing.  Returns how many."""
        total = 0
        while await self._db.read(fulltext.waits):
            total += await self._db.write(fulltext.work)
        return total
