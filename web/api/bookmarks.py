"""What one keeps and likes: https://docs.joinmastodon.org/methods/bookmarks/ and /methods/favourites/"""

from aiohttp import web

from social import marks
from web import auth
from web.api import shapes
from web.api.answers import statuses
from web.api.spec import PAGE, spec
from web.auth import Caller
from web.keys import DATABASE
from web.paging import page_of

routes = web.RouteTableDef()


@routes.get("/api/v1/bookmarks")
@spec(answers=list[shapes.Status], query=PAGE)
@auth.person("read:bookmarks")
async def get_bookmarks(request: web.Request, caller: Caller) -> web.Response:
    page = page_of(request)
    cursors, found = await request.app[DATABASE].read(marks.bookmarks_page, caller.account.id, page)
    return statuses(request, caller.account, found, page, cursors)


@routes.get("/api/v1/favourites")
@spec(answers=list[shapes.Status], query=PAGE)
@auth.person("read:favourites")
async def get_favourites(request: web.Request, caller: Caller) -> web.Response:
    page = page_of(request)
    cursors, found = await request.app[DATABASE].read(marks.likes_page, caller.account.id, page)
    return statuses(request, caller.account, found, page, cursors)
