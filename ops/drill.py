"""Proves the newest backup by starting a server from it, and measures: how soon it serves, how much would be lost."""

import time
from datetime import datetime
from pathlib import Path
from typing import Any

from ops.backup import records
from ops.backup.manifest import BackupError, Manifest, Untried
from ops.backup.places import Place, look, newest
from ops.backup.verify import Scratch, verify


def run(place: Place, data_dir: Path, scratch: Scratch, schema: str, now: datetime) -> dict[str, Any]:
    """The report, which is kept: also of a drill that failed.  schema: the newest that this version knows."""
    began = time.monotonic()
    report: dict[str, Any] = {"at": now.isoformat(), "backup": None, "ok": False, "says": "", "level": None,
                              "rto_seconds": None, "rpo_seconds": None}  # fmt: skip
    try:
        report["backup"] = newest(place)
        manifest = look(place, report["backup"])
        evidence = verify(place, manifest, "E4", scratch, schema)
        records.note(data_dir, manifest, "E4", now)
        report |= {
            "ok": True,
            "says": "it serves and signs",
            "level": "E4",
            "rto_seconds": _round(evidence.rto_seconds),
        }
        report["rpo_seconds"] = _round(_lost(manifest, now))
    except BackupError as error:
        report["says"] = str(error)
        if report["backup"] and not isinstance(error, Untried):
            records.note_damage(data_dir, report["backup"], str(error))
    report["seconds"] = _round(time.monotonic() - began)
    records.note_drill(data_dir, report)
    return report


def _lost(manifest: Manifest, now: datetime) -> float:
    """The age of the newest row in it: what came later would be gone if the server were lost now."""
    return max((now - (manifest.newest_row or manifest.created)).total_seconds(), 0.0)  # less: the clock was ahead


def _round(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)
