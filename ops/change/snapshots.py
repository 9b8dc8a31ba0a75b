"""The database as it was before a change: taken, kept, brought back.

DATA_DIR/snapshots/2026-11-27T020000Z-0012.db     the copy (SQLite), or .dump (PostgreSQL)
                   2026-11-27T020000Z-0012.json   what it is; written last, so one without it is none
                   replaced-….db                  what a snapshot replaced
"""

import os
import shutil
import sqlite3
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, inspect, text

import migrations
from ops import copies, identity, state
from ops.change import checks, engine
from ops.change.place import Locked, NotChanged, Place, size_of, sync_folder, want_room
from social import instance

KEEP: Final = 3
_SIZE = text("SELECT pg_database_size(current_database())")


@dataclass(frozen=True, slots=True)
class Snapshot:
    name: str
    at: str  # ISO
    schema: str | None  # its migration
    instance: str
    engine: str
    version: str  # of the code that took it
    bytes: int
    rows: dict[str, int] = field(default_factory=dict)

    @property
    def moment(self) -> datetime:
        return datetime.fromisoformat(self.at)

    @property
    def end(self) -> str:
        return ".db" if self.engine == "sqlite" else ".dump"


def take(place: Place, now: datetime) -> Snapshot:
    """Durable when this returns.  Raises: NotChanged."""
    schema, owner = engine.read(place.url, migrations.current), engine.read(place.url, instance_of)
    name = f"{now:%Y-%m-%dT%H%M%SZ}-{schema}"
    kind = "sqlite" if place.file else "postgresql"
    copy = place.snapshots / (name + (".db" if place.file else ".dump"))
    copy.unlink(missing_ok=True)  # of a change that was killed in this second
    copy_to(place, copy)
    found = Snapshot(
        name, now.isoformat(), schema, owner, kind, place.version, copy.stat().st_size, checks.count(place)
    )
    state.write_json(place.snapshots / f"{name}.json", asdict(found))
    return found


def size(place: Place) -> int:
    """Bytes of the database."""
    return size_of(place.file) if place.file else engine.read(place.url, lambda tx: int(tx.scalar(_SIZE) or 0))


def copy_to(place: Place, into: Path) -> None:
    """Raises: NotChanged."""
    want_room(into.parent, size(place), "a copy of the database")
    try:
        if place.file:
            copies.copy_sqlite(place.file, into, rest=0)
        else:
            copies.dump(place.url, into, server=engine.read(place.url, server_version))
    except copies.CopyError as error:
        raise NotChanged(f"no copy was made: {error}") from error


def instance_of(tx: Connection) -> str:
    """Which server the database belongs to; empty while it belongs to none."""
    if not inspect(tx).has_table("fact"):
        return ""
    return instance.fact(tx, identity.INSTANCE) or ""


def server_version(tx: Connection) -> int:
    """The major version of PostgreSQL."""
    return int(tx.scalar(text("SHOW server_version_num")) or 0) // 10_000


def found(place: Place) -> list[Snapshot]:
    """Those that are there, the newest first."""
    notes = [state.read_json(file) for file in sorted(place.snapshots.glob("*.json"), reverse=True)]
    all_of_them = [Snapshot(**note) for note in notes if _is_note(note)]
    return [one for one in all_of_them if (place.snapshots / (one.name + one.end)).is_file()]


def _is_note(note: Any) -> bool:
    return isinstance(note, dict) and note.keys() == set(Snapshot.__dataclass_fields__)


def find(place: Place, name: str | None) -> Snapshot:
    """The one of that name, or the newest.  Raises: NotChanged."""
    there = found(place)
    for one in there:
        if name in (None, one.name):
            return one
    names = ", ".join(one.name for one in there) or "none"
    raise NotChanged(f"there is no snapshot {name or 'in ' + str(place.snapshots)}; there are: {names}")


def prune(place: Place, keep: int = KEEP) -> None:
    """Removes old ones, and what old ones replaced.  The newest `keep` stay."""
    for one in found(place)[keep:]:
        for end in (".json", one.end):
            (place.snapshots / (one.name + end)).unlink(missing_ok=True)
    replaced = sorted(place.snapshots.glob("replaced-*[bp]"), reverse=True)  # .db, .dump
    for file in replaced[keep:]:
        file.unlink(missing_ok=True)


def bring_back(place: Place, snapshot: Snapshot, mark: str) -> Path:
    """Puts the snapshot where the database is; returns where the latter is now.

    mark: names this change.  Killed at any moment, it is called again with the same one.
    Raises: NotChanged.
    """
    copy = place.snapshots / (snapshot.name + snapshot.end)
    if snapshot.engine != ("sqlite" if place.file else "postgresql"):
        raise NotChanged(f"{copy.name} is of {snapshot.engine}, and the database is not; see database_url")
    aside = place.snapshots / f"replaced-{''.join(filter(str.isalnum, mark))}{snapshot.end}"
    with _said("the snapshot was not brought back"):
        if place.file:
            _swap(place.file, copy, aside)
        else:
            _reload(place, copy, aside)
    return aside


class _said:  # noqa: N801  reads as a word
    """What goes wrong becomes a line."""

    def __init__(self, what: str) -> None:
        self._what = what

    def __enter__(self) -> None: ...

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, OSError | sqlite3.Error | copies.CopyError):
            raise NotChanged(f"{self._what} ({error}); correct that and run `connectme db rollback` again") from error


def _swap(live: Path, copy: Path, aside: Path) -> None:
    """One rename, so there is a database at every moment, and it is one of the two."""
    want_room(live.parent, copy.stat().st_size, "the snapshot")
    beside = live.with_name(f".{live.name}.returning")
    shutil.copyfile(copy, beside)
    if live.exists():
        shutil.copymode(live, beside)
        _settle(live)
        if not aside.exists():
            _keep(live, aside)
    with beside.open("rb+") as written:
        os.fsync(written.fileno())
    for end in ("-wal", "-shm"):  # of a file that could not be settled: they must not meet the other one
        with suppress(FileNotFoundError):
            live.with_name(live.name + end).replace(aside.with_name(aside.name + end))
    beside.replace(live)
    sync_folder(live.parent)


def _settle(live: Path) -> None:
    """What is in the write-ahead log goes into the file, and the log away.  A damaged file keeps it."""
    with suppress(sqlite3.DatabaseError), closing(sqlite3.connect(live, timeout=engine.WAIT)) as raw:
        try:
            mode = raw.execute("PRAGMA journal_mode = delete").fetchone()[0]
        except sqlite3.OperationalError as error:
            if error.sqlite_errorname.startswith("SQLITE_BUSY"):
                mode = "wal"
            else:
                raise
        if mode == "wal":
            raise Locked(f"{live} is in use by another program; stop it, and try again")


def _keep(live: Path, aside: Path) -> None:
    try:
        os.link(live, aside)
    except OSError:  # another file system, or one without links
        with copies.unfinished(aside) as written:
            shutil.copyfile(live, written)


def _reload(place: Place, copy: Path, aside: Path) -> None:
    version = engine.read(place.url, server_version)
    if not aside.exists():
        copies.dump(place.url, aside, server=version)
    engine.write(place.url, empty)
    copies.load(copy, place.url, server=version)


def empty(tx: Connection) -> None:
    """Drops all tables of a PostgreSQL."""
    quote = tx.dialect.identifier_preparer.quote
    names = [quote(name) for name in inspect(tx).get_table_names()]
    if names:
        tx.exec_driver_sql(f"DROP TABLE {', '.join(names)} CASCADE")
