"""What other servers tell of collections: who asks to show one of ours, who answers ours, and what theirs hold.

A collection of theirs is kept as its server describes it, when somebody here follows its owner, looks at him, or is in
it.  Of those in it, people of ours count when they agreed here; others, when their own server says so at the address of
their FeatureAuthorization: the job `verify_collection` asks there.
"""

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import BindParameter, Connection, bindparam, delete, func, insert, select, update

from federation.origin import Origin
from federation.reading import FeatureAuthorization, FeaturedCollection, FeaturedItem, same_origin
from federation.reading.featured import ITEMS_LIMIT
from outbox import documents, enqueue
from social import accounts, notifications, ties
from social.collections import consent, sending, tagging, views
from social.collections.curate import ADDED, UPDATED, approval_of, tell_of_change
from social.errors import NotFound
from social.relationships import Relationship, relationship
from social.sanitise import html
from store import jobs
from store.ids import new_id
from store.rows import many, one, values_of
from store.tables import Account, Collection, CollectionItem, collection_items, collections
from store.tables.base import Id, Instant

FETCH: Final = "fetch_collection"  # the jobs that ask other servers: connectme/collecting.py
FETCH_ALL: Final = "fetch_collections"
VERIFY: Final = "verify_collection"
MOST: Final = 50  # collections of one account elsewhere

_URI: BindParameter[str] = bindparam("uri")
_BY_URI = select(collections).where(collections.c.uri == _URI)
_BY_ID = select(collections).where(collections.c.id == bindparam("collection", type_=Id))
_ITEMS = select(collection_items).where(collection_items.c.collection_id == bindparam("collection", type_=Id))
_PENDING = _ITEMS.where(collection_items.c.state == "pending", collection_items.c.approval.is_not(None))
_BY_REQUEST = select(collection_items).where(collection_items.c.request == _URI)
_BY_APPROVAL = select(collection_items).where(collection_items.c.approval == _URI)
_ITEM_BY_URI = select(collection_items).where(collection_items.c.uri == _URI)
_HOW_MANY = select(func.count()).where(collections.c.account_id == bindparam("of", type_=Id))
_ADD = insert(collections)
_PUT = insert(collection_items)
_THIS = collection_items.c.id == bindparam("item", type_=Id)
_CHANGE_ITEM = (
    update(collection_items)
    .where(_THIS)
    .values(
        {
            name: bindparam(f"new_{name}", type_=collection_items.c[name].type)
            for name in ("account_id", "uri", "state", "approval", "request", "position")
        }
    )
)
_DROP = delete(collection_items).where(_THIS)
_REMOVE = delete(collections).where(collections.c.id == bindparam("collection", type_=Id))
_SAID: Final = ("url", "name", "description", "language", "tag", "sensitive", "discoverable")
_CHANGE = (
    update(collections)
    .where(collections.c.id == bindparam("collection", type_=Id))
    .values(
        {name: bindparam(f"new_{name}", type_=collections.c[name].type) for name in _SAID}
        | {"updated_at": bindparam("at", type_=Instant)}
    )
)


# ---- who asks to show one of ours, and who answers


def receive_request(
    tx: Connection, actor: Account, request_uri: str, collection_uri: str, account_uri: str, now: datetime
) -> bool:
    """`actor` asks whether he may show one of ours in his collection; he is answered when that is known here.

    Returns: was he answered?  Raises: NotFound.
    """
    account = accounts.find_by_uri(tx, account_uri)
    if account is None or not account.is_local or account.is_gone:
        raise NotFound("No such account here", why=account_uri)
    if not same_origin(collection_uri, actor.uri) or not same_origin(request_uri, actor.uri):
        raise NotFound("That collection is not theirs", why=collection_uri)
    it = find(tx, collection_uri)
    if it is None:
        payload = {"uri": collection_uri, "actor": actor.uri, "request": request_uri, "account": account_uri}
        jobs.ask(tx, FETCH, f"{collection_uri} {account_uri}", payload, now)
        return False
    if it.account_id != actor.id:
        raise NotFound("That collection is another's", why=collection_uri)
    _answer(tx, actor, account, it, request_uri, now)
    return True


def _answer(tx: Connection, actor: Account, account: Account, it: Collection, request_uri: str, now: datetime) -> None:
    there = next((item for item in _items(tx, it.id) if item.account_uri == account.uri), None)
    approval = None
    if there is not None and there.state == "accepted":
        approval = there.approval
    elif there is None and _agrees(tx, account, actor):
        if one(tx, _BY_REQUEST, CollectionItem, uri=request_uri) is not None:
            raise NotFound("That was asked about somebody else", why=request_uri)
        number = new_id()
        approval = approval_of(account, number)
        row = CollectionItem(
            number, it.id, account.id, account.uri, None, "accepted", approval, request_uri, _end(tx, it.id), now
        )
        tx.execute(_PUT, asdict(row))
        notifications.notify_about(tx, ADDED, actor.id, it.id, [account.id], now)
    asked = documents.feature_request(actor, request_uri, it.uri, account.uri)
    answer = documents.answered(account, asked, new_id(), approval)
    enqueue.to_accounts(tx, account, answer, [actor.id], now=now)


def _agrees(tx: Connection, account: Account, actor: Account) -> bool:
    between = relationship(tx, account.id, [actor.id])[actor.id]
    if between.blocking or between.blocked_by or between.domain_blocking:
        return False
    stands = Relationship(account.id, following=between.followed_by, followed_by=between.following)
    return consent.verdict(account, actor.id, stands) == "automatic"


def receive_answer(tx: Connection, actor: Account, request_uri: str, approval: str | None, now: datetime) -> None:
    """Whom ours want to show agrees (`approval` is where he says so), or does not, or no longer.

    Raises: NotFound, when nobody asked him.
    """
    item = one(tx, _BY_REQUEST, CollectionItem, uri=request_uri)
    it = one(tx, _BY_ID, Collection, collection=item.collection_id) if item is not None else None
    if item is None or it is None or not it.local or item.account_id != actor.id:
        raise NotFound("Nobody asked for that", why=request_uri)
    owner = accounts.by_id(tx, it.account_id)
    if approval is None:
        if item.state == "accepted":
            sending.taken_out(tx, owner, it, item, now)
        _set(tx, item, state="revoked" if item.state == "accepted" else "rejected")
    elif (
        item.state == "pending"
        and same_origin(approval, actor.uri)
        and _may_have(tx, item, approval, ("rejected", "pending"))
    ):
        agreed = _set(tx, item, state="accepted", approval=approval)
        sending.put(tx, owner, it, agreed, actor.kind, now)


def receive_revocation(tx: Connection, actor: Account, approval: str, now: datetime) -> bool:
    """Somebody takes back that he may be shown.  False: it is no approval that we know."""
    item = one(tx, _BY_APPROVAL, CollectionItem, uri=approval)
    if item is None or item.account_uri != actor.uri:
        return False
    it = one(tx, _BY_ID, Collection, collection=item.collection_id)
    if it is not None and it.local and item.state == "accepted":
        sending.taken_out(tx, accounts.by_id(tx, it.account_id), it, item, now)
    _set(tx, item, state="revoked")
    return True


def approved(tx: Connection, account_id: int, approval: str, viewer_id: int | None) -> str:
    """In which collection one of ours agreed to be, by the address where he says so.  Raises: NotFound."""
    item = one(tx, _BY_APPROVAL, CollectionItem, uri=approval)
    if item is None or item.state != "accepted" or item.account_id != account_id:
        raise NotFound("No such approval", why=approval)
    return views.one(tx, item.collection_id, viewer_id).collection.uri


def is_request(uri: str, origin: Origin) -> bool:
    """Is it the id of a FeatureRequest of ours?"""
    return origin.is_ours(uri) and "/feature_requests/" in uri


# ---- what theirs hold


def find(tx: Connection, uri: str) -> Collection | None:
    return one(tx, _BY_URI, Collection, uri=uri)


def receive(tx: Connection, owner: Account, said: FeaturedCollection, now: datetime) -> None:
    """`owner` tells of one of his: kept when it is here, or somebody here follows him."""
    if owner.uri == said.owner and (find(tx, said.id) is not None or ties.is_followed(tx, owner.id)):
        store(tx, owner, said, now)


def look(tx: Connection, account: Account, now: datetime) -> None:
    """Its server is asked what it shows now."""
    jobs.ask(tx, FETCH_ALL, account.uri, {"account": account.uri}, now)


def store(tx: Connection, owner: Account, said: FeaturedCollection, now: datetime) -> Collection | None:
    """As its own server describes it now.  None: it is not kept."""
    if owner.is_local or owner.is_gone or said.owner != owner.uri or not same_origin(said.id, owner.uri):
        return None
    old = find(tx, said.id)
    if old is None and (tx.scalar(_HOW_MANY, {"of": owner.id}) or 0) >= MOST:
        return None
    if old is not None and old.account_id != owner.id:
        return None
    it = _described(old, owner, said, now)
    if old is None:
        tx.execute(_ADD, asdict(it))
        tagging.met(tx, it)
    elif it != old:
        new = {f"new_{name}": getattr(it, name) for name in _SAID}
        tx.execute(_CHANGE, {"collection": it.id, "at": it.updated_at, **new})
        if (old.name, old.description) != (it.name, it.description):
            tell_of_change(tx, it, now)
    _store_items(tx, it, said, now)
    return it


def _described(old: Collection | None, owner: Account, said: FeaturedCollection, now: datetime) -> Collection:
    url = said.url if said.url and same_origin(said.url, owner.uri) else said.id
    return Collection(
        id=old.id if old else new_id(),
        account_id=owner.id,
        local=False,
        uri=said.id,
        url=url,
        name=said.name or owner.name,
        description=html(said.summary_html),
        source="",
        language=said.language,
        tag=said.tag,
        sensitive=said.sensitive,
        discoverable=said.discoverable,
        created_at=old.created_at if old else min(said.published or now, now),
        updated_at=min(said.updated or said.published or now, now),
    )


def _store_items(tx: Connection, it: Collection, said: FeaturedCollection, now: datetime) -> None:
    there = {item.account_uri: item for item in _items(tx, it.id)}
    wanted = {item.account: item for item in said.items}
    for uri, item in there.items():
        # Who agreed a moment ago may not be in it yet; who changed his mind is kept out for good.
        if uri not in wanted and item.state != "revoked" and not (item.uri is None and item.request is not None):
            _drop(tx, item)
    for place, (uri, found) in enumerate(wanted.items(), 1):
        _store_item(tx, it, found, there.get(uri), place, now)
    _ask(tx, it, now)


def _ask(tx: Connection, it: Collection, now: datetime) -> None:
    if waiting(tx, it.id):
        jobs.ask(tx, VERIFY, it.uri, {"collection": it.id}, now)


def _store_item(
    tx: Connection, it: Collection, said: FeaturedItem, old: CollectionItem | None, place: int, now: datetime
) -> None:
    account = accounts.find_by_uri(tx, said.account)
    if account is not None and account.is_local:
        if old is not None and old.state == "accepted" and said.approval == old.approval:
            _set(tx, old, uri=_free(tx, said.id, old), position=place)
        return
    approval = said.approval if said.approval and same_origin(said.approval, said.account) else None
    if approval is None or not _may_have(tx, old, approval, ("rejected",)):
        return
    if old is None:
        uri, known = _free(tx, said.id, None), account.id if account else None
        row = CollectionItem(new_id(), it.id, known, said.account, uri, "pending", approval, None, place, now)
        tx.execute(_PUT, asdict(row))
    elif old.state != "revoked" or old.approval != approval:
        state = old.state if old.approval == approval else "pending"
        _set(tx, old, uri=_free(tx, said.id, old), position=place, approval=approval, state=state)


def _may_have(tx: Connection, own: CollectionItem | None, approval: str, give_way: tuple[str, ...]) -> bool:
    """No other has the approval; one that is in one of those states only claimed it, and loses it."""
    other = one(tx, _BY_APPROVAL, CollectionItem, uri=approval)
    if other is None or (own is not None and other.id == own.id):
        return True
    if other.state in give_way:
        _set(tx, other, approval=None)
    return other.state in give_way


def _free(tx: Connection, uri: str, own: CollectionItem | None) -> str | None:
    """The id, unless another has it."""
    found = one(tx, _ITEM_BY_URI, CollectionItem, uri=uri)
    return uri if found is None or (own is not None and found.id == own.id) else None


def receive_item(tx: Connection, owner: Account, collection_uri: str, said: FeaturedItem, now: datetime) -> None:
    """`owner` says that somebody is in a collection of his, which is known here."""
    it = _own(tx, owner, collection_uri)
    if it is None or not same_origin(said.id, it.uri):
        return
    there = _items(tx, it.id)
    if len(there) < ITEMS_LIMIT:
        old = next((item for item in there if item.account_uri == said.account), None)
        _store_item(tx, it, said, old, old.position if old else _end(tx, it.id), now)
        _ask(tx, it, now)


def receive_remove(tx: Connection, owner: Account, target_uri: str, what: str) -> None:
    """`owner` no longer has that collection, or no longer that item in it."""
    if target_uri == owner.collections_uri:
        it = _own(tx, owner, what)
        if it is not None:
            notifications.forget_about(tx, (ADDED, UPDATED), it.id)
            tx.execute(_REMOVE, {"collection": it.id})
        return
    it, item = _own(tx, owner, target_uri), one(tx, _ITEM_BY_URI, CollectionItem, uri=what)
    if it is not None and item is not None and item.collection_id == it.id:
        _drop(tx, item)


def waiting(tx: Connection, collection_id: int) -> list[CollectionItem]:
    """Those in it of whom their own servers have to be asked."""
    return many(tx, _PENDING, CollectionItem, collection=collection_id)


def verified(tx: Connection, item: CollectionItem, account: Account, said: FeatureAuthorization) -> bool:
    """What became of one who waited.  said: by whoever lives at `item.approval`."""
    it = one(tx, _BY_ID, Collection, collection=item.collection_id)
    agreed = it is not None and account.uri == item.account_uri and said == FeatureAuthorization(account.uri, it.uri)
    _set(tx, item, account_id=account.id, state="accepted" if agreed else "rejected")
    return agreed


def refused(tx: Connection, item: CollectionItem) -> None:
    """Nothing is there that could be an approval."""
    _set(tx, item, state="rejected")


def _own(tx: Connection, owner: Account, uri: str) -> Collection | None:
    it = find(tx, uri)
    return it if it is not None and it.account_id == owner.id and not it.local else None


def _items(tx: Connection, collection_id: int) -> list[CollectionItem]:
    return many(tx, _ITEMS, CollectionItem, collection=collection_id)


def _end(tx: Connection, collection_id: int) -> int:
    return max((item.position for item in _items(tx, collection_id)), default=0) + 1


def _set(tx: Connection, item: CollectionItem, **changes: Any) -> CollectionItem:
    new = replace(item, **changes)
    values: Mapping[str, Any] = values_of(new)
    names = ("account_id", "uri", "state", "approval", "request", "position")
    tx.execute(_CHANGE_ITEM, {"item": item.id, **{f"new_{name}": values[name] for name in names}})
    return new


def _drop(tx: Connection, item: CollectionItem) -> None:
    notifications.forget_about(tx, (ADDED, UPDATED), item.collection_id, item.account_id)
    tx.execute(_DROP, {"item": item.id})
