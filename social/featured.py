"""Hashtags that one of our people shows on his profile, with how much he wrote under them for everybody."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, bindparam, delete, exists, func, select
from sqlalchemy.dialects.postgresql import insert  # SQLite has the same ON CONFLICT

from social.errors import Invalid, NotFound
from social.text import normalise_tag
from social.visibility import OPEN
from store.ids import new_id
from store.tables import FeaturedTag, featured_tags, post_tags, posts
from store.tables.base import Id

MOST: Final = 10
LATEST: Final = 400  # posts whose hashtags are suggested

_OF = bindparam("of", type_=Id)
_ADD = insert(featured_tags).on_conflict_do_nothing()
_THIS = featured_tags.c.id == bindparam("asked", type_=Id)
_END = delete(featured_tags).where(featured_tags.c.account_id == _OF, _THIS)
_HOW_MANY = select(func.count()).select_from(featured_tags).where(featured_tags.c.account_id == _OF)
_used = (
    select(post_tags.c.name, func.count().label("posts"), func.max(posts.c.published).label("last"))
    .join(posts, posts.c.id == post_tags.c.post_id)
    .where(posts.c.author_id == _OF, posts.c.visibility.in_(OPEN))
    .group_by(post_tags.c.name)
    .subquery()
)
_ALL = (
    select(featured_tags, _used.c.posts, _used.c.last)
    .outerjoin(_used, _used.c.name == featured_tags.c.name)
    .where(featured_tags.c.account_id == _OF)
    .order_by(featured_tags.c.id)
)
_END_NAMED = delete(featured_tags).where(
    featured_tags.c.account_id == _OF, featured_tags.c.name == bindparam("shown_name")
)
_latest = (
    select(posts.c.id)
    .where(posts.c.author_id == _OF, posts.c.visibility.in_(OPEN))
    .order_by(posts.c.id.desc())
    .limit(LATEST)
    .subquery()
)
_shows = exists().where(featured_tags.c.account_id == _OF, featured_tags.c.name == post_tags.c.name)
_USED = (
    select(post_tags.c.name)
    .join(_latest, _latest.c.id == post_tags.c.post_id)
    .where(~_shows)
    .group_by(post_tags.c.name)
    .order_by(func.count().desc(), post_tags.c.name)
    .limit(bindparam("most"))
)
_WIDTH = len(featured_tags.c)


@dataclass(frozen=True, slots=True)
class FeaturedView:
    tag: FeaturedTag
    posts: int
    last_at: datetime | None


def feature(tx: Connection, account_id: int, name: str, now: datetime) -> FeaturedView:
    """One of ours shows a hashtag; a second time gives the first.  Raises: Invalid."""
    shown = name.strip().removeprefix("#")
    tag = normalise_tag(shown)
    if not tag or not all(character.isalnum() or character == "_" for character in tag) or tag.isdigit():
        raise Invalid("name should be a hashtag")
    known = {view.tag.name: view for view in featured(tx, account_id)}
    if tag in known:
        return known[tag]
    if (tx.scalar(_HOW_MANY, {"of": account_id}) or 0) >= MOST:
        raise Invalid(f"At most {MOST} hashtags can be shown")
    row = {"id": new_id(), "account_id": account_id, "name": tag, "shown": shown, "created_at": now}
    tx.execute(_ADD, row)
    return next(view for view in featured(tx, account_id) if view.tag.name == tag)


def unfeature(tx: Connection, account_id: int, tag_id: int) -> None:
    """Raises: NotFound, when it is not his."""
    if not tx.execute(_END, {"of": account_id, "asked": tag_id}).rowcount:
        raise NotFound("Record not found")


def unfeature_named(tx: Connection, account_id: int, name: str) -> None:
    """name: as social.text.normalise_tag makes it.  Nothing happens when it is not shown."""
    tx.execute(_END_NAMED, {"of": account_id, "shown_name": name})


def used(tx: Connection, account_id: int, most: int = MOST) -> list[str]:
    """The hashtags of the latest posts of one of ours that he could show, the most used first."""
    return list(tx.scalars(_USED, {"of": account_id, "most": most}))


def featured(tx: Connection, account_id: int) -> list[FeaturedView]:
    """In the order in which he chose them."""
    return [
        FeaturedView(FeaturedTag(*row[:_WIDTH]), row[_WIDTH] or 0, row[_WIDTH + 1])
        for row in tx.execute(_ALL, {"of": account_id})
    ]
