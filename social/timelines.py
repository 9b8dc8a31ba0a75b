"""Feeds: home, written when a post arrives; public, of an account and of a tag, read from the indexes.

The home feed holds a reader's own posts and those of whom he follows.  A comment on somebody else's post is there only
if he follows that one too, or was answered himself; while its parent is unknown it waits (social/posts/healing.py).
Direct posts are not in it: they are notified.
"""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    bindparam,
    delete,
    exists,
    literal,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import insert  # SQLite has the same ON CONFLICT

from social import views
from social.pages import Page
from social.paging import Paged, padded
from social.views import PostView
from social.visibility import visible, wanted
from store.tables import blocks, follows, home_entries, media, post_tags, posts, users
from store.tables.base import Id

FILL: Final = 40  # posts that a new follow brings into the home feed

_IDS = bindparam("ids", expanding=True, type_=Id)
_OWNER, _AUTHOR = bindparam("owner", type_=Id), bindparam("author", type_=Id)
_parent, _original, _also = posts.alias("parent"), posts.alias("boosted"), follows.alias("also")


def _belongs() -> ColumnElement[bool]:
    """Does `posts`, joined with `follows` and its parent, belong into the home feed of the follower?"""
    reader = follows.c.follower_id
    follows_the_answered = exists().where(
        _also.c.target_id == _parent.c.author_id, _also.c.follower_id == reader, _also.c.accepted
    )
    answer = or_(
        posts.c.reply_to_uri.is_(None),
        _parent.c.author_id == posts.c.author_id,
        _parent.c.author_id == reader,
        follows_the_answered,
    )
    unsuitable = exists().where(
        _original.c.id == posts.c.boost_of_id,
        or_(
            ~_spoken(_original.c.language),
            and_(blocks.c.account_id == reader, blocks.c.target_id == _original.c.author_id),
            and_(blocks.c.account_id == _original.c.author_id, blocks.c.target_id == reader),
        ),
    )
    return or_(
        and_(posts.c.boost_of_id.is_(None), answer, _spoken(posts.c.language)),
        and_(posts.c.boost_of_id.is_not(None), follows.c.show_boosts, ~unsuitable),
    )


def _spoken(language: ColumnElement[str | None]) -> ColumnElement[bool]:
    """Is it one that the follower wants to read?  What says nothing of its language is."""
    among = follows.c.languages.contains(literal(" ") + language + literal(" "))
    return or_(follows.c.languages.is_(None), language.is_(None), among)


_FOR_FOLLOWERS = (
    select(follows.c.follower_id, posts.c.id)
    .join_from(posts, follows, follows.c.target_id == posts.c.author_id)
    .join(users, users.c.account_id == follows.c.follower_id)
    .outerjoin(_parent, _parent.c.id == posts.c.reply_to_id)
    .where(posts.c.visibility != "direct", follows.c.accepted, _belongs())
)
_FOR_AUTHORS = select(users.c.account_id, posts.c.id).join_from(
    posts, users, and_(users.c.account_id == posts.c.author_id, posts.c.visibility != "direct")
)


def _write(entries: Any) -> Any:
    return insert(home_entries).from_select(["owner_id", "post_id"], entries).on_conflict_do_nothing()


# SQLite takes ON CONFLICT after a compound SELECT for part of a join, unless a WHERE stands between.
_both = union_all(_FOR_FOLLOWERS.where(posts.c.id.in_(_IDS)), _FOR_AUTHORS.where(posts.c.id.in_(_IDS))).subquery()
_PUSH = _write(select(_both).where(true()))
_FILL = _write(
    select(
        _FOR_FOLLOWERS.where(posts.c.author_id == _AUTHOR, follows.c.follower_id == _OWNER)
        .order_by(posts.c.id.desc())
        .limit(FILL)
        .subquery()
    ).where(true())
)
_EMPTY = delete(home_entries).where(
    home_entries.c.owner_id == _OWNER,
    home_entries.c.post_id.in_(select(posts.c.id).where(posts.c.author_id == _AUTHOR)),
)


def push(tx: Connection, ids: Sequence[int]) -> None:
    """Adds stored posts, however many, to the home feeds where they belong.  A second time is harmless."""
    if ids:
        tx.execute(_PUSH, {"ids": padded(ids)})


def fill(tx: Connection, owner_id: int, author_id: int) -> None:
    """Adds the newest posts of `author_id`, whom `owner_id` follows since now."""
    tx.execute(_FILL, {"owner": owner_id, "author": author_id})


def empty(tx: Connection, owner_id: int, author_id: int) -> None:
    """Takes the posts of `author_id` out again: unfollowed, or blocked."""
    tx.execute(_EMPTY, {"owner": owner_id, "author": author_id})


_SEEN = (visible(), wanted())
_HOME = Paged(
    select(home_entries.c.post_id)
    .join(posts, posts.c.id == home_entries.c.post_id)
    .where(home_entries.c.owner_id == bindparam("viewer", type_=Id), *_SEEN),
    home_entries.c.post_id,
)
_LISTED = select(posts.c.id).where(posts.c.listed, *_SEEN)
_PUBLIC = Paged(_LISTED, posts.c.id)
_LOCAL = Paged(_LISTED.where(posts.c.local), posts.c.id)


def home_page(tx: Connection, reader_id: int, page: Page) -> list[PostView]:
    """A page of the reader's home feed, newest first."""
    return views.posts(tx, _HOME(tx, page, viewer=reader_id), reader_id)


def public_page(tx: Connection, viewer_id: int | None, page: Page, local_only: bool = False) -> list[PostView]:
    """What everybody writes publicly, here and elsewhere; no boosts, no comments on others."""
    ids = _LOCAL if local_only else _PUBLIC
    return views.posts(tx, ids(tx, page, viewer=viewer_id), viewer_id)


def _flag(name: str) -> ColumnElement[bool]:
    return bindparam(name) == literal(1)  # a number: no engine needs to guess its type


_answered = posts.alias("answered")
_OF_ACCOUNT = select(posts.c.id).where(posts.c.author_id == _AUTHOR, visible())
_answers_himself = exists().where(_answered.c.id == posts.c.reply_to_id, _answered.c.author_id == posts.c.author_id)
_ACCOUNT = Paged(
    _OF_ACCOUNT.where(
        or_(_flag("replies"), posts.c.reply_to_uri.is_(None), _answers_himself),
        or_(_flag("boosts"), posts.c.boost_of_id.is_(None)),
    ),
    posts.c.id,
)
_MEDIA = Paged(_OF_ACCOUNT.where(exists().where(media.c.post_id == posts.c.id)), posts.c.id)
_TAG = Paged(
    select(post_tags.c.post_id)
    .join(posts, posts.c.id == post_tags.c.post_id)
    .where(
        post_tags.c.name == bindparam("tag"),
        posts.c.visibility == "public",
        or_(~_flag("local"), posts.c.local),
        *_SEEN,
    ),
    post_tags.c.post_id,
)


def account_page(
    tx: Connection,
    viewer_id: int | None,
    account_id: int,
    page: Page,
    *,
    replies: bool = True,
    boosts: bool = True,
    only_media: bool = False,
) -> list[PostView]:
    """What one account wrote and boosted.  replies=False leaves out comments on others, not those on himself."""
    who: dict[str, Any] = {"viewer": viewer_id, "author": account_id}
    if only_media:
        return views.posts(tx, _MEDIA(tx, page, **who), viewer_id)
    return views.posts(tx, _ACCOUNT(tx, page, **who, replies=int(replies), boosts=int(boosts)), viewer_id)


def tag_page(tx: Connection, viewer_id: int | None, name: str, page: Page, local_only: bool = False) -> list[PostView]:
    """Public posts, comments among them, with a hashtag; `name` as social.text normalises it."""
    return views.posts(tx, _TAG(tx, page, viewer=viewer_id, tag=name, local=int(local_only)), viewer_id)
