"""The files of operations, as the web shows and changes them (web/told.py)."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from connectme.settings import Settings
from connectme.watching import site_of
from ops import alerts, incidents, modes, state, status
from ops.ahead import announced_as
from ops.incidents import Incident
from ops.modes import Board
from ops.watch import looks, samples
from social.errors import Invalid
from web.told import Note, Notes, Sample, Step, Told

AHEAD: Final = timedelta(days=3)  # planned work stands on top of pages from then on
SHOWN: Final = 8  # backups, drills
SHOWN_FOR: Final = 15  # seconds, of a status page that is made in memory


class Keeper:
    """A web.told.Keeper.  What it read it reads again when the file has changed.

    board: the mode of this process, which it may not have been possible to write down.
    """

    def __init__(self, settings: Settings, board: Board | None = None) -> None:
        self._board = board or Board(settings.data_dir)
        self._data_dir, self._site = settings.data_dir, site_of(settings)
        self._folder = state.folder(settings.data_dir)
        self._place = status.folder(settings.data_dir, self._site)
        self._files: dict[str, tuple[int, bytes]] = {}
        self._mode: tuple[list[int], str] = ([], "")  # as it is written down, and of when
        self._told: tuple[int, list[Told]] = (-1, [])
        self._made: dict[str, bytes] = {}
        self._made_of: object = None

    def file(self, name: str, now: float | None = None) -> bytes | None:
        """As the supervisor wrote it; made here when that is older than what it should say."""
        now = now or time.time()
        file = self._place / name
        with suppress(OSError):
            changed = file.stat().st_mtime_ns
            if self._holds(changed, now):
                if name not in self._files or self._files[name][0] != changed:
                    self._files[name] = changed, file.read_bytes()
                return self._files[name][1]
        made_of = self._board.mode.name, status.changed(self._folder), now // SHOWN_FOR
        if made_of != self._made_of:
            when = datetime.fromtimestamp(now, UTC)
            self._made = status.files(status.gather(self._folder, self._site, when, self._board.mode.name))
            self._made_of = made_of
        return self._made.get(name)

    def _holds(self, written: int, now: float) -> bool:
        """Is what was written at that moment still so?  Else nobody could write it: the disk is full, or nobody runs.

        Raises: OSError.
        """
        changed = status.changed(self._folder)
        if changed != self._mode[0]:
            self._mode = changed, modes.read(self._data_dir).name
        fresh = now - written / 1e9 < 2 * status.EVERY and written > max(changed)
        return fresh and self._board.mode.name == self._mode[1]

    def banners(self, now: datetime) -> Sequence[Told]:
        return [
            one
            for one in self.incidents()
            if one.is_open and not one.draft and (one.begins is None or one.begins - now < AHEAD)
        ]

    def incidents(self) -> Sequence[Told]:
        try:
            changed = (self._folder / incidents.FILE).stat().st_mtime_ns
        except OSError:
            return []
        if self._told[0] != changed:
            self._told = changed, [_told(one) for one in incidents.all_of(self._folder)]
        return self._told[1]

    def samples(self, begin: float) -> Sequence[Sample]:
        return samples.read(self._folder / samples.FILE, samples.COARSE, begin)

    def notes(self) -> Notes:
        mode = state.read_json(self._folder / "mode.json")
        found = state.read_json(self._folder / "findings.json")
        return Notes(
            mode=str(mode.get("name", "normal")) if isinstance(mode, dict) else "normal",
            alerts=_open(self._folder),
            findings=[one for one in looks.entries(found) if one.get("severity") != "ok"],
            found_at=looks.moment(found) if isinstance(found, dict) else None,
            backups=_newest(self._folder / "backups.json"),
            drills=_newest(self._folder / "drills.json"),
            check=_check(looks.last_check(self._folder)),
        )

    def components(self) -> Mapping[str, str]:
        return incidents.COMPONENTS

    def open(self, title: str, says: str, impact: str, components: Sequence[str], now: datetime) -> None:
        self._change(lambda: incidents.open_(self._folder, title, says, now, impact=impact, components=components), now)

    def plan(
        self, title: str, says: str, begins: datetime, ends: datetime, components: Sequence[str], now: datetime
    ) -> None:
        self._change(lambda: incidents.plan(self._folder, title, says, begins, ends, now, components=components), now)

    def update(self, incident_id: str, says: str, status: str, now: datetime) -> None:
        self._change(lambda: incidents.update(self._folder, incident_id, says, now, status=status or None), now)

    def resolve(self, incident_id: str, says: str, now: datetime) -> None:
        self._change(lambda: incidents.resolve(self._folder, incident_id, says or "This is over.", now), now)

    def forget(self, incident_id: str, now: datetime) -> None:
        self._change(lambda: incidents.forget(self._folder, incident_id, now), now)

    def _change(self, act: Callable[[], Incident], now: datetime) -> None:
        try:
            act()
        except incidents.Wrong as wrong:
            text = str(wrong)
            raise Invalid(text[:1].upper() + text[1:]) from wrong
        status.render(self._data_dir, self._site, now)


def _told(one: Incident) -> Told:
    steps = tuple(Step(step.status, step.says, step.at) for step in one.updates)
    as_ = announced_as(one.id) if one.is_planned else 0
    return Told(one.id, one.title, one.impact, one.components, steps, one.draft, one.is_open, one.begins, one.ends, as_)


def _open(folder: Path) -> list[tuple[str, str, datetime]]:
    kept = alerts.load(folder)
    opened = alerts.is_open(kept)
    return [
        (rule.line(kept[rule.id].value), rule.remedy, datetime.fromtimestamp(kept[rule.id].since, UTC))
        for rule in alerts.RULES
        if rule.id in opened
    ]


def _check(last: looks.Checked | None) -> Note | None:
    return {"when": last.at, "faults": last.faults, "seconds": last.seconds} if last else None


def _newest(file: Path) -> Sequence[Note]:
    """With the moment of each as `when`."""
    dated = [{**one, "when": when} for one in looks.entries(state.read_json(file)) if (when := looks.moment(one))]
    return sorted(dated, key=lambda one: one["when"], reverse=True)[:SHOWN]
