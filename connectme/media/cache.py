"""Files of other servers that our people look at: fetched once through the guarded client, kept while there is room.

One file per address in DATA_DIR/cache, named by its hash and ending with what it is; its access time says when it was
last asked for.  Several processes may share the folder: nothing but the files counts.
"""

import asyncio
import hashlib
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from connectme.media.sniffing import HEAD, sniffed
from federation.client import Budget, Client
from federation.errors import FederationError, Unreachable
from federation.reading import host_of
from social.errors import NotFound, Refusal, Unavailable
from store.blobs import ENDINGS, KINDS

log = logging.getLogger(__name__)

LARGEST: Final = 64 << 20  # bytes of one file
LONGEST: Final = 60.0  # seconds for one file
HOPS: Final = 4
AT_ONCE: Final = 16
FORGIVEN: Final = (300.0, 3600.0)  # seconds until what did not answer, or was refused, is asked for again
REMEMBERED: Final = 10_000  # addresses that did not work
FULL: Final = 0.9  # of the limit is left by pruning
SLACK: Final = 0.05  # of the limit may be written before the folder is looked at
TOUCHED: Final = 3600.0  # seconds between two notes of when a file was used

_ALSO: Final = {
    "video/quicktime": "mp4",
    "audio/aac": "m4a",
    "video/ogg": "ogg",
    "image/vnd.mozilla.apng": "png",
}
NOTHING: Final = "There is no picture, film or sound"


def everything(_host: str) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Usage:
    files: int
    bytes: int
    limit: int


class Cache:
    """limit: bytes; days: a file that nobody asked for is kept so long; shows: is it passed on from that host?

    least: bytes of the disk that are left free whatever `limit` says: it shrinks, and takes nothing more, before the
           disk is too full for the database.
    """

    def __init__(
        self,
        folder: Path,
        client: Client | None,
        limit: int,
        days: int,
        shows: Callable[[str], bool] = everything,
        least: int = 0,
    ) -> None:
        self._folder = folder
        self._client = client
        self._limit = limit
        self._days = days
        self._shows = shows
        self._least = least
        self._failed: dict[str, tuple[float, bool]] = {}  # until, was it silence
        self._running: dict[str, asyncio.Task[Path]] = {}
        self._places = asyncio.Semaphore(AT_ONCE)
        self._written = 0

    async def get(self, url: str) -> Path:
        """A file whose ending says what it is.  Raises: NotFound, Unavailable."""
        self._check_shown(url)
        key = hashlib.sha256(url.encode()).hexdigest()
        found = self._look(key)
        if found is not None:
            return found
        self._check_failed(key)
        task = self._running.get(key)
        if task is None:
            task = self._running[key] = asyncio.create_task(self._fetch(url, key))
            task.add_done_callback(lambda done: self._ended(key, done))
        return await asyncio.shield(task)  # who goes away does not stop it for the others

    def usage(self) -> Usage:
        files = list(self._files())
        return Usage(len(files), sum(size for _, size, _ in files), self._limit)

    def prune(self, now: float, limit: int | None = None) -> int:
        """Removes what was not used for long, then the least recently used, down to the limit, or to what the disk has
        room for.  Returns bytes."""
        files = sorted(self._files(), key=lambda one: one[2])
        total, freed = sum(size for _, size, _ in files), 0
        limit = min(self._limit if limit is None else limit, max(total - self._short(), 0))
        target = int(limit * FULL) if total > limit else total
        for path, size, used in files:
            if total - freed <= target and used >= now - self._days * 86400:
                break
            path.unlink(missing_ok=True)
            freed += size
        self._written = 0
        return freed

    def _short(self) -> int:
        """Bytes that the disk has too little."""
        there = next(folder for folder in (self._folder, *self._folder.parents) if folder.is_dir())
        return max(self._least - shutil.disk_usage(there).free, 0) if self._least else 0

    def _has_room(self) -> bool:
        if self._short():
            self.prune(time.time())
        return not self._short()

    def _look(self, key: str) -> Path | None:
        for ending in KINDS:
            path = self._folder / key[:2] / f"{key}.{ending}"
            try:
                used = path.stat()
            except OSError:
                continue
            if time.time() - used.st_atime > TOUCHED:
                os.utime(path, (time.time(), used.st_mtime))
            return path
        return None

    def _check_shown(self, url: str) -> None:
        try:
            shown = self._shows(host_of(url))
        except FederationError as error:
            raise NotFound(NOTHING, why=str(error)) from error
        if not shown:
            raise NotFound(NOTHING, why="files of that server are not passed on")

    def _check_failed(self, key: str) -> None:
        until, silent = self._failed.get(key, (0.0, False))
        if until > time.monotonic():
            raise Unavailable("The other server does not answer") if silent else NotFound(NOTHING)

    async def _fetch(self, url: str, key: str) -> Path:
        if self._client is None:
            raise NotFound(NOTHING)
        place = self._folder / key[:2]
        async with self._places:
            if not await asyncio.to_thread(self._has_room):
                raise Unavailable("There is no room for files of other servers at the moment")
            await asyncio.to_thread(place.mkdir, mode=0o700, parents=True, exist_ok=True)
            number, name = tempfile.mkstemp(prefix="new-", dir=place)
            unfinished = Path(name)
            try:
                with os.fdopen(number, "wb") as file:
                    ending = await _receive(self._client, url, file)
                target = place / f"{key}.{ending}"
                self._written += await asyncio.to_thread(_settle, unfinished, target)
            except (Unreachable, TimeoutError) as error:
                self._fail(key, silent=True)
                raise Unavailable("The other server does not answer", why=str(error)) from error
            except (FederationError, NotFound) as error:
                self._fail(key, silent=False)
                raise NotFound(NOTHING, why=str(error)) from error
            finally:
                await asyncio.to_thread(unfinished.unlink, missing_ok=True)
        if self._written > self._limit * SLACK:
            await asyncio.to_thread(self.prune, time.time())
        return target

    def _fail(self, key: str, *, silent: bool) -> None:
        if len(self._failed) >= REMEMBERED:
            self._failed.clear()
        self._failed[key] = (time.monotonic() + FORGIVEN[0 if silent else 1], silent)

    def _ended(self, key: str, done: asyncio.Task[Path]) -> None:
        self._running.pop(key, None)
        if not done.cancelled() and (error := done.exception()) and not isinstance(error, Refusal):
            log.error("a file of another server could not be kept: %s", error)

    def _files(self) -> Iterator[tuple[Path, int, float]]:
        if not self._folder.is_dir():
            return
        for folder in self._folder.iterdir():
            for entry in os.scandir(folder) if folder.is_dir() else ():
                with suppress(FileNotFoundError):
                    found = entry.stat()
                    yield Path(entry.path), found.st_size, found.st_atime


def _settle(unfinished: Path, target: Path) -> int:
    unfinished.replace(target)
    return target.stat().st_size


def _ending(head: bytes) -> str:
    """Raises: NotFound, for what is none of those that cannot run script."""
    kind = sniffed(head)
    ending = ENDINGS.get(kind) or _ALSO.get(kind)
    if not ending:
        raise NotFound(NOTHING, why=kind or "unknown")
    return ending


async def _receive(client: Client, url: str, file: IO[bytes]) -> str:
    """Writes it; returns its ending.  What is none of ours is refused after its first bytes.  Raises: NotFound."""
    head, ending = b"", ""

    async def take(chunk: bytes) -> None:
        nonlocal head, ending
        if not ending:
            head += chunk
            if len(head) < HEAD:
                return
            chunk, ending = head, _ending(head)
        await asyncio.to_thread(file.write, chunk)

    async with asyncio.timeout(LONGEST):
        await client.download(url, Budget(HOPS), take, LARGEST)
    if not ending:
        ending = _ending(head)
        file.write(head)
    return ending
