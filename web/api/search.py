"""Search: https://docs.joinmastodon.org/methods/search/

Handles and addresses, asked of their own servers with `resolve`; names of people known here.  Words come later.
"""

from typing import Final

from aiohttp import web

from social import search as search_by
from social import views
from social.errors import Refusal
from store.tables import Account
from web import auth
from web.api import shapes
from web.api.answers import answer, framed, id_of
from web.api.entities.account import account
from web.api.entities.status import status
from web.api.spec import spec
from web.keys import DATABASE, ORIGIN, REMOTE
from web.params import Params, of_query

routes = web.RouteTableDef()

LONGEST: Final = 2_048  # characters of a query
FARTHEST: Final = 10_000  # people that are skipped


@routes.get("/api/v2/search")
@spec(
    answers=shapes.Search,
    query={"q": str, "type": str, "resolve": bool, "limit": int, "offset": int},
    partial="no words of posts, no hashtags",
)
@auth.anybody("read:search")
async def search(request: web.Request, reader: Account | None) -> web.Response:
    asked = of_query(request)
    query, kind = asked.text("q").strip(), asked.text("type")
    found: shapes.Search = {"accounts": [], "statuses": [], "hashtags": []}
    if query and len(query) <= LONGEST:
        await _find(found, request, reader, query, asked)
    return answer({name: items if kind in ("", name) else [] for name, items in found.items()})


async def _find(found: shapes.Search, request: web.Request, reader: Account | None, query: str, asked: Params) -> None:
    db, origin = request.app[DATABASE], request.app[ORIGIN]
    limit, offset = asked.number("limit"), asked.number("offset") or 0
    hit = await _hit(request, query) if reader and asked.flag("resolve") and not offset else None
    if isinstance(hit, int):
        view = await db.read(views.post, hit, id_of(reader))
        found["statuses"] = [status(view, framed(request, reader))] if view else []
        return
    if isinstance(hit, Account):
        found["accounts"] = [] if hit.is_gone else [account(hit, origin)]
        return
    if asked.text("type") not in ("", "accounts"):
        return
    most, skip = max(1, min(20 if limit is None else limit, 40)), max(0, min(offset, FARTHEST))
    found["accounts"] = [account(it, origin) for it in await db.read(search_by.people, query, most, skip)]


async def _hit(request: web.Request, query: str) -> Account | int | None:
    try:
        return await request.app[REMOTE].resolve(query)
    except Refusal:
        return None  # as in Mastodon: what cannot be found is an empty answer
