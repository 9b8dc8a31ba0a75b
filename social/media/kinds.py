"""What may be uploaded, how large, and what an upload comes to."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

PICTURES: Final = ("image/jpeg", "image/png", "image/gif", "image/webp", "image/avif")
HEIC: Final = ("image/heic", "image/heif")
FILMS: Final = ("video/mp4", "video/quicktime", "video/webm", "video/ogg", "video/x-matroska")
SOUNDS: Final = ("audio/mpeg", "audio/mp4", "audio/aac", "audio/ogg", "audio/flac", "audio/wav", "audio/webm")
PICTURE_LIMIT: Final = 16 << 20  # bytes
FILM_LIMIT: Final = 99 << 20
FILM_PIXELS: Final = 3840 * 2160  # of a frame
FILM_FRAMES: Final = 120  # per second
EMOJI_LIMIT: Final = 256 << 10
PROFILE_LIMIT: Final = 8 << 20  # of an avatar or a header


@dataclass(frozen=True, slots=True)
class Made:
    """A file that is ready and kept in the store; the fields are columns of `media`."""

    kind: str
    file: str
    media_type: str
    bytes: int
    preview_file: str | None = None
    preview_width: int | None = None
    preview_height: int | None = None
    blurhash: str | None = None
    width: int | None = None
    height: int | None = None
    duration: float | None = None
    frame_rate: float | None = None
    bitrate: int | None = None


class Proxy(Protocol):
    """Implemented by connectme/media/cache.py."""

    async def get(self, url: str) -> Path:
        """A file of another server; its ending says what it is.  Raises: NotFound, Unavailable."""


class Workshop(Protocol):
    """Implemented by connectme/media/workshop.py; doors get it from their application.

    Raises: Invalid, for what is not what it should be; Unavailable, when there is too much to do.
    """

    @property
    def folder(self) -> Path:
        """Where doors put what they receive."""

    @property
    def supported(self) -> tuple[str, ...]:
        """Media types."""

    @property
    def pixels(self) -> int:
        """Of a picture, at most."""

    async def upload(self, source: Path) -> Made | None:
        """A picture, ready.  None: it takes a while, so it should be set aside."""

    async def set_aside(self, source: Path) -> str:
        """Keeps the file for later, under the name that is returned."""

    async def finish(self, name: str) -> Made:
        """What was set aside, ready."""

    async def preview(self, source: Path) -> Made:
        """A preview for something else, from a picture; only its fields of the preview count."""

    async def portrait(self, source: Path, what: str) -> str:
        """An `avatar` or `header`: its name in the store."""

    async def emoji(self, source: Path) -> tuple[str, str | None]:
        """The names of it, and of its first picture if it moves."""

    async def remove(self, names: list[str]) -> None: ...
