"""Hashtags: https://docs.joinmastodon.org/methods/tags/ and /methods/followed_tags/"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from aiohttp import web
from sqlalchemy import Connection

from social import tags
from social.tags import TagView
from store.tables import Account
from web import auth
from web.api import shapes
from web.api.answers import answer, id_of
from web.api.entities.list import tag
from web.api.spec import PAGE, spec
from web.auth import Caller
from web.keys import DATABASE, ORIGIN
from web.paging import links, page_of

routes = web.RouteTableDef()


@routes.get("/api/v1/followed_tags")
@spec(answers=list[shapes.Tag], query=PAGE)
@auth.person("read:follows")
async def followed(request: web.Request, caller: Caller) -> web.Response:
    page = page_of(request, usual=100, most=200)
    found = await request.app[DATABASE].read(tags.followed_page, caller.account.id, page, datetime.now(UTC))
    entities = [tag(it, request.app[ORIGIN]) for _, it in found]
    return answer(entities, links(request, [number for number, _ in found], page))


@routes.get("/api/v1/tags/{name}")
@spec(answers=shapes.Tag)
@auth.anybody("read", "read:statuses", "read:follows")
async def get_tag(request: web.Request, reader: Account | None) -> web.Response:
    name = tags.named(request.match_info["name"])
    (found,) = await request.app[DATABASE].read(tags.look, [name], id_of(reader), datetime.now(UTC))
    return answer(tag(found, request.app[ORIGIN]))


@routes.post("/api/v1/tags/{name}/follow")
@spec(answers=shapes.Tag)
@auth.person("write:follows")
async def follow(request: web.Request, caller: Caller) -> web.Response:
    return await _act(request, caller, tags.follow)


@routes.post("/api/v1/tags/{name}/unfollow")
@spec(answers=shapes.Tag)
@auth.person("write:follows")
async def unfollow(request: web.Request, caller: Caller) -> web.Response:
    return await _act(request, caller, tags.unfollow)


async def _act(request: web.Request, caller: Caller, unit: Callable[..., Any]) -> web.Response:
    name = tags.named(request.match_info["name"])
    found = await request.app[DATABASE].write(_done, unit, caller.account.id, name, datetime.now(UTC))
    return answer(tag(found, request.app[ORIGIN]))


def _done(tx: Connection, unit: Callable[..., Any], account_id: int, name: str, now: datetime) -> TagView:
    unit(tx, account_id, name)
    return tags.look(tx, [name], account_id, now)[0]
