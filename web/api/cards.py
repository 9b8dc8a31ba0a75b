"""The timeline of a link: https://docs.joinmastodon.org/methods/timelines/#link"""

from aiohttp import web

from social import cards
from store.tables import Account
from web import auth
from web.api import shapes
from web.api.answers import id_of, statuses
from web.api.spec import PAGE, spec
from web.keys import DATABASE
from web.paging import page_of
from web.params import of_query

routes = web.RouteTableDef()


@routes.get("/api/v1/timelines/link")
@spec(answers=list[shapes.Status], query={**PAGE, "url": str})
@auth.anybody("read:statuses")
async def link(request: web.Request, reader: Account | None) -> web.Response:
    """Public posts that link to an address of which there is a preview here."""
    page, url = page_of(request), of_query(request).text("url")
    found = await request.app[DATABASE].read(cards.link_page, id_of(reader), url, page)
    return statuses(request, reader, found, page)
