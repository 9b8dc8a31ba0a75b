"""The directory of people, and suggestions whom to follow.

https://docs.joinmastodon.org/methods/directory/ and /methods/suggestions/
"""

from datetime import date
from typing import Final

from aiohttp import web
from sqlalchemy import Connection

from social import discovery
from social.errors import Invalid
from social.known import Known
from social.known import known as known_here
from store.tables import Account
from web import auth
from web.api import shapes
from web.api.answers import answer, id_of
from web.api.entities.account import known
from web.api.spec import spec
from web.auth import Caller
from web.keys import DATABASE, ORIGIN
from web.params import as_id, of_query

routes = web.RouteTableDef()

_USUAL: Final = 40
_MOST: Final = 80
_FARTHEST: Final = 10_000  # people that are skipped
# As programs from before Mastodon 4.3 know them.
_SOURCES: Final = {"friends_of_friends": "past_interactions", "most_followed": "global"}


@routes.get("/api/v1/directory")
@spec(answers=list[shapes.Account], query={"order": str, "local": bool, "limit": int, "offset": int})
@auth.anybody("read:accounts")
async def get_directory(request: web.Request, reader: Account | None) -> web.Response:
    """`active`: those who wrote one of the last 4,000 public posts."""
    asked = of_query(request)
    order, offset = asked.text("order") or "active", asked.number("offset") or 0
    if order not in discovery.ORDERS:
        raise Invalid(f"order is one of {', '.join(discovery.ORDERS)}")
    skip = max(0, min(offset, _FARTHEST))
    found = await request.app[DATABASE].read(_listed, id_of(reader), order, _limit(request), skip, asked.flag("local"))
    return answer([known(it, request.app[ORIGIN]) for it in found])


def _listed(tx: Connection, viewer_id: int | None, order: str, most: int, skip: int, local: bool) -> list[Known]:
    return known_here(tx, discovery.directory(tx, viewer_id, order, most, skip, local=local), viewer_id)


@routes.get("/api/v2/suggestions")
@spec(answers=list[shapes.Suggestion], query={"limit": int})
@auth.person("read:accounts")
async def get_suggestions(request: web.Request, caller: Caller) -> web.Response:
    found = await request.app[DATABASE].read(_suggested, caller.account.id, _limit(request))
    return answer(
        [
            {"source": _SOURCES[why[0]], "sources": list(why), "account": known(it, request.app[ORIGIN])}
            for it, why in found
        ]
    )


@routes.get("/api/v1/suggestions")
@spec(answers=list[shapes.Account], query={"limit": int}, old=date(2021, 5, 16))
@auth.person("read:accounts")
async def get_suggested(request: web.Request, caller: Caller) -> web.Response:
    found = await request.app[DATABASE].read(_suggested, caller.account.id, _limit(request))
    return answer([known(it, request.app[ORIGIN]) for it, _ in found])


def _suggested(tx: Connection, reader_id: int, most: int) -> list[tuple[Known, tuple[str, ...]]]:
    found = discovery.suggestions(tx, reader_id, most)
    people = known_here(tx, [one.account for one in found], reader_id)
    return [(it, one.why) for it, one in zip(people, found, strict=True) if not it.waits]


@routes.delete("/api/v1/suggestions/{id}")
@spec()
@auth.person("write:accounts", "read")
async def dismiss(request: web.Request, caller: Caller) -> web.Response:
    """Also when there is no such account."""
    number = as_id(request.match_info["id"])
    if number is not None:
        await request.app[DATABASE].write(discovery.dismiss, caller.account.id, number)
    return answer({})


def _limit(request: web.Request) -> int:
    limit = of_query(request).number("limit")
    return max(1, min(_USUAL if limit is None else limit, _MOST))
