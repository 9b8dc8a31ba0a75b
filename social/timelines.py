"""Feeds: home, written when a post arrives; public, of an account and of a tag, read from the indexes.

The home feed holds a reader's own posts and those of whom he follows.  A comment on somebody else's post is there only
if he follows that one too, or was answered himself; while its parent is unknown it waits (social/posts/healing.py).
Direct posts are not in it: they are notified.

What is among the newest of a feed already, by itself or by somebody's boost, is not boosted into it again.

The feed of a list is written at arrival, too: it has what its members bring into the home feed, as far as the list
wants answers.  Members of an exclusive list are there instead of home.
"""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    and_,
    bindparam,
    delete,
    exists,
    func,
    literal,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import insert  # SQLite has the same ON CONFLICT

from social.pages import Page
from social.paging import padded
from social.views import Feed, PostView
from social.visibility import visible, wanted
from store.prepared import Change
from store.tables import (
    blocks,
    followed_tags,
    follows,
    home_entries,
    list_entries,
    list_members,
    lists,
    media,
    post_tags,
    posts,
    users,
)
from store.tables.base import Id

FILL: Final = 40  # posts that a new follow brings into the home feed
AGAIN: Final = 40  # so far down in a feed must a post be, for a boost to bring it up; as in Mastodon

_IDS = bindparam("ids", expanding=True, type_=Id)
_OWNER, _AUTHOR = bindparam("owner", type_=Id), bindparam("author", type_=Id)
_parent, _original, _also = posts.alias("parent"), posts.alias("boosted"), follows.alias("also")
_shown = posts.alias("shown")


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
    # Each block by its whole key: an OR beside another condition would read the whole table.
    blocked = or_(
        exists()
        .where(blocks.c.account_id == reader, blocks.c.target_id == _original.c.author_id)
        .correlate(follows, _original),
        exists()
        .where(blocks.c.account_id == _original.c.author_id, blocks.c.target_id == reader)
        .correlate(follows, _original),
    )
    unsuitable = exists().where(_original.c.id == posts.c.boost_of_id, or_(~_spoken(_original.c.language), blocked))
    return or_(
        and_(posts.c.boost_of_id.is_(None), answer, _spoken(posts.c.language)),
        and_(posts.c.boost_of_id.is_not(None), follows.c.show_boosts, ~unsuitable),
    )


def _spoken(language: ColumnElement[str | None]) -> ColumnElement[bool]:
    """Is it one that the follower wants to read?  What says nothing of its language is."""
    among = follows.c.languages.contains(literal(" ") + language + literal(" "))
    return or_(follows.c.languages.is_(None), language.is_(None), among)


def _kept_in_a_list() -> ColumnElement[bool]:
    """Is the author in an exclusive list of the follower?  One look at an index where nobody has him in any list."""
    return exists().where(
        list_members.c.account_id == posts.c.author_id,
        list_members.c.follower_id == follows.c.follower_id,
        lists.c.id == list_members.c.list_id,
        lists.c.exclusive,
    )


def _is_new(feed: Table, owner: ColumnElement[int], reader: ColumnElement[int]) -> ColumnElement[bool]:
    """Is `posts` a boost of what is not among the newest in the `feed` (home, or a list) of `owner`?"""
    entries, newest = feed.alias("entries"), feed.alias("newest")
    of, what = entries.c[0], entries.c.post_id
    depth = (
        select(newest.c.post_id).where(newest.c[0] == of).order_by(newest.c.post_id.desc()).offset(AGAIN - 1).limit(1)
    )
    itself, boost = _shown.c.id == posts.c.boost_of_id, _shown.c.boost_of_id == posts.c.boost_of_id
    return ~exists().where(
        or_(itself, boost),
        of == owner,
        what == _shown.c.id,
        what >= func.coalesce(depth.scalar_subquery(), 0),
        wanted(_shown, reader),
    )


_FOR_FOLLOWERS = (
    select(follows.c.follower_id, posts.c.id)
    .join_from(posts, follows, follows.c.target_id == posts.c.author_id)
    .join(users, users.c.account_id == follows.c.follower_id)
    .outerjoin(_parent, _parent.c.id == posts.c.reply_to_id)
    .where(
        posts.c.visibility != "direct",
        follows.c.accepted,
        _belongs(),
        ~_kept_in_a_list(),
    )
)
_FOR_AUTHORS = select(users.c.account_id, posts.c.id).join_from(
    posts, users, and_(users.c.account_id == posts.c.author_id, posts.c.visibility != "direct")
)


def _write(entries: Any) -> Change:
    return Change(insert(home_entries).from_select(["owner_id", "post_id"], entries).on_conflict_do_nothing())


# SQLite takes ON CONFLICT after a compound SELECT for part of a join, unless a WHERE stands between.
_both = union_all(_FOR_FOLLOWERS.where(posts.c.id.in_(_IDS)), _FOR_AUTHORS.where(posts.c.id.in_(_IDS))).subquery()
_PUSH = _write(select(_both).where(true()))
_boosted = union_all(
    _FOR_FOLLOWERS.where(posts.c.id.in_(_IDS), _is_new(home_entries, follows.c.follower_id, follows.c.follower_id)),
    _FOR_AUTHORS.where(posts.c.id.in_(_IDS), _is_new(home_entries, users.c.account_id, users.c.account_id)),
).subquery()
_PUSH_BOOST = _write(select(_boosted).where(true()))
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


_also_listed = list_members.alias("also_listed")


def _for_lists() -> Any:
    """(list, post): what belongs into the feeds of lists.  Whoever is in his own list is there with all he writes."""
    answers_nobody = or_(posts.c.reply_to_uri.is_(None), _parent.c.author_id == posts.c.author_id)
    answers_member = exists().where(
        _also_listed.c.list_id == lists.c.id, _also_listed.c.account_id == _parent.c.author_id
    )
    wants = or_(
        answers_nobody,
        _parent.c.author_id == lists.c.account_id,
        and_(_parent.c.id.is_not(None), lists.c.replies_policy == "followed"),
        and_(lists.c.replies_policy == "list", answers_member),
    )
    follows_him = and_(
        follows.c.target_id == list_members.c.account_id, follows.c.follower_id == list_members.c.follower_id
    )
    return (
        select(list_members.c.list_id, posts.c.id)
        .join_from(posts, list_members, list_members.c.account_id == posts.c.author_id)
        .join(lists, lists.c.id == list_members.c.list_id)
        .outerjoin(follows, follows_him)
        .outerjoin(_parent, _parent.c.id == posts.c.reply_to_id)
        .where(
            posts.c.visibility != "direct",
            or_(list_members.c.follower_id.is_(None), and_(follows.c.accepted, _belongs())),
            wants,
        )
    )


def _write_lists(entries: Any) -> Change:
    return Change(insert(list_entries).from_select(["list_id", "post_id"], entries).on_conflict_do_nothing())


_LIST = bindparam("list", type_=Id)
_PUSH_LISTS = _write_lists(_for_lists().where(posts.c.id.in_(_IDS)))
_PUSH_BOOST_LISTS = _write_lists(
    _for_lists().where(posts.c.id.in_(_IDS), _is_new(list_entries, lists.c.id, lists.c.account_id))
)
_NEWEST_FOR_LISTS = _for_lists().where(posts.c.author_id == _AUTHOR).order_by(posts.c.id.desc())
_FILL_LIST = _write_lists(
    select(_NEWEST_FOR_LISTS.where(lists.c.id == _LIST).limit(FILL).subquery("newest")).where(true())
)
_LISTS_OF = select(list_members.c.list_id).where(
    list_members.c.account_id == _AUTHOR, list_members.c.follower_id == _OWNER
)
_EMPTY_LISTS = delete(list_entries).where(
    list_entries.c.list_id.in_(select(lists.c.id).where(lists.c.account_id == _OWNER)),
    list_entries.c.post_id.in_(select(posts.c.id).where(posts.c.author_id == _AUTHOR)),
)
_EMPTY_LIST = delete(list_entries).where(
    list_entries.c.list_id == _LIST,
    list_entries.c.post_id.in_(select(posts.c.id).where(posts.c.author_id == _AUTHOR)),
)
_PUSH_TAGGED = _write(
    select(followed_tags.c.account_id, posts.c.id)
    .distinct()
    .join_from(posts, post_tags, post_tags.c.post_id == posts.c.id)
    .join(followed_tags, followed_tags.c.name == post_tags.c.name)
    .where(
        posts.c.id.in_(_IDS),
        posts.c.visibility == "public",
        followed_tags.c.account_id != posts.c.author_id,
        ~exists().where(
            or_(
                and_(blocks.c.account_id == followed_tags.c.account_id, blocks.c.target_id == posts.c.author_id),
                and_(blocks.c.account_id == posts.c.author_id, blocks.c.target_id == followed_tags.c.account_id),
            )
        ),
    )
)


def push(tx: Connection, ids: Sequence[int]) -> None:
    """Adds stored posts, however many, to the home feeds and lists where they belong.  A second time is harmless."""
    if ids:
        _PUSH.run(tx, ids=padded(ids))
        _PUSH_LISTS.run(tx, ids=padded(ids))


def push_boost(tx: Connection, boost_id: int) -> None:
    """The same for a boost, but where what it boosts is among the newest already."""
    _PUSH_BOOST.run(tx, ids=[boost_id])
    _PUSH_BOOST_LISTS.run(tx, ids=[boost_id])


def push_tagged(tx: Connection, ids: Sequence[int]) -> None:
    """Adds public posts to the home feeds of those who follow one of their hashtags."""
    if ids:
        _PUSH_TAGGED.run(tx, ids=padded(ids))


def fill(tx: Connection, owner_id: int, author_id: int) -> None:
    """Adds the newest posts of `author_id`, whom `owner_id` follows since now, or has in no exclusive list any more."""
    _FILL.run(tx, owner=owner_id, author=author_id)
    for list_id in tx.scalars(_LISTS_OF, {"owner": owner_id, "author": author_id}).all():
        fill_list(tx, list_id, author_id)


def empty(tx: Connection, owner_id: int, author_id: int) -> None:
    """Takes the posts of `author_id` out again, of lists too: unfollowed, or blocked."""
    empty_home(tx, owner_id, author_id)
    tx.execute(_EMPTY_LISTS, {"owner": owner_id, "author": author_id})


def empty_home(tx: Connection, owner_id: int, author_id: int) -> None:
    tx.execute(_EMPTY, {"owner": owner_id, "author": author_id})


def fill_list(tx: Connection, list_id: int, author_id: int) -> None:
    """Adds the newest posts of a new member."""
    _FILL_LIST.run(tx, list=list_id, author=author_id)


def empty_list(tx: Connection, list_id: int, author_id: int) -> None:
    tx.execute(_EMPTY_LIST, {"list": list_id, "author": author_id})


_SEEN = (visible(), wanted())
_HOME = Feed(
    select(home_entries.c.post_id)
    .join(posts, posts.c.id == home_entries.c.post_id)
    .where(home_entries.c.owner_id == bindparam("viewer", type_=Id), *_SEEN),
    home_entries.c.post_id,
)
_LISTED = select(posts.c.id).where(posts.c.listed, *_SEEN)
_WITH_MEDIA = exists().where(media.c.post_id == posts.c.id)
_PLACES = {"": _LISTED, "local": _LISTED.where(posts.c.local), "remote": _LISTED.where(~posts.c.local)}
_PUBLIC = {
    (place, only_media): Feed(query.where(_WITH_MEDIA) if only_media else query, posts.c.id)
    for place, query in _PLACES.items()
    for only_media in (False, True)
}
_OF_LIST = Feed(
    select(list_entries.c.post_id)
    .join(posts, posts.c.id == list_entries.c.post_id)
    .where(list_entries.c.list_id == _LIST, *_SEEN),
    list_entries.c.post_id,
)


def home_page(tx: Connection, reader_id: int, page: Page) -> list[PostView]:
    """A page of the reader's home feed, newest first."""
    return _HOME(tx, page, reader_id)


def list_page(tx: Connection, reader_id: int, list_id: int, page: Page) -> list[PostView]:
    """A page of the feed of a list, which is the reader's own: the caller made sure."""
    return _OF_LIST(tx, page, reader_id, list=list_id)


def public_page(
    tx: Connection,
    viewer_id: int | None,
    page: Page,
    *,
    local_only: bool = False,
    remote_only: bool = False,
    only_media: bool = False,
) -> list[PostView]:
    """What everybody writes publicly, here and elsewhere; no boosts, no comments on others."""
    if local_only and remote_only:
        return []
    place = "local" if local_only else "remote" if remote_only else ""
    return _PUBLIC[place, only_media](tx, page, viewer_id)


def _flag(name: str) -> ColumnElement[bool]:
    return bindparam(name) == literal(1)  # a number: no engine needs to guess its type


_answered = posts.alias("answered")
_OF_ACCOUNT = select(posts.c.id).where(posts.c.author_id == _AUTHOR, visible())
_answers_himself = exists().where(_answered.c.id == posts.c.reply_to_id, _answered.c.author_id == posts.c.author_id)
_ACCOUNT = Feed(
    _OF_ACCOUNT.where(
        or_(_flag("replies"), posts.c.reply_to_uri.is_(None), _answers_himself),
        or_(_flag("boosts"), posts.c.boost_of_id.is_(None)),
        or_(_flag("direct"), posts.c.visibility != "direct"),
    ),
    posts.c.id,
)
_MEDIA = Feed(_OF_ACCOUNT.where(_WITH_MEDIA), posts.c.id)
_WITH_TAG = Feed(
    _OF_ACCOUNT.where(exists().where(post_tags.c.post_id == posts.c.id, post_tags.c.name == bindparam("tag"))),
    posts.c.id,
)


def account_page(
    tx: Connection,
    viewer_id: int | None,
    account_id: int,
    page: Page,
    *,
    replies: bool = True,
    boosts: bool = True,
    direct: bool = True,
    only_media: bool = False,
    tag: str = "",
) -> list[PostView]:
    """What one account wrote and boosted.  replies=False leaves out comments on others, not those on himself.

    tag: what has that hashtag, whatever else is said; then only_media.
    """
    if tag:
        return _WITH_TAG(tx, page, viewer_id, author=account_id, tag=tag)
    if only_media:
        return _MEDIA(tx, page, viewer_id, author=account_id)
    chosen = {"replies": int(replies), "boosts": int(boosts), "direct": int(direct)}
    return _ACCOUNT(tx, page, viewer_id, author=account_id, **chosen)
