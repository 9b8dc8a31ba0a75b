"""What is changed, and where its snapshots are."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import make_url

FOLDER: Final = "snapshots"
ROOM: Final = 1.1  # times what is copied: a migration grows it a little
_MIB: Final = 1 << 20


class NotChanged(Exception):
    """It was not done.  `str` is a line for the administrator: what is wrong, and what to do."""


class Locked(NotChanged):
    """Others hold the database, or a part of it."""


@dataclass(frozen=True, slots=True)
class Place:
    """A database and the data folder that goes with it."""

    url: str
    data_dir: Path
    spool_url: str
    version: str  # of the code that is at work

    @property
    def file(self) -> Path | None:
        """The file of SQLite; None with PostgreSQL."""
        address = make_url(self.url)
        return Path(address.database or "") if address.get_backend_name() == "sqlite" else None

    @property
    def snapshots(self) -> Path:
        """DATA_DIR/snapshots, made when it is missing; for our eyes only."""
        folder = self.data_dir / FOLDER
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder


def size_of(file: Path) -> int:
    """Bytes of a SQLite database, with what waits in its write-ahead log."""
    pieces = (file, file.with_name(file.name + "-wal"))
    return sum(piece.stat().st_size for piece in pieces if piece.exists())


def want_room(folder: Path, size: int, what: str) -> None:
    """Raises: NotChanged, when `folder` has no room for a copy of `size` bytes."""
    needed, free = int(size * ROOM), shutil.disk_usage(folder).free
    if free < needed:
        raise NotChanged(
            f"{what} needs {_mib(needed)} in {folder}, and {_mib(free)} are free; make room there,"
            " for example by removing old files of that folder"
        )


def _mib(size: int) -> str:
    return f"{size / _MIB:,.1f} MiB"


def sync_folder(folder: Path) -> None:
    """The names in it are durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
