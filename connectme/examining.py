"""Every WATCH_EVERY seconds, PostgreSQL is asked what the doctor would ask it, by a process that talks with it anyway.

The supervisor is too small for a driver.  It takes what is found here for its own (ops/doctor/often.py): an index that
was dropped, constraints that are off, too few connections come to the alerts like the faults of an embedded database.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from connectme import schema
from connectme.lock import is_taken
from connectme.loop import beside
from connectme.settings import Settings
from ops import findings, state
from ops.doctor import often, postgresql
from ops.doctor.case import Case

log = logging.getLogger(__name__)


@asynccontextmanager
async def examining(settings: Settings) -> AsyncIterator[None]:
    """While the block lasts.  Nothing, where the database is embedded."""
    if settings.sqlite_file is not None:
        yield
        return
    async with beside(_run(settings)):
        yield


async def _run(settings: Settings) -> None:
    newest = schema.newest()
    with (state.folder(settings.data_dir) / "examiner.lock").open("a", encoding="ascii") as lock:
        while True:
            if is_taken(lock):
                try:
                    await look(settings, newest)
                except Exception:  # the next look may be better
                    log.exception("PostgreSQL could not be examined")
            await asyncio.sleep(settings.watch_every)


async def look(settings: Settings, newest: str) -> None:
    """Raises: OSError."""
    now = datetime.now(UTC)
    found = await postgresql.look(Case(settings, newest, now))
    findings.keep(settings.data_dir, found, now, file=often.SERVED)
