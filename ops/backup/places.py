"""Where backups lie: a folder, or a bucket.  A backup is there when its manifest is: it comes last and goes first."""

import asyncio
import os
import shutil
from collections.abc import Coroutine, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any, Final, Protocol, TypeVar

from ops.backup.manifest import FILE, LARGEST, NAME, BackupError, Manifest, parse
from store.bucket import Bucket

T = TypeVar("T")
UNFINISHED: Final = ".unfinished-"


class Place(Protocol):
    def names(self) -> list[str]:
        """The oldest first."""

    def raw(self, name: str, file: str) -> bytes:
        """A small file.  Raises: BackupError."""

    def scratch(self) -> Path:
        """A folder in which a backup is put together."""

    def take(self, made: Path, name: str) -> None:
        """What is in `made` becomes the backup `name`; durable when this returns."""

    def opened(self, name: str, file: str) -> AbstractContextManager[IO[bytes]]:
        """A part, to read once.  Raises: BackupError."""

    def delete(self, name: str) -> None: ...


def look(place: Place, name: str) -> Manifest:
    """Raises: BackupError."""
    if not NAME.fullmatch(name):
        raise BackupError(f"{name[:40]!r} is no name of a backup; `connectme backup list` shows them")
    return parse(place.raw(name, FILE), name)


def newest(place: Place) -> str:
    """Raises: BackupError."""
    names = place.names()
    if not names:
        raise BackupError("there is no backup; make one with `connectme backup create`")
    return names[-1]


class Folder:
    def __init__(self, root: Path) -> None:
        self.root = root

    def names(self) -> list[str]:
        if not self.root.is_dir():
            return []
        return sorted(p.name for p in self.root.iterdir() if NAME.fullmatch(p.name) and (p / FILE).is_file())

    def raw(self, name: str, file: str) -> bytes:
        with self.opened(name, file) as stream:
            return stream.read(LARGEST)

    def scratch(self) -> Path:
        """Of earlier tries nothing is left: whoever calls this holds the lock of backups."""
        try:
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            for left in self.root.glob(f"{UNFINISHED}*"):
                shutil.rmtree(left)
            place = self.root / f"{UNFINISHED}{os.getpid()}"
            place.mkdir(mode=0o700)
        except OSError as error:
            raise BackupError(
                f"{self.root} cannot be written ({error.strerror}); correct its rights, or make room"
            ) from error
        return place

    def take(self, made: Path, name: str) -> None:
        for file in made.iterdir():
            _sync(file)
        _sync(made)
        made.rename(self.root / name)
        _sync(self.root)

    @contextmanager
    def opened(self, name: str, file: str) -> Iterator[IO[bytes]]:
        try:
            stream = (self.root / name / file).open("rb")
        except OSError as error:
            raise BackupError(f"{self.root / name / file} cannot be read ({error.strerror})") from error
        with stream:
            yield stream

    def delete(self, name: str) -> None:
        (self.root / name / FILE).unlink(missing_ok=True)
        shutil.rmtree(self.root / name)


class InBucket:
    """Put together on this machine first, in `folder`."""

    def __init__(self, bucket: Bucket, folder: Path) -> None:
        self._bucket, self._folder = bucket, Folder(folder)

    def names(self) -> list[str]:
        ends = f"/{FILE}"
        found = [key.removesuffix(ends) for key in self._run(self._bucket.keys()) if key.endswith(ends)]
        return sorted(name for name in found if NAME.fullmatch(name))

    def raw(self, name: str, file: str) -> bytes:
        with self.opened(name, file) as stream:
            return stream.read(LARGEST)

    def scratch(self) -> Path:
        return self._folder.scratch()

    def take(self, made: Path, name: str) -> None:
        for file in sorted(made.iterdir(), key=lambda path: path.name == FILE):
            self._run(self._bucket.put(f"{name}/{file.name}", file))
        shutil.rmtree(made)

    @contextmanager
    def opened(self, name: str, file: str) -> Iterator[IO[bytes]]:
        self._folder.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        with TemporaryDirectory(dir=self._folder.root, prefix=f"{UNFINISHED}") as near:
            fetched = Path(near) / file
            self._run(self._bucket.fetch(f"{name}/{file}", fetched))
            with fetched.open("rb") as stream:
                yield stream

    def delete(self, name: str) -> None:
        keys = [key for key in self._run(self._bucket.keys()) if key.startswith(f"{name}/")]
        self._run(self._bucket.delete([f"{name}/{FILE}"]))
        self._run(self._bucket.delete([key for key in keys if not key.endswith(f"/{FILE}")]))

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        try:
            return asyncio.run(work)
        except OSError as error:
            raise BackupError(f"the bucket of backups does not do it: {str(error).splitlines()[0][:200]}") from error


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
