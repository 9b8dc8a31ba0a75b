"""Puts a restored folder in the place of the data folder, file by file, and says what must be mended afterwards.

Stopped anywhere, the same command goes on where it was: each file is first moved away, into `replaced-by-NAME`, then
its successor moved in.  What arrived in the spool since the backup is not lost: the spool stays, the other's is added.
"""

import logging
import os
import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from sqlalchemy import make_url
from sqlalchemy.exc import SQLAlchemyError

from ops import damage, outages, state
from ops.backup import facts
from ops.backup.create import DATABASE
from ops.backup.manifest import BackupError
from ops.backup.restore import MARK, NAMES, NOTE
from ops.change import engine
from ops.change.place import Locked, NotChanged
from ops.findings import first_line
from store import journal

log = logging.getLogger(__name__)

HOLD: Final = "hold.json"  # {"since", "why"}: nothing is delivered while it is there
IDS: Final = "ids.json"  # {"after_ms"}: no id is made of a moment before
SIDES: Final = ("-wal", "-shm", "-journal")


@dataclass(frozen=True, slots=True)
class Here:
    data_dir: Path
    database_url: str
    sqlite_file: Path | None
    instance: str = ""  # of the database that belongs here, if that is known


class Swapped(NamedTuple):
    """away: where the replaced files are.  again: messages that are handled again; whole: are those all that were
    handled since the backup?"""

    away: Path
    again: int
    whole: bool


def note_of(folder: Path) -> dict[str, Any]:
    """Raises: BackupError, for a folder that was not restored to its end."""
    if (folder / MARK).exists():
        raise BackupError(f"{folder} is not restored to its end; give the restore command again")
    found = state.read_json(folder / state.FOLDER / NOTE)
    if not isinstance(found, dict):
        raise BackupError(f"{folder} was not made by `connectme backup restore`")
    return found


def swap(folder: Path, here: Here, now: datetime, *, other_instance: bool = False) -> Swapped:
    """The caller has seen to it that no server runs.  Raises: BackupError."""
    note = note_of(folder)
    if here.instance and note["instance"] != here.instance and not other_instance:
        raise BackupError(
            f"that is a backup of another instance ({note['domain']}), and {here.data_dir} belongs to instance"
            f" {here.instance}; if that is meant, say --other-instance"
        )
    if note["engine"] == "sqlite" and here.sqlite_file is None:
        raise BackupError("the backup is of SQLite and database_url names PostgreSQL; take database_url out first")
    if note["engine"] == "postgresql":
        _see_database(note, here)
    away = here.data_dir / f"replaced-by-{note['backup']}"
    try:
        away.mkdir(mode=0o700, exist_ok=True)
        _mend(here.data_dir, note, now)  # first: a server that starts must find it
        if note["engine"] == "sqlite" and here.sqlite_file is not None:
            _one(folder / NAMES[DATABASE["sqlite"]], here.sqlite_file, away)
        spool = here.data_dir / "spool.db"
        kept = (0, False) if other_instance else _again(spool, datetime.fromisoformat(note["created"]))
        _spool(folder / "spool.db", spool, away)
        _one(folder / "media", here.data_dir / "media", away)
        _one(folder / "settings-of-backup.json", here.data_dir / "settings-of-backup.json", away)
        (folder / state.FOLDER / NOTE).replace(state.folder(here.data_dir) / NOTE)
    except OSError as error:
        raise BackupError(
            f"{error.filename2 or error.filename or folder}: {error.strerror}; folder and data_dir must be on one file"
            " system and writable.  Correct it and give the command again: it goes on where it stopped"
        ) from error
    return Swapped(away, *kept)


def _see_database(note: dict[str, Any], here: Here) -> None:
    """Raises: BackupError, when the settings lead to another database than the one that was filled."""
    remedy = f"set database_url to {note['database']} (with its password), and give the command again"
    if here.sqlite_file is not None:
        raise BackupError(f"the backup is of PostgreSQL, and database_url names SQLite; {remedy}")
    try:
        found = facts.asked(here.database_url, facts.where)
    except (SQLAlchemyError, OSError) as error:
        raise BackupError(f"the database of database_url does not answer ({first_line(error)}); {remedy}") from error
    if note.get("where") not in (None, found):  # None: restored by an older version
        shown = make_url(here.database_url).render_as_string(hide_password=True)
        raise BackupError(f"database_url leads to {shown}, which is not what was restored; {remedy}")


def _one(new: Path, old: Path, away: Path) -> None:
    if not new.exists():
        return
    for path in (old, *(old.with_name(old.name + side) for side in SIDES)):
        if path.exists():
            path.rename(away / path.name)
    new.rename(old)


def _spool(new: Path, old: Path, away: Path) -> None:
    """What was acknowledged after the backup is only in the old one."""
    if not new.exists():
        return
    try:
        with closing(sqlite3.connect(f"{old.absolute().as_uri()}?mode=rw", uri=True)) as both, both:
            both.execute("ATTACH ? AS more", (str(new),))
            columns = ", ".join(row[1] for row in both.execute("SELECT * FROM pragma_table_info('spooled', 'more')"))
            both.execute(f"INSERT OR IGNORE INTO spooled ({columns}) SELECT {columns} FROM more.spooled")  # noqa: S608
    except sqlite3.Error:
        _one(new, old, away)
    else:
        new.rename(away / "spool-of-backup.db")


def _again(spool: Path, since: datetime) -> tuple[int, bool]:
    if not spool.exists():
        return 0, False
    try:
        return engine.write(f"sqlite:///{spool}", lambda tx: (journal.again(tx, since), journal.is_whole(tx, since)))
    except Locked as error:
        raise BackupError(str(error)) from error
    except NotChanged as error:  # it is damaged, and goes away with the rest
        log.warning("what was handled since the backup is not handled again: %s", error)
        return 0, False


def _mend(data_dir: Path, note: dict[str, Any], now: datetime) -> None:
    place = state.folder(data_dir)
    since = datetime.fromisoformat(str(note["newest_row"] or note["created"]))
    why = f"restored from {note['backup']}"
    state.write_json(place / HOLD, {"since": now.isoformat(), "why": why})
    state.write_json(place / IDS, {"after_ms": int(now.timestamp() * 1000)})
    damage.forget(data_dir)
    outages.restored(data_dir, since.timestamp(), now.timestamp(), why)
    outages.beat(data_dir, now.timestamp())  # the time until the server starts is another window


def held(data_dir: Path) -> dict[str, Any] | None:
    """Since when and why nothing is delivered; None: it is."""
    found = state.read_json(data_dir / state.FOLDER / HOLD)
    return found if isinstance(found, dict) else None


def release(data_dir: Path) -> bool:
    """Deliveries go on.  False: they were not held."""
    with suppress(FileNotFoundError):
        os.unlink(data_dir / state.FOLDER / HOLD)
        return True
    return False


def ids_after(data_dir: Path) -> int:
    """Unix milliseconds; 0 when nothing was restored here."""
    found = state.read_json(data_dir / state.FOLDER / IDS)
    return int(found["after_ms"]) if isinstance(found, dict) else 0
