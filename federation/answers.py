"""What other servers answer, read with bounds: bodies, media types, Retry-After, Accept-Signature, reasons."""

import re
import zlib
from collections.abc import Awaitable, Callable, Sequence
from email.utils import parsedate_to_datetime
from typing import Any, Final, Protocol, TypeAlias

from aiohttp import StreamReader
from multidict import CIMultiDictProxy

from federation.errors import Malformed

OK: Final = 200
LARGEST: Final = 1 << 20  # bytes of a document, before and after decompression
RATIO: Final = 100  # how much larger a body may become by decompression …
RATIO_FREE: Final = 1 << 16  # … when it becomes larger than this
DRAINED: Final = 1 << 16  # an answer not larger is read to its end, to keep the connection
LONGEST_REASON: Final = 200  # characters
_REASON_BYTES: Final = 4096
LONGEST_WISH: Final = 1024  # characters of Accept-Signature
LONGEST_WAIT: Final = 7 * 86400.0  # seconds; whoever says more means never

Sink: TypeAlias = Callable[[bytes], Awaitable[None]]

PROFILE: Final = "https://www.w3.org/ns/activitystreams"
ACCEPT_PAGE: Final = "text/html, application/xhtml+xml"
ACCEPT_ACTIVITY: Final = f'application/activity+json, application/ld+json; profile="{PROFILE}"'
_JSON: Final = re.compile(r"application/(?:[a-z0-9.-]{1,40}\+)?json")
_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+")


class Response(Protocol):
    @property
    def headers(self) -> CIMultiDictProxy[str]: ...

    @property
    def content(self) -> StreamReader: ...


def is_activity(media_type: str) -> bool:
    """`application/activity+json`, or `application/ld+json` with the ActivityStreams profile, and no other:
    anything else may be a file that somebody uploaded there (ActivityPub section 3.2)."""
    kind, *parameters = (part.strip() for part in media_type.split(";"))
    if kind.lower() == "application/activity+json":
        return True
    if kind.lower() != "application/ld+json":
        return False
    named = (parameter.partition("=") for parameter in parameters)
    return any(name.strip().lower() == "profile" and PROFILE in value.strip(' "').split() for name, _, value in named)


def is_json(media_type: str) -> bool:
    """`application/json`, or `application/…+json`."""
    return _JSON.fullmatch(media_type.partition(";")[0].strip().lower()) is not None


def is_page(media_type: str) -> bool:
    return media_type.partition(";")[0].strip().lower() in ("text/html", "application/xhtml+xml")


def charset(media_type: str) -> str:
    """
    >>> charset("text/html; Charset=ISO-8859-1")
    'ISO-8859-1'
    """
    for part in media_type.split(";")[1:]:
        name, _, value = part.partition("=")
        if name.strip().lower() == "charset":
            return value.strip(' "')
    return ""


def only(headers: CIMultiDictProxy[str], name: str) -> str:
    """The value of a header that must not be there twice; "" when it is not there.  Raises: Malformed."""
    values: Sequence[str] = headers.getall(name, ())
    if len(values) > 1:
        raise Malformed(name, values)
    return values[0] if values else ""


async def body_of(response: Response, *, whole: bool = True) -> bytes:
    """The whole body, decompressed.  Raises: Malformed, as soon as it is too large or not what it is said to be.

    whole: False, when the first megabyte is enough.
    """
    encoding = only(response.headers, "Content-Encoding").strip().lower()
    if encoding not in ("", "identity", "gzip", "x-gzip"):
        raise Malformed("Content-Encoding", encoding)
    if whole and _length(response) > LARGEST:
        raise Malformed("body", f"{_length(response)} bytes")
    unpack = _Gunzip() if "gzip" in encoding else None
    parts: list[bytes] = []
    received, size = 0, 0
    async for chunk in response.content.iter_any():
        received += len(chunk)
        part = chunk if unpack is None else unpack(chunk, LARGEST + 1 - size)
        size += len(part)
        if not whole and max(received, size) >= LARGEST:
            return b"".join([*parts, part])[:LARGEST]
        if max(received, size) > LARGEST or (size > RATIO_FREE and size > RATIO * received):
            raise Malformed("body", f"more than {LARGEST} bytes, or compressed beyond reason")
        parts.append(part)
    if unpack is not None:
        unpack.finish()
    return b"".join(parts)


async def pour(response: Response, sink: Sink, most: int) -> None:
    """The whole body to `sink`, as it comes.  Raises: Malformed, as soon as it is too large or compressed."""
    encoding = only(response.headers, "Content-Encoding").strip().lower()
    if encoding not in ("", "identity"):
        raise Malformed("Content-Encoding", encoding)
    if _length(response) > most:
        raise Malformed("body", f"{_length(response)} bytes")
    size = 0
    async for chunk in response.content.iter_any():
        size += len(chunk)
        if size > most:
            raise Malformed("body", f"more than {most} bytes")
        await sink(chunk)


def _length(response: Response) -> int:
    """As it is announced, 0 when it is not.  aiohttp refuses what is no number."""
    return int(response.headers.get("Content-Length", 0))


class _Gunzip:
    def __init__(self) -> None:
        self._inflate = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)

    def __call__(self, chunk: bytes, most: int) -> bytes:
        try:
            return self._inflate.decompress(chunk, most)
        except zlib.error as error:
            raise Malformed("body", error) from None

    def finish(self) -> None:
        if not self._inflate.eof or self._inflate.unused_data:
            raise Malformed("body", "compressed, and cut short or continued")


async def beginning(content: StreamReader) -> bytes:
    """The first bytes of an answer that matters little; what follows is read and dropped if it is not much."""
    first, seen = b"", 0
    while seen < DRAINED and (chunk := await content.readany()):
        seen += len(chunk)
        if len(first) < _REASON_BYTES:
            first += chunk[: _REASON_BYTES - len(first)]
    return first


def reason(body: bytes) -> str:
    """One line for people out of the body of a refusal: it goes to logs and pages."""
    return cleaned(body.decode(errors="replace"))[:LONGEST_REASON]


def cleaned(text: str) -> str:
    """One line, without control characters and those that turn the direction of writing."""
    return " ".join(_UNPRINTABLE.sub(" ", text).split())


def retry_after(headers: CIMultiDictProxy[str], now: float) -> float | None:
    """Seconds from `now`, between 0 and LONGEST_WAIT (RFC 9110 section 10.2.3)."""
    text = headers.get("Retry-After", "").strip()
    if not text:
        return None
    if text.isascii() and text.isdecimal():
        seconds = float(text[:12])
    else:
        try:
            seconds = parsedate_to_datetime(text[:64]).timestamp() - now
        except (ValueError, TypeError, OverflowError, IndexError):
            return None
    return min(max(seconds, 0.0), LONGEST_WAIT)


def takes_ed25519(headers: CIMultiDictProxy[str]) -> bool:
    """Does it ask for signatures with Ed25519, among others (Accept-Signature, RFC 9421 section 5.1)?

    Who names no algorithm has not said that it knows this one; what cannot be read says nothing.
    """
    wish = ", ".join(headers.getall("Accept-Signature", ()))
    if "ed25519" not in wish or len(wish) > LONGEST_WISH:
        return False
    import http_sf  # noqa: PLC0415  # loaded with the first server that asks

    try:
        wanted: Any = http_sf.parse(wish.encode("ascii"), tltype="dictionary")
    except ValueError:
        return False
    return any(isinstance(items, list) and said.get("alg") == "ed25519" for items, said in wanted.values())
