"""/notifications/requests: what a reader's rules for news keep back, sender by sender, until he decides."""

from datetime import UTC, datetime
from typing import Final

from aiohttp import web
from sqlalchemy import Connection

from social import notification_requests as requests
from social.errors import NotFound
from web.keys import DATABASE
from web.pages import addresses, frame
from web.pages.frame import older
from web.paging import page_of
from web.params import as_id

routes = web.RouteTableDef()

PATH: Final = "/notifications/requests"


@routes.get(PATH)
async def all_requests(request: web.Request) -> web.Response:
    signed, page = await frame.member(request), page_of(request)
    found = await request.app[DATABASE].read(requests.page, signed.account.id, page)
    more = older(request, [view.request.id for view in found], page)
    return frame.show(request, "requests.html", place="notifications", found=found, older=more)


@routes.post(PATH + "/{id:[0-9]+}/{action:accept|dismiss}")
async def decide(request: web.Request) -> web.Response:
    """The sender's news join the others, from now on too; or those that there are go."""
    signed, given = await frame.posted(request)
    number, now = as_id(request.match_info["id"]), datetime.now(UTC)
    accepted = request.match_info["action"] == "accept"
    if number is None or not await request.app[DATABASE].write(_decide, signed.account.id, number, accepted, now):
        raise NotFound("There is no such request; perhaps you decided already")
    return addresses.see_other(given.text("back"), PATH)


def _decide(tx: Connection, account_id: int, number: int, accepted: bool, now: datetime) -> int:
    if accepted:
        return requests.accept(tx, account_id, [number], now)
    return requests.dismiss(tx, account_id, [number])
