"""What a page of the web says of itself: OpenGraph, Twitter's names, plain HTML, and oEmbed beside it.

Total: any bytes give a Preview, or None when there is nothing to show.  Only text and addresses are taken, never HTML
(security row 48).
"""

import codecs
import re
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from html.parser import HTMLParser
from typing import Any, Final
from urllib.parse import urljoin

from federation.handles import parse_handle
from federation.reading.values import JSON, clean, find_host, instant, is_web

HEAD: Final = 256 * 1024  # characters that are looked at: what we want is at the beginning
TITLE: Final = 500
DESCRIPTION: Final = 2_000
NAME: Final = 300
LARGEST_SIDE: Final = 20_000  # pixels

# Others are slow (punycode), or no encodings of text at all.
_CHARSETS: Final = re.compile(
    r"utf-?8|utf-?16(-?[lb]e)?|us-ascii|iso-?8859-?\d{1,2}|latin-?1|windows-?125\d|cp125\d|koi8-[ru]|shift[-_]jis"
    r"|euc-(jp|kr)|iso-2022-jp|gb2312|gbk|gb18030|big5",
    re.IGNORECASE,
)
_SAID: Final = re.compile(rb"<meta[^>]{0,200}?charset=[\"']?([A-Za-z0-9_-]{1,20})", re.IGNORECASE)
_BODY: Final = re.compile(r"</head\b|<body\b", re.IGNORECASE)
_LANGUAGE: Final = re.compile(r"([a-zA-Z]{2,3})(?:[-_].*)?")
_OEMBED: Final = "application/json+oembed"
_DIGITS: Final = re.compile(r"[0-9]{1,6}")


@dataclass(frozen=True, slots=True)
class Preview:
    """`kind`: link, or photo (then `embed_url` is the picture).  Texts are plain; addresses are http(s) or empty."""

    kind: str = "link"
    title: str = ""
    description: str = ""
    language: str | None = None
    author_name: str = ""
    author_url: str = ""
    provider_name: str = ""
    provider_url: str = ""
    image_url: str | None = None
    image_description: str = ""
    embed_url: str = ""
    width: int = 0
    height: int = 0
    published_at: datetime | None = None
    creator: str = ""  # name@domain, of whoever wrote the page, as it says: he has to agree (social/cards.py)
    host: str = ""  # of the page that says so


@dataclass(frozen=True, slots=True)
class Page:
    """`preview` has an empty title when the page says nothing; `oembed`: where more is said."""

    preview: Preview
    oembed: str | None


def read_page(body: bytes, charset: str, url: str) -> Page:
    """`charset`: as the header says it, or empty.  `url`: where the page is, for its relative addresses."""
    text = _decoded(body, charset)[:HEAD]
    end = _BODY.search(text)
    head = _Head()
    # No close(): what is not finished is not read again and again.
    with suppress(AssertionError):  # for `<![x[`, and in some versions of Python alone; what came before counts
        head.feed(text[: end.start()] if end else text)
    return Page(_preview(head, url), _address(head.oembed, url))


def read_oembed(document: JSON, before: Preview, url: str) -> Preview:
    """`before`, with what oEmbed says better.  Films and the like are links: we take no players from others."""
    photo = _address(document.get("url"), url) if document.get("type") == "photo" else None
    thumbnail = _address(document.get("thumbnail_url"), url)
    found = replace(
        before,
        title=_text(document.get("title"), TITLE) or before.title,
        author_name=_text(document.get("author_name"), NAME) or before.author_name,
        author_url=_address(document.get("author_url"), url) or before.author_url,
        provider_name=_text(document.get("provider_name"), NAME) or before.provider_name,
        provider_url=_address(document.get("provider_url"), url) or before.provider_url,
        image_url=photo or thumbnail or before.image_url,
    )
    if photo is None:
        return found
    sides = _side(document.get("width")), _side(document.get("height"))
    return replace(found, kind="photo", embed_url=photo, width=sides[0], height=sides[1])


class _Head(HTMLParser):
    """Names and contents of <meta>, the title, the language, the address of oEmbed; each the first."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.meta: dict[str, str] = {}
        self.title = ""
        self.language = ""
        self.oembed: str | None = None
        self._in_title = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in reversed(attrs)}
        self._in_title = tag == "title" and not self.title
        if tag == "meta":
            for name in (said.get("property", ""), said.get("name", "")):
                if name and said.get("content"):
                    self.meta.setdefault(name.strip().lower(), said["content"])
        elif tag == "link" and said.get("type", "").lower() == _OEMBED and self.oembed is None:
            self.oembed = said.get("href")
        elif tag == "html":
            self.language = said.get("lang", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "title":
            self._in_title = False

    def handle_data(self, data: str) -> None:
        if self._in_title and len(self.title) < TITLE:
            self.title += data


def _preview(head: _Head, url: str) -> Preview:
    meta = head.meta
    creator = parse_handle(meta.get("fediverse:creator", ""))
    author = _first(meta, "article:author", "og:author", "author", "twitter:creator")
    return Preview(
        title=_text(_first(meta, "og:title", "twitter:title") or head.title, TITLE),
        description=_text(_first(meta, "og:description", "twitter:description", "description"), DESCRIPTION),
        language=_language(head.language or meta.get("og:locale", "")),
        author_name="" if is_web(author) else _text(author, NAME),
        author_url=author if is_web(author) else "",
        provider_name=_text(_first(meta, "og:site_name", "application-name"), NAME),
        image_url=_address(_first(meta, "og:image:secure_url", "og:image", "og:image:url", "twitter:image"), url),
        image_description=_text(_first(meta, "og:image:alt", "twitter:image:alt"), DESCRIPTION),
        width=_side(meta.get("og:image:width")),
        height=_side(meta.get("og:image:height")),
        published_at=instant(meta, "article:published_time"),
        creator="@".join(creator or ()),
        host=(find_host(url) or "") if creator else "",
    )


def _first(meta: dict[str, str], *names: str) -> str:
    return next((meta[name] for name in names if meta.get(name)), "")


def _text(value: Any, most: int) -> str:
    """One line."""
    return " ".join(clean(value, 4 * most).split())[:most] if isinstance(value, str) else ""


def _address(value: Any, base: str) -> str | None:
    if not isinstance(value, str) or not 0 < len(value.strip()) <= 2_048:
        return None
    try:
        found = urljoin(base, value.strip())
    except ValueError:
        return None
    return found if is_web(found) else None


def _side(value: Any) -> int:
    number = int(value) if _DIGITS.fullmatch(str(value)) else 0
    return number if number <= LARGEST_SIDE else 0


def _language(text: str) -> str | None:
    found = _LANGUAGE.fullmatch(text.strip()[:40])
    return found[1].lower() if found else None


def _decoded(body: bytes, charset: str) -> str:
    if body.startswith(codecs.BOM_UTF8):
        charset = "utf-8"
    elif not charset and (said := _SAID.search(body[:2_048])):
        charset = said[1].decode("ascii")
    name = charset.strip(" \"'").lower()
    try:
        return body.decode(name if _CHARSETS.fullmatch(name) else "utf-8", "replace")
    except (LookupError, UnicodeError):
        return body.decode("utf-8", "replace")
