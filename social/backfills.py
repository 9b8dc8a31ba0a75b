"""Older posts of an account of another server: when it was last asked for them, and whether it is worth it again.

Without them its profile shows what happened to come here: of whom nobody follows, nearly nothing.  Who looks at it, or
begins to follow, has its outbox read, in the background (connectme/backfilling.py).  Afterwards what is new comes by
itself while somebody here follows; else it is read again when somebody looks, a day later at the earliest, whatever
came of it: nobody asks a server day and night for what it does not show.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, bindparam, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert  # SQLite has the same ON CONFLICT

from social import accounts as people
from social import pins
from store import jobs
from store.prepared import Prepared
from store.tables import Account, accounts, backfills, follows, users
from store.tables.base import Id, Instant

JOB: Final = "fetch_outbox"
AGAIN: Final = timedelta(days=1)
LONGEST: Final = timedelta(minutes=10)  # who did not say in this time that he is done, will not
EACH: Final = timedelta(seconds=4)  # between two people of one host, as in a repair (connectme/repair.py)

_ACCOUNT = bindparam("account", type_=Id)
_STATE = Prepared(
    select(
        backfills.c.asked_at,
        backfills.c.finished_at,
        backfills.c.found,
        exists()
        .where(follows.c.target_id == accounts.c.id, follows.c.accepted)
        .where(users.c.account_id == follows.c.follower_id),
    )
    .select_from(accounts.outerjoin(backfills, backfills.c.account_id == accounts.c.id))
    .where(
        accounts.c.id == _ACCOUNT,
        accounts.c.host.is_not(None),
        accounts.c.outbox.is_not(None),
        accounts.c.deleted_at.is_(None),
        accounts.c.suspended_at.is_(None),
        accounts.c.silenced_at.is_(None),
        accounts.c.moved_to.is_(None),
        ~accounts.c.host_limited,
    )
)
_ASK: Any = insert(backfills)
_ASK = _ASK.on_conflict_do_update(
    index_elements=["account_id"],
    set_={"asked_at": _ASK.excluded.asked_at, "finished_at": None, "found": 0},
    where=backfills.c.asked_at <= bindparam("before", type_=Instant),
)
_WAITING = (
    select(func.count())
    .join_from(backfills, accounts, accounts.c.id == backfills.c.account_id)
    .where(
        backfills.c.finished_at.is_(None),
        backfills.c.asked_at > bindparam("since", type_=Instant),
        accounts.c.host == bindparam("at"),
    )
)
_DONE = (
    update(backfills)
    .where(backfills.c.account_id == _ACCOUNT)
    .values(finished_at=bindparam("now", type_=Instant), found=bindparam("new"))
)


@dataclass(frozen=True, slots=True)
class State:
    """asked: it ever was.  due: it is worth asking, now.  found: so many posts were new, the last time."""

    asked: bool
    running: bool
    due: bool
    found: int


NOTHING: Final = State(asked=False, running=False, due=False, found=0)


def state(tx: Connection, account_id: int, now: datetime) -> State:
    """In one query.  Never due: ours; those who are gone, moved or limited; those who have no outbox."""
    rows = _STATE.typed(tx, account=account_id)
    if not rows:
        return NOTHING
    asked_at, finished_at, found, followed = rows[0]
    if asked_at is None:
        return State(asked=False, running=False, due=True, found=0)
    running = finished_at is None and now - asked_at < LONGEST
    return State(asked=True, running=running, due=not followed and asked_at <= now - AGAIN, found=found)


def ask(tx: Connection, account_id: int, now: datetime) -> bool:
    """Has the outbox read, and before it what is pinned.  False: it is not worth it, or was asked for a moment ago."""
    if not state(tx, account_id, now).due:
        return False
    account = people.by_id(tx, account_id)
    ahead = tx.scalar(_WAITING, {"since": now - LONGEST, "at": account.host}) or 0
    values = {"account_id": account_id, "asked_at": now, "finished_at": None, "found": 0}
    if not tx.execute(_ASK, {**values, "before": now - AGAIN}).rowcount:
        return False
    pins.look(tx, account, now)
    jobs.ask(tx, JOB, str(account_id), {"account_id": account_id}, now, now + EACH * ahead)
    return True


def wanted(tx: Connection, account_id: int) -> Account | None:
    """The account, while it is worth asking for its posts."""
    return people.by_id(tx, account_id) if _STATE.rows(tx, account=account_id) else None


def done(tx: Connection, account_id: int, found: int, now: datetime) -> None:
    tx.execute(_DONE, {"account": account_id, "now": now, "new": found})
