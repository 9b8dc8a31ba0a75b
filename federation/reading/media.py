"""Pictures, films, sounds and other files, in the shapes of FEP-1311 and of those who never heard of it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from itertools import islice
from typing import Any, Literal, NamedTuple, TypeAlias

from federation.reading import inline, values
from federation.reading.values import JSON

ATTACHMENTS_LIMIT = 16
LINKS_LIMIT = 8
DESCRIPTION_LIMIT = 10_000
_LOOKED_AT = 64
_SIDE_LIMIT = 100_000  # pixels

Kind: TypeAlias = Literal["image", "video", "audio", "unknown"]
_KINDS: dict[str, Kind] = {"image": "image", "video": "video", "audio": "audio"}
_TYPES: dict[str, Kind] = {"Image": "image", "Video": "video", "Audio": "audio"}
_EXTENSIONS: dict[str, Kind] = {
    **dict.fromkeys(("jpg", "jpeg", "png", "gif", "webp", "avif", "heic"), "image"),
    **dict.fromkeys(("mp4", "webm", "mov", "m4v", "ogv"), "video"),
    **dict.fromkeys(("mp3", "ogg", "oga", "opus", "flac", "wav", "m4a"), "audio"),
}
_EXTENSION = re.compile(r"\.([A-Za-z0-9]{2,5})(?:[?#]|\Z)")
_MEDIA_TYPE = re.compile(r"[a-z]+/[A-Za-z0-9.+-]{1,80}")
_BREAK = re.compile(r"<br\s?/?>|</p>\s{0,9}(?=<p>)", re.IGNORECASE)
_TAG = re.compile(r"</?[A-Za-z][^<>]*>")
_USUAL = frozenset({"image/jpeg", "image/png", "image/webp", "image/gif", "video/mp4"})
_BLURHASH = re.compile(r"[0-9A-Za-z#$%*+,\-.:;=?@\[\]^_{|}~]{6,100}")
_PLAYLISTS = ("application/x-mpegurl", "application/vnd.apple.mpegurl")


@dataclass(frozen=True, slots=True)
class Attachment:
    kind: Kind
    url: str
    media_type: str | None = None
    description: str = ""
    blurhash: str | None = None
    width: int | None = None  # pixels
    height: int | None = None
    focus_x: float | None = None  # -1.0 (left) … 1.0
    focus_y: float | None = None
    preview_url: str | None = None
    sensitive: bool = False


class Media(NamedTuple):
    attachments: tuple[Attachment, ...] = ()
    links: tuple[str, ...] = ()


NO_MEDIA = Media()


def read_media(doc: JSON, kind: str, html: str = "") -> Media:
    """What is attached to a post: at most 16 files, and at most 8 links to pages.

    A Video or Audio is its own attachment.  When no picture is attached, an `image` is, and so are those in the text,
    of which nothing else would be seen (Lemmy, Discourse, Ghost).
    """
    items = doc.get("attachment")
    own = kind in _TYPES
    if not items and not own and "image" not in doc and "<img" not in html:
        return NO_MEDIA
    files: dict[str, Attachment] = {}
    links: dict[str, None] = {}
    for item in values.objects(items, _LOOKED_AT):
        names = values.types(item)
        if "Link" in names and not _kind(_media_type(item), href := values.address(item.get("href")) or ""):
            links[href] = None
        elif file := _attachment(item, names):
            files.setdefault(file.url, file)
    if own and (file := _itself(doc, _TYPES[kind])):
        files.setdefault(file.url, file)
    if not any(file.kind == "image" for file in files.values()) and not own:
        for file in (*islice(_pictures(doc), 1), *_in_text(html)):
            files.setdefault(file.url, file)
    links.pop("", None)
    return Media(tuple(files.values())[:ATTACHMENTS_LIMIT], tuple(links)[:LINKS_LIMIT])


def largest(doc: JSON, field: str) -> JSON | str | None:
    """The picture under `field`: one, its address, or the widest of several (PeerTube sends two sizes)."""
    found = [v for v in values.several(doc.get(field), _LOOKED_AT) if isinstance(v, dict | str) and v]
    return max(found, key=_width, default=None)


def picture_url(picture: JSON | str | None) -> str | None:
    if isinstance(picture, dict):
        return values.url(picture) or values.url(picture, "href")
    return values.address(picture)


def described(item: JSON, most: int) -> str:
    """What is to be seen or heard, as text: `name`, else `summary`, which is HTML where GoToSocial sends it."""
    if name := values.text(item, "name", most):
        return name
    summary = values.text(item, "summary", most)
    return unescape(_TAG.sub("", _BREAK.sub("\n", summary))).strip() if "<" in summary or "&" in summary else summary


def _width(picture: JSON | str) -> int:
    return values.integer(picture, "width") or 0 if isinstance(picture, dict) else 0


def _pictures(doc: JSON) -> Iterator[Attachment]:
    picture = largest(doc, "image")
    if isinstance(picture, dict) and (file := _attachment(picture, ["Image"])):
        yield file
    elif isinstance(picture, str) and (url := values.address(picture)):
        yield Attachment("image", url)


def _in_text(html: str) -> Iterator[Attachment]:
    for tag in islice(inline.TAG.finditer(html), _LOOKED_AT):
        picture = inline.read_inline(tag[1])
        if picture.url and not picture.word:
            yield Attachment("image", picture.url, description=picture.description)


def _attachment(item: JSON, names: list[str]) -> Attachment | None:
    """One member of `attachment`; None when it has no address, or is no file (a PropertyValue, a Note)."""
    link = _best_link(item) if isinstance(item.get("url"), list) else item
    url = values.url(link) or values.url(link, "href")
    if not url:
        return None
    media_type = _media_type(link) or (_media_type(item) if link is not item else None)
    kind = _kind(media_type, url) or next((_TYPES[name] for name in names if name in _TYPES), None)
    if kind is None and "Document" not in names:
        return None
    x, y = _focus(item)
    return Attachment(
        kind=kind or "unknown",
        url=url,
        media_type=media_type,
        description=described(item, DESCRIPTION_LIMIT),
        blurhash=_blurhash(item),
        width=_side(item, link, "width"),
        height=_side(item, link, "height"),
        focus_x=x,
        focus_y=y,
        preview_url=picture_url(largest(item, "icon")) if "icon" in item else None,
        sensitive=item.get("sensitive") is True,
    )


def _focus(item: JSON) -> tuple[float | None, float | None]:
    """Both coordinates, or neither."""
    focus = item.get("focalPoint")
    if not isinstance(focus, list) or len(focus) != 2:
        return None, None
    x, y = values.fraction(focus[0]), values.fraction(focus[1])
    return (x, y) if x is not None and y is not None else (None, None)


def _itself(doc: JSON, kind: Kind) -> Attachment | None:
    """A Video of PeerTube or an Audio of Funkwhale: its file is one of the links under `url`."""
    link = _best_link(doc)
    url = values.address(link.get("href"))
    if not url or not (_kind(_media_type(link), url) == kind or _media_type(link) in _PLAYLISTS):
        return None
    return Attachment(
        kind=kind,
        url=url,
        media_type=_media_type(link),
        width=_side(link, doc, "width"),
        height=_side(link, doc, "height"),
        preview_url=picture_url(largest(doc, "icon")) or picture_url(largest(doc, "image")),
    )


def _best_link(item: JSON) -> JSON:
    """The link under `url` that a browser can show: a film or sound (largest), else a playlist, else the first.

    PeerTube hides the films in the `tag` of the link to the playlist.
    """
    links = values.objects(item.get("url"), _LOOKED_AT)
    links += [inner for link in links for inner in values.objects(link.get("tag"), _LOOKED_AT)]
    usable = [link for link in links if values.address(link.get("href"))]
    files = [link for link in usable if (_media_type(link) or "").partition("/")[0] in _KINDS]
    lists = [link for link in usable if _media_type(link) in _PLAYLISTS]
    if files:
        return max(files, key=_width)
    return (lists or usable or [{"href": first_address(item)}])[0]


def first_address(item: JSON) -> str | None:
    return next(filter(None, map(values.address, values.several(item.get("url"), _LOOKED_AT))), None)


def _kind(media_type: str | None, url: str) -> Kind | None:
    """By media type, else by the ending of the address; None when neither tells."""
    if media_type:
        return _KINDS.get(media_type.partition("/")[0])
    found = _EXTENSION.search(url[-64:])
    return _EXTENSIONS.get(found[1].lower()) if found else None


def _media_type(item: JSON) -> str | None:
    value = item.get("mediaType")
    if not isinstance(value, str):
        return None
    if value in _USUAL:
        return value
    value = value.partition(";")[0].strip().lower()
    return value if _MEDIA_TYPE.fullmatch(value) else None


def _blurhash(item: JSON) -> str | None:
    value: Any = item.get("blurhash")
    return value if isinstance(value, str) and _BLURHASH.fullmatch(value) else None


def _side(first: JSON, second: JSON, field: str) -> int | None:
    side = values.integer(first, field) or values.integer(second, field)
    return side if side and side <= _SIDE_LIMIT else None
