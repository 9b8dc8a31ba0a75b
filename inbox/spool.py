"""Messages between their arrival and their handling, in a SQLite file of their own; beside them, keys and counts.

Answering `202` means that it is on disk here, whatever state the main database is in.  A message leaves when it is
done; one that fails is tried again later, and rests after ATTEMPTS, for people to look at.  Who rests has a negative
id: so looking for the next messages never passes over those at rest, however many they are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import Connection, bindparam, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert  # SQLite has the same ON CONFLICT

from federation import reading
from inbox.introductions import unpacked
from inbox.messages import Hint, Message, Verified
from store import journal
from store.ids import new_id
from store.prepared import Change, Prepared, padded
from store.rows import many, one, values_of
from store.tables import CachedKey, Spooled, cached_keys, counts, spooled
from store.tables.base import Id

ATTEMPTS = 6  # after that a message rests
FIRST = timedelta(seconds=5)  # until the second attempt; four times as long each time
RESTING = 20_000  # messages kept at rest; `trim` drops older ones
LIMIT = (1 << 30) + journal.MOST  # bytes that may wait, and those that are kept after it


class Full(Exception):
    """The spool cannot keep more."""


@dataclass(frozen=True, slots=True)
class Kept:
    id: int
    message: Message
    attempts: int

    @property
    def signer(self) -> str:
        """Whose messages are handled in their order."""
        return self.message.actor_uri if isinstance(self.message, Verified) else self.message.signer_uri


@dataclass(frozen=True, slots=True)
class Failure:
    """An attempt that failed.  `due` is when to try again; with ATTEMPTS attempts: never, it rests."""

    id: int
    attempts: int
    due: datetime
    error: str

    @property
    def rests(self) -> bool:
        return self.attempts >= ATTEMPTS


@dataclass(frozen=True, slots=True)
class Stats:
    waiting: int
    resting: int
    oldest: datetime | None  # arrival of the oldest that waits


_KEEP = Change(insert(spooled))
_WAITING = Prepared(
    select(
        spooled.c.id,
        spooled.c.actor_uri,
        spooled.c.body,
        spooled.c.attempts,
        spooled.c.recipient,
        spooled.c.sync,
        spooled.c.signed,
        spooled.c.introduction,
    )
    .where(spooled.c.id > 0, spooled.c.actor_uri.not_in(bindparam("held", expanding=True)))
    .order_by(spooled.c.id)
    .limit(bindparam("most"))
)
_HELD = select(spooled.c.actor_uri, spooled.c.due).where(spooled.c.id > 0, spooled.c.attempts > 0)
_DONE = Change(delete(spooled).where(spooled.c.id.in_(bindparam("ids", expanding=True, type_=Id))))
_FAILED = (
    update(spooled)
    .where(spooled.c.id == bindparam("message"))
    .values(attempts=bindparam("tried"), due=bindparam("again"), error=bindparam("says"))
)
_AT_REST = spooled.c.id < 0
_REST = (
    update(spooled)
    .where(spooled.c.id.in_(bindparam("ids", expanding=True, type_=Id)), spooled.c.id > 0)
    .values(id=-spooled.c.id)
)
_RESTING = select(spooled).where(_AT_REST).order_by(spooled.c.id).limit(bindparam("most"))
_AGAIN = update(spooled).where(_AT_REST).values(id=-spooled.c.id, attempts=0, error=None)
_TOO_MANY = delete(spooled).where(
    spooled.c.id.in_(select(spooled.c.id).where(_AT_REST).order_by(spooled.c.id).limit(-1).offset(bindparam("most")))
)
_WAIT = select(func.count()).where(spooled.c.id > 0)
_REST_COUNT = select(func.count()).where(_AT_REST)
_OLDEST = select(spooled.c.received).where(spooled.c.id > 0).order_by(spooled.c.id).limit(1)
_KEY = Prepared(select(cached_keys).where(cached_keys.c.id == bindparam("key_id")))
_INSERT_KEY = upsert(cached_keys)
_KEEP_KEY = Change(
    _INSERT_KEY.on_conflict_do_update(
        index_elements=["id"],
        set_={name: _INSERT_KEY.excluded[name] for name in ("owner", "material", "fetched_at")},
    )
)
_FORGET_KEYS = delete(cached_keys).where(cached_keys.c.owner.in_(bindparam("owners", expanding=True)))
_OLD_KEYS = delete(cached_keys).where(cached_keys.c.fetched_at < bindparam("before"))
_MORE = upsert(counts)
_COUNT = Change(
    _MORE.on_conflict_do_update(index_elements=["name"], set_={"value": counts.c.value + _MORE.excluded.value})
)
_COUNTS = select(counts)


def row(
    signer_uri: str,
    body: bytes,
    received: datetime,
    recipient: str | None,
    sync: str | None,
    *,
    signed: datetime | None = None,
    introduction: bytes | None = None,
) -> dict[str, Any]:
    """What `keep` takes.  `body` was sent by `signer_uri`: receive.py is the only one who may say so."""
    return {
        "id": new_id(),
        "actor_uri": signer_uri,
        "body": body,
        "received": received,
        "attempts": 0,
        "due": received,
        "error": None,
        "recipient": recipient,
        "sync": sync,
        "signed": signed,
        "introduction": introduction,
    }


def keep(tx: Connection, rows: Sequence[dict[str, Any]]) -> None:
    _KEEP.each(tx, rows)


def size(tx: Connection) -> int:
    """Bytes in use: a count of pages, for a sum over all bodies would read them."""
    pages, free, each = (
        tx.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * each)


def waiting(tx: Connection, most: int, held: Sequence[str] = ()) -> list[Kept]:
    """The oldest messages, but none of the signers in `held`."""
    return many(tx, _WAITING, _kept, most=most, held=padded(held))


def held(tx: Connection) -> dict[str, datetime]:
    """The signers of whom a message failed, and when it is due again: until then their later ones wait behind it."""
    found: dict[str, datetime] = {}
    for signer, due in tx.execute(_HELD):
        found[signer] = max(due, found.get(signer, due))
    return found


def settle(tx: Connection, done: Sequence[int], failed: Sequence[Failure]) -> None:
    """Lets go of what is done; keeps what failed, with its error."""
    if done:
        _DONE.run(tx, ids=padded(done))
    if failed:
        values = [{"message": f.id, "tried": f.attempts, "again": f.due, "says": f.error[:500]} for f in failed]
        tx.execute(_FAILED, values)
    if rest := [f.id for f in failed if f.rests]:
        tx.execute(_REST, {"ids": rest})


def failure(kept: Kept, now: datetime, error: str) -> Failure:
    """One more attempt that failed."""
    return Failure(kept.id, kept.attempts + 1, now + FIRST * (4**kept.attempts), error)


def resting(tx: Connection, most: int = 100) -> list[Spooled]:
    """The messages that failed ATTEMPTS times, the newest first."""
    return many(tx, _RESTING, Spooled, most=most)


def trim(tx: Connection, most: int = RESTING) -> int:
    """Drops the oldest of those at rest when they are too many; how many."""
    return tx.execute(_TOO_MANY, {"most": most}).rowcount


def wake_resting(tx: Connection) -> int:
    """Tries those at rest anew, after a repair; how many."""
    return tx.execute(_AGAIN).rowcount


def stats(tx: Connection) -> Stats:
    return Stats(tx.scalar(_WAIT) or 0, tx.scalar(_REST_COUNT) or 0, tx.scalar(_OLDEST))


def key(tx: Connection, key_id: str) -> CachedKey | None:
    return one(tx, _KEY, CachedKey, key_id=key_id)


def keep_key(tx: Connection, cached: CachedKey) -> None:
    """Keeps it, or replaces what was kept under its id."""
    _KEEP_KEY.run(tx, **values_of(cached))


def keep_keys(tx: Connection, cached: Sequence[CachedKey]) -> None:
    """The same for several."""
    _KEEP_KEY.each(tx, [values_of(one) for one in cached])


def forget_keys(tx: Connection, owners: Sequence[str]) -> None:
    """The owners have other keys now."""
    if owners:
        tx.execute(_FORGET_KEYS, {"owners": list(owners)})


def drop_old_keys(tx: Connection, before: datetime) -> int:
    return tx.execute(_OLD_KEYS, {"before": before}).rowcount


def count(tx: Connection, numbers: Mapping[str, int]) -> None:
    """Adds to what is counted under each name."""
    _COUNT.each(tx, [{"name": name, "value": value} for name, value in numbers.items()])


def counted(tx: Connection) -> dict[str, int]:
    return {row.name: row.value for row in tx.execute(_COUNTS)}


def _kept(
    number: int,
    signer: str,
    body: bytes,
    attempts: int,
    recipient: str | None,
    sync: str | None,
    signed: datetime | None,
    introduction: bytes | None,
) -> Kept:
    # receive.py refused whatever two decoders read differently
    document = reading.completed(orjson.loads(body), signer, body)
    if reading.actor_of(document) == signer:
        met = None if introduction is None else unpacked(introduction)
        return Kept(number, Verified(signer, document, body, recipient, sync, signed, met), attempts)
    return Kept(number, Hint(signer, document, body), attempts)
