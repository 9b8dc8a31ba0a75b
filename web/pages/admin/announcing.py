"""/admin/announcements: what all members are told, until it ends or each has put it away."""

from datetime import UTC, datetime
from typing import Any, Final

from aiohttp import web
from sqlalchemy import Connection

from federation.origin import Origin
from social import announcements, planned
from social.errors import Invalid
from social.moderation import audit
from social.moderation.sanctions import Staff
from web.keys import DATABASE, ORIGIN
from web.pages import addresses, frame
from web.pages.admin.common import acts, do, looks

routes = web.RouteTableDef()

HERE: Final = "/admin/announcements"
_SHOWN: Final = 100


@routes.get(HERE)
async def all_of(request: web.Request) -> web.Response:
    await looks(request, "admin")
    return await _show(request, {"text": "", "starts": "", "ends": "", "all_day": False})


async def _show(request: web.Request, typed: dict[str, Any], says: str = "") -> web.Response:
    found = await request.app[DATABASE].read(announcements.all_of)
    return frame.show(
        request, "admin_announcements.html", status=422 if says else 200, says=says, typed=typed,
        found=found[::-1][:_SHOWN], planned_below=planned.LARGEST, longest=announcements.LONGEST,
    )  # fmt: skip


@routes.post(HERE)
async def announce(request: web.Request) -> web.Response:
    by, given = await acts(request, "admin")
    typed = {**{name: given.text(name) for name in ("text", "starts", "ends")}, "all_day": given.flag("all_day")}
    try:
        starts, ends = _moment(given.text("starts")), _moment(given.text("ends"))
        await do(request, by, _announce, request.app[ORIGIN], typed["text"], starts, ends, typed["all_day"])
    except Invalid as refusal:
        return await _show(request, typed, str(refusal))
    return addresses.see_other(HERE)


def _announce(
    tx: Connection, by: Staff, origin: Origin, text: str, starts: datetime | None, ends: datetime | None,
    all_day: bool, now: datetime,
) -> None:  # fmt: skip
    made = announcements.create(tx, origin, text, now, starts, ends, all_day=all_day)
    audit.note(tx, by.account, "create", "announcement", str(made.id), now)


@routes.post(HERE + "/{id:[0-9]+}/remove")
async def remove(request: web.Request) -> web.Response:
    by, _ = await acts(request, "admin")
    await do(request, by, _remove, frame.number(request, "There is no such announcement"))
    return addresses.see_other(HERE)


def _remove(tx: Connection, by: Staff, number: int, now: datetime) -> None:
    announcements.remove(tx, number)
    audit.note(tx, by.account, "remove", "announcement", str(number), now)


def _moment(text: str) -> datetime | None:
    """As a browser writes it, in UTC.  Raises: Invalid."""
    try:
        return datetime.fromisoformat(text.strip()).replace(tzinfo=UTC) if text.strip() else None
    except ValueError as error:
        raise Invalid("A moment is written like 2027-01-31T18:30") from error
