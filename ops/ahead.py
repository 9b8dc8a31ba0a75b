"""Planned windows, told to members ahead of time: what the file of incidents says becomes announcements."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from federation.origin import Origin
from ops import incidents, state
from ops.incidents import Incident
from social import planned
from social.planned import Window
from store.database import Database


class Ahead:
    """`await ahead(now)` costs a look at the file, unless it changed."""

    def __init__(self, db: Database, origin: Origin, data_dir: Path) -> None:
        self._db = db
        self._origin = origin
        self._folder = data_dir / state.FOLDER
        self._seen: int | None = None

    async def __call__(self, now: datetime) -> None:
        try:
            changed = (self._folder / incidents.FILE).stat().st_mtime_ns
        except OSError:
            return
        if changed != self._seen:
            if found := list(windows(incidents.all_of(self._folder))):
                await self._db.write(planned.follow, self._origin, found, now)
            self._seen = changed


def windows(found: list[Incident]) -> Iterator[Window]:
    for one in found:
        if one.begins and one.ends and not one.draft and (number := announced_as(one.id)):
            says = f"{one.title}\n\n{one.updates[-1].says}"
            yield Window(number, says, one.begins, one.ends, one.created, one.is_open)


def announced_as(incident_id: str) -> int:
    """The id of the announcement; 0 for an id that somebody wrote into the file by hand.

    >>> announced_as("0000000000ff"), announced_as("mine")
    (255, 0)
    """
    try:
        number = int(incident_id, 16)
    except ValueError:
        return 0
    return number if 0 < number < planned.LARGEST else 0
