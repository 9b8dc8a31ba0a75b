"""Reports: https://docs.joinmastodon.org/methods/admin/reports/"""

from typing import Final

from aiohttp import web

from social.moderation import casework
from social.moderation.casework import Filter
from web import auth, params
from web.api import shapes
from web.api.admin.common import do, verb
from web.api.answers import answer, framed, path_id
from web.api.entities.admin import admin_report
from web.api.spec import PAGE, spec
from web.auth import Caller
from web.keys import DATABASE
from web.paging import links, page_of
from web.params import of_query

routes = web.RouteTableDef()

READ: Final = "admin:read:reports"
WRITE: Final = "admin:write:reports"
_ACTS: Final = {
    "assign_to_self": casework.assign,
    "unassign": casework.unassign,
    "resolve": casework.resolve,
    "reopen": casework.reopen,
}


@routes.get("/api/v1/admin/reports")
@spec(
    answers=list[shapes.AdminReport],
    query={"resolved": bool, "unresolved": bool, "account_id": str, "target_account_id": str, **PAGE},
)
@auth.staff(READ)
async def list_(request: web.Request, caller: Caller) -> web.Response:
    asked, page = of_query(request), page_of(request, usual=100, most=200)
    resolved = asked.flag("resolved")
    everything = resolved and asked.flag("unresolved")
    wanted = Filter(None if everything else resolved, asked.id("account_id"), asked.id("target_account_id"))
    found = await request.app[DATABASE].read(casework.listed, wanted, page)
    frame = framed(request, caller.account)
    return answer([admin_report(it, frame) for it in found], links(request, [it.report.id for it in found], page))


@routes.get("/api/v1/admin/reports/{id}")
@spec(answers=shapes.AdminReport)
@auth.staff(READ)
async def show(request: web.Request, caller: Caller) -> web.Response:
    return await _shown(request, caller)


@routes.put("/api/v1/admin/reports/{id}")
@spec(answers=shapes.AdminReport, body={"category": str, "rule_ids": list[str]})
@auth.staff(WRITE)
async def change(request: web.Request, caller: Caller) -> web.Response:
    number, given = path_id(request), await params.read(request)
    category = given.text("category") if "category" in given else None
    rules = given.many("rule_ids") if "rule_ids" in given else None
    await do(request, caller, casework.change, number, category, rules)
    return await _shown(request, caller)


@routes.post("/api/v1/admin/reports/{id}/assign_to_self")
@routes.post("/api/v1/admin/reports/{id}/unassign")
@routes.post("/api/v1/admin/reports/{id}/resolve")
@routes.post("/api/v1/admin/reports/{id}/reopen")
@spec(answers=shapes.AdminReport)
@auth.staff(WRITE)
async def act(request: web.Request, caller: Caller) -> web.Response:
    await do(request, caller, _ACTS[verb(request)], path_id(request))
    return await _shown(request, caller)


async def _shown(request: web.Request, caller: Caller) -> web.Response:
    found = await request.app[DATABASE].read(casework.by_id, path_id(request))
    return answer(admin_report(found, framed(request, caller.account)))
