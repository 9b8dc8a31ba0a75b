"""Collections of accounts: https://docs.joinmastodon.org/methods/collections/"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Any, Final

from aiohttp import web
from sqlalchemy import Connection

from federation.origin import Origin
from social.collections import curate, theirs, views
from social.collections.curate import Draft
from social.collections.views import CollectionView
from social.errors import Faulty, Invalid, NotAllowed, NotFound
from social.known import Known, known
from store.tables import Account
from web import auth, params
from web.api import shapes
from web.api.answers import answer, faults, id_of, path_id
from web.api.entities.collection import collection, item, with_accounts
from web.api.people import account_of
from web.api.spec import spec
from web.auth import Caller, ForPerson
from web.keys import DATABASE, ORIGIN
from web.paging import Offset, offset_links, offset_of
from web.params import Params, as_id

routes = web.RouteTableDef()

OFTEN: Final = timedelta(hours=1)  # the collections of another server are asked for
KEPT: Final = 4_000

_asked: dict[int, datetime] = {}  # accounts, and when this process asked their servers
_BODY: Final = {
    "name": str,
    "description": str,
    "language": str,
    "tag_name": str,
    "sensitive": bool,
    "discoverable": bool,
}
_PART: Final = {"limit": int, "offset": int}


def _field_by_field(handler: ForPerson) -> Callable[[web.Request, Caller], Awaitable[web.StreamResponse]]:
    """What is wrong is also said of each field."""

    @wraps(handler)
    async def asked(request: web.Request, caller: Caller) -> web.StreamResponse:
        try:
            return await handler(request, caller)
        except Faulty as refused:
            return faults(refused)

    return asked


@routes.post("/api/v1/collections")
@spec(answers=shapes.WrappedCollection, body={**_BODY, "account_ids": list[str]})
@auth.person("write:collections")
@_field_by_field
async def create(request: web.Request, caller: Caller) -> web.StreamResponse:
    given = await params.read(request)
    draft, ids = Draft(**{"name": "", **_said(given)}), [_account(text) for text in given.many("account_ids")]
    if len(ids) > curate.MOST_ITEMS:
        raise Invalid(f"Validation failed: at most {curate.MOST_ITEMS} accounts")
    origin = request.app[ORIGIN]
    made = await request.app[DATABASE].write(curate.create, origin, caller.account.id, draft, ids, datetime.now(UTC))
    return answer(shapes.WrappedCollection(collection=collection(made, origin)))


@routes.get("/api/v1/collections/{id}")
@spec(answers=shapes.CollectionWithAccounts)
@auth.anybody("read:collections")
async def get_collection(request: web.Request, reader: Account | None) -> web.Response:
    view, people = await request.app[DATABASE].read(_with_people, path_id(request), id_of(reader))
    return answer(with_accounts(view, people, request.app[ORIGIN]))


def _with_people(tx: Connection, number: int, reader_id: int | None) -> tuple[CollectionView, list[Known]]:
    found = views.with_people(tx, number, reader_id)
    return found.view, known(tx, found.people, reader_id)


@routes.patch("/api/v1/collections/{id}")
@spec(answers=shapes.WrappedCollection, body=_BODY)
@auth.person("write:collections")
@_field_by_field
async def update(request: web.Request, caller: Caller) -> web.StreamResponse:
    """What is not said stays as it is."""
    wishes = _said(await params.read(request))
    changed = await request.app[DATABASE].write(
        curate.change, caller.account.id, path_id(request), wishes, datetime.now(UTC)
    )
    return answer(shapes.WrappedCollection(collection=collection(changed, request.app[ORIGIN])))


@routes.delete("/api/v1/collections/{id}")
@spec()
@auth.person("write:collections")
async def delete(request: web.Request, caller: Caller) -> web.Response:
    await request.app[DATABASE].write(curate.remove, caller.account.id, path_id(request), datetime.now(UTC))
    return answer({})


@routes.post("/api/v1/collections/{id}/items")
@spec(answers=shapes.WrappedCollectionItem, body={"account_id": str})
@auth.person("write:collections")
async def add_item(request: web.Request, caller: Caller) -> web.Response:
    number, text = path_id(request), (await params.read(request)).text("account_id")
    wanted = (as_id(text) or 0) if text else None
    made = await request.app[DATABASE].write(curate.add, caller.account.id, number, wanted, datetime.now(UTC))
    return answer(shapes.WrappedCollectionItem(collection_item=item(made)))


@routes.delete("/api/v1/collections/{id}/items/{item}")
@spec()
@auth.person("write:collections")
async def remove_item(request: web.Request, caller: Caller) -> web.Response:
    number, of = path_id(request), _item(request)
    await request.app[DATABASE].write(curate.take_out, caller.account.id, number, of, datetime.now(UTC))
    return answer({})


@routes.post("/api/v1/collections/{id}/items/{item}/revoke")
@spec()
@auth.person("write:collections")
async def revoke_item(request: web.Request, caller: Caller) -> web.Response:
    """Whoever is in it no longer wants to be."""
    number, of = path_id(request), _item(request)
    await request.app[DATABASE].write(curate.revoke, caller.account.id, number, of, datetime.now(UTC))
    return answer({})


@routes.get("/api/v1/accounts/{id}/collections")
@spec(answers=shapes.Collections, query=_PART)
@auth.anybody("read:collections")
async def of_account(request: web.Request, reader: Account | None) -> web.Response:
    """To himself also those that are not shown on the profile."""
    it, part = await account_of(request), offset_of(request, 40, 80)
    if reader is not None:
        await _look_again(request, it)
    found = await request.app[DATABASE].read(views.of_account, it.id, id_of(reader), part.limit + 1, part.offset)
    return _several(request, found, part)


@routes.get("/api/v1/accounts/{id}/in_collections")
@spec(answers=shapes.Collections, query=_PART)
@auth.person("read:collections")
async def with_account(request: web.Request, caller: Caller) -> web.Response:
    """Where the caller is shown; of others it is not told."""
    it, part = await account_of(request), offset_of(request, 40, 80)
    if it.id != caller.account.id:
        raise NotAllowed("This action is not allowed", why="in which collections another is")
    found = await request.app[DATABASE].read(views.with_account, it.id, part.limit + 1, part.offset)
    return _several(request, found, part)


async def _look_again(request: web.Request, it: Account) -> None:
    """Somebody looks at those of another server: for the next time, it is asked what they are now."""
    now = datetime.now(UTC)
    if it.collections_uri is None or it.is_gone or _asked.get(it.id, now - OFTEN) > now - OFTEN:
        return
    if len(_asked) >= KEPT:
        _asked.clear()
    _asked[it.id] = now
    await request.app[DATABASE].write(theirs.look, it, now)


def _several(request: web.Request, found: Sequence[CollectionView], part: Offset) -> web.Response:
    """found: one more than asked for, if there are any more."""
    origin: Origin = request.app[ORIGIN]
    shown = shapes.Collections(collections=[collection(view, origin) for view in found[: part.limit]])
    more = part.limit if len(found) > part.limit else 0
    return answer(shown, offset_links(request, more, part))


def _said(given: Params) -> dict[str, Any]:
    """The fields of a Draft that are there.  Raises: Invalid."""
    texts = {"name": "name", "description": "description", "language": "language", "tag_name": "tag"}
    wishes: dict[str, Any] = {field: given.text(name) for name, field in texts.items() if given.said(name)}
    return wishes | {name: given.flag(name) for name in ("sensitive", "discoverable") if name in given}


def _account(text: str) -> int:
    """Raises: Invalid, as for one that there is not."""
    number = as_id(text)
    if number is None:
        raise Invalid("There is no such account")
    return number


def _item(request: web.Request) -> int:
    number = as_id(request.match_info["item"])
    if number is None:
        raise NotFound("Record not found")
    return number
