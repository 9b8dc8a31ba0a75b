"""A collection of accounts that somebody recommends, and the way out of it."""

from datetime import UTC, datetime
from typing import Final

from aiohttp import web
from sqlalchemy import Connection

from social.collections import curate, views
from social.collections.views import WithPeople
from social.errors import NotFound
from web.keys import DATABASE
from web.pages import addresses, frame
from web.pages.frame import viewer_id
from web.params import as_id

routes = web.RouteTableDef()

_MISSING: Final = "There is no such collection, or it is not for you."


async def collection(request: web.Request) -> web.Response:
    """Those of other servers only for members, as their profiles."""
    signed, number = await frame.look(request), as_id(request.match_info["id"])
    found = await request.app[DATABASE].read(_load, number, viewer_id(signed))
    it = found.view.collection
    if not it.local:
        await frame.member(request)
    mine = [item for item in found.view.items if signed is not None and item.account_id == signed.account.id]
    return frame.show(
        request,
        "collection.html",
        it=it,
        owner=found.people[0],
        people=found.members,
        waiting={item.account_id for item in found.view.items if item.state == "pending"},
        mine=mine,
        noindex=not (it.local and it.discoverable),
    )


def _load(tx: Connection, number: int | None, reader_id: int | None) -> WithPeople:
    """Raises: NotFound."""
    if number is None:
        raise NotFound(_MISSING)
    return views.with_people(tx, number, reader_id)


@routes.post("/collections/{id}/items/{item}/revoke")
async def revoke(request: web.Request) -> web.Response:
    signed, given = await frame.posted(request)
    number, item = as_id(request.match_info["id"]), as_id(request.match_info["item"])
    if number is None or item is None:
        raise NotFound(_MISSING)
    await request.app[DATABASE].write(curate.revoke, signed.account.id, number, item, datetime.now(UTC))
    return addresses.see_other(given.text("back"), "/home")
