"""Who was here, how much was written and who came, week by week: for those who choose a server.

A week that is over is counted once and kept as a fact; the one that runs is counted when somebody asks.  Who was here
on which day is known for two months, which moderators see as a number of each day (social/moderation/figures.py).
"""

from dataclasses import astuple, dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

import orjson
from sqlalchemy import Connection, bindparam, delete, distinct, func, select
from sqlalchemy.dialects.postgresql import insert  # SQLite has the same ON CONFLICT

from store.ids import first_id
from store.tables import facts, posts, users, visits
from store.tables.base import Id, Instant

WEEKS: Final = 12
REMEMBERED: Final = timedelta(days=61)  # who was here: a month, and the month before to compare
_WEEK: Final = timedelta(weeks=1)
_NAME: Final = "activity "  # of the fact of a week; its Monday follows

_VISIT = insert(visits).on_conflict_do_nothing()
_LOGINS = select(func.count(distinct(visits.c.account_id))).where(
    visits.c.day >= bindparam("begin"), visits.c.day < bindparam("end")
)
_CAME = (
    select(func.count())
    .select_from(users)
    .where(
        users.c.created_at >= bindparam("since", type_=Instant), users.c.created_at < bindparam("until", type_=Instant)
    )
)
# For each person a look into the index of his posts: those of other servers are many more.
_his = (
    select(func.count())
    .select_from(posts)
    .where(
        posts.c.author_id == users.c.account_id,
        posts.c.id >= bindparam("first", type_=Id),
        posts.c.id < bindparam("after", type_=Id),
    )
    .scalar_subquery()
)
_WROTE = select(func.coalesce(func.sum(_his), 0)).select_from(users)
_KNOWN = select(facts.c.name, facts.c.value).where(facts.c.name.in_(bindparam("names", expanding=True)))
_NOTE = insert(facts).on_conflict_do_nothing()
_OLD_FACTS = delete(facts).where(facts.c.name.startswith(_NAME), facts.c.name.not_in(bindparam("kept", expanding=True)))
_OLD_VISITS = delete(visits).where(visits.c.day < bindparam("begin"))


@dataclass(frozen=True, slots=True)
class Week:
    """`start`: the Unix seconds of its Monday, 00:00 UTC."""

    start: int
    posts: int
    logins: int
    registrations: int


def visited(tx: Connection, account_id: int, now: datetime) -> None:
    """One of ours was here.  Once a day is enough."""
    tx.execute(_VISIT, {"day": _seconds(_day(now)), "account_id": account_id})


def weeks(tx: Connection, now: datetime) -> list[Week]:
    """The week that runs and those before it, the newest first."""
    starts = _starts(now)
    known = {row.name: row.value for row in tx.execute(_KNOWN, {"names": [_named(start) for start in starts]})}
    return [
        Week(*orjson.loads(known[_named(start)])) if _named(start) in known else _count(tx, start) for start in starts
    ]


def settle(tx: Connection, now: datetime) -> None:
    """Keeps the numbers of the weeks that are over, and forgets who was here long ago."""
    over, found = _starts(now)[1:], weeks(tx, now)[1:]
    rows = [{"name": _named(week.start), "value": orjson.dumps(astuple(week)).decode()} for week in found]
    tx.execute(_NOTE, rows)
    tx.execute(_OLD_FACTS, {"kept": [_named(start) for start in over]})
    tx.execute(_OLD_VISITS, {"begin": _seconds(_day(now - REMEMBERED))})


def _count(tx: Connection, start: int) -> Week:
    since = datetime.fromtimestamp(start, UTC)
    until = since + _WEEK
    ids = {"first": first_id(since), "after": first_id(until)}
    return Week(
        start,
        int(tx.scalar(_WROTE, ids) or 0),
        tx.scalar(_LOGINS, {"begin": start, "end": start + int(_WEEK.total_seconds())}) or 0,
        tx.scalar(_CAME, {"since": since, "until": until}) or 0,
    )


def _starts(now: datetime) -> list[int]:
    seconds = int(_WEEK.total_seconds())
    return [_monday(now) - number * seconds for number in range(WEEKS)]


def _monday(now: datetime) -> int:
    day = _day(now)
    return _seconds(day - timedelta(days=day.weekday()))


def _day(moment: datetime) -> date:
    return moment.astimezone(UTC).date()


def _seconds(day: date) -> int:
    """Of its midnight."""
    return int(datetime.combine(day, time(), UTC).timestamp())


def _named(start: int) -> str:
    return f"{_NAME}{datetime.fromtimestamp(start, UTC).date()}"
