"""The units that write down what came of talks with hosts, what these say of themselves, and that they were heard."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection, Text, and_, bindparam, case, delete, exists, func, null, or_, select, update
from sqlalchemy.dialects.postgresql import insert  # SQLite has the same ON CONFLICT

from federation import signatures
from federation.peers import Manner
from outbox import receipts
from outbox.backoff import GIVE_UP, given_up, next_attempt
from outbox.mail import Talk
from store import jobs
from store.prepared import Change, Prepared, padded
from store.tables import accounts, deliveries, hosts
from store.tables.base import Id, Instant

STUCK = timedelta(minutes=2)  # until a host that is well is asked again about what it could not take
HEARD_EVERY = timedelta(hours=1)  # how exact host.heard_at is

_NAMES = bindparam("names", expanding=True, type_=Text())
_NOW = bindparam("now", type_=Instant)
_LOCK = Prepared(
    select(hosts.c.name, hosts.c.failures, hosts.c.failing_since)
    .where(hosts.c.name.in_(_NAMES))
    .order_by(hosts.c.name)
    .with_for_update()
)
_DONE = Change(
    delete(deliveries).where(
        deliveries.c.activity_id == bindparam("activity", type_=Id),
        deliveries.c.host == bindparam("at"),
        deliveries.c.inbox == bindparam("to"),
    )
)
_GONE = delete(deliveries).where(deliveries.c.host == bindparam("at"), deliveries.c.inbox == bindparam("to"))
_OWNER = (
    select(accounts.c.uri)
    .where(accounts.c.host == bindparam("at"), accounts.c.inbox == bindparam("to"), accounts.c.deleted_at.is_(None))
    .limit(1)
)
_HAS_MAIL = exists().where(deliveries.c.host == hosts.c.name)
_WELL = Change(
    update(hosts)
    .where(hosts.c.name.in_(_NAMES))
    .values(
        failures=0,
        failing_since=null(),
        due=case((_HAS_MAIL, bindparam("again", type_=Instant)), else_=null()),
        scheme=func.coalesce(bindparam("accepts", type_=Text()), hosts.c.scheme),
        succeeded_at=func.coalesce(bindparam("succeeded", type_=Instant), hosts.c.succeeded_at),
        last_error=bindparam("says", type_=Text()),
    )
)
_GIVE_BACK = update(hosts).where(hosts.c.name.in_(_NAMES)).values(due=case((_HAS_MAIL, _NOW), else_=null()))
_SILENT = (
    update(hosts)
    .where(hosts.c.name == bindparam("at"))
    .values(
        failures=bindparam("n"),
        failing_since=bindparam("since", type_=Instant),
        due=bindparam("again", type_=Instant),
        last_error=bindparam("says"),
    )
)
_GIVE_UP = delete(deliveries).where(deliveries.c.host == bindparam("at"))


class _Known(NamedTuple):
    """A row of _LOCK."""

    name: str
    failures: int
    failing_since: datetime | None


def record(tx: Connection, talks: Sequence[Talk], now: datetime) -> int:
    """Writes down what came of talks: delivered and refused mail is done, the rest waits.  How many were given up.

    The hosts are locked first.  Whoever queues mail for one of them locks it too (outbox/enqueue.py),
    so either we see that mail here, or it finds `due` empty and wakes the host.
    """
    known = {row[0]: _Known(*row) for row in _LOCK.typed(tx, names=padded([talk.mail.host for talk in talks]))}
    done = [
        {"activity": letter.activity.id, "at": talk.mail.host, "to": letter.inbox}
        for talk in talks
        for letter in (*talk.accepted, *talk.refused)
    ]
    _DONE.each(tx, done)
    if refused := [(one.activity.id, talk.mail.host, talk.error) for talk in talks for one in talk.refused]:
        receipts.refused(tx, refused, now)
    _forget_inboxes(tx, talks, now)
    if unheard := [talk.mail.host for talk in talks if not talk.silent and not talk.heard]:
        tx.execute(_GIVE_BACK, {"names": unheard, "now": now})
    _record_well(tx, [talk for talk in talks if not talk.silent and talk.heard], now)
    silent = [(talk, known[talk.mail.host]) for talk in talks if talk.silent and talk.mail.host in known]
    return _record_silent(tx, silent, now)


def _forget_inboxes(tx: Connection, talks: Iterable[Talk], now: datetime) -> None:
    """Drops all mail for inboxes that are no more, and has somebody look whether their owners are."""
    gone = {(talk.mail.host, letter.inbox) for talk in talks for letter in talk.gone}
    for host, inbox in sorted(gone):
        inbox_there = {"at": host, "to": inbox}
        receipts.no_inbox(tx, host, inbox, "the inbox is no more", now)
        tx.execute(_GONE, inbox_there)
        if owner := tx.scalar(_OWNER, inbox_there):
            jobs.ask(tx, "check_deleted", owner, {"uri": owner}, now)


def _record_well(tx: Connection, talks: Iterable[Talk], now: datetime) -> None:
    alike: dict[tuple[bool, bool, Manner | None, str], list[str]] = defaultdict(list)
    for talk in talks:
        changed = talk.scheme if talk.scheme != talk.mail.scheme else None
        alike[bool(talk.accepted), bool(talk.stuck), changed, talk.error].append(talk.mail.host)
    for (succeeded, stuck, scheme, error), names in alike.items():
        values = {
            "names": padded(names),
            "again": now + STUCK if stuck else now,
            "accepts": scheme,
            "succeeded": now if succeeded else None,
            "says": error or None,
        }
        _WELL.run(tx, **values)


def _record_silent(tx: Connection, talks: Sequence[tuple[Talk, _Known]], now: datetime) -> int:
    waits, given = [], []
    for talk, row in talks:
        since = row.failing_since or now
        wait = {"at": row.name, "n": row.failures + 1, "since": since, "says": talk.error}
        waits.append({**wait, "again": next_attempt(row.failures + 1, now, talk.retry_after)})
        if given_up(since, now):
            given.append(row.name)
            receipts.lost(tx, row.name, f"silent for {GIVE_UP.days} days: {talk.error}", now)
    if waits:
        tx.execute(_SILENT, waits)
    return sum([tx.execute(_GIVE_UP, {"at": name}).rowcount for name in given])


_STALE = and_(
    hosts.c.name.in_(_NAMES),
    or_(
        hosts.c.failures > 0,
        hosts.c.heard_at.is_(None),
        hosts.c.heard_at < bindparam("before", type_=Instant),
    ),
)
_HEARD_NEWS = Prepared(select(hosts.c.name, hosts.c.failures).where(_STALE).order_by(hosts.c.name).with_for_update())
_HEARD = update(hosts).where(hosts.c.name.in_(_NAMES)).values(heard_at=_NOW)
_REVIVE = (
    update(hosts)
    .where(hosts.c.name.in_(_NAMES))
    .values(failures=0, failing_since=null(), due=case((_HAS_MAIL, _NOW), else_=null()))
)


def heard_from(tx: Connection, names: Collection[str], now: datetime) -> bool:
    """These hosts sent us something just now: whoever was silent is tried again at once.  Did any wait for that?

    One look-up where there is nothing to change; call it once for a batch of messages.
    """
    if not names:
        return False
    before = now - HEARD_EVERY
    news = _HEARD_NEWS.typed(tx, names=padded(list(names)), before=before)
    if news:
        tx.execute(_HEARD, {"names": [name for name, _ in news], "now": now})
    silent = [name for name, failures in news if failures]
    if silent:
        tx.execute(_REVIVE, {"names": silent, "now": now})
    return bool(silent)


_SCHEME = select(hosts.c.scheme).where(hosts.c.name == bindparam("host"))
_INSERT = insert(hosts)
_PREFER = _INSERT.on_conflict_do_update(index_elements=["name"], set_={"scheme": _INSERT.excluded.scheme})


def learn(tx: Connection, host: str, implements: Collection[str]) -> None:
    """How to sign for `host`, by what the document of one of its actors says (FEP-844e).

    Ed25519 is preferred from now on; RFC 9421 alone where we do not know yet what it accepts: there is nothing to gain.
    A host that does not keep its word is forgotten with the next delivery (federation.client).
    """
    wanted: Manner | None = None
    if signatures.ED25519 in implements:
        wanted = "ed25519"
    elif signatures.RFC9421 in implements:
        wanted = "rfc9421"
    if wanted is None:
        return
    # Looked at first, for ON CONFLICT locks the row even where there is nothing to change.
    known = tx.scalar(_SCHEME, {"host": host})
    if known is None or (wanted == "ed25519" and known != wanted):
        tx.execute(_PREFER, {"name": host, "failures": 0, "scheme": wanted})
