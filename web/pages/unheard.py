"""/settings/blocks: whom somebody mutes and blocks, and of which servers he wants nothing."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from aiohttp import web

from social import blocks, domains, mutes
from social.errors import Invalid
from social.follows import Listed
from social.mutes import Muted
from web.keys import DATABASE, ORIGIN
from web.pages import addresses, frame
from web.pages.frame import older
from web.paging import page_of
from web.params import of_query

routes = web.RouteTableDef()

_HERE: Final = "/settings/blocks"
_TABS: Final = {"": "Muted", "blocked": "Blocked", "servers": "Servers"}


@routes.get(_HERE)
async def unheard(request: web.Request) -> web.Response:
    return await _show(request, of_query(request).text("show"))


async def _show(request: web.Request, tab: str, says: str = "", typed: str = "") -> web.Response:
    signed, page = await frame.member(request), page_of(request, 40)
    db, who = request.app[DATABASE], signed.account.id
    people: Sequence[Muted | Listed] = ()
    servers: Sequence[tuple[int, str]] = ()
    if tab == "servers":
        servers = await db.read(domains.page, who, page)
    elif tab == "blocked":
        people = [Listed(*one) for one in await db.read(blocks.page, who, page)]
    else:
        tab, people = "", await db.read(mutes.page, who, page)
    shown: dict[str, Any] = {"people": people, "servers": [name for _, name in servers]}
    more = older(request, [one.id for one in people] + [number for number, _ in servers], page)
    return frame.show(
        request, "settings_blocks.html", status=422 if says else 200, tab=tab, tabs=_TABS, says=says, typed=typed,
        older=more, **shown,
    )  # fmt: skip


@routes.post(_HERE + "/servers/{action:block|unblock}")
async def servers(request: web.Request) -> web.Response:
    signed, given = await frame.posted(request)
    db, name = request.app[DATABASE], given.text("domain").strip()
    try:
        if request.match_info["action"] == "block":
            await db.write(domains.block, request.app[ORIGIN], signed.account.id, name, datetime.now(UTC))
        else:
            await db.write(domains.unblock, signed.account.id, name)
    except Invalid as refusal:
        return await _show(request, "servers", str(refusal), name)
    return addresses.see_other(f"{_HERE}?show=servers")
