"""Who may see a post.  The one rule of the house: as SQL for lists, and as a predicate for what is already loaded.

A post is visible when its author is neither suspended nor deleted, does not block the viewer, and
    public, unlisted    to everybody;
    private             to the author, those who follow him (accepted) and those addressed;
    direct              to the author and those addressed.
One that is `local_only` is, in each case, for people of ours alone: neither for nobody in particular nor for anybody of
another server, whoever he follows and whoever addressed him (docs/adr/0013).
A boost is visible when both the boost and what it boosts are.  To deny is to say that there is nothing (404).
tests/social/test_visibility.py compares the clause with the predicate over random worlds.
Clauses are kept: many statements ask the same of the same tables, and each costs milliseconds at the start.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final, TypeAlias

from sqlalchemy import BindParameter, ColumnElement, Connection, FromClause, and_, bindparam, exists, or_, select

from store.tables import Post, accounts, blocks, domain_blocks, follows, mentions, mutes, posts, users
from store.tables.base import Id, Instant

VISIBILITIES: Final = ("public", "unlisted", "private", "direct")  # from wide to narrow
OPEN: Final = ("public", "unlisted")  # to be seen by anybody

Who: TypeAlias = ColumnElement[Any]  # a parameter, or a column

VIEWER: BindParameter[int | None] = bindparam("viewer", type_=Id)  # an account's id; None: nobody in particular
# When mutes are looked at; a query that says nothing of it means now.
MOMENT: Final = bindparam("moment", type_=Instant, callable_=lambda: datetime.now(UTC))
_ORIGINAL, _UNWANTED = posts.alias("original"), posts.alias("unwanted")
_THEIR_DOMAIN, _STRANGER = domain_blocks.alias("unwanted_domain"), accounts.alias("stranger")
_OURS = users.alias("ours")


@cache
def visible(post: FromClause = posts, viewer: Who = VIEWER) -> ColumnElement[bool]:
    """The clause for rows of `post` (the table of posts, or an alias); the query needs a value for `viewer`."""
    shown = _there_is(_ORIGINAL, _ORIGINAL.c.id == post.c.boost_of_id, _row(_ORIGINAL, viewer))
    return and_(_row(post, viewer), or_(post.c.boost_of_id.is_(None), shown))


@cache
def wanted(post: FromClause = posts, viewer: Who = VIEWER) -> ColumnElement[bool]:
    """The clause that keeps authors whom the viewer blocks or mutes, and those of domains that he does not want, out
    of his lists, when boosted by others too."""
    boosted = _there_is(_UNWANTED, _UNWANTED.c.id == post.c.boost_of_id, _avoids(viewer, _UNWANTED.c.author_id))
    return and_(~_avoids(viewer, post.c.author_id), or_(post.c.boost_of_id.is_(None), ~boosted))


@cache
def heard(author: ColumnElement[int], viewer: Who = VIEWER) -> ColumnElement[bool]:
    """The clause for: the author is not silenced by a moderator, or the viewer follows him, or is him."""
    silenced = exists().where(accounts.c.id == author, accounts.c.silenced_at.is_not(None))
    return or_(~silenced, author == viewer, _follows(viewer, author))


@cache
def silences(one: ColumnElement[int] | Who, other: ColumnElement[int] | Who) -> ColumnElement[bool]:
    """The clause for: `one` does not want to be notified of what `other` does."""
    return or_(_blocks(one, other), _mutes(one, other, mutes.c.notifications), _shuns_domain(one, other))


@cache
def keeps_apart(other: ColumnElement[int], viewer: Who = VIEWER) -> ColumnElement[bool]:
    """The clause for: the viewer does not want to see `other` in lists, or `other` blocks him."""
    return or_(_avoids(viewer, other), _blocks(other, viewer))


def open_to(owner: ColumnElement[int], viewer: Who = VIEWER) -> ColumnElement[bool]:
    """The clause for what somebody shows to all: he is there, and neither blocks the viewer nor shuns his domain."""
    return and_(~_gone(owner), ~_blocks(owner, viewer), ~_shuns_domain(owner, viewer))


def shown_among(other: ColumnElement[int], viewer: Who = VIEWER) -> ColumnElement[bool]:
    """The clause for: `other` is there, and none of the two blocks the other or shuns his domain."""
    return and_(open_to(other, viewer), ~_blocks(viewer, other), ~_shuns_domain(viewer, other))


def narrower(one: str, other: str) -> str:
    """The one of two visibilities that fewer people have.

    >>> narrower("unlisted", "public")
    'unlisted'
    """
    return max(one, other, key=VISIBILITIES.index)


@dataclass(frozen=True, slots=True)
class Facts:
    """What must be known of a post's author and its viewer."""

    author_is_gone: bool = False  # suspended or deleted
    blocked: bool = False  # the author blocks the viewer
    addressed: bool = False  # the viewer is mentioned, silently or not
    follows: bool = False  # the viewer follows the author, and was accepted
    ours: bool = False  # the viewer is one of our people


def may_see(post: Post, viewer_id: int | None, about: Facts, boosted: tuple[Post, Facts] | None = None) -> bool:
    """The same rule for a loaded post.  `boosted`: what a boost boosts; without it a boost is not shown."""
    if post.boost_of_id is not None and (boosted is None or not may_see(boosted[0], viewer_id, boosted[1])):
        return False
    if about.author_is_gone or about.blocked or (post.local_only and not about.ours):
        return False
    if post.visibility in OPEN:
        return True
    if viewer_id is None:
        return False
    if viewer_id == post.author_id or about.addressed:
        return True
    return post.visibility == "private" and about.follows


def facts(tx: Connection, post: Post, viewer_id: int | None) -> Facts:
    """The facts for `may_see`, in one query."""
    row = tx.execute(_FACTS, {"viewer": viewer_id, "asked": post.id}).one()
    return Facts(*(bool(fact) for fact in row))


@cache
def _row(post: FromClause, viewer: Who) -> ColumnElement[bool]:
    return and_(
        ~_gone(post.c.author_id),
        ~_blocks(post.c.author_id, viewer),
        or_(~post.c.local_only, _ours(viewer)),
        or_(
            post.c.visibility.in_(OPEN),
            post.c.author_id == viewer,
            _addressed(post.c.id, viewer),
            and_(post.c.visibility == "private", _follows(viewer, post.c.author_id)),
        ),
    )


@cache
def _gone(author: ColumnElement[int]) -> ColumnElement[bool]:
    gone = or_(accounts.c.suspended_at.is_not(None), accounts.c.deleted_at.is_not(None))
    return _there_is(accounts, accounts.c.id == author, gone)


@cache
def _blocks(one: ColumnElement[int] | Who, other: ColumnElement[int] | Who) -> ColumnElement[bool]:
    return _there_is(blocks, blocks.c.account_id == one, blocks.c.target_id == other)


@cache
def _avoids(one: ColumnElement[int] | Who, other: ColumnElement[int] | Who) -> ColumnElement[bool]:
    return or_(_blocks(one, other), _mutes(one, other), _shuns_domain(one, other))


@cache
def _mutes(
    one: ColumnElement[int] | Who, other: ColumnElement[int] | Who, *more: ColumnElement[bool]
) -> ColumnElement[bool]:
    """What expired does not count, also before it is swept away."""
    lasting = or_(mutes.c.expires_at.is_(None), mutes.c.expires_at > MOMENT)
    return _there_is(mutes, mutes.c.account_id == one, mutes.c.target_id == other, lasting, *more)


@cache
def _shuns_domain(one: ColumnElement[int] | Who, other: ColumnElement[int] | Who) -> ColumnElement[bool]:
    """Who shuns no domain is found out once, and costs nothing for each row."""
    any_ = _there_is(domain_blocks, domain_blocks.c.account_id == one)
    same = (_STRANGER.c.id == other, _THEIR_DOMAIN.c.domain == _STRANGER.c.domain, _THEIR_DOMAIN.c.account_id == one)
    return and_(any_, exists().where(*same).correlate_except(_STRANGER, _THEIR_DOMAIN))


@cache
def _addressed(post: ColumnElement[int], viewer: Who) -> ColumnElement[bool]:
    return _there_is(mentions, mentions.c.post_id == post, mentions.c.account_id == viewer)


@cache
def _follows(viewer: Who, author: ColumnElement[int]) -> ColumnElement[bool]:
    return _there_is(follows, follows.c.target_id == author, follows.c.follower_id == viewer, follows.c.accepted)


@cache
def _ours(viewer: Who) -> ColumnElement[bool]:
    return _there_is(_OURS, _OURS.c.account_id == viewer)


def _there_is(table: FromClause, *where: ColumnElement[bool]) -> ColumnElement[bool]:
    """All tables but this one are those of the query around it, or of the one around that: left alone, SQLAlchemy
    looks no further than to the nearest, and would ask whether there is anybody at all."""
    return exists().where(*where).correlate_except(table)


_FACTS = select(
    _gone(posts.c.author_id),
    _blocks(posts.c.author_id, VIEWER),
    _addressed(posts.c.id, VIEWER),
    _follows(VIEWER, posts.c.author_id),
    _ours(VIEWER),
).where(posts.c.id == bindparam("asked", type_=Id))
