"""What is known of backups while the database is away: state/backups.json, and state/drills.json.

backups.json  {"backups": {name: {created, level, proved, size, encrypted}}, "failed": {at, says} or null}
drills.json   {"drills": [{at, backup, ok, says, level, rto_seconds, rpo_seconds, seconds}, …]}, the newest last
"""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from ops import state
from ops.backup.manifest import LEVELS, Manifest

BACKUPS: Final = "backups.json"
DRILLS: Final = "drills.json"
KEPT: Final = 60  # drills


def backups(data_dir: Path) -> dict[str, dict[str, Any]]:
    return dict(_read(data_dir, BACKUPS).get("backups") or {})


def note(data_dir: Path, manifest: Manifest, level: str, now: datetime) -> None:
    """That much is proved.  What was proved once is not forgotten, but a failure is told by `note_damage`."""
    known = backups(data_dir)
    before = known.get(manifest.name, {})
    if LEVELS.index(level) >= LEVELS.index(before.get("level") or "E1"):
        before = {"level": level, "proved": now.isoformat() if level != "E1" else None}
    facts = {"created": manifest.created.isoformat(), "size": manifest.size, "encrypted": manifest.encrypted}
    _write(data_dir, {**known, manifest.name: {**facts, **before, "damage": None}}, failed=None)


def note_damage(data_dir: Path, name: str, says: str) -> None:
    known = backups(data_dir)
    _write(data_dir, {**known, name: {**known.get(name, {}), "level": "E1", "damage": says}}, failed=_failed(data_dir))


def note_failure(data_dir: Path, says: str, now: datetime) -> None:
    """No backup was made."""
    _write(data_dir, backups(data_dir), failed={"at": now.isoformat(), "says": says})


def forget(data_dir: Path, names: Iterable[str]) -> None:
    gone = set(names)
    left = {name: facts for name, facts in backups(data_dir).items() if name not in gone}
    _write(data_dir, left, failed=_failed(data_dir))


def drills(data_dir: Path) -> list[dict[str, Any]]:
    return list(_read(data_dir, DRILLS).get("drills") or [])


def note_drill(data_dir: Path, drill: dict[str, Any]) -> None:
    state.write_json(state.folder(data_dir) / DRILLS, {"drills": [*drills(data_dir), drill][-KEPT:]})


def _failed(data_dir: Path) -> Any:
    return _read(data_dir, BACKUPS).get("failed")


def _write(data_dir: Path, known: dict[str, dict[str, Any]], *, failed: Any) -> None:
    state.write_json(state.folder(data_dir) / BACKUPS, {"backups": dict(sorted(known.items())), "failed": failed})


def _read(data_dir: Path, file: str) -> dict[str, Any]:
    found = state.read_json(data_dir / state.FOLDER / file)
    return found if isinstance(found, dict) else {}
