"""/admin/accounts: who there is, here and elsewhere, found by what staff knows of them."""

from typing import Final

from aiohttp import web

from social import addresses as places
from social.addresses import Network, parse_network
from social.errors import Invalid
from social.moderation import people, sanctions
from social.moderation.people import Filter, PersonView
from social.users import ROLES
from web.keys import DATABASE
from web.pages import addresses, frame
from web.pages.admin.common import acts, do, looks
from web.paging import page_of
from web.params import of_query

routes = web.RouteTableDef()

HERE: Final = "/admin/accounts"
_ORIGINS: Final = {"local": "Here", "remote": "Of other servers", "all": "Both"}
_STATUSES: Final = {
    "": "In whatever state",
    "active": "Not suspended",
    "pending": "Want to join",
    "silenced": "Limited",
    "suspended": "Suspended",
    "disabled": "Closed to their owners",
    "sensitized": "With folded pictures",
}
_FIELDS: Final = ("username", "display_name", "domain", "email", "ip")


@routes.get(HERE)
async def accounts(request: web.Request) -> web.Response:
    await looks(request)
    asked, page = of_query(request), page_of(request, 40)
    typed = {name: asked.text(name).strip() for name in ("origin", "status", "role", *_FIELDS)}
    found: list[PersonView] = []
    says = ""
    try:
        found = await request.app[DATABASE].read(people.listed, _filter(typed), page)
    except Invalid as refusal:
        says = str(refusal)
    return frame.show(
        request, "admin_accounts.html", status=422 if says else 200, found=found, says=says, typed=typed,
        origins=_ORIGINS, statuses=_STATUSES, roles=ROLES, more_asked=any(typed[name] for name in _FIELDS[1:]),
        older=frame.older(request, [it.account.id for it in found], page), ip=places.shown,
    )  # fmt: skip


def _filter(typed: dict[str, str]) -> Filter:
    """Ours, unless it is asked for others.  Raises: Invalid."""
    origin = typed["origin"] if typed["origin"] in _ORIGINS else "local"
    return Filter(
        "" if origin == "all" else origin,
        typed["status"] if typed["status"] in _STATUSES else "",
        [typed["role"]] if typed["role"] in ROLES else (),
        typed["username"].removeprefix("@"),
        typed["display_name"],
        typed["domain"],
        typed["email"],
        _network(typed["ip"]),
    )


def _network(text: str) -> Network | None:
    return parse_network(text) if text else None


@routes.post(HERE + "/{id:[0-9]+}/role")
async def give_role(request: web.Request) -> web.Response:
    by, given = await acts(request, "admin")
    number = frame.number(request, "There is no such account")
    await do(request, by, sanctions.give_role, number, given.text("role"))
    return addresses.see_other(f"{HERE}/{number}")


@routes.post(HERE + "/{id:[0-9]+}/delete")
async def delete(request: web.Request) -> web.Response:
    """One that is suspended, for good."""
    by, given = await acts(request, "admin")
    number = frame.number(request, "There is no such account")
    if not given.flag("sure"):
        raise Invalid("Nothing was deleted. Tick the box to say that you mean it.")
    await do(request, by, sanctions.remove, number)
    return addresses.see_other(HERE)
