"""/admin/work and /admin/accounts: what moderators do: reports, people who want to join, warnings and limits.

What those who run the server do besides is in admin/.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from aiohttp import web
from sqlalchemy import Connection

from social import addresses as places
from social.errors import Invalid, NotFound
from social.moderation import casework, people, sanctions
from social.moderation.casework import CaseView
from social.moderation.people import PersonView
from social.moderation.sanctions import Action
from social.pages import Page
from store.tables import Warned
from web.keys import CONFIG, DATABASE
from web.pages import addresses, frame
from web.pages.admin.common import staff
from web.pages.frame import older
from web.paging import page_of
from web.params import Params, as_id, of_query

routes = web.RouteTableDef()

_PERSON: Final = "/admin/accounts/{id:[0-9]+}"
_NOBODY: Final = "There is no such account"
_WAITING: Final = Page(limit=40)
_CASES: Final = Page(limit=20)  # of one person
ACTIONS: Final = {
    "none": "Only warn",
    "sensitive": "Fold all pictures, as sensitive",
    "silence": "Limit: kept out of public lists, read by followers",
    "disable": "Close the account to its owner, who can no longer sign in",
    "suspend": "Suspend: nothing of it is shown, and nobody follows it any more",
}
_UNDONE: Final = {
    "unsensitive": sanctions.unsensitive,
    "unsilence": sanctions.unsilence,
    "enable": sanctions.enable,
    "unsuspend": sanctions.unsuspend,
}
_ANSWERED: Final = {"approve": sanctions.approve, "reject": sanctions.reject}
_CLOSED: Final = {"resolve": casework.resolve, "reopen": casework.reopen}


@routes.get("/admin/work")
async def work(request: web.Request) -> web.Response:
    staff(await frame.member(request))
    page = page_of(request)
    cases, waiting = await request.app[DATABASE].read(_open, page)
    more = older(request, [it.report.id for it in cases], page)
    return frame.show(request, "work.html", cases=cases, waiting=waiting, older=more)


def _open(tx: Connection, page: Page) -> tuple[list[CaseView], list[PersonView]]:
    waiting = people.listed(tx, people.Filter(origin="local", status="pending"), _WAITING)
    return casework.listed(tx, casework.Filter(), page), waiting


@routes.get(_PERSON)
async def person(request: web.Request) -> web.Response:
    return await _person(request, of_query(request))


async def _person(request: web.Request, given: Params, says: str = "") -> web.Response:
    by = staff(await frame.member(request))
    it, cases, warned = await request.app[DATABASE].read(_about, as_id(request.match_info["id"]))
    typed: dict[str, Any] = {
        "type": given.text("type", "none"),
        "text": given.text("text"),
        "report": given.id("report"),
    }
    return frame.show(
        request, "admin_account.html", status=422 if says else 200, it=it, cases=cases, warned=warned, typed=typed,
        actions={key: words for key, words in ACTIONS.items() if it.user or key != "disable"}, says=says,
        roles=sanctions.grants(by.role, it.user.role) if it.user and it.account.id != by.account.id else (),
        ip=places.shown,
    )  # fmt: skip


def _about(tx: Connection, number: int | None) -> tuple[PersonView, list[CaseView], list[Warned]]:
    """Raises: NotFound."""
    found = people.several(tx, [number]) if number else []
    if not found or found[0].account.deleted_at is not None:
        raise NotFound(_NOBODY)
    about = casework.Filter(resolved=None, target_id=number)
    return found[0], casework.listed(tx, about, _CASES), sanctions.warnings_of(tx, found[0].account.id)


@routes.post(_PERSON + "/action")
async def act(request: web.Request) -> web.Response:
    signed, given = await frame.posted(request)
    by, number = staff(signed), frame.number(request, _NOBODY)
    tells = given.flag("tell")
    action = Action(
        given.text("type"), given.text("text"), given.id("report"), tells and request.app[CONFIG].mails, tells
    )
    try:
        await request.app[DATABASE].write(sanctions.act, by, number, action, datetime.now(UTC))
    except Invalid as refusal:
        return await _person(request, given, str(refusal))
    return addresses.see_other(f"/admin/accounts/{number}")


@routes.post(f"{_PERSON}/{{action:{'|'.join((*_UNDONE, *_ANSWERED))}}}")
async def undo(request: web.Request) -> web.Response:
    """What was done is taken back; or who wants to join is answered."""
    signed, given = await frame.posted(request)
    by, number, action = staff(signed), frame.number(request, _NOBODY), request.match_info["action"]
    unit: Callable[..., None] = _UNDONE.get(action) or partial(_ANSWERED[action], mails=request.app[CONFIG].mails)
    await request.app[DATABASE].write(unit, by, number, now=datetime.now(UTC))
    return addresses.see_other(given.text("back"), "/admin/work")


@routes.post(f"/admin/reports/{{id:[0-9]+}}/{{action:{'|'.join(_CLOSED)}}}")
async def close(request: web.Request) -> web.Response:
    signed, given = await frame.posted(request)
    by, number, unit = staff(signed), frame.number(request, _NOBODY), _CLOSED[request.match_info["action"]]
    await request.app[DATABASE].write(unit, by, number, datetime.now(UTC))
    return addresses.see_other(given.text("back"), "/admin/work")
