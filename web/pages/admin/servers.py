"""/admin/servers: limits on other servers, and exceptions from them; whom one concerns is said before it is made."""

from datetime import datetime
from typing import Any, Final

from aiohttp import web
from sqlalchemy import Connection

from social.errors import Invalid
from social.moderation import domains, hosts
from social.moderation.hosts import ALLOW, BLOCK, LEVELS, LIMIT, NOOP, PolicyDraft
from social.moderation.reach import Reach
from social.moderation.sanctions import Staff
from store.tables import HostPolicy
from web.keys import DATABASE
from web.pages import addresses, frame
from web.pages.admin.common import acts, do, looks, ours
from web.params import Params, of_query

routes = web.RouteTableDef()

HERE: Final = "/admin/servers"
SHOWN: Final = 100  # of the list, at once
SHORT: Final = {BLOCK: "Suspended", LIMIT: "Limited", NOOP: "No limit", ALLOW: "Allowed"}
_LONG: Final = {
    BLOCK: "Suspend: nothing of it is stored, shown, fetched or answered, and nobody follows anybody there any more",
    LIMIT: "Limit: kept out of public lists, read by followers; whoever there follows somebody here has to ask",
    NOOP: "No limit by itself: only what is chosen below",
    ALLOW: "Allow: an exception, when a name above it is limited",
}


@routes.get(HERE)
async def servers(request: web.Request) -> web.Response:
    await looks(request, "admin")
    return await _list(request, of_query(request))


async def _list(request: web.Request, asked: Params, says: str = "", typed: str = "") -> web.Response:
    level, part = asked.text("level"), asked.text("q").strip().lower()
    there = await request.app[DATABASE].read(hosts.policies)
    found = [one for one in there if level in ("", one.level) and part in one.host and one.host > asked.text("after")]
    more = len(found) > SHOWN and addresses.with_query(HERE, level=level, q=part, after=found[SHOWN - 1].host)
    return frame.show(
        request, "admin_servers.html", status=422 if says else 200, found=found[:SHOWN], older=more, says=says,
        typed=typed, level=level, q=part, short=SHORT, count=len(there), done=asked.text("set"),
    )  # fmt: skip


@routes.get(HERE + "/limit")
async def limit(request: web.Request) -> web.Response:
    await looks(request, "admin")
    name = of_query(request).text("host")
    try:
        host, policy, reach = await request.app[DATABASE].read(domains.look, name)
    except Invalid as refusal:
        return await _list(request, of_query(request), str(refusal), name)
    return _form(request, host, policy, reach, PolicyDraft.of(policy) if policy else PolicyDraft(host, LIMIT))


def _form(
    request: web.Request, host: str, policy: HostPolicy | None, reach: Reach, typed: PolicyDraft, says: str = ""
) -> web.Response:
    shown: dict[str, Any] = {"host": host, "holds": policy, "reach": reach, "typed": typed, "says": says}
    return frame.show(
        request, "admin_server.html", status=422 if says else 200, long=_LONG, short=SHORT,
        **shown,
    )  # fmt: skip


@routes.post(HERE + "/limit")
async def set_(request: web.Request) -> web.Response:
    by, given = await acts(request, "admin")
    draft = _draft(given)
    try:
        made = await do(request, by, domains.put, ours(request), draft)
    except Invalid as refusal:
        found = await _found(request, draft.host)
        if found is None:
            return await _list(request, of_query(request), str(refusal), draft.host)
        return _form(request, *found, draft, str(refusal))
    return addresses.see_other(addresses.with_query(HERE, set=made.host))


@routes.post(HERE + "/lift")
async def lift(request: web.Request) -> web.Response:
    by, given = await acts(request, "admin")
    await do(request, by, _lift, given.text("host"))
    return addresses.see_other(HERE)


def _lift(tx: Connection, by: Staff, host: str, now: datetime) -> None:
    """What is not there any more needs no word."""
    if domains.look(tx, host)[1] is not None:
        domains.remove(tx, by, host, now)


async def _found(request: web.Request, name: str) -> tuple[str, HostPolicy | None, Reach] | None:
    try:
        return await request.app[DATABASE].read(domains.look, name)
    except Invalid:
        return None


def _draft(given: Params) -> PolicyDraft:
    """Raises: Invalid."""
    level = given.text("level")
    if level not in LEVELS:
        raise Invalid("Please say what shall hold for that server")
    return PolicyDraft(
        given.text("host"),
        level,
        given.text("comment"),
        given.text("private_comment"),
        given.flag("reject_media"),
        given.flag("reject_reports"),
        given.flag("obfuscate"),
    )
