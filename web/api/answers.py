"""What all answers of the API have in common."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
from aiohttp import web

from social.errors import NotFound
from social.pages import Page
from social.views import PostView
from store.tables import Account
from web.api.entities.frame import Frame
from web.api.entities.status import status
from web.errors import PLAIN
from web.keys import ORIGIN
from web.paging import links
from web.params import as_id

_PRIVATE = {**PLAIN, "Cache-Control": "private, no-store"}


def answer(body: Any, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.Response(
        body=orjson.dumps(body), content_type="application/json", headers={**_PRIVATE, **(headers or {})}
    )


def statuses(request: web.Request, reader: Account | None, views: Sequence[PostView], page: Page) -> web.Response:
    """A page of posts, and the way to those around it."""
    frame = framed(request, reader)
    cursors = [view.parts.post.id for view in views]
    return answer([status(view, frame) for view in views], links(request, cursors, page))


def framed(request: web.Request, reader: Account | None) -> Frame:
    return Frame(request.app[ORIGIN], datetime.now(UTC), reader.id if reader else None)


def path_id(request: web.Request) -> int:
    """The `{id}` of the path.  Raises: NotFound, when it cannot be one."""
    found = as_id(request.match_info["id"])
    if found is None:
        raise NotFound("Record not found")
    return found


def id_of(reader: Account | None) -> int | None:
    return reader.id if reader else None
