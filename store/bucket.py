"""Files in a bucket of an S3-compatible store, for servers that are several machines.  Needs `connectme[s3]`."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from store.blobs import Blob, is_somebodys, kind_of

PART: Final = 1 << 21  # bytes of one request: no connection waits for whoever reads slowly
LISTED: Final = 1000
_PATIENCE: Final = timedelta(seconds=10)
_SAFE: Final = {"Content-Disposition": "attachment", "Cache-Control": "private"}  # for who reaches the bucket itself


@dataclass(frozen=True, slots=True)
class Place:
    """endpoint: empty for Amazon.  Without keys: those that the environment or the machine has (AWS_…, its role)."""

    bucket: str
    prefix: str = ""
    endpoint: str = ""
    region: str = ""
    access_key_id: str = ""
    secret_access_key: str = ""


class Bucket:
    """See store.blobs.Blobs.  Raises: ImportError, without obstore."""

    def __init__(self, place: Place) -> None:
        import obstore  # noqa: PLC0415  an extra, and 20 MB
        from obstore import exceptions, store  # noqa: PLC0415

        given = {
            "endpoint": place.endpoint,
            "region": place.region,
            "access_key_id": place.access_key_id,
            "secret_access_key": place.secret_access_key,
        }
        self._api, self._broken = obstore, exceptions.BaseError
        self._store = store.S3Store(
            place.bucket,
            prefix=place.prefix or None,
            config={name: value for name, value in given.items() if value},
            client_options={"allow_http": place.endpoint.startswith("http:"), "timeout": 6 * _PATIENCE},
            retry_config={"max_retries": 2, "retry_timeout": _PATIENCE},
        )

    def path(self, name: str) -> Path | None:  # noqa: ARG002  a store has it
        return None

    async def put(self, name: str, source: Path) -> None:
        kind = {"Content-Type": kind_of(name) or "application/octet-stream"}
        with self._plainly(name):
            await self._api.put_async(self._store, name, source, attributes={**_SAFE, **kind})

    async def fetch(self, name: str, into: Path) -> None:
        found = await self.look(name)
        with into.open("wb") as file:
            async for chunk in self.read(name, 0, found.size):
                await asyncio.to_thread(file.write, chunk)

    async def look(self, name: str) -> Blob:
        with self._plainly(name):
            return _blob(await self._api.head_async(self._store, name))

    async def read(self, name: str, start: int, length: int) -> AsyncIterator[bytes]:
        end = start + length
        while start < end:
            with self._plainly(name):
                part = await self._api.get_range_async(self._store, name, start=start, end=min(start + PART, end))
            start += len(part)
            yield bytes(part)

    async def delete(self, names: Iterable[str]) -> None:
        gone = list(names)
        if gone:
            with self._plainly(gone[0]):
                await self._api.delete_async(self._store, gone)

    async def all(self) -> AsyncIterator[list[Blob]]:
        with self._plainly("the list of files"):
            async for part in self._api.list(self._store, chunk_size=LISTED):
                yield [_blob(found) for found in part if is_somebodys(found["path"])]

    async def keys(self) -> list[str]:
        """Of all there is, whatever its name."""
        with self._plainly("the list of files"):
            return [found["path"] async for part in self._api.list(self._store, chunk_size=LISTED) for found in part]

    @contextmanager
    def _plainly(self, what: str) -> Iterator[None]:
        """What goes wrong there is an OSError, as on a disk."""
        try:
            yield
        except self._broken as error:
            raise OSError(f"{what}: {error}") from error


def _blob(found: Any) -> Blob:
    return Blob(found["path"], found["size"], found["last_modified"])
