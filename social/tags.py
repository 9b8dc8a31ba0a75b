"""Hashtags: how they are used, and who follows them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import BindParameter, Connection, Text, bindparam, delete, distinct, func, literal, select
from sqlalchemy.dialects.postgresql import insert  # SQLite has the same ON CONFLICT

from social.errors import Invalid, NotFound
from social.numbers import number_of
from social.pages import Page
from social.paging import Paged, padded
from social.text import normalise_tag
from store.ids import new_id
from store.prepared import Prepared
from store.tables import featured_tags, followed_tags, hashtags, post_tags, posts
from store.tables.base import Id

DAYS: Final = 7  # of history
MOST: Final = 1_000  # hashtags that somebody follows
LONGEST: Final = 500
_DAY_MS: Final = 86_400_000
_DAY_OF_IDS: Final = _DAY_MS << 21  # ids begin with their milliseconds: store/ids.py

_OWNER, _NAME = bindparam("owner", type_=Id), bindparam("name", type_=Text)
_NAMES: BindParameter[list[str]] = bindparam("names", expanding=True)
_day = (post_tags.c.post_id // literal(_DAY_OF_IDS, Id)).label("day")
_HISTORY = (
    select(post_tags.c.name, _day, func.count(), func.count(distinct(posts.c.author_id)))
    .join(posts, posts.c.id == post_tags.c.post_id)
    .where(
        post_tags.c.name.in_(_NAMES),
        post_tags.c.post_id >= bindparam("since", type_=Id),
        posts.c.visibility == "public",
    )
    .group_by(post_tags.c.name, _day)
)
_SHOWN = Prepared(select(hashtags.c.name, hashtags.c.shown).where(hashtags.c.name.in_(_NAMES)))
_FOLLOW = insert(followed_tags).on_conflict_do_nothing()
_UNFOLLOW = delete(followed_tags).where(followed_tags.c.account_id == _OWNER, followed_tags.c.name == _NAME)
_COUNT = select(func.count()).where(followed_tags.c.account_id == _OWNER)
_FOLLOWED = select(followed_tags.c.name).where(followed_tags.c.account_id == _OWNER, followed_tags.c.name.in_(_NAMES))
_FEATURED = select(featured_tags.c.name).where(featured_tags.c.account_id == _OWNER, featured_tags.c.name.in_(_NAMES))
_PAGE = Paged(
    select(followed_tags.c.id, followed_tags.c.name).where(followed_tags.c.account_id == _OWNER), followed_tags.c.id
)


@dataclass(frozen=True, slots=True)
class Day:
    """A day in UTC, by its first second."""

    start: int
    uses: int
    accounts: int


@dataclass(frozen=True, slots=True)
class TagView:
    """`shown`: as it is written.  `history`: the last seven days, today first.

    following None: nobody in particular asks.
    """

    name: str
    shown: str
    history: tuple[Day, ...]
    following: bool | None = None
    featuring: bool = False

    @property
    def id(self) -> int:
        """A number for those who want one; hashtags are kept by their names."""
        return number_of(self.name)


def named(written: str) -> str:
    """The name of the hashtag that somebody writes.  Raises: NotFound, for what can be none."""
    name = normalise_tag(written.replace("\0", "").strip())
    if not name or len(name) > LONGEST or not name.isprintable() or any(c.isspace() or c in "#/?&" for c in name):
        raise NotFound("Record not found")
    return name


def look(tx: Connection, names: Sequence[str], reader_id: int | None, now: datetime) -> list[TagView]:
    """One for each of `names`, which are normalised, in their order; four queries."""
    if not names:
        return []
    today = int(now.astimezone(UTC).timestamp() * 1000) // _DAY_MS
    since = (today - DAYS + 1) * _DAY_OF_IDS
    used = {
        (name, day): (uses, people)
        for name, day, uses, people in tx.execute(_HISTORY, {"names": padded(names), "since": since})
    }
    shown = {row[0]: row[1] for row in _SHOWN.rows(tx, names=padded(names))}
    asked = {"owner": reader_id, "names": padded(names)}
    his = None if reader_id is None else {*tx.scalars(_FOLLOWED, asked)}
    featured = {*tx.scalars(_FEATURED, asked)} if reader_id is not None else set()
    return [
        TagView(
            name,
            shown.get(name, name),
            tuple(Day(day * 86_400, *used.get((name, day), (0, 0))) for day in range(today, today - DAYS, -1)),
            None if his is None else name in his,
            name in featured,
        )
        for name in names
    ]


def follow(tx: Connection, account_id: int, name: str) -> None:
    """Public posts with it come into his home feed from now on.  A second time changes nothing.  Raises: Invalid."""
    if (tx.scalar(_COUNT, {"owner": account_id}) or 0) >= MOST:
        raise Invalid(f"You can follow at most {MOST} hashtags")
    tx.execute(_FOLLOW, {"account_id": account_id, "name": name, "id": new_id()})


def unfollow(tx: Connection, account_id: int, name: str) -> None:
    """What came stays."""
    tx.execute(_UNFOLLOW, {"owner": account_id, "name": name})


def followed_page(tx: Connection, account_id: int, page: Page, now: datetime) -> list[tuple[int, TagView]]:
    """(what the next page is asked for by, hashtag), those followed last first."""
    rows = _PAGE.rows(tx, page, owner=account_id)
    return list(zip([row[0] for row in rows], look(tx, [row[1] for row in rows], account_id, now), strict=True))
