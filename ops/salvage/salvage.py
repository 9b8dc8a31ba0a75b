"""`connectme db salvage`: looks whether the two belong together, then reads the one and fills the other."""

import os
import shutil
import sqlite3
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from ops import outages, state
from ops.backup import swap
from ops.backup.restore import NOTE
from ops.change import engine
from ops.change.place import NotChanged, Place, size_of, want_room
from ops.salvage import merging, reading
from ops.salvage.merging import Merged
from ops.salvage.reading import Reading
from store import ids
from store.blobs import is_somebodys

SCRATCH: Final = ".salvage"  # a folder in DATA_DIR, while it goes on
_INSTANCE: Final = "SELECT value FROM fact WHERE name = 'instance'"
_KEYS: Final = "SELECT id, private FROM account_key WHERE private IS NOT NULL"


@dataclass(frozen=True, slots=True)
class Salvaged:
    """since: only what was made later was looked at, for nobody knows which is later; None: everything."""

    reading: Reading
    merged: Mapping[str, Merged]
    files: int
    since: datetime | None


class _Enough(Exception):
    """Nothing of it is kept: it was only to be seen what would be done."""


def salvage(place: Place, damaged: Path, *, files: bool, only_look: bool = False) -> Salvaged:
    """The caller has seen to it that no server runs.  files: they are in DATA_DIR, not in a bucket.

    Killed at any moment, nothing or all of it is done; a second time finds nothing more to do.
    Raises: NotChanged.
    """
    file = _refuse(place, damaged)
    backup, ran = _restored(place.data_dir)
    folder = place.data_dir / SCRATCH
    try:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
        want_room(folder, size_of(damaged) + size_of(file), "a copy of what can be read")
        found = reading.read(damaged, file, folder / "found.db")
        _same(place, file, folder / "found.db", found)
        since = backup if ran or not found.log_whole else None
        copied = 0 if only_look or not files else _files(damaged.parent / "media", place.data_dir / "media")
        merged = _merged(place, folder / "found.db", found, since, only_look=only_look)
    except OSError as error:
        raise NotChanged(
            f"{error.filename or damaged}: {error.strerror or error}; nothing was taken. Correct it and try again"
        ) from error
    except sqlite3.Error as error:
        raise NotChanged(f"nothing was taken: {error}; `connectme db check` looks at the restored database") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return Salvaged(found, merged, copied, None if since is None else datetime.fromtimestamp(since / 1e6, UTC))


def _refuse(place: Place, damaged: Path) -> Path:
    if place.file is None:
        raise NotChanged(
            "this is for SQLite; with PostgreSQL, what its own programs cannot read is only in backups and replicas:"
            " docs/admin/restore.md says what to do"
        )
    if not damaged.is_file():
        raise NotChanged(f"there is no file {damaged}; `connectme backup swap` said where it put what it replaced")
    if not place.file.is_file():
        raise NotChanged(f"there is no {place.file}; restore a backup first, and swap it in (docs/admin/restore.md)")
    if damaged.samefile(place.file):
        raise NotChanged(
            f"{damaged} is the database in use; restore the newest backup, swap it in, and then name the file"
            " that was replaced (docs/admin/restore.md)"
        )
    return place.file


def _restored(data_dir: Path) -> tuple[int, bool]:
    """Microseconds: of what moment the restored database is; and whether a server ran on it since the swap."""
    note, after = state.read_json(data_dir / state.FOLDER / NOTE), swap.ids_after(data_dir)
    if not isinstance(note, dict) or not after:
        raise NotChanged(
            "no backup was swapped in here, so nothing says what came after it; restore the newest one with `connectme"
            " backup restore` and `connectme backup swap` first"
        )
    made = datetime.fromisoformat(str(note["newest_row"] or note["created"]))
    alive = data_dir / state.FOLDER / outages.ALIVE
    return round(made.timestamp() * 1_000_000), alive.exists() and alive.stat().st_mtime * 1000 > after + 1


def _same(place: Place, file: Path, scratch: Path, found: Reading) -> None:
    """Raises: NotChanged, for a file of somebody else, of another version, or older than the backup."""
    with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as link:
        ours, version = link.execute(_INSTANCE).fetchone(), link.execute(
            f"SELECT version_num FROM {reading.VERSION}").fetchone()[0]  # noqa: S608  # fmt: skip
        keys = set(link.execute(_KEYS))
    with closing(sqlite3.connect(scratch)) as link:
        theirs, known = link.execute(_INSTANCE).fetchone(), not keys.isdisjoint(link.execute(_KEYS))
        newest = merging.newest(found.tables, link)
    if (theirs is None and not known) or theirs not in (None, ours):
        raise NotChanged(
            "the file is of another instance" if theirs else "nothing in the file says that it is of this server"
        )
    if found.version not in (None, version):
        raise NotChanged(
            f"the file is at migration {found.version}, and the restored database at {version}: with the version of"
            " ConnectMe that was in use, restore once more, swap, and salvage before you start the server or upgrade"
        )
    note: Any = state.read_json(place.data_dir / state.FOLDER / NOTE)
    if newest < ids.moment_ms(int(note.get("newest_id") or 0)):
        raise NotChanged("the file is older than the backup: nothing in it is new")


def _merged(place: Place, scratch: Path, found: Reading, since: int | None, *, only_look: bool) -> Mapping[str, Merged]:
    done: dict[str, Merged] = {}

    def work(tx: Any) -> None:
        done.update(merging.merge(tx, str(scratch), found, since))
        if only_look:
            raise _Enough

    with suppress(_Enough):
        engine.write(place.url, work)
    return done


def _files(there: Path, here: Path) -> int:
    """Files of our people that were uploaded since the backup; rows that name none of them are no matter."""
    copied = 0
    for file in there.glob("*/*") if there.is_dir() else ():
        place = here / file.parent.name / file.name
        if not is_somebodys(file.name) or place.exists():
            continue
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        beside = place.with_suffix(".new")
        shutil.copyfile(file, beside)
        with beside.open("rb+") as written:
            os.fsync(written.fileno())
        beside.replace(place)
        copied += 1
    return copied
