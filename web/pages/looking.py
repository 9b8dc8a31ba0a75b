"""Looking for people and posts: one box for names, handles, addresses and hashtags."""

from urllib.parse import quote

from aiohttp import web

from federation.webfinger import parse_handle
from social import search, views
from social.errors import Refusal
from store.tables import Account
from web.keys import DATABASE, REMOTE
from web.pages import addresses, frame
from web.params import of_query

routes = web.RouteTableDef()

MOST = 30
LONGEST = 2048


@routes.get("/search")
async def look_for(request: web.Request) -> web.Response:
    return await _answer(request, of_query(request).text("q"))


@routes.get("/authorize_interaction")
async def interact(request: web.Request) -> web.Response:
    """Other servers send their visitors here, to follow or to answer from their own server."""
    asked = of_query(request)
    return await _answer(request, (asked.text("uri") or asked.text("acct")).removeprefix("acct:"))


async def _answer(request: web.Request, typed: str) -> web.Response:
    signed, query = await frame.member(request), typed.strip()[:LONGEST]
    if query.startswith("#") and len(query) > 1:
        return addresses.see_other(f"/tags/{quote(query[1:].strip(), safe='')}")
    found: list[Account] = []
    says = ""
    if query:
        hit, says = await _hit(request, query)
        if isinstance(hit, Account):
            return addresses.see_other(addresses.of_account(hit))
        if hit is not None and (view := await request.app[DATABASE].read(views.post, hit, signed.account.id)):
            return addresses.see_other(addresses.of_post(view.parts.author, view.parts.post))
        found = await request.app[DATABASE].read(search.people, query.removeprefix("acct:"), MOST)
    return frame.show(request, "search.html", query=query, found=found, says=says)


async def _hit(request: web.Request, query: str) -> tuple[Account | int | None, str]:
    """What that very handle or address is, fetched from its server if need be; and what went wrong."""
    is_address = query.startswith(("https://", "http://"))
    if not is_address and ("@" not in query.removeprefix("@") or parse_handle(query) is None):
        return None, ""
    try:
        hit = await request.app[REMOTE].resolve(query)
    except Refusal as refusal:
        return None, str(refusal)
    return hit, "" if hit is not None else "There is nothing at that address that can be shown here"
