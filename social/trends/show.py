"""Trends as somebody sees them; of some moderators said that they are not to be seen."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

from sqlalchemy import Connection, Select, and_, bindparam, distinct, func, literal, select

from outbox import parts
from social import tags as hashtags
from social import verdicts, views
from social.errors import NotFound
from social.paging import padded
from social.tags import DAYS, Day, TagView
from social.verdicts import LISTED, PUBLISHER, TREND, USED
from social.views import PostView
from social.visibility import visible, wanted
from store.ids import NODE_BITS, SEQUENCE_BITS
from store.rows import many
from store.tables import Account, Card, cards, trend_verdicts, trends
from store.tables import posts as posts_table
from store.tables.base import Id

_DAY_MS: Final = 86_400_000
_DAY_OF_IDS: Final = _DAY_MS << (NODE_BITS + SEQUENCE_BITS)

_ALL = (
    select(trends.c.subject, trend_verdicts.c.allowed)
    .outerjoin(
        trend_verdicts, and_(trend_verdicts.c.kind == trends.c.kind, trend_verdicts.c.subject == trends.c.subject)
    )
    .where(trends.c.kind == bindparam("kind"))
    .order_by(trends.c.score.desc(), trends.c.subject)
)
_PUBLISHERS = select(trend_verdicts.c.subject, trend_verdicts.c.allowed).where(trend_verdicts.c.kind == PUBLISHER)
_IDS = bindparam("ids", expanding=True, type_=Id)
_SHOWN = select(posts_table.c.id).where(
    posts_table.c.id.in_(_IDS), posts_table.c.listed, ~posts_table.c.sensitive, visible(), wanted()
)
_CARDS = select(cards).where(cards.c.id.in_(_IDS))
_day = (posts_table.c.id // literal(_DAY_OF_IDS, Id)).label("day")
_HISTORY: Select[Any] = (
    select(posts_table.c.card_id, _day, func.count(), func.count(distinct(posts_table.c.author_id)))
    .where(
        posts_table.c.card_id.in_(_IDS),
        posts_table.c.card_id.is_not(None),
        posts_table.c.id >= bindparam("since", type_=Id),
        posts_table.c.visibility == "public",
    )
    .group_by(posts_table.c.card_id, _day)
)


@dataclass(frozen=True, slots=True)
class LinkView:
    """`history`: the last seven days, today first.  `writer`: of the page, as both say."""

    card: Card
    history: tuple[Day, ...]
    writer: Account | None


def tags(
    tx: Connection, reader_id: int | None, limit: int, offset: int, now: datetime, *, review: bool = False
) -> list[TagView]:
    """review: only what a moderator allowed."""
    names = [subject for subject, allowed in _subjects(tx, TREND) if _is_shown(allowed, review)]
    hidden = verdicts.refused(tx, LISTED, names) | verdicts.refused(tx, USED, names)
    names = [name for name in names if name not in hidden]
    return hashtags.look(tx, names[offset : offset + limit], reader_id, now)


def posts(tx: Connection, reader_id: int | None, limit: int, offset: int, *, review: bool = False) -> list[PostView]:
    """Without those of authors whom the reader blocks or mutes."""
    ids = [int(subject) for subject, allowed in _subjects(tx, "post") if _is_shown(allowed, review)]
    if not ids:
        return []
    shown = set(tx.scalars(_SHOWN, {"ids": padded(ids), "viewer": reader_id}))
    return views.posts(tx, [number for number in ids if number in shown][offset : offset + limit], reader_id)


def links(tx: Connection, limit: int, offset: int, now: datetime, *, review: bool = False) -> list[LinkView]:
    verdicts = {int(subject): allowed for subject, allowed in _subjects(tx, "link")}
    if not verdicts:
        return []
    of_sites = {row[0]: row[1] for row in tx.execute(_PUBLISHERS)}
    known = {one.id: one for one in many(tx, _CARDS, Card, ids=padded(list(verdicts)))}
    shown = []
    for number, allowed in verdicts.items():
        said = of_sites.get(site(known[number].url)) if allowed is None and number in known else allowed
        if number in known and _is_shown(said, review):
            shown.append(known[number])
    return look(tx, shown[offset : offset + limit], now)


def trending_names(tx: Connection) -> list[str]:
    return [subject for subject, _ in _subjects(tx, TREND)]


def all_posts(tx: Connection, reader_id: int, limit: int, offset: int) -> list[PostView]:
    """Those that trend, for moderators."""
    ids = [int(subject) for subject, _ in _subjects(tx, "post")]
    return views.posts(tx, ids[offset : offset + limit], reader_id)


def trending_post(tx: Connection, post_id: int, reader_id: int) -> PostView:
    """Raises: NotFound, for one that does not trend."""
    known = any(subject == str(post_id) for subject, _ in _subjects(tx, "post"))
    if known and (found := views.post(tx, post_id, reader_id)):
        return found
    raise NotFound("Record not found")


def judged_links(tx: Connection, limit: int, offset: int, now: datetime) -> list[tuple[LinkView, bool | None]]:
    """All that trend, for moderators."""
    verdicts = {int(subject): allowed for subject, allowed in _subjects(tx, "link")[offset : offset + limit]}
    known = {one.id: one for one in many(tx, _CARDS, Card, ids=padded(list(verdicts)))}
    there = [known[number] for number in verdicts if number in known]
    return [(view, verdicts[view.card.id]) for view in look(tx, there, now)]


def sites(tx: Connection) -> set[str]:
    """To which those links lead that trend."""
    ids = [int(subject) for subject, _ in _subjects(tx, "link")]
    return {site(one.url) for one in many(tx, _CARDS, Card, ids=padded(ids))} if ids else set()


def card(tx: Connection, card_id: int) -> Card:
    """Raises: NotFound, for what does not trend."""
    known = any(subject == str(card_id) for subject, _ in _subjects(tx, "link"))
    for found in many(tx, _CARDS, Card, ids=[card_id]) if known else ():
        return found
    raise NotFound("Record not found")


def look(tx: Connection, some: Sequence[Card], now: datetime) -> list[LinkView]:
    """How often each was shared."""
    if not some:
        return []
    today = int(now.astimezone(UTC).timestamp() * 1_000) // _DAY_MS
    since = (today - DAYS + 1) * _DAY_OF_IDS
    used: dict[tuple[int, int], tuple[int, int]] = defaultdict(lambda: (0, 0))
    for card_id, day, uses, people in tx.execute(_HISTORY, {"ids": padded([one.id for one in some]), "since": since}):
        used[card_id, day] = (uses, people)
    days = range(today, today - DAYS, -1)
    writers = parts.credited(tx, some)
    return [
        LinkView(one, tuple(Day(day * 86_400, *used[one.id, day]) for day in days), writers.get(one.id)) for one in some
    ]


def site(url: str) -> str:
    """The site that publishes there.

    >>> site("https://News.test:8443/a")
    'news.test'
    """
    return urlsplit(url).hostname or ""


def _subjects(tx: Connection, kind: str) -> list[tuple[str, bool | None]]:
    """The best first, and what a moderator said of it."""
    return [(row[0], row[1]) for row in tx.execute(_ALL, {"kind": kind})]


def _is_shown(allowed: bool | None, review: bool) -> bool:
    return bool(allowed) or (allowed is None and not review)
