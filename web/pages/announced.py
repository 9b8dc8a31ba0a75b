"""Announcements on top of the pages of members, until they are put away; and how members like them."""

from datetime import UTC, datetime

from aiohttp import web

from social import announcements
from social.errors import Invalid, NotFound
from web.keys import DATABASE
from web.pages import addresses, frame
from web.params import as_id

routes = web.RouteTableDef()


@routes.post("/announcements/{id:[0-9]+}/dismiss")
async def dismiss(request: web.Request) -> web.Response:
    signed, given = await frame.posted(request)
    await request.app[DATABASE].write(announcements.dismiss, signed.account.id, _number(request), datetime.now(UTC))
    return addresses.see_other(given.text("back"), "/home")


@routes.post("/announcements/{id:[0-9]+}/{action:react|unreact}")
async def react(request: web.Request) -> web.Response:
    """With an emoji, or the shortcode of one of this server; or no longer."""
    signed, given = await frame.posted(request)
    unit = announcements.react if request.match_info["action"] == "react" else announcements.unreact
    name = given.text("name").strip().strip(":")
    try:
        await request.app[DATABASE].write(unit, signed.account.id, _number(request), name, datetime.now(UTC))
    except Invalid as refusal:
        raise Invalid(str(refusal).removeprefix("Validation failed: ")) from refusal
    return addresses.see_other(given.text("back"), "/home")


def _number(request: web.Request) -> int:
    number = as_id(request.match_info["id"])
    if number is None:
        raise NotFound("There is no such announcement")
    return number
