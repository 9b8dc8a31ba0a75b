"""Deletion, by the author and nobody else (security row 20).  A tombstone keeps what was deleted from coming back."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, bindparam, or_, select, update
from sqlalchemy import delete as delete_rows

from federation.errors import Forged
from federation.reading import same_origin
from outbox import documents, parts
from social import conversations, fulltext, media, quotes, undone
from social.events import Deleted
from social.paging import parted
from social.posts import find, sending
from social.visibility import OPEN
from store.events import announce
from store.rows import many
from store.tables import Account, Post, accounts, home_entries, list_entries, list_members, mentions, posts, users
from store.tables.base import Id

AT_ONCE: Final = 200  # of `remove_some`
MOST_TOLD: Final = 100  # of those whom a direct post was addressed to

_IDS = bindparam("ids", expanding=True, type_=Id)
# Those that are still there: who removes the same at the same moment counts them, or we do.
_HOLD = (
    select(posts).where(or_(posts.c.id.in_(_IDS), posts.c.boost_of_id.in_(_IDS))).order_by(posts.c.id).with_for_update()
)
_NO_ENTRIES = delete_rows(home_entries).where(
    home_entries.c.owner_id.in_(select(users.c.account_id)), home_entries.c.post_id.in_(_IDS)
)
_NO_LIST_ENTRIES = delete_rows(list_entries).where(
    list_entries.c.list_id.in_(
        select(list_members.c.list_id).where(
            list_members.c.account_id.in_(select(posts.c.author_id).where(posts.c.id.in_(_IDS)))
        )
    ),
    list_entries.c.post_id.in_(_IDS),
)
_ADDRESSED = (
    select(mentions.c.post_id, mentions.c.account_id)
    .join(users, users.c.account_id == mentions.c.account_id)
    .where(mentions.c.post_id.in_(_IDS))
)
_DELETE = delete_rows(posts).where(posts.c.id.in_(_IDS))
_SOME = select(posts).where(posts.c.author_id == bindparam("author", type_=Id)).order_by(posts.c.id).limit(AT_ONCE)
_FEWER_POSTS = (
    update(accounts)
    .where(accounts.c.id == bindparam("which", type_=Id), accounts.c.posts_count >= bindparam("less"))
    .values(posts_count=accounts.c.posts_count - bindparam("less"))
)
_FEWER_REPLIES = (
    update(posts)
    .where(posts.c.id == bindparam("which", type_=Id))
    .values(replies_count=posts.c.replies_count - bindparam("less"), version=posts.c.version + 1)
)
_FEWER_BOOSTS = (
    update(posts)
    .where(posts.c.id == bindparam("which", type_=Id))
    .values(boosts_count=posts.c.boosts_count - bindparam("less"), version=posts.c.version + 1)
)


def delete(tx: Connection, author_id: int, post_id: int, now: datetime, *, keep_files: bool = True) -> None:
    """One of ours takes a post back, everywhere.

    keep_files: they stay his for a day, for what he writes in its place.

    Raises: NotFound, when it is not his, or a boost.
    """
    post = find.hold_own(tx, post_id, author_id, goes=True)
    loaded = parts.load(tx, [post.id])[post.id]
    sending.changed(tx, loaded, documents.delete(loaded, now), now)
    undone.bury(tx, post.uri, loaded.author.uri, now)
    if keep_files:
        media.release(tx, [post.id], now)
    remove(tx, [post])


def receive_delete(tx: Connection, by: Account, uri: str, now: datetime) -> bool:
    """`by` says that his post is no more.  One that we do not have is remembered: it may come after its deletion.

    Raises: Forged, when the post is not his, or is on another server than he.
    """
    post = find.hold(tx, uri, goes=True)
    if post is not None and post.author_id != by.id:
        raise Forged(f"{uri} is not {by.uri}'s to delete")
    if not same_origin(uri, by.uri):
        raise Forged(f"{uri} is not on the server of {by.uri}")
    undone.bury(tx, uri, by.uri, now)
    if post is None:
        return False
    remove(tx, [post])
    return True


def remove(tx: Connection, gone: Sequence[Post]) -> None:
    """Takes posts and boosts, the boosts of them, and all that hangs on them out of the tables.  Tells nobody."""
    if not gone:
        return
    removed = {it.id: it for part in parted([post.id for post in gone]) for it in many(tx, _HOLD, Post, ids=part)}
    addressed = _addressed(tx, [post.id for post in removed.values() if post.visibility == "direct"])
    _count(tx, list(removed.values()))
    for part in parted(list(removed)):
        quotes.forget(tx, part)
    for part in parted(list(removed)):
        tx.execute(_NO_ENTRIES, {"ids": part})
        if any(removed[number].visibility == "direct" for number in part):
            conversations.without(tx, part)
        tx.execute(_NO_LIST_ENTRIES, {"ids": part})
        media.orphan(tx, part)
        tx.execute(_DELETE, {"ids": part})
    fulltext.ask(tx, list(removed))
    for post in removed.values():
        told = addressed.get(post.id, [])[:MOST_TOLD]
        announce(tx, Deleted(post.id, post.author_id, post.visibility, post.listed, post.local, told))


def remove_some(tx: Connection, author_id: int) -> bool:
    """Removes 200 of the oldest posts and boosts of an account; False: there are no more.  Tells nobody."""
    found = many(tx, _SOME, Post, author=author_id)
    remove(tx, found)
    return len(found) == AT_ONCE


def _addressed(tx: Connection, ids: Sequence[int]) -> dict[int, list[int]]:
    """Those of ours to whom each of the posts was written."""
    found: dict[int, list[int]] = {}
    for part in parted(list(ids)):
        for post_id, account_id in tx.execute(_ADDRESSED, {"ids": part}):
            found.setdefault(post_id, []).append(account_id)
    return found


def _count(tx: Connection, gone: Sequence[Post]) -> None:
    ids = {post.id for post in gone}
    counted = [post for post in gone if post.visibility != "direct"]
    _less(tx, _FEWER_POSTS, Counter(post.author_id for post in counted))
    answers = (post.reply_to_id for post in gone if post.reply_to_id is not None and post.visibility in OPEN)
    _less(tx, _FEWER_REPLIES, Counter(parent for parent in answers if parent not in ids))
    boosted = (post.boost_of_id for post in gone if post.boost_of_id is not None)
    _less(tx, _FEWER_BOOSTS, Counter(original for original in boosted if original not in ids))


def _less(tx: Connection, statement: Any, by: Counter[int]) -> None:
    if by:
        tx.execute(statement, [{"which": which, "less": less} for which, less in sorted(by.items())])
