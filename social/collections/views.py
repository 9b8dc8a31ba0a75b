"""Collections as a reader may see them.

Everybody sees one whose owner is there and does not block him; those that are not `discoverable`, who has the address.
Of those in it he sees who agreed, without whom he blocks and who blocks him; its owner also sees whom he still waits
for.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import BindParameter, Boolean, Connection, Select, and_, bindparam, func, or_, select

from social.errors import NotFound
from social.paging import padded
from social.visibility import VIEWER, open_to, shown_among
from store.rows import many
from store.tables import Account, Collection, CollectionItem, accounts, collection_items, collections
from store.tables.base import Id

_IDS = bindparam("ids", expanding=True, type_=Id)
_OF = bindparam("of", type_=Id)
_OPEN = open_to(collections.c.account_id)
_SEEN = select(collections).where(collections.c.id.in_(_IDS), _OPEN)
_AT = select(collections.c.id).where(
    or_(collections.c.uri == bindparam("address"), collections.c.url == bindparam("address"))
)
_LIMIT: BindParameter[int] = bindparam("most")
_OFFSET: BindParameter[int] = bindparam("skipped")
_LISTED = and_(
    collections.c.account_id == _OF,
    or_(collections.c.discoverable, collections.c.account_id == VIEWER, bindparam("all", type_=Boolean())),
    _OPEN,
)
_OF_ACCOUNT = select(collections).where(_LISTED).order_by(collections.c.id.desc()).limit(_LIMIT).offset(_OFFSET)
_HOW_MANY = select(func.count()).select_from(collections).where(_LISTED)
_WITH = (
    select(collections)
    .join(collection_items, collection_items.c.collection_id == collections.c.id)
    .where(collection_items.c.account_id == VIEWER, collection_items.c.state == "accepted", _OPEN)
    .order_by(collection_items.c.id.desc())
    .limit(_LIMIT)
    .offset(_OFFSET)
)
_ITEMS = (
    select(collection_items)
    .join(collections, collections.c.id == collection_items.c.collection_id)
    .where(
        collections.c.id.in_(_IDS),
        or_(
            collection_items.c.state == "accepted",
            and_(collection_items.c.state == "pending", collections.c.account_id == VIEWER),
        ),
        shown_among(collection_items.c.account_id),
    )
    .order_by(collection_items.c.collection_id, collection_items.c.position, collection_items.c.id)
)
_PEOPLE: Select[Any] = select(accounts).where(accounts.c.id.in_(_IDS))


@dataclass(frozen=True, slots=True)
class CollectionView:
    collection: Collection
    items: tuple[CollectionItem, ...] = ()


@dataclass(frozen=True, slots=True)
class WithPeople:
    """people: its owner, then those in it."""

    view: CollectionView
    people: list[Account] = field(default_factory=list)

    @property
    def members(self) -> list[Account]:
        there = {one.id: one for one in self.people}
        return [there[item.account_id] for item in self.view.items if item.account_id in there]


def some(tx: Connection, ids: Sequence[int], viewer_id: int | None) -> dict[int, CollectionView]:
    """Those that the viewer may see, in two queries."""
    if not ids:
        return {}
    found = many(tx, _SEEN, Collection, ids=padded(ids), viewer=viewer_id)
    return {view.collection.id: view for view in _filled(tx, found, viewer_id)}


def one(tx: Connection, collection_id: int, viewer_id: int | None) -> CollectionView:
    """Raises: NotFound."""
    found = some(tx, [collection_id], viewer_id).get(collection_id)
    if found is None:
        raise NotFound("Record not found")
    return found


def at(tx: Connection, address: str, viewer_id: int | None) -> CollectionView | None:
    """The one with that id, or with its page there."""
    return next(iter(some(tx, list(tx.scalars(_AT, {"address": address})), viewer_id).values()), None)


def with_people(tx: Connection, collection_id: int, viewer_id: int | None) -> WithPeople:
    """Raises: NotFound."""
    view = one(tx, collection_id, viewer_id)
    ids = [view.collection.account_id, *(it.account_id for it in view.items if it.account_id is not None)]
    there = {it.id: it for it in many(tx, _PEOPLE, Account, ids=padded(ids))}
    return WithPeople(view, [there[number] for number in dict.fromkeys(ids)])


def of_account(
    tx: Connection, account_id: int, viewer_id: int | None, most: int, skipped: int = 0, *, unlisted: bool = False
) -> list[CollectionView]:
    """Those that somebody shows on his profile, the newest first; to himself, or with `unlisted`, all that he has."""
    asked = {"of": account_id, "viewer": viewer_id, "all": unlisted, "most": most, "skipped": skipped}
    return _filled(tx, many(tx, _OF_ACCOUNT, Collection, **asked), viewer_id)


def how_many(tx: Connection, account_id: int, viewer_id: int | None, *, unlisted: bool = False) -> int:
    return tx.scalar(_HOW_MANY, {"of": account_id, "viewer": viewer_id, "all": unlisted}) or 0


def with_account(tx: Connection, account_id: int, most: int, skipped: int = 0) -> list[CollectionView]:
    """Those in which somebody is himself, the newest first."""
    found = many(tx, _WITH, Collection, viewer=account_id, most=most, skipped=skipped)
    return _filled(tx, found, account_id)


def _filled(tx: Connection, found: Sequence[Collection], viewer_id: int | None) -> list[CollectionView]:
    items = _items(tx, [it.id for it in found], viewer_id)
    return [CollectionView(it, tuple(items.get(it.id, ()))) for it in found]


def _items(tx: Connection, ids: Sequence[int], viewer_id: int | None) -> Mapping[int, list[CollectionItem]]:
    items: dict[int, list[CollectionItem]] = defaultdict(list)
    for item in many(tx, _ITEMS, CollectionItem, ids=padded(ids), viewer=viewer_id) if ids else ():
        items[item.collection_id].append(item)
    return items
