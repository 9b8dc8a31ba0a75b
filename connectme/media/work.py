"""What workers do for uploads: finish those that take a while, and remove those that no post has."""

import asyncio
import logging
import shutil
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Final

from connectme.media.cache import Cache
from connectme.media.workshop import Workshop
from federation.origin import Origin
from social.errors import Invalid
from social.media import uploads
from store.database import Database
from store.tables import Job

log = logging.getLogger(__name__)

TRIES: Final = 3  # of one film; whatever fails so often will not succeed
LEFT_BEHIND: Final = 86400.0  # seconds after which nobody works with a file any more
FAILED: Final = "This file could not be processed"


class MediaWork:
    def __init__(self, db: Database, origin: Origin, workshop: Workshop, cache: Cache | None = None) -> None:
        self._db = db
        self._origin = origin
        self._workshop = workshop
        self._cache = cache
        self.table: Mapping[str, Callable[[Job], Awaitable[None]]] = {uploads.JOB: self.process}

    async def process(self, job: Job) -> None:
        """A film or sound that was set aside."""
        found = await self._db.read(uploads.by_id, job.payload["media_id"])
        if found is None or found.state != "processing" or found.file is None:
            return
        try:
            made = await self._workshop.finish(found.file)
        except Invalid as refusal:
            log.info("an upload is not usable: %s %s", refusal, refusal.why)
            await self._give_up(found.id, found.file, str(refusal))
            return
        except Exception:
            if job.attempts + 1 < TRIES:
                raise
            log.exception("an upload cannot be processed")
            await self._give_up(found.id, found.file, FAILED)
            return
        kept = await self._db.write(uploads.finish, self._origin, found.id, made)
        used = uploads.names([kept] if kept else [])
        unused = [name for name in (made.file, made.preview_file) if name and name not in used]
        await self._workshop.remove([found.file, *unused])

    async def _give_up(self, media_id: int, name: str, says: str) -> None:
        await self._db.write(uploads.fail, media_id, says)
        await self._workshop.remove([name])

    async def sweep(self, now: datetime) -> None:
        """The files first: a row without a file is found again, a file without a row is not."""
        while rows := await self._db.read(uploads.due, now):
            await self._workshop.remove(uploads.names(rows))
            await self._db.write(uploads.remove, [row.id for row in rows])
        await asyncio.to_thread(self._tidy)
        if self._cache is not None:
            await asyncio.to_thread(self._cache.prune, time.time())

    def _tidy(self) -> None:
        """What a process that died left half received."""
        before = time.time() - LEFT_BEHIND
        for left in self._workshop.folder.iterdir():
            if left.stat().st_mtime < before:
                shutil.rmtree(left, ignore_errors=True)
