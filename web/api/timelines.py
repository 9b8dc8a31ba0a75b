"""Timelines: https://docs.joinmastodon.org/methods/timelines/"""

from aiohttp import web

from social import timelines
from social.text import normalise_tag
from store.tables import Account
from web import auth
from web.api import shapes
from web.api.answers import id_of, statuses
from web.api.spec import PAGE, spec
from web.auth import Caller
from web.keys import DATABASE
from web.paging import page_of
from web.params import of_query

routes = web.RouteTableDef()


@routes.get("/api/v1/timelines/home")
@spec(answers=list[shapes.Status], query=PAGE)
@auth.person("read:statuses")
async def home(request: web.Request, caller: Caller) -> web.Response:
    page = page_of(request)
    views = await request.app[DATABASE].read(timelines.home_page, caller.account.id, page)
    return statuses(request, caller.account, views, page)


@routes.get("/api/v1/timelines/public")
@spec(answers=list[shapes.Status], query={**PAGE, "local": bool}, partial="`remote` and `only_media` are ignored")
@auth.anybody("read:statuses")
async def public(request: web.Request, reader: Account | None) -> web.Response:
    page, local = page_of(request), of_query(request).flag("local")
    views = await request.app[DATABASE].read(timelines.public_page, id_of(reader), page, local)
    return statuses(request, reader, views, page)


@routes.get("/api/v1/timelines/tag/{name}")
@spec(answers=list[shapes.Status], query={**PAGE, "local": bool}, partial="`any`, `all`, `none` are ignored")
@auth.anybody("read:statuses")
async def tag(request: web.Request, reader: Account | None) -> web.Response:
    page, local = page_of(request), of_query(request).flag("local")
    name = normalise_tag(request.match_info["name"].replace("\0", ""))
    views = await request.app[DATABASE].read(timelines.tag_page, id_of(reader), name, page, local)
    return statuses(request, reader, views, page)
