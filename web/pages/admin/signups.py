"""/admin/signups: who may not sign up: addresses of e-mail, and networks, whose people can be shut out altogether."""

from datetime import datetime
from typing import Any, Final

from aiohttp import web
from sqlalchemy import Connection

from social.errors import Invalid, NotFound
from social.moderation import emails, places
from social.moderation.sanctions import Staff
from social.pages import Page
from store.tables import EmailBlock, EmailDomainBlock, IpBlock
from web import client_address
from web.barred import BARRED
from web.keys import DATABASE
from web.pages import addresses, frame
from web.pages.admin.common import acts, do, looks

routes = web.RouteTableDef()

HERE: Final = "/admin/signups"
_SHOWN: Final = Page(limit=80)
_SEVERITIES: Final = {
    places.APPROVAL: "A moderator agrees to each who signs up",
    places.NO_SIGN_UP: "Nobody signs up",
    places.NO_ACCESS: "Nobody gets anything of this server",
}
_LASTS: Final = {"": "For good", "86400": "A day", "604800": "A week", "2592000": "30 days", "31536000": "A year"}


@routes.get(HERE)
async def signups(request: web.Request) -> web.Response:
    await looks(request)
    return await _show(request)


async def _show(request: web.Request, says: str = "", **typed: str) -> web.Response:
    domains, networks = await request.app[DATABASE].read(_blocks)
    blank = dict.fromkeys(("domain", "email", "ip", "severity", "comment", "seconds"), "")
    shown: dict[str, Any] = {"domains": domains, "networks": networks, "typed": {**blank, **typed}}
    return frame.show(
        request, "admin_signups.html", status=422 if says else 200, says=says.removeprefix("Validation failed: "),
        severities=_SEVERITIES, lasts=_LASTS, **shown,
    )  # fmt: skip


def _blocks(tx: Connection) -> tuple[list[EmailDomainBlock], list[IpBlock]]:
    return emails.page(tx, EmailDomainBlock, _SHOWN), places.page(tx, _SHOWN)


@routes.post(HERE + "/domains")
async def block_domain(request: web.Request) -> web.Response:
    by, given = await acts(request)
    domain = given.text("domain")
    try:
        await do(request, by, emails.block_domain, domain)
    except Invalid as refusal:
        return await _show(request, str(refusal), domain=domain)
    return addresses.see_other(HERE)


@routes.post(HERE + "/domains/{id:[0-9]+}/remove")
async def unblock_domain(request: web.Request) -> web.Response:
    by, _ = await acts(request)
    await do(request, by, emails.unblock, EmailDomainBlock, frame.number(request, "There is no such block"))
    return addresses.see_other(HERE)


@routes.post(HERE + "/addresses/{act:block|unblock}")
async def one_address(request: web.Request) -> web.Response:
    """Of those that are blocked nobody can read which they are: so each is named to be freed."""
    by, given = await acts(request)
    email, unit = given.text("email").strip(), _block if request.match_info["act"] == "block" else _unblock
    try:
        await do(request, by, unit, email)
    except (Invalid, NotFound) as refusal:
        return await _show(request, str(refusal), email=email)
    return addresses.see_other(HERE)


def _block(tx: Connection, by: Staff, email: str, now: datetime) -> None:
    """Raises: Invalid."""
    if "@" not in email.strip("@"):
        raise Invalid("That is no e-mail address")
    emails.block(tx, by, emails.hash_of(email), now)


def _unblock(tx: Connection, by: Staff, email: str, now: datetime) -> None:
    """Raises: NotFound."""
    found = emails.matching(tx, email)
    if not found:
        raise NotFound("That address is not blocked")
    for one in found:
        emails.unblock(tx, by, EmailBlock, one.id, now)


@routes.post(HERE + "/networks")
async def block_network(request: web.Request) -> web.Response:
    by, given = await acts(request, "admin")
    typed = {name: given.text(name) for name in ("ip", "severity", "comment", "seconds")}
    own = client_address.address(request)
    try:
        seconds = given.number("seconds")
        await do(request, by, places.block, typed["ip"], typed["severity"], typed["comment"], seconds, own)
    except Invalid as refusal:
        return await _show(request, str(refusal), **typed)
    await request.app[BARRED].read(request.app[DATABASE])
    return addresses.see_other(f"{HERE}#networks")


@routes.post(HERE + "/networks/{id:[0-9]+}/remove")
async def unblock_network(request: web.Request) -> web.Response:
    by, _ = await acts(request, "admin")
    await do(request, by, places.unblock, frame.number(request, "There is no such block"))
    await request.app[BARRED].read(request.app[DATABASE])
    return addresses.see_other(f"{HERE}#networks")
