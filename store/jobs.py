"""Work for later, in the transaction that asks for it: claim (unit) → do (network) → done or failed (unit)."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, delete, select, update
from sqlalchemy.dialects.postgresql import insert  # SQLite has the same ON CONFLICT

from store.events import announce
from store.ids import new_id
from store.races import Vanished
from store.rows import many, one
from store.tables import Job, jobs
from store.tables.base import Id, Instant

ATTEMPTS = 8  # then it is given up; whoever wants it asks again
FIRST = timedelta(seconds=30)
LEASE = timedelta(minutes=2)

_ASK = insert(jobs).on_conflict_do_nothing(index_elements=["key"])
_KNOWN = select(jobs).where(jobs.c.key == bindparam("key")).with_for_update(read=True)  # nobody begins it meanwhile
_DUE = (
    select(jobs)
    .where(jobs.c.due <= bindparam("now", type_=Instant))
    .order_by(jobs.c.due)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
_IDS = bindparam("ids", expanding=True, type_=Id)
_LEASE = update(jobs).where(jobs.c.id.in_(_IDS)).values(due=bindparam("until"), attempts=jobs.c.attempts + 1)
_DONE = delete(jobs).where(jobs.c.id.in_(_IDS))
_FAILED = update(jobs).where(jobs.c.id == bindparam("job")).values(due=bindparam("again"), error=bindparam("says"))
_PROGRESS = update(jobs).where(jobs.c.id == bindparam("job")).values(payload=bindparam("left"))
_PUT_OFF = update(jobs).where(jobs.c.id == bindparam("job")).values(due=bindparam("again"), attempts=0, error=None)


@dataclass(frozen=True, slots=True)
class Asked:
    """Announced when there is a job that is due."""


class Later(Exception):
    """Raised by a job that did a part of its work, and goes on at `due`."""

    def __init__(self, due: datetime) -> None:
        super().__init__(f"goes on at {due:%H:%M:%S}")
        self.due = due


def ask(
    tx: Connection, kind: str, key: str, payload: dict[str, Any], now: datetime, due: datetime | None = None
) -> bool:
    """Queues a job; False when one with that kind and key waits already.

    One that was begun may have passed what this is about, and one with another payload is about something else: this
    one follows when that is over, or would be tried again.
    """
    name, due = f"{kind} {key}", due or now
    is_new = _add(tx, kind, name, payload, due)
    if not is_new:
        known = one(tx, _KNOWN, Job, key=name)
        if known is None:
            raise Vanished(name)
        if known.attempts or known.payload != payload:
            due = max(due, known.due)
            is_new = _add(tx, kind, f"{name} again", payload, due)
    if is_new and due <= now:
        announce(tx, Asked())
    return is_new


def _add(tx: Connection, kind: str, key: str, payload: dict[str, Any], due: datetime) -> bool:
    values = {"id": new_id(), "kind": kind, "key": key, "payload": payload, "due": due, "attempts": 0, "error": None}
    return bool(tx.execute(_ASK, values).rowcount)


def claim(tx: Connection, now: datetime, most: int = 20) -> list[Job]:
    """The jobs that are due, the oldest first; nobody else gets them before LEASE ends."""
    found = many(tx, _DUE, Job, now=now, most=most)
    if found:
        tx.execute(_LEASE, {"ids": [job.id for job in found], "until": now + LEASE})
    return found


def done(tx: Connection, ids: Sequence[int]) -> None:
    if ids:
        tx.execute(_DONE, {"ids": list(ids)})


def failed(tx: Connection, job: Job, now: datetime, error: str) -> None:
    """Waits twice as long each time; after ATTEMPTS the job is given up."""
    if job.attempts + 1 >= ATTEMPTS:
        done(tx, [job.id])
        return
    wait = FIRST * (1 << job.attempts) * (1 + random.random())
    tx.execute(_FAILED, {"job": job.id, "again": now + wait, "says": error[:500]})


def progress(tx: Connection, job_id: int, payload: dict[str, Any]) -> None:
    """So far it is: whoever does it next, after a crash or `Later`, begins there."""
    tx.execute(_PROGRESS, {"job": job_id, "left": payload})


def put_off(tx: Connection, job: Job, due: datetime) -> None:
    """It goes on then; what failed before is forgotten."""
    tx.execute(_PUT_OFF, {"job": job.id, "again": due})
