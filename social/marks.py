"""What a reader keeps for himself: bookmarks, the list of what he likes, and conversations that should be quiet."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Select, bindparam, delete, select
from sqlalchemy.dialects.postgresql import insert  # SQLite has the same ON CONFLICT

from social import fulltext, views
from social.pages import Page
from social.paging import Paged
from social.posts import find
from social.views import PostView
from social.visibility import VIEWER, visible
from store.ids import new_id
from store.tables import Post, bookmarks, likes, posts, thread_mutes
from store.tables.base import Id

_ACCOUNT = bindparam("account", type_=Id)
_ADD = insert(bookmarks).on_conflict_do_nothing()
_REMOVE = delete(bookmarks).where(
    bookmarks.c.account_id == _ACCOUNT, bookmarks.c.post_id == bindparam("post", type_=Id)
)
_MUTE = insert(thread_mutes).on_conflict_do_nothing()
_UNMUTE = delete(thread_mutes).where(
    thread_mutes.c.account_id == _ACCOUNT, thread_mutes.c.thread_id == bindparam("thread", type_=Id)
)


def bookmark(tx: Connection, account_id: int, post_id: int, now: datetime) -> Post:
    """To keep a boost is to keep what it boosts.  Raises: NotFound."""
    post = find.original(tx, post_id, account_id)
    tx.execute(_ADD, {"account_id": account_id, "post_id": post.id, "id": new_id(), "created_at": now})
    fulltext.ask(tx, [post.id])  # now he can find it
    return post


def unbookmark(tx: Connection, account_id: int, post_id: int, now: datetime | None = None) -> Post:  # noqa: ARG001
    """Raises: NotFound."""
    post = find.original(tx, post_id, account_id)
    tx.execute(_REMOVE, {"account": account_id, "post": post.id})
    return post


def mute_thread(tx: Connection, account_id: int, post_id: int, now: datetime) -> Post:
    """No notification comes any more of the conversation that the post is part of.  Raises: NotFound."""
    post = find.original(tx, post_id, account_id)
    tx.execute(_MUTE, {"account_id": account_id, "thread_id": post.thread_id, "created_at": now})
    return post


def unmute_thread(tx: Connection, account_id: int, post_id: int, now: datetime | None = None) -> Post:  # noqa: ARG001
    """Raises: NotFound."""
    post = find.original(tx, post_id, account_id)
    tx.execute(_UNMUTE, {"account": account_id, "thread": post.thread_id})
    return post


def _kept(table: Any) -> Paged:
    query: Select[Any] = (
        select(table.c.id, table.c.post_id)
        .join(posts, posts.c.id == table.c.post_id)
        .where(table.c.account_id == VIEWER, visible())
    )
    return Paged(query, table.c.id)


_BOOKMARKS: Final = _kept(bookmarks)
_LIKES: Final = _kept(likes)


def bookmarks_page(tx: Connection, account_id: int, page: Page) -> tuple[Sequence[int], list[PostView]]:
    """What he keeps, the newest first, and the numbers by which the list is cut."""
    return _page(tx, _BOOKMARKS, account_id, page)


def likes_page(tx: Connection, account_id: int, page: Page) -> tuple[Sequence[int], list[PostView]]:
    """What he likes, in the same way."""
    return _page(tx, _LIKES, account_id, page)


def _page(tx: Connection, paged: Paged, account_id: int, page: Page) -> tuple[Sequence[int], list[PostView]]:
    rows = paged.rows(tx, page, viewer=account_id)
    return [row[0] for row in rows], views.posts(tx, [row[1] for row in rows], account_id)
