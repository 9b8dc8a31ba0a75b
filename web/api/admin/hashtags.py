"""Hashtags, and what may be done with each: which are shown among the trends, found by searching, used here.

https://docs.joinmastodon.org/entities/Tag/#admin
"""

from datetime import UTC, datetime
from typing import Final

from aiohttp import web
from sqlalchemy import Connection

from social.moderation import hashtags
from social.moderation.hashtags import FLAGS, Judged
from web import auth, params
from web.api import shapes
from web.api.admin.common import do
from web.api.answers import answer, path_id
from web.api.entities.admin import admin_tag
from web.api.spec import PAGE, spec
from web.auth import Caller
from web.keys import CONFIG, DATABASE, ORIGIN
from web.paging import links, page_of

routes = web.RouteTableDef()

READ: Final = "admin:read"
WRITE: Final = "admin:write"


@routes.get("/api/v1/admin/tags")
@spec(answers=list[shapes.AdminTag], query=PAGE)
@auth.staff(READ)
async def list_(request: web.Request, _: Caller) -> web.Response:
    page = page_of(request, usual=100, most=200)
    found = await request.app[DATABASE].read(hashtags.page, page, datetime.now(UTC))
    return answer([shown_tag(request, one) for one in found], links(request, [one.view.id for one in found], page))


@routes.get("/api/v1/admin/tags/{id}")
@spec(answers=shapes.AdminTag)
@auth.staff(READ)
async def show(request: web.Request, _: Caller) -> web.Response:
    found = await request.app[DATABASE].read(_by_number, path_id(request), datetime.now(UTC))
    return answer(shown_tag(request, found))


@routes.put("/api/v1/admin/tags/{id}")
@spec(answers=shapes.AdminTag, body={**dict.fromkeys(FLAGS, bool), "display_name": str})
@auth.staff(WRITE)
async def change(request: web.Request, caller: Caller) -> web.Response:
    number, given = path_id(request), await params.read(request)
    wanted = {flag: given.flag(flag) for flag in FLAGS if flag in given}
    shown = given.text("display_name").removeprefix("#") if "display_name" in given else None
    name = await request.app[DATABASE].read(hashtags.name_of, number)
    return answer(shown_tag(request, await do(request, caller, hashtags.change, name, wanted, shown)))


def shown_tag(request: web.Request, it: Judged) -> shapes.AdminTag:
    return admin_tag(it, request.app[ORIGIN], not request.app[CONFIG].trends_review)


def _by_number(tx: Connection, number: int, now: datetime) -> Judged:
    return hashtags.look(tx, [hashtags.name_of(tx, number)], now)[0]
