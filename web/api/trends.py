"""Trends: https://docs.joinmastodon.org/methods/trends/"""

from datetime import UTC, date, datetime
from typing import Any, Final

from aiohttp import web

from social import trends
from store.tables import Account
from web import auth
from web.api import shapes
from web.api.answers import answer, framed, id_of
from web.api.entities.card import trends_link
from web.api.entities.list import tag
from web.api.pieces import piece
from web.api.spec import spec
from web.keys import CONFIG, DATABASE, ORIGIN
from web.paging import Offset, offset_links, offset_of

routes = web.RouteTableDef()

OFFSET: Final = {"limit": int, "offset": int}


@routes.get("/api/v1/trends")
@spec(answers=list[shapes.Tag], query=OFFSET, old=date(2022, 3, 30))
@auth.anybody("read:statuses")
async def old_tags(request: web.Request, reader: Account | None) -> web.Response:
    """As it was called before there were others."""
    return await _tags(request, reader)


@routes.get("/api/v1/trends/tags")
@spec(answers=list[shapes.Tag], query=OFFSET)
@auth.anybody("read:statuses")
async def tags(request: web.Request, reader: Account | None) -> web.Response:
    return await _tags(request, reader)


@routes.get("/api/v1/trends/statuses")
@spec(answers=list[shapes.Status], query=OFFSET)
@auth.anybody("read:statuses")
async def statuses(request: web.Request, reader: Account | None) -> web.Response:
    page, frame = offset_of(request, 20, 40), framed(request, reader)
    found = await _read(request, trends.posts, id_of(reader), page.limit, page.offset)
    return _listed(request, [piece(view, frame) for view in found], page)


@routes.get("/api/v1/trends/links")
@spec(answers=list[shapes.TrendsLink], query=OFFSET)
@auth.anybody("read:statuses")
async def links(request: web.Request, _: Account | None) -> web.Response:
    page = offset_of(request, 10, 20)
    found = await _read(request, trends.links, page.limit, page.offset, datetime.now(UTC))
    return _listed(request, [trends_link(one, request.app[ORIGIN]) for one in found], page)


async def _tags(request: web.Request, reader: Account | None) -> web.Response:
    page = offset_of(request, 10, 20)
    found = await _read(request, trends.tags, id_of(reader), page.limit, page.offset, datetime.now(UTC))
    return _listed(request, [tag(one, request.app[ORIGIN]) for one in found], page)


async def _read(request: web.Request, unit: Any, *args: Any) -> Any:
    """Nothing, where there are to be no trends."""
    config = request.app[CONFIG]
    return await request.app[DATABASE].read(unit, *args, review=config.trends_review) if config.trends else []


def _listed(request: web.Request, entities: list[Any], page: Offset) -> web.Response:
    return answer(entities, offset_links(request, len(entities), page))
