"""How this server does, for its moderators: what happened day by day, and who stayed of those who came.

Ids begin with their moment (store/ids.py), so that a day of anything is a range of an index.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Select, Text, bindparam, func, literal, select

from social.errors import Invalid
from store.ids import NODE_BITS, SEQUENCE_BITS, first_id
from store.tables import accounts, follows, posts, reports, users
from store.tables.base import Id, Instant

LONGEST: Final = 366  # days of a measure
MOST_COHORTS: Final = 100
FREQUENCIES: Final = ("day", "month")
_DAY: Final = timedelta(days=1)
_DAY_OF_IDS: Final = 86_400_000 << (NODE_BITS + SEQUENCE_BITS)

_HOST = bindparam("host", type_=Text)
_FIRST, _AFTER = bindparam("first", type_=Id), bindparam("after", type_=Id)
_SINCE, _UNTIL = bindparam("since", type_=Instant), bindparam("until", type_=Instant)


def _daily(number: Any, rows: Select[Any]) -> Select[Any]:
    """(days since 1970, how many) of rows whose time is in the id `number`."""
    day = number // literal(_DAY_OF_IDS, Id)
    return rows.with_only_columns(day, func.count()).where(number >= _FIRST, number < _AFTER).group_by(day)


def _of_host(number: Any, join: Any) -> tuple[Select[Any], Select[Any]]:
    """Day by day, and all there are."""
    rows = select(number).select_from(join).where(accounts.c.host == _HOST)
    return _daily(number, rows), rows.with_only_columns(func.count())


_OURS: Final = {
    "new_users": _daily(users.c.account_id, select(users.c.account_id)),
    "opened_reports": _daily(reports.c.id, select(reports.c.id)),
}
_RESOLVED: Final = "resolved_reports"
_RESOLVED_AT = select(reports.c.resolved_at).where(reports.c.resolved_at >= _SINCE, reports.c.resolved_at < _UNTIL)
_THEIRS: Final = {
    "instance_accounts": _of_host(accounts.c.id, accounts),
    "instance_statuses": _of_host(posts.c.id, posts.join(accounts, accounts.c.id == posts.c.author_id)),
    "instance_reports": _of_host(reports.c.id, reports.join(accounts, accounts.c.id == reports.c.target_id)),
    "instance_follows": _of_host(follows.c.id, follows.join(accounts, accounts.c.id == follows.c.target_id)),
    "instance_followers": _of_host(follows.c.id, follows.join(accounts, accounts.c.id == follows.c.follower_id)),
}
_CAME = select(users.c.created_at, users.c.seen_at).where(users.c.created_at >= _SINCE, users.c.created_at < _UNTIL)

KEYS: Final = (*_OURS, _RESOLVED, *_THEIRS)


@dataclass(frozen=True, slots=True)
class Measure:
    """`total` of the period, of a server: of all times; `before`: of as many days before it, None for servers."""

    key: str
    total: int
    before: int | None
    days: tuple[tuple[date, int], ...]


@dataclass(frozen=True, slots=True)
class Cohort:
    """Those who came in one period.  `stayed`: (a later one, or that one; how many came back in it or after; which part
    of them that is)."""

    start: date
    stayed: tuple[tuple[date, int, float], ...]


def needs_host(key: str) -> bool:
    return key in _THEIRS


def measure(tx: Connection, key: str, first: date, last: date, host: str = "") -> Measure:
    """key: one of KEYS.  Raises: Invalid."""
    length = (last - first).days + 1
    if not 0 < length <= LONGEST:
        raise Invalid(f"A period has 1 to {LONGEST} days")
    found = _count(tx, key, first, last, host)
    days = tuple((day, found[day]) for day in (first + number * _DAY for number in range(length)))
    if needs_host(key):
        return Measure(key, tx.scalar(_THEIRS[key][1], {"host": host}) or 0, None, days)
    before = _count(tx, key, first - length * _DAY, first - _DAY, host)
    return Measure(key, sum(found.values()), sum(before.values()), days)


def retention(tx: Connection, first: date, last: date, frequency: str) -> list[Cohort]:
    """When somebody was here is known to the day, and only for the last time.  Raises: Invalid."""
    if frequency not in FREQUENCIES:
        raise Invalid(f"frequency is one of {', '.join(FREQUENCIES)}")
    starts = _starts(first, last, frequency)
    came: dict[date, list[date]] = {start: [] for start in starts}
    until = _midnight(_next(starts[-1], frequency))
    for created, seen in tx.execute(_CAME, {"since": _midnight(starts[0]), "until": until}):
        came[_start(_day(created), frequency)].append(_day(seen or created))
    return [Cohort(start, _stayed(came[start], starts[place:])) for place, start in enumerate(starts)]


def _stayed(seen: Sequence[date], starts: Sequence[date]) -> tuple[tuple[date, int, float], ...]:
    counts = [(start, sum(day >= start for day in seen)) for start in starts]
    return tuple((start, count, count / max(len(seen), 1)) for start, count in counts)


def _count(tx: Connection, key: str, first: date, last: date, host: str) -> Mapping[date, int]:
    since, until = _midnight(first), _midnight(last + _DAY)
    if key == _RESOLVED:
        return Counter(_day(moment) for moment in tx.scalars(_RESOLVED_AT, {"since": since, "until": until}))
    statement = _THEIRS[key][0] if needs_host(key) else _OURS[key]
    asked = {"first": first_id(since), "after": first_id(until), **({"host": host} if needs_host(key) else {})}
    return Counter({date(1970, 1, 1) + row[0] * _DAY: row[1] for row in tx.execute(statement, asked)})


def _starts(first: date, last: date, frequency: str) -> list[date]:
    """Raises: Invalid."""
    found: list[date] = []
    start = _start(first, frequency)
    while start <= last:
        if len(found) == MOST_COHORTS:
            raise Invalid(f"There are at most {MOST_COHORTS} periods")
        found.append(start)
        start = _next(start, frequency)
    if not found:
        raise Invalid("A period ends after it begins")
    return found


def _start(day: date, frequency: str) -> date:
    return day.replace(day=1) if frequency == "month" else day


def _next(start: date, frequency: str) -> date:
    return (start + timedelta(days=32)).replace(day=1) if frequency == "month" else start + _DAY


def _day(moment: datetime) -> date:
    return moment.astimezone(UTC).date()


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
