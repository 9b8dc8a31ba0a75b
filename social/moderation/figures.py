"""How this server does, for its moderators: what happened day by day, of all, of another server, of a hashtag.

Ids begin with their moment (store/ids.py), so that a day of anything is a range of an index.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Select, Text, bindparam, distinct, func, literal, select, union_all

from social.errors import Invalid
from store.ids import NODE_BITS, SEQUENCE_BITS, first_id
from store.tables import accounts, follows, likes, post_tags, posts, reports, users, visits
from store.tables.base import Id, Instant

LONGEST: Final = 366  # days of a measure
HOST: Final = "host"
TAG: Final = "tag"
_DAY: Final = timedelta(days=1)
_EPOCH: Final = date(1970, 1, 1)
_DAY_OF_IDS: Final = 86_400_000 << (NODE_BITS + SEQUENCE_BITS)

_HOST = bindparam("subject", type_=Text)
FIRST, AFTER = bindparam("first", type_=Id), bindparam("after", type_=Id)
_SINCE, _UNTIL = bindparam("since", type_=Instant), bindparam("until", type_=Instant)


@dataclass(frozen=True, slots=True)
class _Kind:
    """daily: (days since 1970, how many).  total: where it is not the sum of the days.  about: HOST or TAG, if any."""

    daily: Select[Any]
    total: Select[Any] | None = None
    about: str = ""


def _daily(number: Any, rows: Select[Any], count: Any = None) -> Select[Any]:
    """Of rows whose time is in the id `number`."""
    day = number // literal(_DAY_OF_IDS, Id)
    return (
        rows.with_only_columns(day, func.count() if count is None else count)
        .where(number >= FIRST, number < AFTER)
        .group_by(day)
    )


def _of_host(number: Any, join: Any) -> _Kind:
    """Day by day, and all there are."""
    rows = select(number).select_from(join).where(accounts.c.host == _HOST)
    return _Kind(_daily(number, rows), rows.with_only_columns(func.count()), HOST)


def _of_tag(counted: Any) -> _Kind:
    """Its public posts, as in its history."""
    rows = TAGGED.where(post_tags.c.post_id >= FIRST, post_tags.c.post_id < AFTER)
    return _Kind(_daily(post_tags.c.post_id, TAGGED, counted), rows.with_only_columns(counted), TAG)


TAGGED: Final = (
    select(post_tags.c.post_id)
    .join(posts, posts.c.id == post_tags.c.post_id)
    .join(accounts, accounts.c.id == posts.c.author_id)
    .where(post_tags.c.name == bindparam("subject", type_=Text), posts.c.visibility == "public")
)
# From the posts of each of our people by the index: those of other servers are many more.
_of_ours = users.join(posts, posts.c.author_id == users.c.account_id)
_reply, _boost = posts.alias("reply"), posts.alias("boost")
_done = union_all(
    select(likes.c.id).select_from(_of_ours.join(likes, likes.c.post_id == posts.c.id)).where(posts.c.likes_count > 0),
    select(_boost.c.id)
    .select_from(_of_ours.join(_boost, _boost.c.boost_of_id == posts.c.id))
    .where(posts.c.boosts_count > 0),
    select(_reply.c.id).select_from(_of_ours.join(_reply, _reply.c.reply_to_id == posts.c.id)),
).subquery("done")
_here = select(visits.c.day).where(visits.c.day >= bindparam("begin"), visits.c.day < bindparam("end"))
_day_of_visit = visits.c.day // 86_400

_RESOLVED: Final = "resolved_reports"
_RESOLVED_AT = select(reports.c.resolved_at).where(reports.c.resolved_at >= _SINCE, reports.c.resolved_at < _UNTIL)
_KINDS: Final = {
    "active_users": _Kind(
        _here.with_only_columns(_day_of_visit, func.count()).group_by(_day_of_visit),
        _here.with_only_columns(func.count(distinct(visits.c.account_id))),
    ),
    "new_users": _Kind(_daily(users.c.account_id, select(users.c.account_id))),
    "interactions": _Kind(_daily(_done.c.id, select(_done.c.id))),
    "opened_reports": _Kind(_daily(reports.c.id, select(reports.c.id))),
    _RESOLVED: _Kind(_RESOLVED_AT),
    "tag_accounts": _of_tag(func.count(distinct(posts.c.author_id))),
    "tag_uses": _of_tag(func.count()),
    "tag_servers": _of_tag(func.count(distinct(accounts.c.host))),  # others: NULL is not counted
    "instance_accounts": _of_host(accounts.c.id, accounts),
    "instance_statuses": _of_host(posts.c.id, posts.join(accounts, accounts.c.id == posts.c.author_id)),
    "instance_reports": _of_host(reports.c.id, reports.join(accounts, accounts.c.id == reports.c.target_id)),
    "instance_follows": _of_host(follows.c.id, follows.join(accounts, accounts.c.id == follows.c.target_id)),
    "instance_followers": _of_host(follows.c.id, follows.join(accounts, accounts.c.id == follows.c.follower_id)),
}
KEYS: Final = tuple(_KINDS)


@dataclass(frozen=True, slots=True)
class Measure:
    """`total` of the period, of a server: of all times; `before`: of as many days before it, None for servers."""

    key: str
    total: int
    before: int | None
    days: tuple[tuple[date, int], ...]


def about(key: str) -> str:
    """What it is told of: HOST, TAG, or empty for the whole server."""
    return _KINDS[key].about


def measure(tx: Connection, key: str, first: date, last: date, subject: str = "") -> Measure:
    """key: one of KEYS.  subject: the host, or the name of the hashtag.  Raises: Invalid."""
    length = (last - first).days + 1
    if not 0 < length <= LONGEST:
        raise Invalid(f"A period has 1 to {LONGEST} days")
    found = _count(tx, key, first, last, subject)
    days = tuple((day, found[day]) for day in (first + number * _DAY for number in range(length)))
    if about(key) == HOST:
        return Measure(key, _total(tx, key, first, last, subject), None, days)
    before = _total(tx, key, first - length * _DAY, first - _DAY, subject)
    return Measure(key, _total(tx, key, first, last, subject), before, days)


def period(first: date, last: date) -> dict[str, Any]:
    """The parameters of a query."""
    since, until = midnight(first), midnight(last + _DAY)
    return {"first": first_id(since), "after": first_id(until)}


def midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _total(tx: Connection, key: str, first: date, last: date, subject: str) -> int:
    total = _KINDS[key].total
    if total is None:
        return sum(_count(tx, key, first, last, subject).values())
    return tx.scalar(total, _asked(first, last, subject)) or 0


def _count(tx: Connection, key: str, first: date, last: date, subject: str) -> Mapping[date, int]:
    rows = tx.execute(_KINDS[key].daily, _asked(first, last, subject))
    if key == _RESOLVED:
        return Counter(row[0].astimezone(UTC).date() for row in rows)
    return Counter({_EPOCH + row[0] * _DAY: row[1] for row in rows})


def _asked(first: date, last: date, subject: str) -> dict[str, Any]:
    """Each query takes of these what it names."""
    since, until = midnight(first), midnight(last + _DAY)
    seconds = {"begin": int(since.timestamp()), "end": int(until.timestamp())}
    return {**period(first, last), **seconds, "since": since, "until": until, "subject": subject}
