"""What members are told while something is wrong, and before something is done: DATA_DIR/state/incidents.json.

An incident is drafted when an alert opens (ops/watch/monitor.py), and seen by nobody until a person confirms it.  A
planned window is seen at once, on the status page and on top of all pages, and keeps alerts quiet while it lasts.
Light: the supervisor imports it.  Several processes write: each change holds a lock and is whole.
"""

import fcntl
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, TypeVar

from ops import state

FILE: Final = "incidents.json"
STAGES: Final = ("investigating", "identified", "monitoring", "resolved", "postmortem")
PLANNED: Final = ("scheduled", "in_progress", "verifying", "completed")
IMPACTS: Final = ("none", "minor", "major", "critical", "maintenance")
ENDED: Final = ("resolved", "postmortem", "completed")
COMPONENTS: Final = {
    "web": "Web pages",
    "api": "API for apps",
    "streaming": "Live updates",
    "federation-in": "From other servers",
    "federation-out": "To other servers",
    "media": "Pictures and films",
    "search": "Search",
    "email": "E-mail",
}
KEPT: Final = timedelta(days=365)
LONGEST: Final = 5000  # letters of an update
_T = TypeVar("_T")


class Wrong(ValueError):
    """It cannot be said so.  `str` says why."""


@dataclass(frozen=True, slots=True)
class Update:
    id: str
    status: str
    says: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Incident:
    id: str
    title: str
    impact: str
    components: tuple[str, ...]
    created: datetime
    updates: tuple[Update, ...]  # the newest last; at least one
    draft: bool = False
    alert: str | None = None  # the rule that drafted it
    begins: datetime | None = None  # of a planned window
    ends: datetime | None = None

    @property
    def status(self) -> str:
        return self.updates[-1].status

    @property
    def is_open(self) -> bool:
        return self.status not in ENDED

    @property
    def is_planned(self) -> bool:
        return self.begins is not None

    def is_now(self, now: datetime) -> bool:
        """Is it a window that lasts at this moment?"""
        return self.is_open and self.begins is not None and self.ends is not None and self.begins <= now < self.ends


def all_of(folder: Path) -> list[Incident]:
    """Those of the last year, the newest first.  A note that is damaged is passed over."""
    found = state.read_json(folder / FILE)
    listed = found.get("incidents") if isinstance(found, dict) else None
    read = [_read(one) for one in listed] if isinstance(listed, list) else []
    return sorted((one for one in read if one), key=lambda one: (one.created, one.id), reverse=True)


def get(folder: Path, incident_id: str) -> Incident:
    """By its id, or the beginning of it.  Raises: Wrong."""
    fits = [one for one in all_of(folder) if one.id.startswith(incident_id)] if incident_id else []
    if len(fits) != 1:
        raise Wrong(f"{len(fits) or 'no'} incidents have an id like {incident_id!r}; see `connectme incident list`")
    return fits[0]


def open_(
    folder: Path,
    title: str,
    says: str,
    now: datetime,
    *,
    impact: str = "minor",
    components: Sequence[str] = (),
    status: str = "investigating",
    draft: bool = False,
    alert: str | None = None,
) -> Incident:
    """A new one.  Raises: Wrong."""
    made = _checked(Incident(_id(), title.strip(), impact, tuple(components), now, (), draft, alert), says, status, now)
    return _change(folder, now, lambda found: (made, [made, *found]))


def plan(
    folder: Path,
    title: str,
    says: str,
    begins: datetime,
    ends: datetime,
    now: datetime,
    *,
    components: Sequence[str] = (),
) -> Incident:
    """A window in which something is done, told ahead.  Raises: Wrong."""
    if not begins < ends:
        raise Wrong("a window ends after it begins")
    if ends <= now:
        raise Wrong("that window is over already")
    bare = Incident(_id(), title.strip(), "maintenance", tuple(components), now, (), begins=begins, ends=ends)
    made = _checked(bare, says, "scheduled", now)
    return _change(folder, now, lambda found: (made, [made, *found]))


def update(
    folder: Path,
    incident_id: str,
    says: str,
    now: datetime,
    *,
    status: str | None = None,
    title: str | None = None,
    impact: str | None = None,
    components: Sequence[str] | None = None,
) -> Incident:
    """One step more; a draft is thereby published.  Raises: Wrong."""
    before = get(folder, incident_id)

    def change(found: list[Incident]) -> tuple[Incident, list[Incident]]:
        [current] = [one for one in found if one.id == before.id] or [before]
        wanted = replace(
            current,
            title=title.strip() if title else current.title,
            impact=impact or current.impact,
            components=current.components if components is None else tuple(components),
            draft=False,
        )
        if current.draft:  # nobody has read what the machine wrote
            wanted = replace(wanted, updates=())
        after = _checked(wanted, says, status or current.status, now)
        return after, [after if one.id == after.id else one for one in found]

    return _change(folder, now, change)


def resolve(folder: Path, incident_id: str, says: str, now: datetime) -> Incident:
    found = get(folder, incident_id)
    return update(folder, incident_id, says, now, status="completed" if found.is_planned else "resolved")


def forget(folder: Path, incident_id: str, now: datetime) -> Incident:
    """A draft that was nothing.  Raises: Wrong."""
    found = get(folder, incident_id)
    if not found.draft:
        raise Wrong("it was published; resolve it instead")
    return _change(folder, now, lambda all_: (found, [one for one in all_ if one.id != found.id]))


def turn(folder: Path, now: datetime) -> list[Incident]:
    """Windows that begin or end by the clock; returns those that changed."""
    turned = []
    for one in all_of(folder):
        if one.is_planned and one.is_open and one.begins and one.ends:
            if now >= one.ends:
                turned.append(update(folder, one.id, "The work is done.", now, status="completed"))
            elif now >= one.begins and one.status == "scheduled":
                turned.append(update(folder, one.id, "The work has begun.", now, status="in_progress"))
    return turned


def is_quiet(found: Sequence[Incident], now: datetime) -> bool:
    """Does a planned window last, in which alerts would tell nothing new?"""
    return any(one.is_now(now) for one in found)


def _checked(made: Incident, says: str, status: str, now: datetime) -> Incident:
    says = says.strip()
    stages = PLANNED if made.is_planned else STAGES
    for wrong, why in (
        (not made.title or len(made.title) > 200, "it needs a title, of 200 letters at most"),
        (not says or len(says) > LONGEST, f"an update needs a text, of {LONGEST} letters at most"),
        (status not in stages, f"its status is one of {', '.join(stages)}"),
        (made.impact not in IMPACTS, f"its impact is one of {', '.join(IMPACTS[:-1])}"),
        (set(made.components) - set(COMPONENTS), f"components are {', '.join(COMPONENTS)}"),
    ):
        if wrong:
            raise Wrong(why)
    clean = says.replace("\0", ""), made.title.replace("\0", "")
    return replace(made, title=clean[1], updates=(*made.updates, Update(_id(), status, clean[0], now)))


def _change(folder: Path, now: datetime, change: Callable[[list[Incident]], tuple[_T, list[Incident]]]) -> _T:
    with _alone(folder):
        result, after = change(all_of(folder))
        after.sort(key=lambda one: one.created)
        kept = [one for one in after if one.is_open or now - one.updates[-1].at < KEPT]
        state.write_json(folder / FILE, {"incidents": [asdict(one) for one in kept]})
    return result


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    with (folder / "incidents.lock").open("a", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _read(raw: Any) -> Incident | None:
    try:
        updates = tuple(Update(one["id"], one["status"], one["says"], _moment(one["at"])) for one in raw["updates"])
        begins, ends = (None if raw[name] is None else _moment(raw[name]) for name in ("begins", "ends"))
        made = Incident(
            raw["id"], raw["title"], raw["impact"], tuple(raw["components"]), _moment(raw["created"]), updates,
            raw["draft"], raw["alert"], begins, ends,
        )  # fmt: skip
    except (KeyError, TypeError, ValueError):
        return None
    return made if updates else None


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError("naive datetime")
    return found


def _id() -> str:
    return secrets.token_hex(6)
