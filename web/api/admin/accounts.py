"""Accounts: https://docs.joinmastodon.org/methods/admin/accounts/"""

from typing import Any, Final

from aiohttp import web

from social.addresses import parse_network
from social.errors import Invalid
from social.moderation import people, sanctions
from social.moderation.people import STAFF, STATUSES, Filter
from social.moderation.sanctions import Action
from social.users import ROLES
from web import auth, params
from web.api import shapes
from web.api.admin.common import do, person, verb
from web.api.answers import answer, framed, path_id
from web.api.entities.account import ROLE_IDS
from web.api.entities.admin import admin_account
from web.api.spec import PAGE, spec
from web.auth import Caller
from web.keys import CONFIG, DATABASE
from web.paging import links, page_of
from web.params import Params, of_query

routes = web.RouteTableDef()

READ: Final = "admin:read:accounts"
WRITE: Final = "admin:write:accounts"
_UNDO: Final = {
    "enable": sanctions.enable,
    "unsensitive": sanctions.unsensitive,
    "unsilence": sanctions.unsilence,
    "unsuspend": sanctions.unsuspend,
}
_NAMES: Final = {"username": str, "display_name": str, "by_domain": str, "email": str, "ip": str}


@routes.get("/api/v1/admin/accounts")
@spec(
    answers=list[shapes.AdminAccount],
    query={**dict.fromkeys(("local", "remote", *STATUSES, "staff"), bool), **_NAMES, **PAGE},
)
@auth.staff(READ)
async def list_v1(request: web.Request, caller: Caller) -> web.Response:
    """By default, as Mastodon has it: those of ours who are not suspended."""
    asked = of_query(request)
    status = next((name for name in reversed(STATUSES) if asked.flag(name)), "active")
    origin = "remote" if asked.flag("remote") else "local"
    return await _list(request, caller, asked, origin, status, STAFF if asked.flag("staff") else ())


@routes.get("/api/v2/admin/accounts")
@spec(
    answers=list[shapes.AdminAccount],
    query={"origin": str, "status": str, "permissions": str, "role_ids": list[str], "invited_by": str,
           **_NAMES, **PAGE},
)  # fmt: skip
@auth.staff(READ)
async def list_v2(request: web.Request, caller: Caller) -> web.Response:
    asked = of_query(request)
    origin = _one_of(asked, "origin", ("local", "remote"))
    status, permissions = _one_of(asked, "status", STATUSES), _one_of(asked, "permissions", ("staff",))
    roles = [role for role in ROLES if ROLE_IDS[role] in asked.many("role_ids")]
    if permissions:
        roles = [role for role in STAFF if role in (roles or STAFF)]
    nobody = bool(asked.text("invited_by")) or bool(asked.many("role_ids") and not roles)
    return await _list(request, caller, asked, origin, status, roles, nobody=nobody)


async def _list(
    request: web.Request, caller: Caller, asked: Params, origin: str, status: str, roles: Any, *, nobody: bool = False
) -> web.Response:
    page, frame = page_of(request, usual=100, most=200), framed(request, caller.account)
    wanted = Filter(
        origin,
        status,
        roles,
        asked.text("username").strip().removeprefix("@"),
        asked.text("display_name").strip(),
        asked.text("by_domain").strip(),
        asked.text("email").strip(),
        parse_network(asked.text("ip")) if asked.text("ip") else None,
        nobody,
    )
    found = await request.app[DATABASE].read(people.listed, wanted, page)
    return answer([admin_account(it, frame) for it in found], links(request, [it.account.id for it in found], page))


@routes.get("/api/v1/admin/accounts/{id}")
@spec(answers=shapes.AdminAccount)
@auth.staff(READ)
async def show(request: web.Request, caller: Caller) -> web.Response:
    return await _shown(request, caller)


@routes.post("/api/v1/admin/accounts/{id}/action")
@spec(body={"type": str, "report_id": str, "text": str, "send_email_notification": bool})
@auth.staff(WRITE)
async def act(request: web.Request, caller: Caller) -> web.Response:
    number, given = path_id(request), await params.read(request)
    tells = given.flag("send_email_notification", default=True)
    mails = tells and request.app[CONFIG].mails
    action = Action(given.text("type"), given.text("text"), given.id("report_id"), mails, tells)
    await do(request, caller, sanctions.act, number, action)
    return answer({})


@routes.post("/api/v1/admin/accounts/{id}/approve")
@spec(answers=shapes.AdminAccount)
@auth.staff(WRITE)
async def approve(request: web.Request, caller: Caller) -> web.Response:
    return await _done(request, caller, sanctions.approve, request.app[CONFIG].mails)


@routes.post("/api/v1/admin/accounts/{id}/reject")
@spec(answers=shapes.AdminAccount)
@auth.staff(WRITE)
async def reject(request: web.Request, caller: Caller) -> web.Response:
    return await _gone(request, caller, sanctions.reject, request.app[CONFIG].mails)


@routes.delete("/api/v1/admin/accounts/{id}")
@spec(answers=shapes.AdminAccount)
@auth.staff(WRITE, least="admin")
async def delete(request: web.Request, caller: Caller) -> web.Response:
    return await _gone(request, caller, sanctions.remove)


@routes.post("/api/v1/admin/accounts/{id}/enable")
@routes.post("/api/v1/admin/accounts/{id}/unsensitive")
@routes.post("/api/v1/admin/accounts/{id}/unsilence")
@routes.post("/api/v1/admin/accounts/{id}/unsuspend")
@spec(answers=shapes.AdminAccount)
@auth.staff(WRITE)
async def undo(request: web.Request, caller: Caller) -> web.Response:
    return await _done(request, caller, _UNDO[verb(request)])


async def _done(request: web.Request, caller: Caller, unit: Any, *more: bool) -> web.Response:
    await do(request, caller, unit, path_id(request), *more)
    return await _shown(request, caller)


async def _gone(request: web.Request, caller: Caller, unit: Any, *more: bool) -> web.Response:
    """Answers with what was there before."""
    before = await request.app[DATABASE].read(person, path_id(request))
    await do(request, caller, unit, before.account.id, *more)
    return answer(admin_account(before, framed(request, caller.account)))


async def _shown(request: web.Request, caller: Caller) -> web.Response:
    found = await request.app[DATABASE].read(person, path_id(request))
    return answer(admin_account(found, framed(request, caller.account)))


def _one_of(asked: Params, name: str, words: tuple[str, ...]) -> str:
    """Raises: Invalid."""
    said = asked.text(name)
    if said and said not in words:
        raise Invalid(f"{name} is one of {', '.join(words)}")
    return said
