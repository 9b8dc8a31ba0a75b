"""What there is to say: how each component is, what happened, what is planned, how it was for ninety days."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

from ops import alerts, incidents, modes, state
from ops.incidents import COMPONENTS, Incident
from ops.watch import looks, samples

DAYS: Final = 90
ORDER: Final = ("operational", "under_maintenance", "degraded_performance", "partial_outage", "major_outage")
_BY_IMPACT: Final = {"minor": "degraded_performance", "major": "partial_outage", "critical": "major_outage"}
_BY_MODE: Final = {"read-only": {"web": "partial_outage", **alerts.WRITING}, "emergency": alerts.READING}
_MADE_OF: Final = (incidents.FILE, modes.FILE, "drills.json")
_INDICATOR: Final = {
    "operational": "none",
    "under_maintenance": "maintenance",
    "degraded_performance": "minor",
    "partial_outage": "major",
    "major_outage": "critical",
}
SAYS: Final = {
    "none": "All systems work",
    "maintenance": "Planned work is going on",
    "minor": "Some things are slow or late",
    "major": "Some things do not work",
    "critical": "Much does not work",
}


@dataclass(frozen=True, slots=True)
class Site:
    """Whose page it is.  folder: where the files go, if not below DATA_DIR."""

    title: str
    domain: str
    base_url: str
    folder: Path | None = None


@dataclass(frozen=True, slots=True)
class Component:
    id: str
    name: str
    status: str
    days: tuple[float | None, ...]  # share of good probes, the oldest first; None: nobody looked

    @property
    def uptime(self) -> float | None:
        known = [share for share in self.days if share is not None]
        return sum(known) / len(known) if known else None


@dataclass(frozen=True, slots=True)
class Board:
    site: Site
    now: datetime
    components: tuple[Component, ...]
    current: tuple[Incident, ...]
    planned: tuple[Incident, ...]
    past: tuple[Incident, ...]
    proved: datetime | None  # when a backup was last proved by a drill

    @property
    def indicator(self) -> str:
        worst = max((one.status for one in self.components), key=ORDER.index)
        return _INDICATOR[worst]

    @property
    def says(self) -> str:
        return SAYS[self.indicator]

    @property
    def first_day(self) -> date:
        return self.now.date() - timedelta(days=DAYS - 1)


def gather(
    folder: Path, site: Site, now: datetime, mode: str | None = None, wrong: Mapping[str, str] | None = None
) -> Board:
    """mode, wrong: as who asks has it, and which components are not well; None: as the files have it."""
    found = [one for one in incidents.all_of(folder) if not one.draft]
    wrong = alerts.components(alerts.load(folder)) if wrong is None else wrong
    noted = state.read_json(folder / modes.FILE)
    name = mode or (noted.get("name") if isinstance(noted, dict) else None)
    how = _statuses(found, wrong, str(name), now)
    days = _days(folder, now)
    drill = looks.last_drill(folder)
    return Board(
        site=site,
        now=now,
        components=tuple(Component(part, COMPONENTS[part], how[part], days[part]) for part in COMPONENTS),
        current=tuple(one for one in found if one.is_open and not one.is_planned),
        planned=tuple(one for one in found if one.is_open and one.is_planned),
        past=tuple(one for one in found if not one.is_open and now - one.updates[-1].at < timedelta(days=DAYS)),
        proved=looks.moment(drill) if drill and looks.is_good(drill) else None,
    )


def seen(folder: Path, wrong: Mapping[str, str]) -> object:
    """What differs when the page has to be made anew."""
    return dict(wrong), changed(folder)


def changed(folder: Path) -> list[int]:
    """When each of the files was, that the page is made of."""
    return [_changed(f"{folder}/{name}") for name in _MADE_OF]


def _changed(file: str) -> int:
    try:
        return os.stat(file).st_mtime_ns
    except OSError:
        return 0


def _statuses(found: list[Incident], wrong: Mapping[str, str], mode: str, now: datetime) -> dict[str, str]:
    how = {part: wrong.get(part, "operational") for part in COMPONENTS}

    def worsen(parts: object, status: str) -> None:
        for part in COMPONENTS:
            if isinstance(parts, tuple) and part in parts:
                how[part] = max(how[part], status, key=ORDER.index)

    for one in found:
        if one.is_open and one.status != "monitoring" and not one.is_planned and one.impact in _BY_IMPACT:
            worsen(one.components, _BY_IMPACT[one.impact])
        if one.is_now(now):
            how |= dict.fromkeys(one.components, "under_maintenance")
    if mode == "maintenance":
        how = dict.fromkeys(COMPONENTS, "under_maintenance")
    for part, status in _BY_MODE.get(mode, {}).items():
        worsen((part,), status)
    return how


def _days(folder: Path, now: datetime) -> dict[str, tuple[float | None, ...]]:
    today = int(now.replace(tzinfo=UTC).timestamp()) // samples.DAY * samples.DAY
    first = today - (DAYS - 1) * samples.DAY
    kept = dict(samples.read(folder / samples.FILE, samples.DAY, first))
    return {
        part: tuple(_share(kept.get(first + n * samples.DAY, {}), part) for n in range(DAYS)) for part in COMPONENTS
    }


def _share(day: Mapping[str, float], part: str) -> float | None:
    probes = day.get(f"{part}/all")
    return day.get(part, 0) / probes if probes else None
