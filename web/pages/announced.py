"""Announcements on top of the pages of members, until they are put away."""

from datetime import UTC, datetime

from aiohttp import web

from social import announcements
from social.errors import NotFound
from web.keys import DATABASE
from web.pages import addresses, frame
from web.params import as_id

routes = web.RouteTableDef()


@routes.post("/announcements/{id:[0-9]+}/dismiss")
async def dismiss(request: web.Request) -> web.Response:
    signed, given = await frame.posted(request)
    number = as_id(request.match_info["id"])
    if number is None:
        raise NotFound("There is no such announcement")
    await request.app[DATABASE].write(announcements.dismiss, signed.account.id, number, datetime.now(UTC))
    return addresses.see_other(given.text("back"), "/home")
