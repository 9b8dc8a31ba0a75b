"""Pages of the database that could not be believed: DATA_DIR/state/damage.json.  Light.

Who meets them says so, each process knows it a second later, and nothing more is written: what is built on damage is
damage.  The note is about one file; it ends with that file (a backup is put in its place), or when `connectme db check`
has read all of it and found it sound.
"""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Final

from ops import state

FILE: Final = "damage.json"


def note(data_dir: Path, file: Path | None, says: str, now: datetime) -> None:
    """The first word stays.  file: of an embedded database.  Raises: OSError."""
    if not of(data_dir, file):
        found = {"at": now.isoformat(), "says": says, "file": _which(file)}
        state.write_json(state.folder(data_dir) / FILE, found)


def of(data_dir: Path, file: Path | None) -> str:
    """What was met, and when; empty when nothing was."""
    found = state.read_json(data_dir / state.FOLDER / FILE)
    if not isinstance(found, dict) or found.get("file") != _which(file):
        return ""
    return f"{found.get('says')} ({str(found.get('at'))[:16]})"


def cut_short(file: Path, ask: Callable[[str], int]) -> str:
    """More belongs to the file than is there; empty when it does not.  ask: a PRAGMA's number, in a transaction.

    The log is measured first: what moves from there into the file meanwhile counts twice, but never not at all.
    """
    wanted = ask("PRAGMA page_count") * ask("PRAGMA page_size")
    there = sum(path.stat().st_size for path in (Path(f"{file}-wal"), file) if path.exists())
    return f"{file.name} is cut short: {there} bytes of {wanted} are there" if there < wanted else ""


def is_met(file: Path) -> bool:
    """Does SQLite's quick check meet any in a file that nobody has open?  It is not changed by being looked at."""
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as link:
            return bool(link.execute("PRAGMA quick_check(1)").fetchone() != ("ok",))
    except sqlite3.Error:
        return True


def forget(data_dir: Path) -> None:
    (data_dir / state.FOLDER / FILE).unlink(missing_ok=True)


def _which(file: Path | None) -> list[int]:
    try:
        found = file.stat() if file else None
    except OSError:
        return []
    return [found.st_dev, found.st_ino] if found else []
