"""Collections of accounts that somebody recommends: reading them, making and changing one's own, and the way out of
another's.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from aiohttp import web
from sqlalchemy import Connection

from federation.origin import Origin
from social import accounts
from social.collections import curate, views
from social.collections.curate import Draft
from social.collections.views import CollectionView, WithPeople
from social.errors import Faulty, Invalid, NotFound, Refusal
from store.tables import Account, Collection
from web.keys import DATABASE, ORIGIN, REMOTE
from web.languages import LANGUAGES
from web.pages import addresses, frame
from web.pages.frame import viewer_id
from web.params import as_id, of_query

routes = web.RouteTableDef()

MOST: Final = 80  # in which somebody is, that are shown
_MISSING: Final = "There is no such collection, or it is not for you."
_FIELDS: Final = {"tag_name": "hashtag"}  # as the form calls them
_HERE: Final = "/collections/{id:[0-9]+}"


async def collection(request: web.Request) -> web.Response:
    """Those of other servers only for members, as their profiles."""
    signed, number = await frame.look(request), as_id(request.match_info["id"])
    found = await request.app[DATABASE].read(_load, number, viewer_id(signed))
    it = found.view.collection
    if not it.local:
        await frame.member(request)
    mine = [item for item in found.view.items if signed is not None and item.account_id == signed.account.id]
    return frame.show(
        request,
        "collection.html",
        it=it,
        owner=found.people[0],
        people=found.members,
        waiting=_waiting(found),
        mine=mine,
        noindex=not (it.local and it.discoverable),
    )


def _load(tx: Connection, number: int | None, reader_id: int | None) -> WithPeople:
    """Raises: NotFound."""
    if number is None:
        raise NotFound(_MISSING)
    return views.with_people(tx, number, reader_id)


def _waiting(found: WithPeople) -> set[int | None]:
    return {item.account_id for item in found.view.items if item.state == "pending"}


@routes.get("/collections")
async def all_collections(request: web.Request) -> web.Response:
    return await _all(request)


async def _all(request: web.Request, says: str = "", name: str = "") -> web.Response:
    signed = await frame.member(request)
    own, others, owners = await request.app[DATABASE].read(_of_mine, signed.account.id)
    status = 422 if says else 200
    return frame.show(
        request, "collections.html", status=status, own=own, others=others, owners=owners, says=says, name=name,
        most=curate.MOST,
    )  # fmt: skip


def _of_mine(tx: Connection, account_id: int) -> tuple[list[CollectionView], list[CollectionView], dict[int, Account]]:
    """His own, those of others in which he is, and who these are."""
    own = views.of_account(tx, account_id, account_id, curate.MOST)
    others = [one for one in views.with_account(tx, account_id, MOST) if one.collection.account_id != account_id]
    return own, others, accounts.by_ids(tx, {one.collection.account_id for one in others})


@routes.post("/collections")
async def create(request: web.Request) -> web.Response:
    signed, given = await frame.posted(request)
    name, origin = given.text("name"), request.app[ORIGIN]
    try:
        made = await request.app[DATABASE].write(
            curate.create, origin, signed.account.id, Draft(name), [], datetime.now(UTC)
        )
    except Invalid as refusal:
        return await _all(request, _plainly(refusal), name)
    return addresses.see_other(f"/collections/{made.collection.id}/edit")


@routes.get(f"{_HERE}/edit")
async def edit(request: web.Request) -> web.Response:
    return await _edit(request, done=of_query(request).text("done"))


async def _edit(
    request: web.Request, says: str = "", *, status: int = 422, typed: dict[str, Any] | None = None, handle: str = "",
    done: str = "",
) -> web.Response:  # fmt: skip
    """typed: what was to be saved; handle: who was to be added."""
    signed = await frame.member(request)
    found = await request.app[DATABASE].read(_own, signed.account.id, as_id(request.match_info["id"]))
    it, there = found.view.collection, {one.id: one for one in found.people}
    return frame.show(
        request,
        "collection_edit.html",
        status=status if says else 200,
        it=it,
        people=[(item, there[item.account_id]) for item in found.view.items if item.account_id in there],
        waiting=_waiting(found),
        typed=typed or _as_is(it),
        handle=handle,
        says=says,
        done=done,
        languages=LANGUAGES,
        limits=(curate.NAME_LIMIT, curate.DESCRIPTION_LIMIT, curate.MOST_ITEMS),
    )


def _own(tx: Connection, owner_id: int, number: int | None) -> WithPeople:
    """Raises: NotFound, NotAllowed."""
    found = _load(tx, number, owner_id)
    curate.own(tx, owner_id, found.view.collection.id)
    return found


def _as_is(it: Collection) -> dict[str, Any]:
    return {
        "name": it.name,
        "description": it.source,
        "language": it.language or "",
        "tag": it.tag or "",
        "sensitive": it.sensitive,
        "discoverable": it.discoverable,
    }


@routes.post(f"{_HERE}/edit")
async def save(request: web.Request) -> web.Response:
    signed, given = await frame.posted(request)
    typed: dict[str, Any] = {name: given.text(name).strip() for name in ("name", "description", "language", "tag")}
    typed |= {name: given.flag(name) for name in ("sensitive", "discoverable")}
    number = frame.number(request, _MISSING)
    try:
        await request.app[DATABASE].write(curate.change, signed.account.id, number, typed, datetime.now(UTC))
    except Invalid as refusal:
        return await _edit(request, _plainly(refusal), typed=typed)
    return addresses.see_other(f"/collections/{number}")


@routes.post(f"{_HERE}/add")
async def add(request: web.Request) -> web.Response:
    """Somebody by his handle, of any server."""
    signed, given = await frame.posted(request)
    number, handle = frame.number(request, _MISSING), given.text("handle").strip()
    await request.app[DATABASE].read(_own, signed.account.id, number)  # before another server is asked for anything
    try:
        wanted = await _wanted(request, handle)
        await request.app[DATABASE].write(curate.add, signed.account.id, number, wanted.id, datetime.now(UTC))
    except Refusal as refusal:
        return await _edit(request, _plainly(refusal), status=frame.status_of(refusal), handle=handle)
    return addresses.see_other(f"/collections/{number}/edit?done=added")


async def _wanted(request: web.Request, handle: str) -> Account:
    """Raises: Refusal."""
    found = await request.app[DATABASE].read(_here, handle, request.app[ORIGIN])
    try:
        return found or await request.app[REMOTE].account(handle)
    except NotFound:
        raise Invalid("Nobody is called that. Write it as name@server") from None


def _here(tx: Connection, handle: str, origin: Origin) -> Account | None:
    return accounts.find_by_handle(tx, handle, origin)


@routes.post(f"{_HERE}/arrange")
async def arrange(request: web.Request) -> web.Response:
    signed, given = await frame.posted(request)
    number = frame.number(request, _MISSING)
    items = _arranged(given.many("item"), given.many("place"))
    await request.app[DATABASE].write(curate.arrange, signed.account.id, number, items, datetime.now(UTC))
    return addresses.see_other(f"/collections/{number}/edit?done=arranged")


def _arranged(items: Sequence[str], places: Sequence[str]) -> list[int]:
    """The items by their places.  Whoever is given the place of another comes before him, or behind, as he came.

    >>> _arranged(["7", "8", "9"], ["1", "2", "1"]), _arranged(["7", "8", "9"], ["3", "2", "3"])
    ([9, 7, 8], [8, 9, 7])
    """
    found = []
    for was, (item, place) in enumerate(zip(items, places, strict=False), 1):
        number, wish = as_id(item), as_id(place) or 0
        if number is not None:
            found.append((wish, (wish > was) - (wish < was), was, number))
    return [one[-1] for one in sorted(found)]


@routes.post(f"{_HERE}/delete")
async def delete(request: web.Request) -> web.Response:
    signed, _ = await frame.posted(request)
    await request.app[DATABASE].write(
        curate.remove, signed.account.id, frame.number(request, _MISSING), datetime.now(UTC)
    )
    return addresses.see_other("/collections")


@routes.post(f"{_HERE}/items/{{item:[0-9]+}}/{{action:remove|revoke}}")
async def act(request: web.Request) -> web.Response:
    """remove: by its owner.  revoke: by who is in it."""
    signed, given = await frame.posted(request)
    number, item = frame.number(request, _MISSING), frame.number(request, _MISSING, "item")
    unit = curate.take_out if request.match_info["action"] == "remove" else curate.revoke
    await request.app[DATABASE].write(unit, signed.account.id, number, item, datetime.now(UTC))
    return addresses.see_other(given.text("back"), "/collections")


def _plainly(refusal: Refusal) -> str:
    """For people: the fields are called as the form does."""
    if isinstance(refusal, Faulty):
        said = (f"{_FIELDS.get(fault.field, fault.field)} {fault.says}" for fault in refusal.faults)
        return f"The {', the '.join(said)}"
    return str(refusal).removeprefix("Validation failed: ")
