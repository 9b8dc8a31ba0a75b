"""Does a page of the web lead back to a profile, by a link with rel=me?  Total: any bytes give yes or no.

Source: https://microformats.org/wiki/rel-me
"""

from collections.abc import Collection
from contextlib import suppress
from html.parser import HTMLParser
from typing import Final
from urllib.parse import urljoin

LONGEST: Final = 512 * 1024  # bytes that are looked at


def leads_back(body: bytes, url: str, to: Collection[str]) -> bool:
    """`url`: where the page is, for its relative addresses."""
    links = _Links()
    # No close(): what is not finished is not read again and again.  Addresses are ASCII in every encoding of the web.
    with suppress(AssertionError):  # as in federation.reading.page
        links.feed(body[:LONGEST].decode("utf-8", "replace"))
    wanted = {_same(address) for address in to}
    return any(_same(_joined(url, href)) in wanted for href in links.found)


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("a", "link"):
            said = dict(attrs)
            if "me" in (said.get("rel") or "").lower().split():
                self.found.append((said.get("href") or "").strip())


def _joined(base: str, href: str) -> str:
    try:
        return urljoin(base, href)
    except ValueError:
        return ""


def _same(address: str) -> str:
    return address.rstrip("/").lower()
