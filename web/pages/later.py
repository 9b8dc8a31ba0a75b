"""/scheduled: posts that wait for their moment.  They are written where all others are; see web/pages/writing.py."""

from datetime import UTC, datetime
from typing import Final

from aiohttp import web

from social import scheduled
from social.errors import Invalid
from web.keys import DATABASE
from web.pages import addresses, frame
from web.pages.frame import older
from web.paging import page_of

routes = web.RouteTableDef()

HERE: Final = "/scheduled"
LATEST: Final = datetime(2200, 1, 1, tzinfo=UTC)  # nobody can count hours from the last moments of the year 9999


def moment(text: str) -> datetime:
    """What a field for date and time gives; in UTC, as the form says.  Raises: Invalid.

    >>> moment("2026-12-24T18:00").isoformat()
    '2026-12-24T18:00:00+00:00'
    """
    try:
        found = datetime.strptime(text.strip()[:16], "%Y-%m-%dT%H:%M").replace(tzinfo=UTC)
    except ValueError:
        found = LATEST
    if found >= LATEST:
        raise Invalid("When? Write it as 2026-12-24T18:00")
    return found


@routes.get(HERE)
async def waiting(request: web.Request) -> web.Response:
    return await _show(request)


async def _show(request: web.Request, says: str = "") -> web.Response:
    signed, page = await frame.member(request), page_of(request)
    found = await request.app[DATABASE].read(scheduled.page, signed.account.id, page)
    more = older(request, [it.row.id for it in found], page)
    return frame.show(request, "scheduled.html", status=422 if says else 200, found=found, older=more, says=says)


@routes.post(HERE + "/{id:[0-9]+}/{action:move|cancel}")
async def act(request: web.Request) -> web.Response:
    signed, given = await frame.posted(request)
    number, db = frame.number(request, "There is no such post"), request.app[DATABASE]
    if request.match_info["action"] == "cancel":
        await db.write(scheduled.cancel, signed.account.id, number)
        return addresses.see_other(HERE)
    try:
        await db.write(scheduled.move, signed.account.id, number, moment(given.text("at")), datetime.now(UTC))
    except Invalid as refusal:
        return await _show(request, str(refusal))
    return addresses.see_other(HERE)
