"""Does the jobs that units asked for (store.jobs): claim (unit) → do (network) → done or failed (unit)."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Connection, bindparam, exists, select
from sqlalchemy.exc import SQLAlchemyError

from federation.errors import FederationError, Unreachable
from social.errors import Refusal, Unavailable
from store import jobs
from store.database import Database
from store.prepared import Prepared
from store.tables import Job
from store.tables import jobs as table
from store.tables.base import Instant

log = logging.getLogger(__name__)

PLACES: Final = 16  # jobs at the same time
LONGEST: Final = 100.0  # seconds for one; less than its lease
IDLE: Final = (0.1, 1.0)  # seconds between two looks, growing while there is nothing to do
GRACE: Final = 5.0  # seconds to finish when the worker stops

_DUE = Prepared(select(exists().where(table.c.due <= bindparam("now", type_=Instant))))


class JobLoop:
    """errands: job kind → what does it."""

    def __init__(
        self,
        db: Database,
        errands: Mapping[str, Callable[[Job], Awaitable[None]]],
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        places: int = PLACES,
    ) -> None:
        self._db = db
        self._errands = errands
        self._clock = clock
        self._places = places
        self._running: set[asyncio.Task[None]] = set()
        self._called = asyncio.Event()

    def wake(self) -> None:
        """There may be jobs."""
        self._called.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set.  A job that is not finished then is done again when its lease ends."""
        wait = IDLE[0]
        try:
            while not stop.is_set():
                self._called.clear()
                if await self._fill():
                    wait = IDLE[0]
                    continue
                with suppress(TimeoutError):
                    async with asyncio.timeout(wait):
                        await self._called.wait()
                wait = min(wait * 2, IDLE[1])
        finally:
            await self._end()

    async def round(self) -> int:
        """Does what is due now; how many jobs."""
        number = await self._fill()
        while self._running:
            await asyncio.wait(self._running)
        return number

    async def _fill(self) -> int:
        """Starts jobs for the free places."""
        free = self._places - len(self._running)
        if free <= 0 or not await self._db.read(_is_due, self._clock()):
            return 0
        claimed = await self._db.write(jobs.claim, self._clock(), free)
        for job in claimed:
            task = asyncio.create_task(self._do(job))
            self._running.add(task)
            task.add_done_callback(self._ended)
        return len(claimed)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._called.set()  # there is a place
        if not task.cancelled() and (error := task.exception()):
            log.error("a job could not be settled: %s", error)

    async def _do(self, job: Job) -> None:
        try:
            error = await self._try(job)
        except jobs.Later as later:
            await self._db.write(jobs.put_off, job, later.due)
            return
        if error is None:
            await self._db.write(jobs.done, [job.id])
        else:
            await self._db.write(jobs.failed, job, self._clock(), error)

    async def _try(self, job: Job) -> str | None:
        """Why it should be tried again; None: it is done, or there is nothing to be had."""
        errand = self._errands.get(job.kind)
        if errand is None:
            log.error("nobody knows how to do %s", job.key)
            return None
        try:
            async with asyncio.timeout(LONGEST):
                await errand(job)
        except jobs.Later:
            raise
        except (Unavailable, Unreachable, TimeoutError) as error:
            return f"{error} {getattr(error, 'why', '')}".strip() or "took too long"
        except (FederationError, Refusal) as error:
            log.info("%s: %s %s", job.key, error, getattr(error, "why", ""))
        except (SQLAlchemyError, OSError) as error:
            log.warning("%s: %s", job.key, error)
            return type(error).__name__
        except Exception as error:
            log.exception("%s", job.key)
            return f"{type(error).__name__}: {error}"
        return None

    async def _end(self) -> None:
        if self._running:
            _, left = await asyncio.wait(self._running, timeout=GRACE)
            for task in left:
                task.cancel()
            if left:
                await asyncio.wait(left)


def _is_due(tx: Connection, now: datetime) -> bool:
    return bool(_DUE.typed(tx, now=now)[0][0])
