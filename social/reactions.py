"""Likes, and reactions with an emoji; a Dislike is a reaction of that name.

One like per person and post, one reaction per person, post and emoji, however often and in whichever order they come.
"""

from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Executable, bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert  # SQLite has the same ON CONFLICT

from federation.reading import read_reaction, same_origin
from outbox import documents, enqueue
from social import accounts, fulltext, notifications, undone
from social.errors import Invalid, NotFound
from social.posts import find, groups
from store.ids import new_id
from store.tables import Account, Like, Post, Reaction, likes, posts, reactions
from store.tables.base import Id

DISLIKE: Final = "Dislike"
MOST: Final = 8  # reactions of one person to one post
NAME_LIMIT: Final = 100

_POST, _ACCOUNT = bindparam("post", type_=Id), bindparam("account", type_=Id)
_ADD = insert(likes).on_conflict_do_nothing()
_MINE = (likes.c.post_id == _POST, likes.c.account_id == _ACCOUNT)
_FIND = select(likes).where(*_MINE)
_END = delete(likes).where(*_MINE).returning(*likes.c)
_BY_URI = delete(likes).where(likes.c.uri == bindparam("uri"), likes.c.account_id == _ACCOUNT).returning(*likes.c)
_URI_TAKEN = select(likes.c.id).where(likes.c.uri == bindparam("uri"))
_COUNT = (
    update(posts)
    .where(posts.c.id == _POST)
    .values(likes_count=posts.c.likes_count + bindparam("by"), version=posts.c.version + 1)
)
_LIKED_BY = (
    select(likes.c.account_id).where(likes.c.post_id == _POST).order_by(likes.c.id.desc()).limit(bindparam("most"))
)
_CHANGED = update(posts).where(posts.c.id == _POST).values(version=posts.c.version + 1)
_ADD_REACTION = insert(reactions).on_conflict_do_nothing()
_MY_REACTIONS = (reactions.c.post_id == _POST, reactions.c.account_id == _ACCOUNT)
_HOW_MANY = select(func.count()).select_from(reactions).where(*_MY_REACTIONS)
_REACTION_TAKEN = select(reactions.c.uri).where(reactions.c.uri == bindparam("uri"))
_END_REACTION = delete(reactions).where(*_MY_REACTIONS, reactions.c.name == bindparam("name_")).returning(*reactions.c)
_REACTION_BY_URI = (
    delete(reactions)
    .where(reactions.c.uri == bindparam("uri"), reactions.c.account_id == _ACCOUNT)
    .returning(*reactions.c)
)


def like(tx: Connection, account_id: int, post_id: int, now: datetime) -> Post:
    """One of ours likes a post; to like a boost is to like what it boosts.  Raises: NotFound."""
    account, post = accounts.by_id(tx, account_id), find.original(tx, post_id, account_id)
    number = new_id()
    made = Like(post.id, account.id, number, f"{account.uri}#likes/{number}", now)
    if _store(tx, made, post, now):
        fulltext.ask(tx, [post.id])  # now he can find it
        _send(tx, account, post, documents.like(account, post.uri, made.uri, _author(tx, post)), now)
    return find.by_id(tx, post.id)


def unlike(tx: Connection, account_id: int, post_id: int, now: datetime | None = None) -> Post:
    """Raises: NotFound."""
    account, post = accounts.by_id(tx, account_id), find.original(tx, post_id, account_id)
    row = tx.execute(_END, {"post": post.id, "account": account_id}).one_or_none()
    if row is not None:
        tx.execute(_COUNT, {"post": post.id, "by": -1})
        undo = documents.undo(documents.like(account, post.uri, Like(*row).uri, _author(tx, post)))
        _send(tx, account, post, undo, now)
    return find.by_id(tx, post.id)


def receive_like(tx: Connection, account: Account, post_uri: str, uri: str, now: datetime) -> bool:
    """The remote `account` likes a post.  False: nothing new, no such post, or one that it may not see."""
    post = _seen(tx, account, post_uri, uri)
    if post is None:
        return False
    number = new_id()
    usable = same_origin(uri, account.uri) and tx.execute(_URI_TAKEN, {"uri": uri}).first() is None
    return _store(
        tx, Like(post.id, account.id, number, uri if usable else f"{account.uri}#likes/{number}", now), post, now
    )


def receive_unlike(tx: Connection, account: Account, post_uri: str | None, uri: str | None, now: datetime) -> bool:
    """`account` takes a like back: of that post where it is known, else the one with that `uri`.

    False: there is none yet; it will not count when it comes.
    """
    row = _ended(tx, account, post_uri, uri, _END, _BY_URI)
    if row is not None:
        tx.execute(_COUNT, {"post": Like(*row).post_id, "by": -1})
        return True
    undone.bury(tx, uri, account.uri, now)
    return False


def react(tx: Connection, account_id: int, post_id: int, emoji: str, now: datetime) -> Post:
    """One of ours reacts with an emoji of Unicode.  Raises: Invalid, NotFound."""
    found = read_reaction({"content": emoji})
    if found is None or found.emoji_url is not None:
        raise Invalid("That is no emoji")
    account, post = accounts.by_id(tx, account_id), find.original(tx, post_id, account_id)
    uri = f"{account.uri}#reactions/{new_id()}"
    made = Reaction(post.id, account.id, found.content, None, uri, now)
    if _store_reaction(tx, made, post, now):
        _send(tx, account, post, documents.emoji_react(account, post.uri, uri, found.content, _author(tx, post)), now)
    return find.by_id(tx, post.id)


def unreact(tx: Connection, account_id: int, post_id: int, emoji: str, now: datetime | None = None) -> Post:
    """Raises: NotFound."""
    account, post = accounts.by_id(tx, account_id), find.original(tx, post_id, account_id)
    row = tx.execute(_END_REACTION, {"post": post.id, "account": account_id, "name_": emoji}).one_or_none()
    if row is not None:
        tx.execute(_CHANGED, {"post": post.id})
        ended = Reaction(*row)
        said = documents.emoji_react(account, post.uri, ended.uri, ended.name, _author(tx, post), ended.url)
        _send(tx, account, post, documents.undo(said), now)
    return find.by_id(tx, post.id)


def receive_reaction(
    tx: Connection, account: Account, post_uri: str, uri: str, name: str, url: str | None, now: datetime
) -> bool:
    """The remote `account` reacts with `name`, an emoji or `:shortcode:` with its picture at `url`, or DISLIKE.

    False: nothing new, no such post, one that it may not see, or too many of them.
    """
    if not 0 < len(name) <= NAME_LIMIT:
        return False
    post = _seen(tx, account, post_uri, uri)
    if post is None:
        return False
    if not same_origin(uri, account.uri) or tx.execute(_REACTION_TAKEN, {"uri": uri}).first() is not None:
        uri = f"{account.uri}#reactions/{new_id()}"
    return _store_reaction(tx, Reaction(post.id, account.id, name, url, uri, now), post, now)


def receive_unreaction(
    tx: Connection, account: Account, post_uri: str | None, uri: str | None, name: str, now: datetime
) -> bool:
    """`account` takes a reaction back.  False: there is none yet; it will not count when it comes."""
    row = _ended(tx, account, post_uri, uri, _END_REACTION, _REACTION_BY_URI, name_=name)
    if row is not None:
        tx.execute(_CHANGED, {"post": Reaction(*row).post_id})
        return True
    undone.bury(tx, uri, account.uri, now)
    return False


def liked_by(tx: Connection, post_id: int, most: int = 40) -> list[int]:
    """The accounts that like a post, the newest first."""
    return list(tx.scalars(_LIKED_BY, {"post": post_id, "most": most}))


def _seen(tx: Connection, account: Account, post_uri: str, uri: str) -> Post | None:
    """The post that a remote account does something with, if it may see it and did not take it back before."""
    if account.is_local or undone.take(tx, uri, account.uri):
        return None
    known = find.find_by_uri(tx, post_uri)
    if known is None:
        return None
    try:
        return find.original(tx, known.id, account.id)
    except NotFound:
        return None


def _store(tx: Connection, made: Like, post: Post, now: datetime) -> bool:
    if not tx.execute(_ADD, asdict(made)).rowcount:
        return False
    tx.execute(_COUNT, {"post": post.id, "by": 1})
    notifications.notify(tx, post.author_id, "favourite", made.account_id, post.id, now)
    return True


def _store_reaction(tx: Connection, made: Reaction, post: Post, now: datetime) -> bool:
    accounts.hold(tx, made.account_id)
    if (tx.scalar(_HOW_MANY, {"post": post.id, "account": made.account_id}) or 0) >= MOST:
        return False
    if not tx.execute(_ADD_REACTION, asdict(made)).rowcount:
        return False
    tx.execute(_CHANGED, {"post": post.id})
    if made.name != DISLIKE:  # clients know no better kind
        notifications.notify(tx, post.author_id, "favourite", made.account_id, post.id, now)
    return True


def _ended(
    tx: Connection,
    account: Account,
    post_uri: str | None,
    uri: str | None,
    by_post: Executable,
    by_uri: Executable,
    **more: Any,
) -> Any:
    """The row that is gone.  What the activity is called counts first, then whose and of which post it is."""
    row = None
    if uri is not None:
        row = tx.execute(by_uri, {"uri": uri, "account": account.id}).one_or_none()
    if row is None and post_uri is not None and (post := find.find_by_uri(tx, post_uri)):
        row = tx.execute(by_post, {"post": post.boost_of_id or post.id, "account": account.id, **more}).one_or_none()
    return row


def _author(tx: Connection, post: Post) -> str:
    return accounts.by_id(tx, post.author_id).uri


def _send(tx: Connection, account: Account, post: Post, document: Any, now: datetime | None) -> None:
    """To its author, and the groups that it was said in."""
    if not post.local:
        enqueue.to_accounts(tx, account, document, [post.author_id, *groups.of(tx, post.id)], now=now)
