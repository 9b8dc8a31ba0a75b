"""Puts mail in the outbox, in the caller's transaction: the post and its mail, or neither.

The bytes of an activity are made once.  Its deliveries are made by the database out of its own rows, because a
popular author has more followers than a request has time.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import Connection, Select, bindparam, delete, insert, literal, select
from sqlalchemy.dialects import postgresql

from federation import vocabulary
from outbox import receipts, recipients
from outbox.proving import written
from outbox.waking import MANY, wake, wake_hosts, wake_later
from store.events import announce
from store.ids import new_id
from store.prepared import Change, Prepared, padded
from store.tables import Account, activities, deliveries
from store.tables.base import Id


@dataclass(frozen=True, slots=True)
class Queued:
    """Announced when there is new mail."""


Said: TypeAlias = vocabulary.Activity | Callable[[], vocabulary.Activity]  # or what makes it, if anybody gets it

NOW = timedelta()
IDS = 10_000


_COLUMNS = ["activity_id", "host", "inbox"]
_WRITE = Change(insert(activities))
_UNWRITE = Change(delete(activities).where(activities.c.id == bindparam("activity", type_=Id)))
_TO_INBOX = Change(insert(deliveries))


class _Way:
    """How deliveries are made, and how to find out whether there would be any.

    Most of what people say here concerns nobody elsewhere; then nothing is written, signed, and taken back.
    """

    def __init__(self, receivers: Select[Any], *, again: bool = False) -> None:
        """again: others may have made some of them."""
        made = postgresql.insert(deliveries).from_select(_COLUMNS, receivers)
        self.make = Change(made.on_conflict_do_nothing() if again else made)
        self.any = Prepared(receivers.with_only_columns(literal(1)).group_by(None).order_by(None).limit(1))


class _Queue(NamedTuple):
    """A way, and its values."""

    way: _Way
    values: Mapping[str, Any]


_FOLLOWERS = _Way(recipients.FOLLOWERS)
_FOLLOWERS_ELSEWHERE = _Way(recipients.ELSEWHERE)
_HOLDERS = _Way(recipients.HOLDERS)
_FETCHERS = _Way(recipients.FETCHERS)
_ONE = _Way(recipients.ONE)
_ACCOUNTS = _Way(recipients.ACCOUNTS, again=True)

_OF_ACTIVITY = deliveries.c.activity_id == bindparam("activity", type_=Id)
_HOSTS = select(deliveries.c.host).where(_OF_ACTIVITY).distinct()
_NOT_TO = delete(deliveries).where(_OF_ACTIVITY, deliveries.c.host.in_(bindparam("hosts", expanding=True)))


def to_followers(
    tx: Connection,
    sender: Account,
    document: Said,
    *,
    also: Collection[int] = (),
    synchronise: bool = False,
    now: datetime | None = None,
    post_id: int | None = None,
    fetched: int | None = None,
) -> None:
    """Queues `document` for the followers of `sender`, and for those of the accounts `also` that live elsewhere.

    synchronise: for what only followers may see; each server is told which followers of `sender` it has (FEP-8fcf).
    post_id:     the new post that it is about: its author can see what becomes of it (outbox/receipts.py).
    fetched:     a post; also for the servers that fetched it.
    """
    now = now or datetime.now(UTC)
    queues = [_Queue(_FOLLOWERS, {"sender": sender.id}), *_to(also), *_to_fetchers(fetched)]
    body = partial(_body, tx, sender, document, now)
    _send(tx, sender.id, body, queues, now, synchronise=synchronise, post_id=post_id)


def to_accounts(
    tx: Connection,
    sender: Account,
    document: Said,
    ids: Collection[int],
    *,
    delay: timedelta = NOW,
    now: datetime | None = None,
    screened: bool = False,
    post_id: int | None = None,
    fetched: int | None = None,
) -> None:
    """Queues `document` for those of the accounts `ids` that live elsewhere.  A single one gets it personally.

    delay:    an answer that overtakes the end of the request that it answers is lost on some servers (Takahe).
    screened: the caller looked whether their servers are blocked.
    post_id, fetched: as in to_followers.
    """
    if not ids and fetched is None:
        return
    now = now or datetime.now(UTC)
    queues = [_Queue(_ONE, {"receiver": one}) for one in ids] if len(ids) == 1 else _to(ids)
    queues += _to_fetchers(fetched)
    body = partial(_body, tx, sender, document, now)
    _send(tx, sender.id, body, queues, now, delay=delay, screened=screened, post_id=post_id)


def to_each(
    tx: Connection,
    letters: Sequence[tuple[Account, vocabulary.Activity, Account]],
    now: datetime,
    *,
    delay: timedelta = NOW,
) -> None:
    """Queues what each sender says to one receiver, a remote account that is there and whose server is not blocked.

    All in three statements; `delay` as in to_accounts.
    """
    said, sent = [], []
    for sender, document, receiver in letters:
        number, body = new_id(), written(tx, sender, document, now)
        said.append({"id": number, "sender_id": sender.id, "body": body, "synchronise": 0, "created_at": now})
        sent.append({"activity_id": number, "host": receiver.host, "inbox": receiver.inbox})
    if not said:
        return
    _WRITE.each(tx, said)
    _TO_INBOX.each(tx, sent)
    wake_hosts(tx, sorted({receiver.host or "" for _, _, receiver in letters}), now + delay)
    announce(tx, Queued())


def to_inboxes_of_post(
    tx: Connection, sender: Account, document: vocabulary.Activity, post_id: int, *, now: datetime | None = None
) -> None:
    """Queues `document` (an edit, a deletion) for every server that is known to hold the post of `sender`.

    Those of its audience: followers (unless it is direct), mentioned; of who answered, boosted, liked or voted; and
    those that fetched it.  Call it while the rows of the post are still there.
    """
    now = now or datetime.now(UTC)
    queues = [_Queue(_HOLDERS, {"post": post_id}), *_to_fetchers(post_id)]
    _send(tx, sender.id, partial(written, tx, sender, document, now), queues, now)


def forward(tx: Connection, sender_id: int, body: bytes, *, except_host: str, now: datetime | None = None) -> None:
    """Passes on what somebody at `except_host` said, as it is, to the followers of our account `sender_id`.

    Source: ActivityPub section 7.1.2, inbox forwarding.
    """
    queue = _Queue(_FOLLOWERS_ELSEWHERE, {"sender": sender_id, "except_host": except_host})
    _send(tx, sender_id, lambda: body, [queue], now or datetime.now(UTC))


def _body(tx: Connection, sender: Account, said: Said, now: datetime) -> bytes:
    return written(tx, sender, said() if callable(said) else said, now)


def _to(ids: Collection[int]) -> list[_Queue]:
    return [_Queue(_ACCOUNTS, {"ids": padded(some)}) for some in _batched(list(ids))]


def _to_fetchers(post_id: int | None) -> list[_Queue]:
    """The last of the queues: it leaves out servers that the others reach."""
    return [] if post_id is None else [_Queue(_FETCHERS, {"post": post_id})]


def _batched(ids: list[int]) -> list[list[int]]:
    """For engines that take no more than some 32,000 values in a statement."""
    return [ids[start : start + IDS] for start in range(0, len(ids), IDS)]


def _send(
    tx: Connection,
    sender_id: int,
    write: Callable[[], bytes],
    queues: Collection[_Queue],
    now: datetime,
    *,
    synchronise: bool = False,
    delay: timedelta = NOW,
    screened: bool = False,
    post_id: int | None = None,
) -> None:
    activity = {"activity": new_id()}
    if not any(way.any.rows(tx, **values, **activity) for way, values in queues):  # everybody concerned lives here
        return
    row = {"id": activity["activity"], "sender_id": sender_id, "body": write()}
    _WRITE.run(tx, **row, synchronise=int(synchronise), created_at=now)
    made = sum([way.make.run(tx, **values, **activity) for way, values in queues])
    if not screened and (refused := recipients.blocked(tx, lambda: tx.scalars(_HOSTS, activity).all())):
        made -= tx.execute(_NOT_TO, {**activity, "hosts": refused}).rowcount
    if not made:  # or is blocked
        _UNWRITE.run(tx, **activity)
        return
    if post_id is not None:
        receipts.sent(tx, activity["activity"], post_id, made)
    if made < MANY or delay:
        wake(tx, activity["activity"], now + delay)
    else:
        wake_later(tx, activity["activity"])
    announce(tx, Queued())
