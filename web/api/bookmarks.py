"""What one keeps and likes: https://docs.joinmastodon.org/methods/bookmarks/ and /methods/favourites/"""

from aiohttp import web

from social import marks
from web import auth
from web.api import shapes
from web.api.answers import statuses
from web.api.spec import PAGE, spec
from web.auth import Reader
from web.paging import page_of

routes = web.RouteTableDef()


@routes.get("/api/v1/bookmarks")
@spec(answers=list[shapes.Status], query=PAGE)
@auth.reader("read:bookmarks")
async def get_bookmarks(request: web.Request, reader: Reader) -> web.Response:
    page = page_of(request)
    who, (cursors, found) = await reader.read(marks.bookmarks_page, page)
    return statuses(request, who, found, page, cursors)


@routes.get("/api/v1/favourites")
@spec(answers=list[shapes.Status], query=PAGE)
@auth.reader("read:favourites")
async def get_favourites(request: web.Request, reader: Reader) -> web.Response:
    page = page_of(request)
    who, (cursors, found) = await reader.read(marks.likes_page, page)
    return statuses(request, who, found, page, cursors)
