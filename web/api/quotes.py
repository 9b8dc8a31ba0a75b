"""Quotes of one's posts: https://docs.joinmastodon.org/methods/statuses/#quotes"""

from datetime import UTC, datetime

from aiohttp import web
from sqlalchemy import Connection

from social import quotes, views
from social.errors import NotFound
from social.pages import Page
from social.views import PostView
from web import auth, params
from web.api import shapes
from web.api.answers import answer, framed, path_id, statuses
from web.api.entities.status import status
from web.api.spec import PAGE, spec
from web.auth import Caller
from web.keys import DATABASE
from web.paging import page_of
from web.params import as_id

routes = web.RouteTableDef()


@routes.get("/api/v1/statuses/{id}/quotes")
@spec(answers=list[shapes.Status], query=PAGE)
@auth.person("read:statuses")
async def get_quotes(request: web.Request, caller: Caller) -> web.Response:
    page = page_of(request)
    found = await request.app[DATABASE].read(_page, caller.account.id, path_id(request), page)
    return statuses(request, caller.account, found, page)


def _page(tx: Connection, author_id: int, post_id: int, page: Page) -> list[PostView]:
    return views.posts(tx, quotes.page(tx, author_id, post_id, page), author_id)


@routes.post("/api/v1/statuses/{id}/quotes/{quoting_status_id}/revoke")
@spec(answers=shapes.Status)
@auth.person("write:statuses")
async def revoke(request: web.Request, caller: Caller) -> web.Response:
    """Answers the post that no longer quotes."""
    quoting, db = as_id(request.match_info["quoting_status_id"]), request.app[DATABASE]
    if quoting is None:
        raise NotFound("Record not found")
    await db.write(quotes.revoke, caller.account.id, path_id(request), quoting, datetime.now(UTC))
    return await _shown(request, caller, quoting)


@routes.put("/api/v1/statuses/{id}/interaction_policy")
@spec(answers=shapes.Status, body={"quote_approval_policy": str})
@auth.person("write:statuses")
async def set_policy(request: web.Request, caller: Caller) -> web.Response:
    post_id, name = path_id(request), (await params.read(request)).text("quote_approval_policy")
    await request.app[DATABASE].write(quotes.set_policy, caller.account.id, post_id, name, datetime.now(UTC))
    return await _shown(request, caller, post_id)


async def _shown(request: web.Request, caller: Caller, post_id: int) -> web.Response:
    found = await request.app[DATABASE].read(views.post, post_id, caller.account.id)
    if found is None:
        raise NotFound("Record not found")
    return answer(status(found, framed(request, caller.account)))
