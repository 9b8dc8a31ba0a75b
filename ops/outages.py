"""When the server was not there to listen or to write: DATA_DIR/state/outages.json.  Light.

Each window is looked back upon once, when it is over: what others said meanwhile is asked for (connectme/repair.py).
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from ops import state
from ops.modes import Mode

FILE: Final = "outages.json"
KEPT: Final = 200


@dataclass(frozen=True, slots=True)
class Outage:
    """since, until: seconds since 1970; until 0: it lasts.  repaired: jobs were asked for."""

    since: float
    until: float
    mode: str
    reason: str
    repaired: bool = False


def all_of(data_dir: Path) -> list[Outage]:
    """The oldest first."""
    found = state.read_json(data_dir / state.FOLDER / FILE)
    return [one for raw in found if (one := _outage(raw))] if isinstance(found, list) else []


def note(data_dir: Path, before: Mode, now: Mode, moment: float) -> None:
    """The mode changed: a window begins, or ends.  Raises: OSError."""
    known = all_of(data_dir)
    if known and not known[-1].until and (now.is_normal or now.name != known[-1].mode):
        known[-1] = Outage(known[-1].since, moment, known[-1].mode, known[-1].reason)
    if not now.is_normal and now.name != before.name:
        known.append(Outage(now.since or moment, 0.0, now.name, now.reason))
    keep(data_dir, known)


def add(data_dir: Path, since: float, until: float, reason: str) -> None:
    """A window that was found afterwards: what a restored backup does not know of.  Raises: OSError."""
    keep(data_dir, [*all_of(data_dir), Outage(since, until, "restored", reason)])


def keep(data_dir: Path, known: list[Outage]) -> None:
    """Raises: OSError."""
    state.write_json(state.folder(data_dir) / FILE, [asdict(one) for one in known[-KEPT:]])


def _outage(raw: Any) -> Outage | None:
    """None for a note that is damaged."""
    try:
        return Outage(
            float(raw["since"]), float(raw["until"]), str(raw["mode"]), str(raw["reason"]), bool(raw.get("repaired"))
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
