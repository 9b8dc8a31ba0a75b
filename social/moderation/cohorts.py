"""Who stayed of those who came: people by the day or month of their coming, and how many were here later."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from sqlalchemy import Connection, bindparam, select

from social.errors import Invalid
from social.moderation.figures import midnight
from store.tables import users
from store.tables.base import Instant

MOST: Final = 100
FREQUENCIES: Final = ("day", "month")
_DAY: Final = timedelta(days=1)
_CAME = select(users.c.created_at, users.c.seen_at).where(
    users.c.created_at >= bindparam("since", type_=Instant), users.c.created_at < bindparam("until", type_=Instant)
)


@dataclass(frozen=True, slots=True)
class Cohort:
    """Those who came in one period.  `stayed`: (a later one, or that one; how many came back in it or after; which part
    of them that is)."""

    start: date
    stayed: tuple[tuple[date, int, float], ...]


def retention(tx: Connection, first: date, last: date, frequency: str) -> list[Cohort]:
    """When somebody was here is known to the day, and only for the last time.  Raises: Invalid."""
    if frequency not in FREQUENCIES:
        raise Invalid(f"frequency is one of {', '.join(FREQUENCIES)}")
    starts = _starts(first, last, frequency)
    came: dict[date, list[date]] = {start: [] for start in starts}
    until = midnight(_next(starts[-1], frequency))
    for created, seen in tx.execute(_CAME, {"since": midnight(starts[0]), "until": until}):
        came[_start(_day(created), frequency)].append(_day(seen or created))
    return [Cohort(start, _stayed(came[start], starts[place:])) for place, start in enumerate(starts)]


def _stayed(seen: Sequence[date], starts: Sequence[date]) -> tuple[tuple[date, int, float], ...]:
    counts = [(start, sum(day >= start for day in seen)) for start in starts]
    return tuple((start, count, count / max(len(seen), 1)) for start, count in counts)


def _starts(first: date, last: date, frequency: str) -> list[date]:
    """Raises: Invalid."""
    found: list[date] = []
    start = _start(first, frequency)
    while start <= last:
        if len(found) == MOST:
            raise Invalid(f"There are at most {MOST} periods")
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
