"""Search: https://docs.joinmastodon.org/methods/search/

Handles and addresses, asked of their own servers with `resolve`; names of people known here.  Words come later.
"""

from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from social import search as search_by
from social import views
from social.errors import Refusal
from store.tables import Account
from web import auth
from web.api.answers import answer
from web.api.entities.account import account
from web.api.entities.status import status
from web.keys import DATABASE, ORIGIN, REMOTE
from web.params import of_query

routes = web.RouteTableDef()


@routes.get("/api/v2/search")
async def search(request: web.Request) -> web.Response:
    reader = await auth.reader(request, "read:search")
    asked = of_query(request)
    query, kind = asked.text("q").strip(), asked.text("type")
    found: dict[str, list[Any]] = {"accounts": [], "statuses": [], "hashtags": []}
    if not query or len(query) > 2048:
        return answer(found)
    db, origin = request.app[DATABASE], request.app[ORIGIN]
    hit = await _hit(request, query) if reader and asked.flag("resolve") else None
    if isinstance(hit, Account):
        found["accounts"].append(account(hit, origin))
    elif isinstance(hit, int):
        shown = await db.read(views.posts, [hit], reader.id if reader else None)
        found["statuses"] = [status(view, origin, datetime.now(UTC)) for view in shown]
    elif kind in ("", "accounts"):
        limit = min(max(asked.number("limit") or 20, 1), 40)
        found["accounts"] = [account(it, origin) for it in await db.read(search_by.people, query, limit)]
    return answer({name: items if kind in ("", name) else [] for name, items in found.items()})


async def _hit(request: web.Request, query: str) -> Account | int | None:
    try:
        return await request.app[REMOTE].resolve(query)
    except Refusal:
        return None  # as in Mastodon: what cannot be found is an empty answer
