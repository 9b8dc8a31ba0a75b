"""Forms with files: read piece by piece into files of their own, and no further than their limits.

Other bodies, and those without files, are read by web/params.py.
"""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from aiohttp import BodyPartReader, web
from aiohttp.web_exceptions import HTTPRequestEntityTooLarge

from social.errors import Invalid
from social.media import uploads
from store.tables import Media
from web import params
from web.keys import DATABASE, ORIGIN, WORKSHOP
from web.params import Params

TEXTS: Final = 256 * 1024  # bytes of all fields that are no files
FIELDS: Final = 128
CHUNK: Final = 1 << 18


@dataclass(slots=True)
class Form:
    """`files`: by the name of the field.  They are gone when the request is answered.  `too_large`: fields whose files
    were larger than they may be, where they are passed over.
    """

    params: Params
    files: dict[str, Path] = field(default_factory=dict)
    too_large: list[str] = field(default_factory=list)


@asynccontextmanager
async def received(
    request: web.Request, limits: Mapping[str, int], *, passes_over: bool = False
) -> AsyncIterator[Form]:
    """limits: fields that may be files → bytes; passes_over: one that is larger costs itself, not the form.

    Raises: 413, Invalid.
    """
    if request.content_type != "multipart/form-data":
        yield Form(await params.read(request))
        return
    if (request.content_length or 0) > sum(limits.values()) + TEXTS:
        raise HTTPRequestEntityTooLarge(sum(limits.values()), request.content_length or 0)
    folder = await asyncio.to_thread(tempfile.mkdtemp, dir=request.app[WORKSHOP].folder, prefix="form-")
    reader = _Reader(Path(folder), limits, passes_over=passes_over)
    try:
        yield await reader.read(request)
    finally:
        await asyncio.to_thread(reader.forget)


async def keep(app: web.Application, account_id: int, file: Path, said: dict[str, Any], *, later: bool) -> Media:
    """An upload of `account_id`; what takes a while is finished now, or `later` by a worker.

    said: see social.media.uploads.said.
    Raises: Invalid, Unavailable.
    """
    db, origin, workshop, now = app[DATABASE], app[ORIGIN], app[WORKSHOP], datetime.now(UTC)
    made = await workshop.upload(file)
    if made is not None:
        return await db.write(uploads.add, origin, account_id, made, said, now)
    name = await workshop.set_aside(file)
    added = await db.write(uploads.add_slow, account_id, name, "unknown", said, now, later=later)
    if later:
        return added
    try:
        made = await workshop.finish(name)
    except Invalid:
        await db.write(uploads.remove, [added.id])
        await workshop.remove(uploads.names([added]))
        raise
    found = await db.write(uploads.finish, origin, added.id, made)
    await workshop.remove([name])
    return found or added


class _Reader:
    def __init__(self, folder: Path, limits: Mapping[str, int], *, passes_over: bool) -> None:
        self._folder, self._passes_over = folder, passes_over
        self._too_large: list[str] = []
        self._limits = limits
        self._left = TEXTS
        self._texts: list[tuple[str, str]] = []
        self._files: dict[str, Path] = {}

    async def read(self, request: web.Request) -> Form:
        count = 0
        try:
            async for part in await request.multipart():
                count += 1
                if not isinstance(part, BodyPartReader) or count > FIELDS:
                    raise Invalid("The form has too many fields")
                await self._take(part)
        except params.BROKEN as error:
            raise Invalid("The body is not what its Content-Type says") from error
        values = params.nested([*request.query.items(), *self._texts])
        return Form(Params(values), self._files, self._too_large)

    async def _take(self, part: BodyPartReader) -> None:
        name = part.name or ""
        if name in self._limits and part.filename is not None:
            await self._file(name, part)
            return
        data = b""
        while chunk := await part.read_chunk():
            self._left -= len(chunk)
            if self._left < 0:
                raise HTTPRequestEntityTooLarge(TEXTS, TEXTS + 1)
            data += chunk
        if part.filename is None:
            self._texts.append((name, data.decode("utf-8", "replace")))

    async def _file(self, name: str, part: BodyPartReader) -> None:
        if name in self._files:
            raise Invalid(f"{name} is there twice")
        target, size = self._folder / f"file{len(self._files)}", 0
        with target.open("wb") as file:
            while chunk := await part.read_chunk(CHUNK):
                size += len(chunk)
                if size <= self._limits[name]:
                    await asyncio.to_thread(file.write, chunk)
                elif not self._passes_over or size > sum(self._limits.values()):  # nobody said how long it is
                    raise HTTPRequestEntityTooLarge(self._limits[name], size)
        if size > self._limits[name]:
            self._too_large.append(name)
            target.unlink()
        elif size:  # browsers send an empty file where none was chosen
            self._files[name] = target
        else:
            target.unlink()

    def forget(self) -> None:
        for file in self._folder.iterdir():
            file.unlink()
        self._folder.rmdir()
