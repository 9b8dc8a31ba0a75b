"""Pages of a list: https://docs.joinmastodon.org/api/guidelines/#pagination"""

from collections.abc import Sequence
from typing import Any

import orjson
from aiohttp import web

from social.pages import Page
from web.errors import CORS
from web.keys import ORIGIN
from web.params import of_query


def page_of(request: web.Request, usual: int = 20, most: int = 40) -> Page:
    """The page that `limit`, `max_id`, `since_id` and `min_id` ask for."""
    asked = of_query(request)
    limit = asked.number("limit")
    return Page(
        limit=usual if limit is None else max(1, min(limit, most)),
        max_id=asked.id("max_id"),
        since_id=asked.id("since_id"),
        min_id=asked.id("min_id"),
    )


def linked(request: web.Request, body: Sequence[dict[str, Any]], cursors: Sequence[int], page: Page) -> web.Response:
    """`body` as JSON, with a Link header to the pages around it.

    cursors: what the page was cut by, one per item, newest first; from the list as it was before anything was hidden
             from this reader, so that a page of hidden items still leads to the next one.
    """
    headers = {**CORS, "Cache-Control": "private, no-store"}
    if cursors:
        links = []
        if len(cursors) >= page.limit:
            links.append(f'<{_address(request, max_id=min(cursors), page=page)}>; rel="next"')
        links.append(f'<{_address(request, min_id=max(cursors), page=page)}>; rel="prev"')
        headers["Link"] = ", ".join(links)
    return web.Response(body=orjson.dumps(list(body)), content_type="application/json", headers=headers)


def _address(request: web.Request, page: Page, **cursor: int) -> str:
    """Always of our base URL: what the client asked through is the proxy's business."""
    kept = {k: v for k, v in request.query.items() if k not in {"max_id", "min_id", "since_id", "limit"}}
    query = {**kept, "limit": str(page.limit), **{k: str(v) for k, v in cursor.items()}}
    return request.app[ORIGIN].url(str(request.rel_url.with_query(query)))
