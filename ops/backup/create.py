"""Makes a backup while the server runs: database, spool, files of our people, settings.  E1 when it returns."""

import platform
import shutil
import sqlite3
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import orjson
from sqlalchemy import Connection

from ops import copies
from ops.backup import facts, sealing
from ops.backup.facts import Facts
from ops.backup.manifest import FILE, BackupError, Manifest, Part
from ops.backup.places import Place
from store import journal

DATABASE: Final = {"sqlite": "database.sqlite", "postgresql": "database.dump"}
SPOOL, MEDIA, SETTINGS = "spool.sqlite", "media.tar", "settings.json"
SPARE: Final = 64 << 20  # bytes that are left on the disk


@dataclass(frozen=True, slots=True)
class Source:
    """The server that is saved.  `settings`: all of them, with their secrets."""

    version: str
    data_dir: Path
    database_url: str
    sqlite_file: Path | None
    media_store: str
    settings: Mapping[str, str]
    passphrase: str = ""

    @property
    def media(self) -> Path | None:
        """None: they are in a bucket, and stay there."""
        return None if self.media_store else self.data_dir / "media"


def create(source: Source, place: Place, now: datetime) -> Manifest:
    """Nothing that looks like a backup is left when this raises BackupError, or is killed."""
    name = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    if name in place.names():
        raise BackupError(f"there is a backup {name} already; try again in a second")
    made = place.scratch()
    try:
        _see_room(source, made)
        manifest = _fill(source, made, name, now)
        place.take(made, name)
    except (copies.CopyError, OSError) as error:
        says = f"{error.strerror or error}; see the rights and free space of {made.parent}" if isinstance(
            error, OSError) else str(error)  # fmt: skip
        raise BackupError(f"no backup was made: {says}") from error
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return manifest


def _see_room(source: Source, made: Path) -> None:
    files = [source.sqlite_file, source.data_dir / "spool.db", *_files(source.media)]
    sizes = [file.stat().st_size for file in files if file and file.exists()]
    wanted = sum(sizes) + (max(sizes, default=0) if source.passphrase else 0) + SPARE
    free = shutil.disk_usage(made).free
    if wanted > free:
        raise BackupError(
            f"{made.parent} has {free >> 20} MB free and the backup needs {wanted >> 20} MB;"
            " make room (`connectme backup prune`), or name another backup_store"
        )


def _fill(source: Source, made: Path, name: str, now: datetime) -> Manifest:
    found, key, tools = _database(source, made)
    spool = source.data_dir / "spool.db"
    if spool.exists():
        copies.copy_sqlite(spool, made / SPOOL, rest=0, then=journal.LEFT_OUT)  # its effects are in the database
    if source.media is not None:
        _pack(source.media, made / MEDIA)
    (made / SETTINGS).write_bytes(orjson.dumps(dict(source.settings)))
    parts = _parts(made, source.passphrase)
    manifest = Manifest(
        name=name, created=now, version=source.version, engine="sqlite" if source.sqlite_file else "postgresql",
        schema=found.schema, domain=found.domain, base_url=found.base_url, instance=found.instance,
        newest_id=found.newest_id, newest_row=found.newest_row, rows=found.rows, parts=tuple(parts),
        encrypted=bool(source.passphrase), elsewhere=_elsewhere(source), tools=tools,
    ).sealed(key)  # fmt: skip
    (made / FILE).write_bytes(manifest.dumped())
    return manifest


def _database(source: Source, made: Path) -> tuple[Facts, Any, dict[str, str]]:
    tools = {"python": platform.python_version(), "sqlite": sqlite3.sqlite_version}
    if source.sqlite_file:
        copy = made / DATABASE["sqlite"]
        copies.copy_sqlite(source.sqlite_file, copy)
        url = f"sqlite:///{copy}"
        return facts.asked(url, facts.look), facts.asked(url, facts.own_key)[0], tools
    found, key = facts.asked(source.database_url, _dumped, source.database_url, made / DATABASE["postgresql"])
    return found, key, {**tools, "postgresql": found.server, "pg_dump": str(copies.program("pg_dump"))}


def _dumped(tx: Connection, url: str, into: Path) -> tuple[Facts, Any]:
    """Counts and dump are of one snapshot, which lives as long as this transaction: so pg_dump runs within it."""
    snapshot = str(tx.exec_driver_sql("SELECT pg_export_snapshot()").scalar_one())
    found = facts.look(tx)
    copies.dump(url, into, server=int(found.server.partition(".")[0]), snapshot=snapshot)
    return found, facts.own_key(tx)[0]


def _files(folder: Path | None) -> list[Path]:
    if folder is None or not folder.is_dir():
        return []
    return sorted(file for file in folder.glob("*/*") if file.is_file() and file.suffix != ".new")


def _pack(folder: Path, into: Path) -> None:
    """A file that is deleted meanwhile is left out: what the database names was there when it was copied."""
    with tarfile.open(into, "w") as tar:
        for file in _files(folder):
            try:
                tar.add(file, arcname=str(file.relative_to(folder)), recursive=False)
            except FileNotFoundError:
                continue


def _parts(made: Path, passphrase: str) -> list[Part]:
    key = sealing.new_key() if passphrase else None
    parts = []
    for file in sorted(made.iterdir()):
        size, plain = sealing.sum_of(file)
        name, kept = file.name, plain
        if key is not None:
            locked = file.with_name(f"{file.name}.age")
            sealing.encrypt(file, locked, key)
            file.unlink()
            file, (size, kept) = locked, sealing.sum_of(locked)  # noqa: PLW2901  the part is now that file
        parts.append(Part(name, file.name, size, kept, plain))
    if key is not None:
        (made / sealing.KEY_FILE).write_bytes(sealing.lock_key(key, passphrase))
    return parts


def _elsewhere(source: Source) -> dict[str, Any]:
    cache = source.data_dir / "cache"
    files = [file for file in cache.rglob("*") if file.is_file()] if cache.is_dir() else []
    return {"media_store": source.media_store, "cache_files": len(files)}
