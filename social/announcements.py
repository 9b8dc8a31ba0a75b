"""Announcements: the staff says something to all members, until it ends or each has put it away."""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, NoReturn

from sqlalchemy import Connection, Select, and_, bindparam, delete, exists, func, insert, or_, select
from sqlalchemy.dialects import postgresql  # SQLite has the same ON CONFLICT

from federation.origin import Origin
from social import emojis, named, text
from social.errors import Invalid, NotFound
from social.events import Announced, AnnouncementDeleted, AnnouncementReacted
from social.paging import padded
from social.views import PostView
from store.events import announce
from store.ids import new_id
from store.rows import many, one
from store.tables import (
    Account,
    Announcement,
    CustomEmoji,
    announcement_reactions,
    announcement_reads,
    announcements,
    custom_emojis,
)
from store.tables.base import Id, Instant

LONGEST: Final = 5_000  # characters
MOST_REACTIONS: Final = 8  # different ones to one announcement

_DAY: Final = timedelta(days=1)
_BASE = (
    "[\u00a9\u00ae\u203c\u2049\u2122\u2139\u2194-\u21aa\u231a-\u23ff\u24c2\u25aa-\u27bf\u2934\u2935\u2b05-\u2b55\u3030\u303d\u3297\u3299"
    "\U0001f000-\U0001f1e5\U0001f200-\U0001f3fa\U0001f400-\U0001faff]"
)
_ONE = f"{_BASE}[\ufe0f\U0001f3fb-\U0001f3ff]*[\U000e0020-\U000e007f]*"
_EMOJI = re.compile(f"{_ONE}(?:\u200d{_ONE}){{0,9}}|[\U0001f1e6-\U0001f1ff]{{2}}|[0-9#*]\ufe0f?\u20e3")

_WHICH = bindparam("which", type_=Id)
_ME = bindparam("me", type_=Id)
_lasts = or_(
    announcements.c.ends_at.is_(None),
    announcements.c.ends_at > bindparam("now", type_=Instant),
    and_(announcements.c.all_day, announcements.c.ends_at > bindparam("yesterday", type_=Instant)),
)
_mine = announcement_reactions.alias("mine")
_read = exists().where(
    announcement_reads.c.announcement_id == announcements.c.id, announcement_reads.c.account_id == _ME
)
_ALL = select(announcements).order_by(announcements.c.id)
_ACTIVE: Select[Any] = select(announcements, _read).where(_lasts).order_by(announcements.c.id)
_UNREAD = select(announcements).where(_lasts, ~_read).order_by(announcements.c.id)
_ONE_ACTIVE = select(announcements).where(announcements.c.id == _WHICH, _lasts)
_REACTIONS: Select[Any] = (
    select(
        announcement_reactions.c.announcement_id,
        announcement_reactions.c.name,
        func.count(),
        func.count(_mine.c.account_id),
        *custom_emojis.c,
    )
    .outerjoin(
        _mine,
        and_(
            _mine.c.announcement_id == announcement_reactions.c.announcement_id,
            _mine.c.name == announcement_reactions.c.name,
            _mine.c.account_id == announcement_reactions.c.account_id,
            _mine.c.account_id == _ME,
        ),
    )
    .outerjoin(custom_emojis, custom_emojis.c.shortcode == announcement_reactions.c.name)
    .where(announcement_reactions.c.announcement_id.in_(bindparam("ids", expanding=True, type_=Id)))
    .group_by(announcement_reactions.c.announcement_id, announcement_reactions.c.name, *custom_emojis.c)
    .order_by(func.min(announcement_reactions.c.created_at), announcement_reactions.c.name)
)
_SAME = (
    announcement_reactions.c.announcement_id == _WHICH,
    announcement_reactions.c.name == bindparam("said"),
)
_COUNT = select(func.count()).select_from(announcement_reactions).where(*_SAME)
_NAMES = select(announcement_reactions.c.name).where(announcement_reactions.c.announcement_id == _WHICH).distinct()
_ADD = insert(announcements)
_REMOVE = delete(announcements).where(announcements.c.id == _WHICH)
_READ = postgresql.insert(announcement_reads).on_conflict_do_nothing()
_REACT = postgresql.insert(announcement_reactions).on_conflict_do_nothing()
_UNREACT = delete(announcement_reactions).where(*_SAME, announcement_reactions.c.account_id == _ME)


@dataclass(frozen=True, slots=True)
class ReactionView:
    """`emoji`: its picture, where it is one of this server."""

    name: str
    count: int
    me: bool
    emoji: CustomEmoji | None = None


@dataclass(frozen=True, slots=True)
class AnnouncementView:
    """read: None, where it is shown to nobody in particular.  people and posts: what its text names; see `whole`."""

    announcement: Announcement
    read: bool | None
    reactions: Sequence[ReactionView] = ()
    people: Sequence[Account] = ()
    posts: Sequence[PostView] = ()


def create(
    tx: Connection,
    origin: Origin,
    source: str,
    now: datetime,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
    *,
    all_day: bool = False,
) -> Announcement:
    """Members see it at once.  Raises: Invalid."""
    said = text.tidy(source)
    if not said or len(said) > LONGEST:
        raise Invalid(f"An announcement has 1 to {LONGEST} characters")
    if starts_at is not None and ends_at is not None and ends_at < starts_at:
        raise Invalid("What is announced ends before it starts")
    made = Announcement(
        new_id(),
        said,
        text.render(said, named.targets(tx, origin, said), origin.tag),
        emojis.used(tx, origin, [said]),
        starts_at,
        ends_at,
        all_day and not (starts_at is None and ends_at is None),
        now,
        now,
    )
    tx.execute(_ADD, asdict(made))
    announce(tx, Announced(made.id))
    return made


def all_of(tx: Connection) -> list[Announcement]:
    """Those that ended, too; the oldest first."""
    return many(tx, _ALL, Announcement)


def remove(tx: Connection, announcement_id: int) -> None:
    """Raises: NotFound."""
    if not tx.execute(_REMOVE, {"which": announcement_id}).rowcount:
        raise NotFound("There is no such announcement")
    announce(tx, AnnouncementDeleted(announcement_id))


def active(tx: Connection, account_id: int, now: datetime) -> list[AnnouncementView]:
    """What has not ended, put away or not; the oldest first.  Two queries."""
    rows = tx.execute(_ACTIVE, {**_at(now), "me": account_id}).all()
    found = [(Announcement(*row[:-1]), bool(row[-1])) for row in rows]
    said = _reactions(tx, [it.id for it, _ in found], account_id)
    return [AnnouncementView(it, read, said[it.id]) for it, read in found]


def unread(tx: Connection, account_id: int, now: datetime) -> list[AnnouncementView]:
    """What he has not put away.  One query where that is nothing, else two."""
    found = many(tx, _UNREAD, Announcement, **_at(now), me=account_id)
    said = _reactions(tx, [it.id for it in found], account_id)
    return [AnnouncementView(it, False, said[it.id]) for it in found]


def for_all(tx: Connection, announcement_id: int, now: datetime) -> AnnouncementView | None:
    """As nobody in particular sees it; None: it is over, or gone."""
    found = one(tx, _ONE_ACTIVE, Announcement, **_at(now), which=announcement_id)
    return None if found is None else AnnouncementView(found, None, _reactions(tx, [found.id], 0)[found.id])


def whole(
    tx: Connection, origin: Origin, found: Sequence[AnnouncementView], reader_id: int | None
) -> list[AnnouncementView]:
    """With the people and the posts that their texts name; a fixed number of queries, none where there are none."""
    texts = [view.announcement.source for view in found]
    people, posts = named.people(tx, origin, texts), named.posts(tx, origin, texts, reader_id)
    return [
        replace(
            view,
            people=[people[one] for one in dict.fromkeys(named.handles(origin, words).values()) if one in people],
            posts=[posts[number] for number in named.post_ids(origin, words) if number in posts],
        )
        for view, words in zip(found, texts, strict=True)
    ]


def dismiss(tx: Connection, account_id: int, announcement_id: int, now: datetime) -> None:
    """He put it away; a second time is harmless.  Raises: NotFound."""
    _get(tx, announcement_id, now)
    tx.execute(_READ, {"announcement_id": announcement_id, "account_id": account_id})


def react(tx: Connection, account_id: int, announcement_id: int, name: str, now: datetime) -> None:
    """name: an emoji, or the shortcode of one of ours.  A second time is harmless.  Raises: NotFound, Invalid."""
    _get(tx, announcement_id, now)
    if not _EMOJI.fullmatch(name) and emojis.find(tx, name) is None:
        raise Invalid("Validation failed: Name is not a recognized emoji")
    there = set(tx.scalars(_NAMES, {"which": announcement_id}))
    if name not in there and len(there) >= MOST_REACTIONS:
        raise Invalid("Validation failed: Limit of different reactions reached")
    values = {"announcement_id": announcement_id, "account_id": account_id, "name": name, "created_at": now}
    if tx.execute(_REACT, values).rowcount:
        _tell(tx, announcement_id, name)


def unreact(tx: Connection, account_id: int, announcement_id: int, name: str, now: datetime) -> None:
    """Raises: NotFound, also when he had not reacted so."""
    _get(tx, announcement_id, now)
    if not tx.execute(_UNREACT, {"which": announcement_id, "said": name, "me": account_id}).rowcount:
        _missing()
    _tell(tx, announcement_id, name)


def _tell(tx: Connection, announcement_id: int, name: str) -> None:
    count = tx.scalar(_COUNT, {"which": announcement_id, "said": name}) or 0
    announce(tx, AnnouncementReacted(announcement_id, name, count))


def _get(tx: Connection, announcement_id: int, now: datetime) -> Announcement:
    return one(tx, _ONE_ACTIVE, Announcement, **_at(now), which=announcement_id) or _missing()


def _reactions(tx: Connection, ids: list[int], account_id: int) -> dict[int, list[ReactionView]]:
    found: dict[int, list[ReactionView]] = defaultdict(list)
    for number, name, count, mine, *emoji in (
        tx.execute(_REACTIONS, {"ids": padded(ids), "me": account_id}) if ids else ()
    ):
        picture = None if emoji[0] is None else CustomEmoji(*emoji)
        found[number].append(ReactionView(name, count, bool(mine), picture))
    return found


def _at(now: datetime) -> dict[str, datetime]:
    """An announcement for whole days lasts until the last of them is over."""
    return {"now": now, "yesterday": now - _DAY}


def _missing() -> NoReturn:
    raise NotFound("Record not found")
