"""What all answers of the API have in common."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orjson
from aiohttp import web

from social import views
from social.collections import consent
from social.errors import Faulty, NotFound
from social.known import standing
from social.pages import Page
from social.views import PostView
from store.database import Database
from store.tables import Account
from web.api.entities.frame import Frame
from web.api.entities.status import status
from web.api.pieces import piece
from web.errors import PLAIN
from web.keys import DATABASE, ORIGIN
from web.paging import links
from web.params import as_id

_PRIVATE = {**PLAIN, "Cache-Control": "private, no-store"}


def answer(body: Any, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.Response(
        body=orjson.dumps(body), content_type="application/json", headers={**_PRIVATE, **(headers or {})}
    )


def faults(refused: Faulty) -> web.Response:
    """What is wrong with a form, also field by field."""
    details: dict[str, list[dict[str, str]]] = {}
    for fault in refused.faults:
        details.setdefault(fault.field, []).append({"error": fault.code, "description": fault.says})
    body = orjson.dumps({"error": str(refused), "details": details})
    headers = {**PLAIN, "Cache-Control": "no-store"}
    return web.Response(body=body, status=422, content_type="application/json", headers=headers)


def statuses(
    request: web.Request,
    reader: Account | None,
    found: Sequence[PostView],
    page: Page,
    cursors: Sequence[int] | None = None,
    headers: Mapping[str, str] | None = None,
) -> web.Response:
    """A page of posts, and the way to those around it.  cursors: where the list is cut by something else than ids."""
    frame = framed(request, reader)
    if cursors is None:
        cursors = [view.parts.post.id for view in found]
    return answer([piece(view, frame) for view in found], {**links(request, cursors, page), **(headers or {})})


def framed(request: web.Request, reader: Account | None) -> Frame:
    return Frame(request.app[ORIGIN], datetime.now(UTC), reader.id if reader else None)


async def framed_for(request: web.Request, reader: Account | None, people: Iterable[Account]) -> Frame:
    """Where people are shown that wrote none of the posts."""
    return await among(request.app[DATABASE], framed(request, reader), people)


async def among(db: Database, frame: Frame, people: Iterable[Account]) -> Frame:
    """The frame with how its reader stands to those of them for whom it matters."""
    asked = [one for one in people if consent.depends(one)]
    if frame.reader_id is None or not asked:
        return frame
    return replace(frame, standing=await db.read(standing, frame.reader_id, asked))


async def shown(request: web.Request, reader: Account | None, post_id: int) -> web.Response:
    """One post.  Raises: NotFound."""
    found = await request.app[DATABASE].read(views.post, post_id, id_of(reader))
    if found is None:
        raise NotFound("Record not found")
    return answer(status(found, framed(request, reader)))


def path_id(request: web.Request) -> int:
    """The `{id}` of the path.  Raises: NotFound, when it cannot be one."""
    found = as_id(request.match_info["id"])
    if found is None:
        raise NotFound("Record not found")
    return found


def id_of(reader: Account | None) -> int | None:
    return reader.id if reader else None
