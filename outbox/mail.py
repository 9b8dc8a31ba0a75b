"""Mail on its way, and the units that take it from the tables: `claim` the mail of hosts that are due.

A worker borrows a host, not a letter: a host is talked to by one worker at a time, over few warm connections; a silent
host costs one request per wait, however much mail it has; and the lease and the wait are the same column, `host.due`.
A worker that dies loses its lease when that moment comes; its letters go out again, and receivers know a second copy
by its id.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import (
    BindParameter,
    Connection,
    Row,
    Text,
    bindparam,
    func,
    null,
    select,
    update,
)

from federation.peers import Manner
from outbox import synchronisation
from outbox.waking import asleep, wake_asleep
from store.prepared import Prepared, padded
from store.tables import account_keys, accounts, activities, deliveries, hosts
from store.tables.base import Id, Instant

LETTERS = 20  # of one host in one claim
LEASE = timedelta(seconds=20)  # renewed while a talk goes on, so that a dead worker's mail waits no longer than this


@dataclass(frozen=True, slots=True)
class Key:
    """A key of the sender; `pem` is private: it is not shown, not even by repr."""

    id: str
    pem: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Activity:
    """`key` is RSA, and None when its sender has none any more; `ed25519` is for hosts that know it."""

    id: int
    sender_id: int
    body: bytes
    created_at: datetime
    key: Key | None
    ed25519: Key | None = None


@dataclass(frozen=True, slots=True)
class Letter:
    """One activity for one inbox.  `synchronisation`: the value of Collection-Synchronization, or ""."""

    activity: Activity
    inbox: str
    synchronisation: str = ""


@dataclass(frozen=True, slots=True)
class Mail:
    """The oldest letters for one host, in order.  `scheme`: what it last accepted, or says that it knows."""

    host: str
    failures: int
    scheme: Manner | None
    letters: tuple[Letter, ...]


@dataclass(slots=True)
class Talk:
    """What came of talking with a host.  What is in none of the lists was not sent, or waits for another try."""

    mail: Mail
    accepted: list[Letter] = field(default_factory=list)
    refused: list[Letter] = field(default_factory=list)
    gone: list[Letter] = field(default_factory=list)  # the inbox is no more
    stuck: dict[int, str] = field(default_factory=dict)  # senders, and why their letters were not taken
    scheme: Manner | None = None  # of the last that was accepted
    silent: bool = False  # leave it alone for a while
    error: str = ""  # one line
    retry_after: float | None = None  # seconds

    @property
    def heard(self) -> bool:
        """False of a talk that was given up before its first answer."""
        return bool(self.accepted or self.refused or self.gone or self.stuck)


_NAMES = bindparam("names", expanding=True, type_=Text())
_NOW: BindParameter[datetime] = bindparam("now", type_=Instant)
_UNTIL: BindParameter[datetime] = bindparam("until", type_=Instant)


def _lease(which: Any) -> Any:
    due = (
        select(hosts.c.name)
        .where(hosts.c.due <= _NOW, which)
        .order_by(hosts.c.due)
        .limit(bindparam("most"))
        .with_for_update(skip_locked=True)
    )
    leased = update(hosts).where(hosts.c.name.in_(due)).values(due=_UNTIL)
    return leased.returning(hosts.c.name, hosts.c.failures, hosts.c.scheme)


_LEASE_WELL = _lease(hosts.c.failures == 0)
_LEASE_FAILING = _lease(hosts.c.failures > 0)
_RENEW = update(hosts).where(hosts.c.name.in_(_NAMES)).values(due=_UNTIL)
_REST = update(hosts).where(hosts.c.name.in_(_NAMES)).values(due=null())
_NEXT_DUE = Prepared(select(hosts.c.due).where(hosts.c.due.is_not(None)).order_by(hosts.c.due).limit(1))
_BEYOND = (
    select(deliveries.c.activity_id)
    .where(deliveries.c.host == hosts.c.name)
    .order_by(deliveries.c.activity_id)
    .limit(1)
    .offset(LETTERS)
    .correlate(hosts)
    .scalar_subquery()
)
_DELIVERIES = Prepared(
    select(deliveries.c.host, deliveries.c.activity_id, deliveries.c.inbox)
    .join(hosts, hosts.c.name == deliveries.c.host)
    .where(hosts.c.name.in_(_NAMES), deliveries.c.activity_id < func.coalesce(_BEYOND, (1 << 63) - 1))
    .order_by(deliveries.c.host, deliveries.c.activity_id, deliveries.c.inbox)
)
_ACTIVITIES = Prepared(
    select(
        activities.c.id,
        activities.c.sender_id,
        activities.c.body,
        activities.c.created_at,
        activities.c.synchronise,
        accounts.c.uri,
        accounts.c.followers_uri,
    )
    .join(accounts, accounts.c.id == activities.c.sender_id)
    .where(activities.c.id.in_(bindparam("ids", expanding=True, type_=Id)))
)
_KEYS = Prepared(
    select(account_keys.c.account_id, account_keys.c.kind, account_keys.c.id, account_keys.c.private)
    .where(
        account_keys.c.account_id.in_(bindparam("ids", expanding=True, type_=Id)),
        account_keys.c.kind.in_(("rsa", "ed25519")),
        account_keys.c.private.is_not(None),
    )
    .order_by(account_keys.c.created_at)  # the newest wins
)


class _Said(NamedTuple):
    """A row of _ACTIVITIES."""

    id: int
    sender_id: int
    body: bytes
    created_at: datetime
    synchronise: int
    uri: str
    followers_uri: str


_Row: TypeAlias = "Row[*tuple[Any, ...]]"


def claim(tx: Connection, now: datetime, most: int, most_failing: int = 0) -> list[Mail]:
    """The oldest letters of the hosts that are due; nobody else gets these hosts before LEASE ends.

    most:         hosts that answered last time, or are new.
    most_failing: hosts that did not, whose wait is over.
    """
    wake_asleep(tx, now)
    leased = _leased(tx, _LEASE_WELL, now, most) + _leased(tx, _LEASE_FAILING, now, most_failing)
    if not leased:
        return []
    of_host: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for host, activity_id, inbox in _DELIVERIES.rows(tx, names=padded([row.name for row in leased])):
        of_host[host].append((activity_id, inbox))
    if idle := [row.name for row in leased if row.name not in of_host]:
        tx.execute(_REST, {"names": idle})
    ids = {activity_id for mail in of_host.values() for activity_id, _ in mail}
    said, headers = _activities(tx, ids, of_host)
    return [
        Mail(row.name, row.failures, row.scheme, _letters(row.name, of_host[row.name], said, headers))
        for row in leased
        if row.name in of_host
    ]


def _leased(tx: Connection, lease: Any, now: datetime, most: int) -> list[_Row]:
    return list(tx.execute(lease, {"now": now, "until": now + LEASE, "most": most})) if most > 0 else []


def _letters(
    host: str,
    found: Iterable[tuple[int, str]],
    said: Mapping[int, Activity],
    headers: Mapping[int, Mapping[str, str]],
) -> tuple[Letter, ...]:
    return tuple([Letter(said[id_], inbox, headers[id_][host] if id_ in headers else "") for id_, inbox in found])


def _activities(
    tx: Connection, ids: Collection[int], of_host: Mapping[str, Collection[tuple[int, str]]]
) -> tuple[dict[int, Activity], dict[int, Mapping[str, str]]]:
    """The activities by id; and Collection-Synchronization by id and host, for those that want it."""
    rows = [_Said(*row) for row in _ACTIVITIES.typed(tx, ids=padded(list(ids)))] if ids else []
    keys = _keys(tx, {row.sender_id for row in rows})
    said = {
        row.id: Activity(
            row.id,
            row.sender_id,
            row.body,
            row.created_at,
            keys.get((row.sender_id, "rsa")),
            keys.get((row.sender_id, "ed25519")),
        )
        for row in rows
    }
    headers: dict[int, Mapping[str, str]] = {}
    for row in rows:
        if row.synchronise:
            there = [host for host, mail in of_host.items() if any(id_ == row.id for id_, _ in mail)]
            headers[row.id] = {
                host: synchronisation.header_of(row.uri, row.followers_uri, digest)
                for host, digest in synchronisation.digests(tx, row.sender_id, there).items()
            }
    return said, headers


def _keys(tx: Connection, senders: Collection[int]) -> dict[tuple[int, str], Key]:
    """By account and kind."""
    rows = _KEYS.rows(tx, ids=padded(list(senders))) if senders else ()
    return {(account, kind): Key(id_, pem) for account, kind, id_, pem in rows}


def renew(tx: Connection, names: Collection[str], now: datetime) -> None:
    """Keeps hosts that are still being talked to."""
    tx.execute(_RENEW, {"names": list(names), "until": now + LEASE})


def next_due(tx: Connection) -> datetime | None:
    """When there will be something to claim, if nothing changes; None: never."""
    if made := asleep(tx):
        return made
    rows = _NEXT_DUE.typed(tx)
    return rows[0][0] if rows else None
