"""The outgoing mail as its keeper sees it: how much waits where, try now, drop, clean up."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import (
    Connection,
    Delete,
    Text,
    Update,
    bindparam,
    delete,
    exists,
    func,
    null,
    select,
    union_all,
    update,
)

from federation.answers import LONGEST_WAIT
from outbox import receipts
from store.rows import many
from store.tables import activities, deliveries, hosts
from store.tables.base import Instant


@dataclass(frozen=True, slots=True)
class HostQueue:
    """`due`: when it is tried next (while it is being talked to: when that is taken for lost); None: nothing to do."""

    host: str
    waiting: int
    failures: int
    due: datetime | None
    last_error: str | None


@dataclass(frozen=True, slots=True)
class Totals:
    """`oldest`: of the activities that still wait for somebody."""

    waiting: int
    hosts: int
    failing_hosts: int
    oldest: datetime | None


_WAITING = func.count(deliveries.c.activity_id)
_STATS = (
    select(hosts.c.name, _WAITING, hosts.c.failures, hosts.c.due, hosts.c.last_error)
    .outerjoin(deliveries, deliveries.c.host == hosts.c.name)
    .group_by(hosts.c.name)
    .having((_WAITING > 0) | (hosts.c.failures > 0))
    .order_by(_WAITING.desc(), hosts.c.name)
)
_HAS_MAIL = exists().where(deliveries.c.host == hosts.c.name)
_COUNT = select(func.count()).select_from(deliveries)
_HOSTS = select(func.count()).select_from(hosts).where(_HAS_MAIL)
_OLDEST = select(func.min(deliveries.c.activity_id)).scalar_subquery()
_OLDEST_AT = select(activities.c.created_at).where(activities.c.id == _OLDEST)
_OLDEST_OF = select(func.min(deliveries.c.activity_id)).where(deliveries.c.host == hosts.c.name).scalar_subquery()
_OF_ABLE = union_all(
    select(_OLDEST_OF.label("id")).where(hosts.c.failures == 0, hosts.c.due.is_not(None)),
    select(activities.c.id).where(activities.c.asleep),
).subquery()
_OLDEST_ABLE = select(func.min(_OF_ABLE.c.id)).scalar_subquery()
_OLDEST_ABLE_AT = select(activities.c.created_at).where(activities.c.id == _OLDEST_ABLE)
_HOST = bindparam("host", type_=Text())
_RETRY = update(hosts).where(_HAS_MAIL).values(due=bindparam("now", type_=Instant))
_DROP = delete(deliveries)
_REST = update(hosts).values(due=null())
_LONG = (
    update(hosts).where(hosts.c.due > bindparam("longest", type_=Instant)).values(due=bindparam("now", type_=Instant))
)
_SWEEP = delete(activities).where(
    activities.c.created_at < bindparam("before", type_=Instant),
    ~exists().where(deliveries.c.activity_id == activities.c.id),
)


def queue_stats(tx: Connection) -> list[HostQueue]:
    """Hosts with mail, or that were silent, the fullest first."""
    return many(tx, _STATS, HostQueue)


def totals(tx: Connection) -> Totals:
    return Totals(
        tx.scalar(_COUNT) or 0,
        tx.scalar(_HOSTS) or 0,
        tx.scalar(_HOSTS.where(hosts.c.failures > 0)) or 0,
        tx.scalar(_OLDEST_AT),
    )


def oldest_able(tx: Connection) -> datetime | None:
    """When the oldest activity was made that waits for a server which answered the last time: that is our fault."""
    return tx.scalar(_OLDEST_ABLE_AT)


def retry(tx: Connection, host: str | None, now: datetime) -> int:
    """Has the mail of `host`, or of all hosts, tried now instead of after the wait.  How many hosts."""
    only: Update = _RETRY if host is None else _RETRY.where(hosts.c.name == _HOST)
    return tx.execute(only, {"now": now} | ({} if host is None else {"host": host})).rowcount


def drop(tx: Connection, host: str | None) -> int:
    """Forgets the mail for `host`, or all mail.  How many letters."""
    receipts.lost(tx, host, "dropped by who runs this server", datetime.now(UTC))
    if host is None:
        dropped = tx.execute(_DROP).rowcount
        tx.execute(_REST)
        return dropped
    of_host: Delete = _DROP.where(deliveries.c.host == _HOST)
    dropped = tx.execute(of_host, {"host": host}).rowcount
    tx.execute(_REST.where(hosts.c.name == _HOST), {"host": host})
    return dropped


def shorten(tx: Connection, now: datetime) -> int:
    """Hosts that wait longer than anybody does are tried now: the clock was ahead when it was said.  How many."""
    return tx.execute(_LONG, {"now": now, "longest": now + timedelta(seconds=LONGEST_WAIT)}).rowcount


def sweep(tx: Connection, before: datetime) -> int:
    """Forgets the activities from before that moment that nobody waits for any more."""
    return tx.execute(_SWEEP, {"before": before}).rowcount
