"""Timelines: https://docs.joinmastodon.org/methods/timelines/"""

from collections.abc import Sequence
from datetime import UTC, datetime

from aiohttp import web
from social.text import normalise_tag

from social import timelines
from social.pages import Page
from social.views import PostView
from web import auth
from web.api.entities.status import status
from web.keys import DATABASE, ORIGIN
from web.paging import linked, page_of
from web.params import of_query

routes = web.RouteTableDef()


@routes.get("/api/v1/timelines/home")
async def home(request: web.Request) -> web.Response:
    caller, page = await auth.caller(request, "read:statuses"), page_of(request)
    return shown(request, await request.app[DATABASE].read(timelines.home_page, caller.account.id, page), page)


@routes.get("/api/v1/timelines/public")
async def public(request: web.Request) -> web.Response:
    reader, page = await auth.reader(request, "read:statuses"), page_of(request)
    local = of_query(request).flag("local")
    views = await request.app[DATABASE].read(timelines.public_page, reader.id if reader else None, page, local)
    return shown(request, views, page)


@routes.get("/api/v1/timelines/tag/{name}")
async def tag(request: web.Request) -> web.Response:
    reader, page = await auth.reader(request, "read:statuses"), page_of(request)
    name = normalise_tag(request.match_info["name"])
    views = await request.app[DATABASE].read(timelines.tag_page, reader.id if reader else None, name, page)
    return shown(request, views, page)


def shown(request: web.Request, views: Sequence[PostView], page: Page) -> web.Response:
    origin, now = request.app[ORIGIN], datetime.now(UTC)
    return linked(request, [status(v, origin, now) for v in views], [v.parts.post.id for v in views], page)
