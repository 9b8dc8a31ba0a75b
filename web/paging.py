"""Pages of a list: https://docs.joinmastodon.org/api/guidelines/#pagination"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from aiohttp import web

from social.pages import Page
from store.ids import LARGEST
from web.keys import ORIGIN
from web.params import Params, of_query

FARTHEST: Final = 10_000  # what is skipped by an offset
_CURSORS = {"max_id", "min_id", "since_id", "limit"}


def page_of(request: web.Request, usual: int = 20, most: int = 40) -> Page:
    """The page that `limit`, `max_id`, `since_id` and `min_id` ask for.  Raises: Invalid."""
    asked = of_query(request)
    limit = asked.number("limit")
    return Page(
        limit=usual if limit is None else max(1, min(limit, most)),
        max_id=_cursor(asked, "max_id"),
        since_id=_cursor(asked, "since_id"),
        min_id=_cursor(asked, "min_id"),
    )


def links(request: web.Request, cursors: Sequence[int], page: Page, *, more: bool | None = None) -> dict[str, str]:
    """The Link header to the pages around this one; no header for an empty page.

    cursors: what the page was cut by, one per item, newest first.
    more:    are there older ones?  By default, when the page is full.
    """
    if not cursors:
        return {}
    found = []
    if len(cursors) >= page.limit if more is None else more:
        found.append(f'<{_address(request, page, "max_id", min(cursors))}>; rel="next"')
    found.append(f'<{_address(request, page, "min_id", max(cursors))}>; rel="prev"')
    return {"Link": ", ".join(found)}


@dataclass(frozen=True, slots=True)
class Offset:
    """A part of a list that is cut by counting."""

    limit: int
    offset: int


def offset_of(request: web.Request, usual: int, most: int) -> Offset:
    """What `limit` and `offset` ask for.  Raises: Invalid."""
    asked = of_query(request)
    limit, offset = asked.number("limit"), asked.number("offset") or 0
    return Offset(usual if limit is None else max(1, min(limit, most)), max(0, min(offset, FARTHEST)))


def offset_links(request: web.Request, found: int, page: Offset) -> dict[str, str]:
    """The Link header of a list that is cut by counting; `found` is how many are on this page."""
    kept = [(name, value) for name, value in request.query.items() if name not in ("limit", "offset")]

    def address(offset: int) -> str:
        query = urlencode([*kept, ("limit", page.limit), ("offset", offset)], errors="replace")
        return request.app[ORIGIN].url(f"{request.rel_url.raw_path}?{query}")

    found_links = []
    if found >= page.limit:
        found_links.append(f'<{address(page.offset + page.limit)}>; rel="next"')
    if page.offset:
        found_links.append(f'<{address(max(0, page.offset - page.limit))}>; rel="prev"')
    return {"Link": ", ".join(found_links)} if found_links else {}


def _address(request: web.Request, page: Page, cursor: str, number: int) -> str:
    """Always of our base URL: what the client asked through is the proxy's business."""
    kept = [(name, value) for name, value in request.query.items() if name not in _CURSORS]
    query = urlencode([*kept, ("limit", page.limit), (cursor, number)], errors="replace")
    return request.app[ORIGIN].url(f"{request.rel_url.raw_path}?{query}")


def _cursor(asked: Params, name: str) -> int | None:
    """Any number will do: some clients begin with the largest that they know."""
    text = asked.text(name)
    if text.isascii() and text.isdigit():
        return min(int(text[:40]), LARGEST)
    return asked.id(name)
