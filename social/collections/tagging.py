"""To which collections of accounts posts link: by the address of the collection or of its page, word for word.

Only those that are known here count.  Of one that comes to be known later, the posts that have it as their first link
(which have a card for that) are found.
"""

from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import BindParameter, Connection, bindparam, delete, or_, select, union, update
from sqlalchemy.dialects.postgresql import insert  # SQLite has the same ON CONFLICT

from social.cards import Linking, links
from social.paging import padded
from store.tables import Collection, cards, collections, posts, tagged_collections
from store.tables.base import Id

MOST: Final = 1_000  # posts that are told anew when a collection comes to be known

_ADDRESSES: BindParameter[list[str]] = bindparam("addresses", expanding=True)
_KNOWN: Any = union(
    *(
        select(column, collections.c.id).where(column.in_(_ADDRESSES))
        for column in (collections.c.uri, collections.c.url)
    )
)
_TAG = insert(tagged_collections).on_conflict_do_nothing()
_UNTAG = delete(tagged_collections).where(tagged_collections.c.post_id == bindparam("post", type_=Id))
_LINKING = (
    select(posts.c.id)
    .join(cards, cards.c.id == posts.c.card_id)
    .where(or_(cards.c.url == bindparam("uri"), cards.c.url == bindparam("url")))
    .order_by(posts.c.id.desc())
    .limit(bindparam("most"))
)
_CHANGED = update(posts).where(posts.c.id.in_(bindparam("ids", expanding=True, type_=Id)))


def tag(tx: Connection, new: Iterable[Linking]) -> set[int]:
    """Those of these posts that link to collections.  No statement when none has a link."""
    found = {one.post_id: links(one.html) for one in new}
    addresses = sorted({address for some in found.values() for address in some})
    if not addresses:
        return set()
    known = {row[0]: row[1] for row in tx.execute(_KNOWN, {"addresses": padded(addresses)})}
    pairs = {(post_id, known[address]) for post_id, some in found.items() for address in some if address in known}
    if pairs:
        tx.execute(_TAG, [{"post_id": post_id, "collection_id": number} for post_id, number in sorted(pairs)])
    return {post_id for post_id, _ in pairs}


def retag(tx: Connection, post: Linking) -> None:
    """After an edit."""
    tx.execute(_UNTAG, {"post": post.post_id})
    tag(tx, [post])


def met(tx: Connection, it: Collection) -> None:
    """A collection of another server is known from now on."""
    found = list(tx.scalars(_LINKING, {"uri": it.uri, "url": it.url, "most": MOST}))
    if found:
        tx.execute(_TAG, [{"post_id": number, "collection_id": it.id} for number in found])
        tx.execute(_CHANGED.values(version=posts.c.version + 1), {"ids": padded(found)})
