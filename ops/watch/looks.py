"""What can be seen from outside the server: disk, files, memory of processes, the numbers of /metrics.

Each look gives values by name; what could not be seen is left out, never guessed.
"""

import json
import re
import shutil
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

from ops import state

_LINE: Final = re.compile(r"(\w+)(?:\{([^}]*)\})? (\S+)(?: \d+)?")
_SPOOL: Final = "SELECT count(*), min(CASE WHEN due <= ? THEN received END) FROM spooled WHERE id > 0"
_INSTANCE: Final = "SELECT value FROM fact WHERE name = 'instance'"
_SHORT: Final = 1800.0  # seconds: a disk that is watched for less has no trend
_CLOCK: Final = timedelta(hours=3)  # for which a look at the clocks of others holds
_NEVER_FULL: Final = 10_000.0  # hours
TREND: Final = 6 * 3600.0  # seconds of the disk's past by which its future is told


def disk(place: Path) -> dict[str, float]:
    found = shutil.disk_usage(place)
    return {"disk_free": float(found.free), "disk_share": round(found.free / found.total, 4) if found.total else 0.0}


def hours_until_full(free: Sequence[tuple[float, float]]) -> float | None:
    """By the line through (moment, bytes free) that misses them least; None: too short a time to say.

    >>> hours_until_full([(0, 3600.0), (1800, 3000.0), (3600, 2400.0)])
    2.0
    >>> hours_until_full([(0, 10.0), (60, 9.0)]) is None
    True
    """
    if len(free) < 3 or free[-1][0] - free[0][0] < _SHORT:
        return None
    middle = sum(at for at, _ in free) / len(free)
    level = sum(left for _, left in free) / len(free)
    spread = sum((at - middle) ** 2 for at, _ in free)
    slope = sum((at - middle) * (left - level) for at, left in free) / spread
    if slope >= 0:
        return _NEVER_FULL
    return round(min(free[-1][1] / -slope / 3600, _NEVER_FULL), 1)


def free_bytes(past: Sequence[tuple[int, Mapping[str, float]]]) -> list[tuple[float, float]]:
    """Of samples, for `hours_until_full`."""
    return [(at, seen["disk_free"]) for at, seen in past if "disk_free" in seen]


def database(file: Path) -> str | None:
    """The id of the server that the embedded database is of.  Raises: OSError, sqlite3.Error."""
    if not file.is_file():
        raise FileNotFoundError(f"{file} is not there")
    # It is opened as a writer would be: whoever only reads cannot make the files of the log when they are missing.
    with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=rw", uri=True, timeout=2)) as link:
        row = link.execute(_INSTANCE).fetchone()
    return None if row is None else str(row[0])


def spool(file: Path, now: float) -> dict[str, float]:
    """How many messages wait, and since when the oldest of those that could be handled.  Raises: sqlite3.Error."""
    moment = round(now * 1_000_000)  # as store.tables has them in SQLite
    with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=rw", uri=True, timeout=2)) as link:
        number, oldest = link.execute(_SPOOL, (moment,)).fetchone()
    return {"spool_waiting": float(number), "spool_oldest": max(now - oldest / 1_000_000, 0.0) if oldest else 0.0}


def memory(processes: Iterable[int]) -> float | None:
    """Bytes of all of them, what they share counted once; None where the system does not say."""
    total = 0
    try:
        for number in processes:
            lines = Path(f"/proc/{number}/smaps_rollup").read_text(encoding="ascii").splitlines()
            total += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    except (OSError, IndexError, ValueError, StopIteration):
        return None
    return float(total * 1024)


def ready(body: bytes) -> dict[str, float]:
    """The parts of /readyz, 1 or 0.

    >>> ready(b'{"parts": {"database": {"ok": true}, "spool": {"ok": false}}}')
    {'database': 1.0, 'spool': 0.0}
    """
    try:
        parts = json.loads(body)["parts"]
        return {str(name): float(bool(part["ok"])) for name, part in parts.items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}


def metrics(body: bytes) -> dict[str, float]:
    """Prometheus text, by name and labels as they stand.

    >>> metrics(b'# HELP x y\\nx_total{outcome="refused",detail="signature"} 3.0\\nx 1')
    {'x_total{outcome="refused",detail="signature"}': 3.0, 'x': 1.0}
    """
    found = {}
    for line in body.decode("utf-8", "replace").splitlines():
        if line.startswith("#") or not (match := _LINE.fullmatch(line)):
            continue
        try:
            found[f"{match[1]}{{{match[2]}}}" if match[2] else match[1]] = float(match[3])
        except ValueError:
            continue
    return found


def total(numbers: Mapping[str, float], name: str, *labels: str) -> float:
    """All of that name that have these labels, as in `outcome="refused"`."""
    return sum(
        value
        for key, value in numbers.items()
        if key.partition("{")[0] == name and all(label in key for label in labels)
    )


class Every(NamedTuple):
    """Time between two of what the server does by itself; 0: it does not."""

    backup: timedelta = timedelta()
    drill: timedelta = timedelta()
    check: timedelta = timedelta()


NEVER: Final = Every()


def records(folder: Path, now: datetime, since: datetime, every: Every = NEVER) -> dict[str, float]:
    """What other parts wrote down: backups, drills, findings.  What never was is as old as the server."""
    found = {}
    drill, checked = last_drill(folder), last_check(folder)
    for name, last, between in (
        ("backup", newest_backup(folder, now), every.backup),
        ("drill", moment(drill) if drill else None, every.drill),
        ("check", checked.at if checked else None, every.check),
    ):
        found[f"{name}_late"] = max((now - (last or since) - between).total_seconds(), 0.0) if between else 0.0
    found["drill_ok"] = 1.0 if drill is None else float(is_good(drill))
    clock = state.read_json(folder / "clock.json")
    when = moment(clock) if isinstance(clock, dict) else None
    if when and now - when < _CLOCK and isinstance(clock.get("seconds"), int | float):
        found["clock_skew"] = abs(clock["seconds"])
    for name in ("findings", "integrity"):
        found[name] = float(len(errors(state.read_json(folder / f"{name}.json"))))
    return found


def entries(found: Any) -> list[dict[str, Any]]:
    """A list of notes, or the first list, or notes by name, in a note with a head."""
    if isinstance(found, dict):
        inner = next((value for value in found.values() if isinstance(value, list | dict)), [found])
        found = _named(inner) if isinstance(inner, dict) else inner
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _named(found: dict[str, Any]) -> list[dict[str, Any]]:
    """Notes by name, as ops/backup/records.py keeps backups."""
    return [{"id": name, **one} for name, one in found.items() if isinstance(one, dict)]


def moment(entry: Mapping[str, Any]) -> datetime | None:
    """When the thing was done that the note is about."""
    for name in ("finished", "finished_at", "ended", "at", "taken", "created", "created_at", "when", "started"):
        try:
            found = datetime.fromisoformat(str(entry[name]))
        except (KeyError, ValueError):
            continue
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    return None


def is_good(entry: Mapping[str, Any]) -> bool:
    for name in ("ok", "good", "passed"):
        if name in entry:
            return bool(entry[name])
    return str(entry.get("result", "")) in ("ok", "good", "passed", "done")


def newest_backup(folder: Path, now: datetime) -> datetime | None:
    """Of those that are not known to be damaged, nor of the future: they were made by a clock that was ahead."""
    made = [one for one in entries(state.read_json(folder / "backups.json")) if not one.get("damage")]
    return max((when for one in made if (when := moment(one)) and when <= now), default=None)


class Checked(NamedTuple):
    """What the last check of the data (`connectme db check`) wrote down."""

    at: datetime
    faults: list[dict[str, Any]]  # errors and warnings
    seconds: float | None


def last_check(folder: Path) -> Checked | None:
    found = state.read_json(folder / "integrity.json")
    at = moment(found) if isinstance(found, dict) else None
    if at is None:
        return None
    faults = [one for one in entries(found.get("findings", [])) if one.get("severity") in ("error", "warning")]
    took = found.get("seconds")
    return Checked(at, faults, float(took) if isinstance(took, int | float) else None)


def last_drill(folder: Path) -> dict[str, Any] | None:
    done = entries(state.read_json(folder / "drills.json"))
    dated = [(when, one) for one in done if (when := moment(one))]
    return max(dated, key=lambda pair: pair[0])[1] if dated else None


def errors(found: Any) -> list[dict[str, Any]]:
    """The findings that are errors."""
    return [one for one in entries(found) if one.get("severity") == "error"]
