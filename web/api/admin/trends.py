"""Trends, those that are not shown included: https://docs.joinmastodon.org/methods/admin/trends/"""

from datetime import UTC, datetime
from typing import Final

from aiohttp import web

from social import trends
from social.moderation import hashtags, publishers, trending
from social.numbers import number_of
from web import auth
from web.api import shapes
from web.api.admin.common import do, verb
from web.api.admin.hashtags import shown_tag
from web.api.answers import answer, framed, path_id
from web.api.entities.admin import publisher
from web.api.entities.card import trends_link
from web.api.entities.status import status
from web.api.spec import PAGE, spec
from web.auth import Caller
from web.keys import DATABASE, ORIGIN
from web.paging import links as links_to
from web.paging import offset_links, offset_of, page_of

routes = web.RouteTableDef()

READ: Final = "admin:read"
WRITE: Final = "admin:write"
QUERY: Final = {"limit": int, "offset": int}


@routes.get("/api/v1/admin/trends/tags")
@spec(answers=list[shapes.AdminTag], query=QUERY)
@auth.staff(READ)
async def tags(request: web.Request, _: Caller) -> web.Response:
    page = offset_of(request, 10, 20)
    found = await request.app[DATABASE].read(hashtags.trending, page.limit, page.offset, datetime.now(UTC))
    return answer([shown_tag(request, one) for one in found], offset_links(request, len(found), page))


@routes.post("/api/v1/admin/trends/tags/{id}/approve")
@routes.post("/api/v1/admin/trends/tags/{id}/reject")
@spec(answers=shapes.AdminTag)
@auth.staff(WRITE)
async def judge_tag(request: web.Request, caller: Caller) -> web.Response:
    name = await request.app[DATABASE].read(hashtags.name_of, path_id(request))
    found = await do(request, caller, hashtags.change, name, {"trendable": _allows(request)}, None)
    return answer(shown_tag(request, found))


@routes.get("/api/v1/admin/trends/statuses")
@spec(answers=list[shapes.Status], query=QUERY)
@auth.staff(READ)
async def statuses(request: web.Request, caller: Caller) -> web.Response:
    page, frame = offset_of(request, 20, 40), framed(request, caller.account)
    found = await request.app[DATABASE].read(trends.all_posts, caller.account.id, page.limit, page.offset)
    return answer([status(view, frame) for view in found], offset_links(request, len(found), page))


@routes.post("/api/v1/admin/trends/statuses/{id}/approve")
@routes.post("/api/v1/admin/trends/statuses/{id}/reject")
@spec(answers=shapes.Status)
@auth.staff(WRITE)
async def judge_status(request: web.Request, caller: Caller) -> web.Response:
    number, frame = path_id(request), framed(request, caller.account)
    return answer(status(await do(request, caller, trending.judge_post, number, _allows(request)), frame))


@routes.get("/api/v1/admin/trends/links")
@spec(answers=list[shapes.AdminTrendsLink], query=QUERY)
@auth.staff(READ)
async def links(request: web.Request, _: Caller) -> web.Response:
    page = offset_of(request, 10, 20)
    found = await request.app[DATABASE].read(trends.judged_links, page.limit, page.offset, datetime.now(UTC))
    entities = [_link(request, view, verdict) for view, verdict in found]
    return answer(entities, offset_links(request, len(entities), page))


@routes.post("/api/v1/admin/trends/links/{id}/approve")
@routes.post("/api/v1/admin/trends/links/{id}/reject")
@spec(answers=shapes.AdminTrendsLink)
@auth.staff(WRITE)
async def judge_link(request: web.Request, caller: Caller) -> web.Response:
    view = await do(request, caller, trending.judge_link, path_id(request), _allows(request))
    return answer(_link(request, view, _allows(request)))


@routes.get("/api/v1/admin/trends/links/publishers")
@spec(answers=list[shapes.AdminPreviewCardProvider], query=PAGE)
@auth.staff(READ)
async def sites(request: web.Request, _: Caller) -> web.Response:
    """Those to which links lead that trend, and those that were judged."""
    page = page_of(request, usual=100, most=200)
    found = await request.app[DATABASE].read(publishers.page, page)
    return answer([publisher(one) for one in found], links_to(request, [number_of(one.site) for one in found], page))


@routes.post("/api/v1/admin/trends/links/publishers/{id}/approve")
@routes.post("/api/v1/admin/trends/links/publishers/{id}/reject")
@spec(answers=shapes.AdminPreviewCardProvider)
@auth.staff(WRITE)
async def judge_site(request: web.Request, caller: Caller) -> web.Response:
    return answer(publisher(await do(request, caller, publishers.judge, path_id(request), _allows(request))))


def _allows(request: web.Request) -> bool:
    return verb(request) == "approve"


def _link(request: web.Request, view: trends.LinkView, verdict: bool | None) -> shapes.AdminTrendsLink:
    return {**trends_link(view, request.app[ORIGIN]), "id": str(view.card.id), "requires_review": verdict is None}
