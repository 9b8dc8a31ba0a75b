"""From what was uploaded to what is kept: recognised, made anew in processes of their own, put into the store.

recognise (sniffing) → pictures (children) or films (ffmpeg) → store/blobs
"""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from connectme.media import films
from connectme.media.children import Children
from connectme.media.sniffing import sniff
from social.errors import Invalid, Unavailable
from social.media.kinds import EMOJI_LIMIT, FILMS, HEIC, PICTURE_LIMIT, PICTURES, SOUNDS, Made
from store.blobs import KINDS, RAW, Blobs, new_name

PIXELS: Final = 40_000_000  # as connectme.media.pictures, which the server itself does not import
NOT_SUPPORTED: Final = "This kind of file is not supported: {} are"
FILMS_AT_ONCE: Final = 2


class Workshop:
    """See social.media.kinds.Workshop."""

    def __init__(self, folder: Path, blobs: Blobs) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder = folder
        self.pixels = PIXELS
        self._blobs = blobs
        self._children = Children()
        self._films = asyncio.Semaphore(FILMS_AT_ONCE)

    @property
    def supported(self) -> tuple[str, ...]:
        pictures = (*PICTURES, *HEIC) if find_spec("pillow_heif") else PICTURES
        return (*pictures, *FILMS, *SOUNDS) if films.found() else pictures

    async def close(self) -> None:
        await self._children.close()

    async def upload(self, source: Path) -> Made | None:
        kind = await asyncio.to_thread(sniff, source)
        if kind not in self.supported:
            if kind in (*FILMS, *SOUNDS):
                raise Invalid(films.NO_FILMS)
            raise Invalid(NOT_SUPPORTED.format("JPEG, PNG, GIF, WebP and AVIF"), why=kind or "unknown")
        if not kind.startswith("image/"):
            return None
        _check_size(source)
        async with self._room() as room:
            made = await self._children.make(str(source), str(room), "attachment", films=films.found())
            return None if made.get("moves") else await self._keep_picture(room, made)

    async def set_aside(self, source: Path) -> str:
        return await self._put(new_name(RAW), source)

    async def finish(self, name: str) -> Made:
        async with self._films, self._room() as room:
            source = room / "source"
            await self._blobs.fetch(name, source)
            kind = await asyncio.to_thread(sniff, source)
            facts = await films.probe(source)
            silent = kind == "image/gif"
            whole = await films.convert(source, room, facts, silent=silent)
            shown = {} if not facts.video else await self._preview(await films.still(whole, room), room)
            return await self._keep_film(whole, room, "gifv" if silent else "video" if facts.video else "audio", shown)

    async def preview(self, source: Path) -> Made:
        _check_size(source)
        async with self._room() as room:
            shown = await self._preview(source, room)
            return Made("image", "", "", 0, **await self._keep_preview(room, shown))

    async def portrait(self, source: Path, what: str) -> str:
        if await asyncio.to_thread(sniff, source) not in (*PICTURES, *HEIC):
            raise Invalid(NOT_SUPPORTED.format("JPEG, PNG, GIF, WebP and AVIF"))
        async with self._room() as room:
            made = await self._children.make(str(source), str(room), what)
            return await self._keep(room / f"whole.{made['ending']}")

    async def emoji(self, source: Path) -> tuple[str, str | None]:
        """The names of a small picture, and of the first of its pictures if it moves.  Raises: Invalid."""
        if await asyncio.to_thread(_size, source) > EMOJI_LIMIT:
            raise Invalid(f"An emoji has at most {EMOJI_LIMIT >> 10} KB")
        if await asyncio.to_thread(sniff, source) not in ("image/png", "image/gif", "image/webp"):
            raise Invalid(NOT_SUPPORTED.format("PNG, GIF and WebP"))
        async with self._room() as room:
            made = await self._children.make(str(source), str(room), "emoji")
            whole = await self._keep(room / f"whole.{made['ending']}")
            return whole, await self._keep(room / f"small.{made['small']}") if made["small"] else None

    async def remove(self, names: list[str]) -> None:
        if names:
            await self._blobs.delete(names)

    async def _preview(self, picture: Path, room: Path) -> dict[str, Any]:
        return await self._children.make(str(picture), str(room), "preview")

    async def _keep_picture(self, room: Path, made: dict[str, Any]) -> Made:
        whole = room / f"whole.{made['ending']}"
        name, size = await self._keep(whole), await asyncio.to_thread(_size, whole)
        shown = await self._keep_preview(room, made)
        return Made("image", name, KINDS[made["ending"]], size, width=made["width"], height=made["height"], **shown)

    async def _keep_film(self, whole: Path, room: Path, kind: str, shown: dict[str, Any]) -> Made:
        facts = await films.probe(whole)
        preview = await self._keep_preview(room, shown) if shown else {}
        media_type = KINDS[whole.suffix[1:]]
        return Made(
            kind,
            await self._keep(whole),
            media_type if kind != "audio" or media_type.startswith("audio/") else "audio/mp4",
            await asyncio.to_thread(_size, whole),
            width=facts.width or None,
            height=facts.height or None,
            duration=round(facts.duration, 3),
            frame_rate=facts.frame_rate or None,
            bitrate=facts.bitrate or None,
            **preview,
        )

    async def _keep_preview(self, room: Path, made: dict[str, Any]) -> dict[str, Any]:
        return {
            "preview_file": await self._keep(room / f"small.{made['small']}"),
            "preview_width": made["small_width"],
            "preview_height": made["small_height"],
            "blurhash": made["blurhash"],
        }

    async def _keep(self, file: Path) -> str:
        return await self._put(new_name(file.suffix[1:]), file)

    async def _put(self, name: str, source: Path) -> str:
        try:
            await self._blobs.put(name, source)
        except OSError as error:
            raise Unavailable("Files cannot be kept at the moment", why=str(error)) from error
        return name

    @asynccontextmanager
    async def _room(self) -> AsyncIterator[Path]:
        """A folder for one piece of work."""
        room = Path(await asyncio.to_thread(tempfile.mkdtemp, dir=self.folder))
        try:
            yield room
        finally:
            await asyncio.to_thread(shutil.rmtree, room, ignore_errors=True)


def _size(file: Path) -> int:
    return file.stat().st_size


def _check_size(source: Path) -> None:
    if _size(source) > PICTURE_LIMIT:
        raise Invalid(f"A picture has at most {PICTURE_LIMIT >> 20} MB")
