"""Files of any size under names that say nothing: in a folder of this machine, or in an S3-compatible store.

A name is random and its ending comes from KINDS, so that no name of ours leads anywhere else, and what a file is served
as is never what somebody said of it.
"""

import asyncio
import os
import re
import secrets
import shutil
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Protocol

#: ending → what it is served as.  Nothing here can run script.
KINDS: Final = {
    "avif": "image/avif",
    "flac": "audio/flac",
    "gif": "image/gif",
    "jpg": "image/jpeg",
    "m4a": "audio/mp4",
    "mp3": "audio/mpeg",
    "mp4": "video/mp4",
    "ogg": "audio/ogg",
    "png": "image/png",
    "wav": "audio/wav",
    "webm": "video/webm",
    "webp": "image/webp",
}
ENDINGS: Final = {kind: ending for ending, kind in KINDS.items()}
RAW: Final = "raw"  # what was uploaded and is not processed yet: never served
CHUNK: Final = 1 << 18
PROBE: Final = f"{'0' * 32}.png"  # of nobody: whether files can be kept is tried with it (web/probes.py)
NAME: Final = re.compile(rf"[0-9a-f]{{32}}\.({'|'.join(KINDS)}|{RAW})")


def new_name(ending: str) -> str:
    return f"{secrets.token_hex(16)}.{ending}"


def is_somebodys(name: str) -> bool:
    """May it be a file of one of our people, by its name?"""
    return name != PROBE and NAME.fullmatch(name) is not None


def kind_of(name: str) -> str | None:
    """What a name is served as; None: it is not ours, or not to be served.

    >>> kind_of("0123456789abcdef0123456789abcdef.jpg"), kind_of("../secret"), kind_of("a.svg")
    ('image/jpeg', None, None)
    """
    found = NAME.fullmatch(name)
    return KINDS.get(found[1]) if found else None


@dataclass(frozen=True, slots=True)
class Blob:
    name: str
    size: int
    modified: datetime


class Blobs(Protocol):
    """Names are from `new_name`.  Raises: FileNotFoundError for one that is not there; OSError."""

    async def put(self, name: str, source: Path) -> None:
        """Keeps a copy of `source`; when this returns, it is durable."""

    async def fetch(self, name: str, into: Path) -> None: ...

    async def look(self, name: str) -> Blob: ...

    def path(self, name: str) -> Path | None:
        """Where it is, if it is on this machine."""

    def read(self, name: str, start: int, length: int) -> AsyncIterator[bytes]: ...

    async def delete(self, names: Iterable[str]) -> None:
        """Those that are not there are no matter."""

    def all(self) -> AsyncIterator[list[Blob]]: ...


class Folder:
    """The first two letters of a name are a folder: no folder becomes large."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def path(self, name: str) -> Path:
        return self._root / name[:2] / name

    async def put(self, name: str, source: Path) -> None:
        await asyncio.to_thread(self._put, name, source)

    def _put(self, name: str, source: Path) -> None:
        place = self.path(name)
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        unfinished = place.with_suffix(".new")
        with source.open("rb") as given, unfinished.open("wb") as kept:
            shutil.copyfileobj(given, kept, CHUNK)
            kept.flush()
            os.fsync(kept.fileno())
        unfinished.replace(place)

    async def fetch(self, name: str, into: Path) -> None:
        await asyncio.to_thread(shutil.copyfile, self.path(name), into)

    async def look(self, name: str) -> Blob:
        return await asyncio.to_thread(_blob, self.path(name))

    async def read(self, name: str, start: int, length: int) -> AsyncIterator[bytes]:
        with self.path(name).open("rb") as file:
            file.seek(start)
            while length > 0 and (chunk := await asyncio.to_thread(file.read, min(CHUNK, length))):
                length -= len(chunk)
                yield chunk

    async def delete(self, names: Iterable[str]) -> None:
        await asyncio.to_thread(self._delete, names)

    def _delete(self, names: Iterable[str]) -> None:
        for name in names:
            self.path(name).unlink(missing_ok=True)

    async def all(self) -> AsyncIterator[list[Blob]]:
        if not self._root.is_dir():
            return
        for folder in await asyncio.to_thread(lambda: sorted(self._root.iterdir())):
            if folder.is_dir():
                yield await asyncio.to_thread(lambda folder: list(_blobs(folder)), folder)


def _blobs(folder: Path) -> Iterator[Blob]:
    for file in folder.iterdir():
        if is_somebodys(file.name):
            yield _blob(file)


def _blob(file: Path) -> Blob:
    found = file.stat()
    return Blob(file.name, found.st_size, datetime.fromtimestamp(found.st_mtime, UTC))
