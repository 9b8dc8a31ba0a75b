"""What /readyz and /startupz say: each part of the server, looked at now.

A part that is not `ok` cannot do its work; one that is degraded can, and will not for ever.
"""

import asyncio
import logging
import shutil
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy.exc import SQLAlchemyError

from connectme.house import House
from connectme.sentinel import touch
from inbox import spool
from ops import damage
from ops.change import progress
from social import instance
from web.keys import Part

log = logging.getLogger(__name__)

OLD: Final = timedelta(minutes=5)  # of what waits in the spool
NEARLY: Final = 9, 10  # of the spool's limit
PATIENCE: Final = 5.0  # seconds


async def ready(house: House) -> dict[str, Part]:
    parts: Mapping[str, Callable[[House], Awaitable[Part]]] = {
        "database": _reads,
        "database_writes": _writes,
        "spool": _keeps,
        "queue": _queue,
        "disk": _disk,
        "media": _media,
    }
    found = await asyncio.gather(*(_part(ask, house) for ask in parts.values()))
    return dict(zip(parts, found, strict=True))


def started(house: House) -> dict[str, Any]:
    """status: starting, migrating or ready; how far a migration is, as `connectme db upgrade` notes it."""
    changing = progress.unfinished(house.settings.data_dir)
    if house.board.mode.name == "maintenance" and house.board.server.name == "maintenance":
        return {"status": "migrating", "progress": dict(changing.facts) if changing else {}}
    if house.is_provisional:
        return {"status": "starting", "says": "the database is waited for"}
    return {"status": "ready"}


async def _part(ask: Callable[[House], Awaitable[Part]], house: House) -> Part:
    try:
        async with asyncio.timeout(PATIENCE):
            return await ask(house)
    except (SQLAlchemyError, OSError) as error:
        log.info("not ready: %s", error)
        return Part(ok=False, says="does not answer")


async def _reads(house: House) -> Part:
    await house.db.read(instance.has_people)
    return Part(ok=True, says="reads")


async def _writes(house: House) -> Part:
    """A damaged database may still take some, and must get none."""
    if damage.of(house.settings.data_dir, house.settings.sqlite_file):
        return Part(ok=False, says="is damaged")
    await house.db.write(touch)
    return Part(ok=True, says="writes")


async def _keeps(house: House) -> Part:
    """SQLite remembers how many pages there are; whether they can be read is seen by reading."""
    used, _ = await house.spool.read(lambda tx: (spool.size(tx), spool.stats(tx)))
    return Part(ok=used < spool.LIMIT, degraded=used * NEARLY[1] > spool.LIMIT * NEARLY[0], says=f"{used >> 20} MB")


async def _queue(house: House) -> Part:
    found = await house.spool.read(spool.stats)
    age = datetime.now(UTC) - found.oldest if found.oldest else timedelta()
    says = f"{found.waiting} messages wait, the oldest since {int(age.total_seconds())} s"
    return Part(ok=True, degraded=age > OLD, says=says)


async def _disk(house: House) -> Part:
    free, reserve = shutil.disk_usage(house.settings.data_dir).free >> 20, house.settings.disk_reserve_mb
    return Part(ok=free > 0, degraded=free < reserve, says=f"{free} MB are free")


async def _media(house: House) -> Part:
    """The folder of uploads; whether a bucket answers is asked by those who need it."""
    place = house.settings.data_dir / "incoming"
    return Part(ok=True, degraded=not place.is_dir(), says="takes uploads" if place.is_dir() else "no folder yet")
