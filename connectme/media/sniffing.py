"""What a file is, by its first bytes, whatever its name and its sender say.  The decoder has the last word."""

from pathlib import Path
from typing import Final

HEAD: Final = 4_096  # bytes
_SAME: Final = {
    "audio/x-wav": "audio/wav",
    "audio/wave": "audio/wav",
    "audio/vnd.wave": "audio/wav",
    "audio/x-flac": "audio/flac",
    "audio/mp3": "audio/mpeg",
    "audio/x-m4a": "audio/mp4",
    "audio/m4a": "audio/mp4",
    "audio/x-hx-aac-adts": "audio/aac",
    "application/ogg": "audio/ogg",
    "video/x-m4v": "video/mp4",
    "image/x-png": "image/png",
    "image/apng": "image/png",
}
# Files of ISO/IEC 14496-12 say on top what they are.
_BRANDS: Final = {
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"mif1"), "image/heic"),
    b"avif": "image/avif",
    b"M4A ": "audio/mp4",
    b"M4B ": "audio/mp4",
    b"qt  ": "video/quicktime",
}


def sniff(file: Path) -> str:
    """A media type; "" when it is none of a picture, film or sound."""
    with file.open("rb") as opened:
        return sniffed(opened.read(HEAD))


def sniffed(head: bytes) -> str:
    import puremagic  # noqa: PLC0415  its tables are large

    if not head:
        return ""
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12], "video/mp4")
    try:
        found = puremagic.magic_string(head)
    except (puremagic.PureError, ValueError):
        return ""
    for one in sorted(found, key=lambda one: one.confidence, reverse=True):
        kind = _SAME.get(one.mime_type, one.mime_type)
        if kind.partition("/")[0] in ("image", "video", "audio"):
            return str(kind)
    return ""
