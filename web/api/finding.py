"""Finding accounts: several at once, by a part of their name, and by common friends.

https://docs.joinmastodon.org/methods/accounts/
"""

from contextlib import suppress
from typing import Final

from aiohttp import web
from sqlalchemy import Connection

from social import accounts, familiar
from social import search as search_by
from social.errors import Refusal
from social.known import Known
from social.known import known as known_here
from store.tables import INSTANCE_ACTOR_ID, Account
from web import auth, params
from web.api import shapes
from web.api.answers import answer, framed_for, id_of
from web.api.entities.account import known, shown_to
from web.api.people import account_of
from web.api.spec import spec
from web.auth import Caller
from web.keys import DATABASE, ORIGIN, REMOTE
from web.params import Params, as_id, of_query

routes = web.RouteTableDef()

_AT_ONCE: Final = 40
LONGEST: Final = 2_048  # characters of a query
FARTHEST: Final = 10_000  # people that are skipped


@routes.get("/api/v1/accounts")
@spec(answers=list[shapes.Account], query={"id": list[str]})
@auth.anybody("read:accounts")
async def get_several(request: web.Request, reader: Account | None) -> web.Response:
    """Those that there are, in the order in which they are asked for."""
    ids = _ids(of_query(request), _AT_ONCE)
    found = await request.app[DATABASE].read(_several, ids, id_of(reader))
    return answer([known(it, request.app[ORIGIN]) for it in found])


def _several(tx: Connection, ids: list[int], reader_id: int | None) -> list[Known]:
    found = accounts.by_ids(tx, ids)
    there = [found[number] for number in ids if number in found]
    shown = [it for it in there if it.deleted_at is None and it.id != INSTANCE_ACTOR_ID]
    return [it for it in known_here(tx, shown, reader_id) if not it.waits]


@routes.get("/api/v1/accounts/search")
@spec(
    answers=list[shapes.Account],
    query={"q": str, "resolve": bool, "following": bool, "limit": int, "offset": int},
)
@auth.person("read:accounts")
async def search(request: web.Request, caller: Caller) -> web.Response:
    """Also those whom the reader blocks: he has to find them to unblock them."""
    asked, origin = of_query(request), request.app[ORIGIN]
    query, limit, offset = asked.text("q").strip(), asked.number("limit"), asked.number("offset") or 0
    most, skip = max(1, min(40 if limit is None else limit, 80)), max(0, min(offset, FARTHEST))
    if not query or len(query) > LONGEST:
        return answer([])
    followed = asked.flag("following")
    first = await _named(request, query) if asked.flag("resolve") and not skip and not followed else None
    found = await request.app[DATABASE].read(_found, first, query, most, skip, caller.account.id, followed)
    return answer([known(it, origin) for it in found])


def _found(
    tx: Connection, first: Account | None, query: str, most: int, skip: int, reader_id: int, following: bool
) -> list[Known]:
    there = search_by.people(tx, query, most, skip, reader_id=reader_id, following=following)
    both = [*([first] if first else []), *(it for it in there if first is None or it.id != first.id)]
    return known_here(tx, both[:most], reader_id)


async def _named(request: web.Request, query: str) -> Account | None:
    """Whom a handle or an address names; asked of his own server."""
    with suppress(Refusal):
        found = await request.app[REMOTE].resolve(query)
        if isinstance(found, Account) and not found.is_gone and found.id != INSTANCE_ACTOR_ID:
            return found
    return None


@routes.get("/api/v1/accounts/familiar_followers")
@spec(answers=list[shapes.FamiliarFollowers], query={"id": list[str]})
@auth.person("read:follows")
async def familiar_followers(request: web.Request, caller: Caller) -> web.Response:
    ids = _ids(await params.read(request), familiar.MOST)  # Mastodon.py asks with a body
    found = await request.app[DATABASE].read(familiar.followers, caller.account.id, ids)
    frame = await framed_for(request, caller.account, [it for people in found.values() for it in people])
    return answer(
        [{"id": str(number), "accounts": [shown_to(it, frame) for it in people]} for number, people in found.items()]
    )


@routes.get("/api/v1/accounts/{id}/identity_proofs")
@spec(answers=list[dict[str, str]])
@auth.person("read:accounts")
async def identity_proofs(request: web.Request, _: Caller) -> web.Response:
    """None, as with Mastodon since 3.5."""
    await account_of(request)
    return answer([])


def _ids(asked: Params, most: int) -> list[int]:
    found = (as_id(text) for text in asked.many("id"))
    return list(dict.fromkeys(number for number in found if number is not None))[:most]
