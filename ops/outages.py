"""When the server was not there to listen or to write: DATA_DIR/state/outages.json.  Light.

    mode       written by the sentinel, when the mode changes: what came meanwhile is in the spool
    stopped    nobody listened: no web process wrote its mark for LEAST seconds
    refused    the spool was full, or whose a message was could not be known
    restored   the database is older than what others were told

Of the last three others were told "not now", or nothing: what they said then is asked for once they are over
(connectme/repair.py).  Which of them were looked back upon, the database knows: an older one does not.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from ops import state
from ops.modes import Mode

FILE: Final = "outages.json"
ALIVE: Final = "alive"  # its time of change: when a web process last said that it listens
KEPT: Final = 200
LEAST: Final = 600.0  # seconds: in less, other servers try again
MISSED: Final = ("stopped", "refused", "restored")


@dataclass(frozen=True, slots=True)
class Outage:
    """since, until: seconds since 1970; until 0: it lasts."""

    since: float
    until: float
    mode: str
    reason: str

    @property
    def lost_messages(self) -> bool:
        """May others have given up what they had to say?"""
        return self.mode in MISSED and (self.mode == "restored" or self.until - self.since >= LEAST)


def all_of(data_dir: Path) -> list[Outage]:
    """The oldest first."""
    found = state.read_json(data_dir / state.FOLDER / FILE)
    return [one for raw in found if (one := _outage(raw))] if isinstance(found, list) else []


def note(data_dir: Path, before: Mode, now: Mode, moment: float) -> None:
    """The mode changed: a window begins, or ends.  Raises: OSError."""
    with _alone(data_dir):
        known = [
            replace(one, until=moment) if not one.until and (now.is_normal or now.name != one.mode) else one
            for one in all_of(data_dir)
        ]
        if not now.is_normal and now.name != before.name:
            known.append(Outage(now.since or moment, 0.0, now.name, now.reason))
        _keep(data_dir, known)


def beat(data_dir: Path, now: float) -> None:
    """A web process listens.  If none did for a while, that was an outage.  Raises: OSError."""
    with _alone(data_dir):
        mark = state.folder(data_dir) / ALIVE
        last = mark.stat().st_mtime if mark.exists() else now
        if now - last >= LEAST:
            _keep(data_dir, [*all_of(data_dir), Outage(last, now, "stopped", "no web process ran")])
        mark.touch()
        os.utime(mark, (now, now))


def refused(data_dir: Path, since: float, until: float) -> None:
    """Messages were turned away.  Raises: OSError."""
    with _alone(data_dir):
        known = all_of(data_dir)
        last = next((one for one in reversed(known) if one.mode == "refused"), None)
        if last is not None and since - last.until < LEAST:
            known[known.index(last)] = replace(last, until=max(last.until, until))
        else:
            known.append(Outage(since, until, "refused", "messages were turned away with 503"))
        _keep(data_dir, known)


def restored(data_dir: Path, since: float, until: float, reason: str) -> None:
    """A backup knows nothing of that time.  A second time is harmless.  Raises: OSError."""
    with _alone(data_dir):
        known = all_of(data_dir)
        if not any(one.mode == "restored" and one.reason == reason for one in known):
            _keep(data_dir, [*known, Outage(since, until, "restored", reason)])


def _keep(data_dir: Path, known: list[Outage]) -> None:
    state.write_json(state.folder(data_dir) / FILE, [asdict(one) for one in known[-KEPT:]])


def _outage(raw: Any) -> Outage | None:
    """None for a note that is damaged."""
    try:
        return Outage(float(raw["since"]), float(raw["until"]), str(raw["mode"]), str(raw["reason"]))
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


@contextmanager
def _alone(data_dir: Path) -> Iterator[None]:
    with (state.folder(data_dir) / "outages.lock").open("a", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
