"""What other servers hear of collections of ours: followers of the owner, and who is in them (FEP-7aa9)."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, bindparam, select

from federation import vocabulary
from federation.origin import Origin
from outbox import documents, enqueue
from outbox.documents import Shown
from social import accounts
from social.text import normalise_tag
from social.visibility import shown_among
from store.tables import Account, Collection, CollectionItem, collection_items
from store.tables import accounts as accounts_table
from store.tables.base import Id

_SHOWN = (
    select(collection_items, accounts_table.c.kind)
    .join(accounts_table, accounts_table.c.id == collection_items.c.account_id)
    .where(
        collection_items.c.collection_id == bindparam("collection", type_=Id),
        collection_items.c.state == "accepted",
        shown_among(collection_items.c.account_id),
    )
    .order_by(collection_items.c.position, collection_items.c.id)
)


def document(
    tx: Connection, owner: Account, it: Collection, viewer_id: int | None = None
) -> vocabulary.FeaturedCollection:
    """It with those who agreed, as the viewer may see it."""
    shown = _shown(tx, it.id, viewer_id)
    base = Origin("", it.url.removesuffix(f"/collections/{it.id}"))
    return documents.collection(owner, it, shown, base.tag(normalise_tag(it.tag)) if it.tag else "")


def made(tx: Connection, owner: Account, it: Collection, now: datetime) -> None:
    said = documents.add_collection(owner, document(tx, owner, it))
    enqueue.to_followers(tx, owner, said, also=_members(tx, it.id), now=now)


def changed(tx: Connection, owner: Account, it: Collection, now: datetime) -> None:
    said = documents.update_collection(owner, document(tx, owner, it), now)
    enqueue.to_followers(tx, owner, said, also=_members(tx, it.id), now=now)


def removed(tx: Connection, owner: Account, it: Collection, now: datetime) -> None:
    """To be called while its items are there."""
    said = documents.remove_collection(owner, it.uri)
    enqueue.to_followers(tx, owner, said, also=_members(tx, it.id), now=now)


def put(tx: Connection, owner: Account, it: Collection, item: CollectionItem, kind: str, now: datetime) -> None:
    """Who agreed is in it."""
    said = documents.add_item(owner, it, Shown(item, kind))
    enqueue.to_followers(tx, owner, said, also=_members(tx, it.id), now=now)


def taken_out(tx: Connection, owner: Account, it: Collection, item: CollectionItem, now: datetime) -> None:
    also = {*_members(tx, it.id), *([item.account_id] if item.account_id is not None else ())}
    said = documents.remove_item(owner, it, item.uri or "")
    enqueue.to_followers(tx, owner, said, also=also, now=now)


def asked(tx: Connection, owner: Account, it: Collection, items: Iterable[CollectionItem], now: datetime) -> None:
    """May those of other servers be shown?"""
    for item in items:
        if item.request is not None and item.account_id is not None:
            said = documents.feature_request(owner, item.request, it.uri, item.account_uri)
            enqueue.to_accounts(tx, owner, said, [item.account_id], now=now)


def withdrawn(tx: Connection, account: Account, it: Collection, item: CollectionItem, now: datetime) -> None:
    """Our account no longer wants to be in the collection of somebody elsewhere."""
    owner = accounts.by_id(tx, it.account_id)
    approved = documents.feature_authorization(account, item.approval or "", it.uri)
    said = documents.withdraw(account, approved, owner.uri)
    enqueue.to_followers(tx, account, said, also=[owner.id], now=now)


def _shown(tx: Connection, collection_id: int, viewer_id: int | None) -> list[Shown]:
    rows = tx.execute(_SHOWN, {"collection": collection_id, "viewer": viewer_id})
    return [Shown(CollectionItem(*row[:-1]), row[-1]) for row in rows]


def _members(tx: Connection, collection_id: int) -> list[int]:
    return [one.item.account_id for one in _shown(tx, collection_id, None) if one.item.account_id is not None]
