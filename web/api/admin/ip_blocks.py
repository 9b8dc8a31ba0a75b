"""Networks whose people are kept out: https://docs.joinmastodon.org/methods/admin/ip_blocks/"""

from dataclasses import replace
from typing import Final

from aiohttp import web

from social.moderation import places
from store.tables import IpBlock
from web import auth, client_address, params
from web.api import shapes
from web.api.admin.common import do
from web.api.answers import answer, path_id
from web.api.entities.account import moment
from web.api.spec import PAGE, spec
from web.auth import Caller
from web.barred import BARRED
from web.keys import DATABASE
from web.paging import links, page_of

routes = web.RouteTableDef()

READ: Final = "admin:read:ip_blocks"
WRITE: Final = "admin:write:ip_blocks"
_BODY: Final = {"ip": str, "severity": str, "comment": str, "expires_in": int}


@routes.get("/api/v1/admin/ip_blocks")
@spec(answers=list[shapes.AdminIpBlock], query=PAGE)
@auth.staff(READ, least="admin")
async def list_(request: web.Request, _: Caller) -> web.Response:
    page = page_of(request, usual=100, most=200)
    found = await request.app[DATABASE].read(places.page, page)
    return answer([_block(one) for one in found], links(request, [one.id for one in found], page))


@routes.post("/api/v1/admin/ip_blocks")
@spec(answers=shapes.AdminIpBlock, body=_BODY)
@auth.staff(WRITE, least="admin")
async def add(request: web.Request, caller: Caller) -> web.Response:
    given, own = await params.read(request), client_address.address(request)
    said = given.text("ip"), given.text("severity"), given.text("comment"), given.number("expires_in")
    return await _done(request, await do(request, caller, places.block, *said, own))


@routes.get("/api/v1/admin/ip_blocks/{id}")
@spec(answers=shapes.AdminIpBlock)
@auth.staff(READ, least="admin")
async def show(request: web.Request, _: Caller) -> web.Response:
    return answer(_block(await request.app[DATABASE].read(places.by_id, path_id(request))))


@routes.put("/api/v1/admin/ip_blocks/{id}")
@spec(answers=shapes.AdminIpBlock, body=_BODY)
@auth.staff(WRITE, least="admin")
async def change(request: web.Request, caller: Caller) -> web.Response:
    it: IpBlock = await request.app[DATABASE].read(places.by_id, path_id(request))
    given, own = await params.read(request), client_address.address(request)
    wanted = replace(
        it,
        network=given.text("ip", it.network),
        severity=given.text("severity", it.severity),
        comment=given.text("comment", it.comment),
    )
    return await _done(request, await do(request, caller, places.change, wanted, given.number("expires_in"), own))


@routes.delete("/api/v1/admin/ip_blocks/{id}")
@spec()
@auth.staff(WRITE, least="admin")
async def remove(request: web.Request, caller: Caller) -> web.Response:
    await do(request, caller, places.unblock, path_id(request))
    await request.app[BARRED].read(request.app[DATABASE])
    return answer({})


async def _done(request: web.Request, made: IpBlock) -> web.Response:
    """Holds at once in this process, and in the others within seconds."""
    await request.app[BARRED].read(request.app[DATABASE])
    return answer(_block(made))


def _block(it: IpBlock) -> shapes.AdminIpBlock:
    return {
        "id": str(it.id),
        "ip": it.network,
        "severity": it.severity,
        "comment": it.comment,
        "created_at": moment(it.created_at),
        "expires_at": moment(it.expires_at),
    }
