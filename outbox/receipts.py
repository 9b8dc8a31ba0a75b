"""Did a post of ours arrive?  What it was for is counted once; who has it is all but those who wait or refused.

enqueue: sent_to → delivered: nothing to do │ refused, no such inbox, given up, dropped: a row for that server
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, Connection, Select, Text, bindparam, func, insert, literal, select
from sqlalchemy.dialects import postgresql  # SQLite has the same ON CONFLICT

from store.prepared import Change
from store.rows import many
from store.tables import Refusal, deliveries, hosts, receipts, refusals
from store.tables.base import Id, Instant

_POST: BindParameter[int] = bindparam("post", type_=Id)
_AT = bindparam("at", type_=Text())
_WHY, _WHEN = bindparam("why", type_=Text()), bindparam("when", type_=Instant)
_SENT = Change(insert(receipts))
_WAITING_FOR = select(receipts.c.post_id, deliveries.c.host, func.count(), _WHY, _WHEN).join_from(
    receipts, deliveries, deliveries.c.activity_id == receipts.c.activity_id
)


def _kept(lost: Select[Any]) -> Any:
    made = postgresql.insert(refusals).from_select(["post_id", "host", "inboxes", "why", "at"], lost)
    new = made.excluded
    more = {"inboxes": refusals.c.inboxes + new.inboxes, "why": new.why, "at": new["at"]}
    return made.on_conflict_do_update(index_elements=["post_id", "host"], set_=more)


_REFUSED = Change(
    _kept(
        select(receipts.c.post_id, _AT, literal(1), _WHY, _WHEN).where(
            receipts.c.activity_id == bindparam("activity", type_=Id)
        )
    )
)
_BY_HOST = receipts.c.post_id, deliveries.c.host
_OF_HOST = _WAITING_FOR.where(deliveries.c.host == _AT).group_by(*_BY_HOST)
_NO_INBOX = _kept(_OF_HOST.where(deliveries.c.inbox == bindparam("to", type_=Text())))
_LOST = _kept(_OF_HOST)
_ALL_LOST = _kept(_WAITING_FOR.where(deliveries.c.host.is_not(None)).group_by(*_BY_HOST))
_FOR = select(func.sum(receipts.c.inboxes)).where(receipts.c.post_id == _POST)
_WAITING = (
    select(
        deliveries.c.host,
        func.count().label("inboxes"),
        hosts.c.failing_since,
        hosts.c.due,
        hosts.c.last_error,
    )
    .join_from(receipts, deliveries, deliveries.c.activity_id == receipts.c.activity_id)
    .join(hosts, hosts.c.name == deliveries.c.host, isouter=True)
    .where(receipts.c.post_id == _POST)
    .group_by(deliveries.c.host, hosts.c.failing_since, hosts.c.due, hosts.c.last_error)
    .order_by(deliveries.c.host)
)
_REFUSALS = select(refusals).where(refusals.c.post_id == _POST).order_by(refusals.c.host)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A server that is to get it yet.  failing_since, last_error: when it is silent, or refused something."""

    host: str
    inboxes: int
    failing_since: datetime | None
    due: datetime | None
    last_error: str | None


@dataclass(frozen=True, slots=True)
class Receipt:
    """Of inboxes, of which a server has one for all its people, mostly.  inboxes: it was for; 0: it concerned nobody
    elsewhere, or is older than receipts are.
    """

    inboxes: int
    waiting: tuple[Waiting, ...]
    refused: tuple[Refusal, ...]

    @property
    def arrived(self) -> int:
        return self.inboxes - sum(one.inboxes for one in self.waiting) - sum(one.inboxes for one in self.refused)


def of(tx: Connection, post_id: int) -> Receipt:
    told = {"post": post_id}
    inboxes = tx.scalar(_FOR, told) or 0
    if not inboxes:
        return Receipt(0, (), ())
    return Receipt(inboxes, tuple(many(tx, _WAITING, Waiting, **told)), tuple(many(tx, _REFUSALS, Refusal, **told)))


def sent(tx: Connection, activity_id: int, post_id: int, inboxes: int) -> None:
    _SENT.run(tx, activity_id=activity_id, post_id=post_id, inboxes=inboxes)


def refused(tx: Connection, letters: Sequence[tuple[int, str, str]], now: datetime) -> None:
    """letters: activity, host, and why, of deliveries that nobody tries again."""
    _REFUSED.each(tx, [{"activity": number, "at": host, "why": why, "when": now} for number, host, why in letters])


def no_inbox(tx: Connection, host: str, inbox: str, why: str, now: datetime) -> None:
    """Call it while the deliveries are there, as the two below."""
    tx.execute(_NO_INBOX, {"at": host, "to": inbox, "why": why, "when": now})


def lost(tx: Connection, host: str | None, why: str, now: datetime) -> None:
    """All that waits for a host, or for all, is dropped."""
    if host is None:
        tx.execute(_ALL_LOST, {"why": why, "when": now})
    else:
        tx.execute(_LOST, {"at": host, "why": why, "when": now})
