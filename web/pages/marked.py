"""/bookmarks and /favourites: the posts that somebody keeps, and those that he likes."""

from typing import Final

from aiohttp import web

from social import marks
from web.keys import DATABASE
from web.pages import frame
from web.pages.frame import older
from web.paging import page_of

routes = web.RouteTableDef()

_WHICH: Final = {
    "bookmarks": ("Bookmarks", marks.bookmarks_page),
    "favourites": ("Likes", marks.likes_page),
}


@routes.get("/{which:bookmarks|favourites}")
async def marked(request: web.Request) -> web.Response:
    signed, page, which = await frame.member(request), page_of(request), request.match_info["which"]
    title, unit = _WHICH[which]
    marks_, found = await request.app[DATABASE].read(unit, signed.account.id, page)
    more = older(request, list(marks_), page)
    tabs = {name: words for name, (words, _) in _WHICH.items()}
    return frame.show(
        request, "marked.html", place="home", title=title, which=which, tabs=tabs, found=found, older=more
    )
