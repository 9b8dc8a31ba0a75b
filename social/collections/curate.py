"""What people of ours do with their collections, and with themselves in those of others.

    pending ── he agrees ──► accepted ── he changes his mind ──► revoked
        └───── he does not ──► rejected

Somebody of ours agrees by what he says beforehand (social/collections/consent.py), and is told.  Who revoked or
rejected stays in the table, so that he cannot be asked again.
"""

from collections.abc import Collection as Some
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from html import escape
from typing import Any, Final

from sqlalchemy import Connection, Integer, bindparam, delete, func, insert, select, update

from federation.origin import Origin
from federation.reading import hashtag
from federation.reading.values import clean, language
from social import accounts, notifications, verdicts
from social.collections import consent, sending, views
from social.collections.views import CollectionView
from social.errors import Fault, Faulty, Invalid, NotAllowed, NotFound
from social.known import known
from social.relationships import relationship
from social.text import normalise_tag
from store.ids import new_id
from store.rows import many, one
from store.tables import Account, Collection, CollectionItem, collection_items, collections
from store.tables.base import Id, Instant

MOST: Final = 10  # collections of one person
MOST_ITEMS: Final = 25  # in one of ours
NAME_LIMIT: Final = 40
DESCRIPTION_LIMIT: Final = 100
ADDED, UPDATED = "added_to_collection", "collection_update"

_ADD = insert(collections)
_THIS = collections.c.id == bindparam("collection", type_=Id)
_FIND = select(collections).where(_THIS)
_HOW_MANY = select(func.count()).where(collections.c.account_id == bindparam("of", type_=Id))
_CHANGED: Final = ("name", "description", "source", "language", "tag", "sensitive", "discoverable")
_CHANGE = (
    update(collections)
    .where(_THIS)
    .values(
        {name: bindparam(f"new_{name}", type_=collections.c[name].type) for name in _CHANGED}
        | {"updated_at": bindparam("at", type_=Instant)}
    )
)
_REMOVE = delete(collections).where(_THIS)
_IN_IT = collection_items.c.collection_id == bindparam("collection", type_=Id)
_ITEMS = select(collection_items).where(_IN_IT).order_by(collection_items.c.position)
_ITEM = select(collection_items).where(_IN_IT, collection_items.c.id == bindparam("item", type_=Id))
_BETWEEN = (
    select(collection_items)
    .join(collections, collections.c.id == collection_items.c.collection_id)
    .where(
        collections.c.account_id == bindparam("owner", type_=Id),
        collection_items.c.account_id == bindparam("member", type_=Id),
        collection_items.c.state.in_(["pending", "accepted"]),
    )
)
_PUT = insert(collection_items)
_TAKE_OUT = delete(collection_items).where(collection_items.c.id == bindparam("item", type_=Id))
_SET_STATE = (
    update(collection_items)
    .where(collection_items.c.id == bindparam("item", type_=Id))
    .values(state=bindparam("becomes"))
)
_SET_PLACE = (
    update(collection_items)
    .where(collection_items.c.id == bindparam("item", type_=Id))
    .values(position=bindparam("place", type_=Integer()))
)


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody wrote.  tag: with or without #; empty: none."""

    name: str
    description: str = ""
    language: str = ""
    tag: str = ""
    sensitive: bool = False
    discoverable: bool = True


def create(
    tx: Connection, origin: Origin, owner_id: int, draft: Draft, account_ids: Sequence[int], now: datetime
) -> CollectionView:
    """All of it, or nothing.  Raises: Faulty, Invalid."""
    accounts.hold(tx, owner_id)
    owner = accounts.by_id(tx, owner_id)
    if (tx.scalar(_HOW_MANY, {"of": owner_id}) or 0) >= MOST:
        raise Invalid(f"Validation failed: at most {MOST} collections")
    number = new_id()
    made = Collection(
        id=number,
        account_id=owner_id,
        local=True,
        uri=f"{owner.uri}/featured_collections/{number}",
        url=origin.url(f"/collections/{number}"),
        created_at=now,
        updated_at=now,
        **_checked(tx, draft),
    )
    tx.execute(_ADD, asdict(made))
    items = _put(tx, made, owner, account_ids, now)
    sending.made(tx, owner, made, now)
    sending.asked(tx, owner, made, items, now)
    return views.one(tx, number, owner_id)


def change(tx: Connection, owner_id: int, collection_id: int, wishes: dict[str, Any], now: datetime) -> CollectionView:
    """wishes: fields of Draft; what is not said stays.  Raises: NotFound, NotAllowed, Faulty."""
    old = own(tx, owner_id, collection_id)
    was = Draft(old.name, old.source, old.language or "", old.tag or "", old.sensitive, old.discoverable)
    new = _checked(tx, replace(was, **wishes))
    if any(getattr(old, name) != value for name, value in new.items()):
        tx.execute(_CHANGE, {"collection": old.id, "at": now, **{f"new_{name}": value for name, value in new.items()}})
        if (old.name, old.source) != (new["name"], new["source"]):
            tell_of_change(tx, old, now)
        sending.changed(tx, accounts.by_id(tx, owner_id), own(tx, owner_id, old.id), now)
    return views.one(tx, old.id, owner_id)


def remove(tx: Connection, owner_id: int, collection_id: int, now: datetime) -> None:
    """Raises: NotFound, NotAllowed."""
    it = own(tx, owner_id, collection_id)
    notifications.forget_about(tx, (ADDED, UPDATED), it.id)
    sending.removed(tx, accounts.by_id(tx, owner_id), it, now)
    tx.execute(_REMOVE, {"collection": it.id})


def add(tx: Connection, owner_id: int, collection_id: int, account_id: int | None, now: datetime) -> CollectionItem:
    """Raises: NotFound, NotAllowed; Invalid, when nobody is named, or one who cannot be shown."""
    it = own(tx, owner_id, collection_id)
    if account_id is None:
        raise Invalid("`account_id` parameter is missing")
    owner = accounts.by_id(tx, owner_id)
    (made,) = _put(tx, it, owner, [account_id], now)
    if made.state == "accepted":
        sending.put(tx, owner, it, made, accounts.by_id(tx, account_id).kind, now)
    sending.asked(tx, owner, it, [made], now)
    return made


def take_out(tx: Connection, owner_id: int, collection_id: int, item_id: int, now: datetime) -> None:
    """Raises: NotFound, NotAllowed."""
    it = own(tx, owner_id, collection_id)
    item = _item(tx, it.id, item_id)
    if item is None or item.state not in ("pending", "accepted"):
        raise NotFound("Record not found")
    _end(tx, accounts.by_id(tx, owner_id), it, item, now)


def arrange(tx: Connection, owner_id: int, collection_id: int, item_ids: Sequence[int], now: datetime) -> None:
    """Puts those first, in that order; the others stay as they are, behind.  Raises: NotFound, NotAllowed."""
    it = own(tx, owner_id, collection_id)
    there = many(tx, _ITEMS, CollectionItem, collection=it.id)
    wanted = {number: place for place, number in enumerate(dict.fromkeys(item_ids))}
    sorted_ = sorted(there, key=lambda item: wanted.get(item.id, len(wanted)))
    if [item.id for item in sorted_] != [item.id for item in there]:
        tx.execute(_SET_PLACE, [{"item": item.id, "place": place} for place, item in enumerate(sorted_, 1)])
        sending.changed(tx, accounts.by_id(tx, owner_id), it, now)


def revoke(tx: Connection, account_id: int, collection_id: int, item_id: int, now: datetime) -> None:
    """He no longer wants to be in it, also when its owner blocks him by now.  Raises: NotFound, NotAllowed."""
    item = _item(tx, collection_id, item_id)
    if item is None or item.account_id != account_id:
        views.one(tx, collection_id, account_id)
        if item is None:
            raise NotFound("Record not found")
        raise NotAllowed("This action is not allowed", why="revoking for somebody else")
    if item.state == "accepted":
        _revoke(tx, item, now)


def part(tx: Connection, owner_id: int, member_id: int, now: datetime) -> None:
    """One of the two blocks the other: what the one shows is without the other."""
    for item in many(tx, _BETWEEN, CollectionItem, owner=owner_id, member=member_id):
        it = one(tx, _FIND, Collection, collection=item.collection_id)
        if it is not None and it.local:
            _end(tx, accounts.by_id(tx, owner_id), it, item, now)
        elif item.state == "accepted":
            _revoke(tx, item, now)


def _end(tx: Connection, owner: Account, it: Collection, item: CollectionItem, now: datetime) -> None:
    """He is no longer in one of ours, nor asked to be."""
    _forget_news(tx, item)
    sending.taken_out(tx, owner, it, item, now)
    tx.execute(_TAKE_OUT, {"item": item.id})


def _revoke(tx: Connection, item: CollectionItem, now: datetime) -> None:
    """One of ours, or one whom one of ours blocks, is kept out for good; whoever shows him elsewhere is told."""
    _forget_news(tx, item)
    tx.execute(_SET_STATE, {"item": item.id, "becomes": "revoked"})
    it, account = one(tx, _FIND, Collection, collection=item.collection_id), accounts.find_by_uri(tx, item.account_uri)
    if it is None or account is None or not account.is_local:
        return
    if it.local:
        sending.taken_out(tx, accounts.by_id(tx, it.account_id), it, item, now)
    else:
        sending.withdrawn(tx, account, it, item, now)


def own(tx: Connection, owner_id: int, collection_id: int) -> Collection:
    """One of his.  Raises: NotFound, NotAllowed for another's."""
    found = views.one(tx, collection_id, owner_id).collection
    if found.account_id != owner_id:
        raise NotAllowed("This action is not allowed", why=f"collection {collection_id} is another's")
    return found


def tell_of_change(tx: Connection, it: Collection, now: datetime) -> None:
    """Those of ours who are in it; an older such news goes."""
    members = [item.account_id for item in many(tx, _ITEMS, CollectionItem, collection=it.id)
               if item.state == "accepted" and item.account_id is not None]  # fmt: skip
    notifications.forget_about(tx, (UPDATED,), it.id)
    notifications.notify_about(tx, UPDATED, it.account_id, it.id, members, now)


def approval_of(account: Account, item_id: int) -> str:
    """Where somebody of ours says that he agrees."""
    return f"{account.uri}/feature_authorizations/{item_id}"


def _put(
    tx: Connection, it: Collection, owner: Account, account_ids: Sequence[int], now: datetime
) -> list[CollectionItem]:
    """All of them or none.  Raises: Invalid."""
    ids = list(dict.fromkeys(account_ids))
    if not ids:
        return []
    accounts.hold(tx, owner.id, *ids)  # one of them may block him just now
    people = _willing(tx, owner, ids)
    there = many(tx, _ITEMS, CollectionItem, collection=it.id)
    if {one.account_uri for one in there} & {one.uri for one in people}:
        raise Invalid("Validation failed: Account has already been taken")
    if sum(one.state in ("pending", "accepted") for one in there) + len(people) > MOST_ITEMS:
        raise Invalid(f"Validation failed: at most {MOST_ITEMS} accounts")
    after = max((one.position for one in there), default=0)
    made = [_new(it, owner, account, after + place, now) for place, account in enumerate(people, 1)]
    tx.execute(_PUT, [asdict(one) for one in made])
    notifications.notify_about(tx, ADDED, owner.id, it.id, [one.id for one in people if one.is_local], now)
    return made


def _new(it: Collection, owner: Account, account: Account, position: int, now: datetime) -> CollectionItem:
    """Those of other servers are asked first."""
    number, ours = new_id(), account.is_local
    return CollectionItem(
        id=number,
        collection_id=it.id,
        account_id=account.id,
        account_uri=account.uri,
        uri=f"{it.uri}/items/{number}",
        state="accepted" if ours else "pending",
        approval=approval_of(account, number) if ours else None,
        request=None if ours else f"{owner.uri}/feature_requests/{number}",
        position=position,
        created_at=now,
    )


def _willing(tx: Connection, owner: Account, ids: Some[int]) -> list[Account]:
    """Raises: Invalid, unless all of them may be shown by him."""
    found = accounts.by_ids(tx, ids)
    stands = relationship(tx, owner.id, list(found))
    people = [one.account for one in known(tx, list(found.values())) if not one.waits and not one.account.is_gone]
    for account in people:
        between = stands[account.id]
        apart = between.blocking or between.blocked_by or between.domain_blocking
        if apart or consent.verdict(account, owner.id, between) not in consent.MAY:
            raise Invalid("This account cannot be added to collections", why=account.handle)
    if len(people) < len(ids):
        raise Invalid("There is no such account")
    there = {one.id: one for one in people}
    return [there[number] for number in ids]


def _checked(tx: Connection, draft: Draft) -> dict[str, Any]:
    """The columns that `draft` means.  Raises: Faulty."""
    name, source = clean(draft.name, 1_000).strip(), clean(draft.description, 5_000).strip()
    tag, found = draft.tag.strip().removeprefix("#"), []
    if not name:
        found.append(Fault("name", "ERR_BLANK", "can't be blank"))
    for field, text, most in (("name", name, NAME_LIMIT), ("description", source, DESCRIPTION_LIMIT)):
        if len(text) > most:
            found.append(Fault(field, "ERR_TOO_LONG", f"is too long (maximum is {most} characters)"))
    if draft.language and language(draft.language) is None:
        found.append(Fault("language", "ERR_INVALID", "is no code of a language"))
    if tag and not _is_usable(tx, tag):
        found.append(Fault("tag_name", "ERR_UNUSABLE", "is no hashtag that can be used"))
    if found:
        raise Faulty(found)
    return {
        "name": " ".join(name.split()),
        "description": escape(source, quote=False),
        "source": source,
        "language": draft.language or None,
        "tag": tag or None,
        "sensitive": draft.sensitive,
        "discoverable": draft.discoverable,
    }


def _is_usable(tx: Connection, tag: str) -> bool:
    """It is one, and no moderator forbade it."""
    return hashtag(tag) is not None and not verdicts.refused(tx, verdicts.USED, [normalise_tag(tag)])


def _item(tx: Connection, collection_id: int, item_id: int) -> CollectionItem | None:
    return one(tx, _ITEM, CollectionItem, collection=collection_id, item=item_id)


def _forget_news(tx: Connection, item: CollectionItem) -> None:
    notifications.forget_about(tx, (ADDED, UPDATED), item.collection_id, item.account_id)
