"""Posts that an account shows on top of its profile: the collection `featured`."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, bindparam, delete, func, select
from sqlalchemy.dialects.postgresql import insert  # SQLite has the same ON CONFLICT

from outbox import documents, enqueue
from social import accounts, ties, views
from social.errors import Invalid, NotFound
from social.posts import find
from social.views import PostView
from store import jobs
from store.ids import new_id
from store.tables import Account, Post, pins, posts
from store.tables.base import Id

MOST: Final = 5  # of ours, as on Mastodon
MOST_REMOTE: Final = 20
FETCH: Final = "fetch_pinned"
LOOK: Final = "fetch_featured"  # the whole collection

_ACCOUNT = bindparam("account", type_=Id)
_ADD = insert(pins).on_conflict_do_nothing()
_REMOVE = delete(pins).where(pins.c.account_id == _ACCOUNT, pins.c.post_id == bindparam("post", type_=Id))
_CLEAR = delete(pins).where(pins.c.account_id == _ACCOUNT)
_HOW_MANY = select(func.count()).select_from(pins).where(pins.c.account_id == _ACCOUNT)
_PINNED = (
    select(posts.c.id)
    .join(pins, pins.c.post_id == posts.c.id)
    .where(pins.c.account_id == _ACCOUNT)
    .order_by(pins.c.created_at.desc(), posts.c.id.desc())
)


def pin(tx: Connection, account_id: int, post_id: int, now: datetime) -> Post:
    """One of ours pins a post of his own.  Raises: NotFound, Invalid."""
    post = find.own(tx, post_id, account_id)
    if post.visibility == "direct":
        raise Invalid("A direct post cannot be pinned")
    accounts.hold(tx, account_id)
    if post.id in pinned(tx, account_id):
        return post
    if (tx.scalar(_HOW_MANY, {"account": account_id}) or 0) >= MOST:
        raise Invalid(f"At most {MOST} posts can be pinned")
    tx.execute(_ADD, {"account_id": account_id, "post_id": post.id, "created_at": now})
    if not post.local_only:
        author = accounts.by_id(tx, account_id)
        enqueue.to_followers(tx, author, documents.add(author, post.uri, new_id()), now=now)
    return post


def unpin(tx: Connection, account_id: int, post_id: int, now: datetime | None = None) -> Post:
    """Raises: NotFound."""
    post = find.own(tx, post_id, account_id)
    if tx.execute(_REMOVE, {"account": account_id, "post": post.id}).rowcount and not post.local_only:
        author = accounts.by_id(tx, account_id)
        enqueue.to_followers(tx, author, documents.remove(author, post.uri, new_id()), now=now)
    return post


def pinned(tx: Connection, account_id: int) -> list[int]:
    """The ids of an account's pinned posts, the one pinned last first.  Whoever shows them asks who may see them."""
    return list(tx.scalars(_PINNED, {"account": account_id}))


def shown(tx: Connection, viewer_id: int | None, account_id: int) -> list[PostView]:
    """Those of them that the viewer may see."""
    return views.posts(tx, pinned(tx, account_id), viewer_id)


def receive_add(tx: Connection, account: Account, target_uri: str, post_uri: str, now: datetime) -> bool:
    """The remote `account` pins a post: its own, to its own collection.  False: nothing new, or not its to pin.

    A post that we do not have is fetched if somebody here follows the account: the job `fetch_pinned` ends by
    calling `finish`.
    """
    if account.is_local or account.is_gone or target_uri != account.featured_uri:
        return False
    post = find.find_by_uri(tx, post_uri)
    if post is not None:
        return _keep(tx, account, post, now)
    if ties.is_followed(tx, account.id):
        jobs.ask(tx, FETCH, f"{post_uri} {account.uri}", {"uri": post_uri, "account": account.uri}, now)
    return False


def finish(tx: Connection, post_id: int, payload: Mapping[str, Any], now: datetime) -> bool:
    """The pin for which the job `fetch_pinned`, with that payload, brought a post."""
    account = accounts.find_by_uri(tx, payload["account"])
    try:
        return account is not None and _keep(tx, account, find.by_id(tx, post_id), now)
    except NotFound:
        return False


def look(tx: Connection, account: Account, now: datetime) -> None:
    """Asks for all that a remote account pinned: GoToSocial never says it, and nobody says it to who comes later."""
    if not account.is_local and not account.is_gone and account.featured_uri is not None:
        jobs.ask(tx, LOOK, account.uri, {"account": account.uri}, now)


def replace(tx: Connection, account: Account, post_ids: Sequence[int], now: datetime) -> None:
    """These, in that order, are what the remote account pins; what is not its own is left out."""
    tx.execute(_CLEAR, {"account": account.id})
    for place, post_id in enumerate(dict.fromkeys(post_ids)):
        with suppress(NotFound):
            _keep(tx, account, find.by_id(tx, post_id), now - timedelta(seconds=place))


def receive_remove(tx: Connection, account: Account, target_uri: str, post_uri: str) -> bool:
    """The remote `account` no longer pins a post.  False: it did not, or it is not its collection."""
    if account.is_local or target_uri != account.featured_uri:
        return False
    post = find.find_by_uri(tx, post_uri)
    return post is not None and bool(tx.execute(_REMOVE, {"account": account.id, "post": post.id}).rowcount)


def _keep(tx: Connection, account: Account, post: Post, now: datetime) -> bool:
    if post.author_id != account.id or post.boost_of_id is not None or post.visibility == "direct":
        return False
    if (tx.scalar(_HOW_MANY, {"account": account.id}) or 0) >= MOST_REMOTE:
        return False
    return bool(tx.execute(_ADD, {"account_id": account.id, "post_id": post.id, "created_at": now}).rowcount)
