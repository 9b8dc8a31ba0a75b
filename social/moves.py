"""People who move to another account take their followers along.

A Move is believed when the old account signed it for itself, and the new one names the old among its other accounts
(`alsoKnownAs`), as its own server says now; then not again for 30 days (security row 27).
"""

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, bindparam, select, update

from federation.origin import Origin
from outbox import documents, enqueue
from social import accounts, follows
from social.accounts import profile
from social.errors import Invalid, NotAllowed, Refusal
from store import jobs
from store.rows import many
from store.tables import Account, Follow
from store.tables import accounts as accounts_table
from store.tables import follows as follows_table
from store.tables.base import Id, Instant

COOL_DOWN: Final = timedelta(days=30)
AT_ONCE: Final = 50  # followers in one transaction
CARRY: Final = "carry_followers"

_MOVED = (
    update(accounts_table)
    .where(accounts_table.c.id == bindparam("account", type_=Id))
    .values(moved_to=bindparam("target"), moved_at=bindparam("at", type_=Instant))
)
_OF_OURS = (
    select(follows_table)
    .join(accounts_table, accounts_table.c.id == follows_table.c.follower_id)
    .where(follows_table.c.target_id == bindparam("account", type_=Id), accounts_table.c.host.is_(None))
    .order_by(follows_table.c.id)
    .limit(bindparam("most"))
)


def may_move(account: Account, target: Account, now: datetime) -> bool:
    """target: fetched just now, by the job `verify_move`."""
    if target.id == account.id or account.is_gone or target.is_gone or account.uri not in target.also_known_as:
        return False
    if target.moved_to is not None:  # no chains, no circles
        return False
    return account.moved_at is None or now - account.moved_at >= COOL_DOWN


def receive_move(tx: Connection, actor: Account, target: Account, now: datetime) -> bool:
    """The remote `actor`, who signed a Move of itself, is now `target`.  Our people who follow it follow there.

    False: it may not move there, or not again so soon; a second copy of the Move is such a case.
    """
    if actor.is_local or not may_move(actor, target, now):
        return False
    tx.execute(_MOVED, {"account": actor.id, "target": target.uri, "at": now})
    _carry_on(tx, actor.id, target.id, now)
    return True


def move_out(tx: Connection, origin: Origin, account_id: int, target: Account, now: datetime) -> Account:
    """One of ours moves to `target`, fetched just now.  Raises: NotFound, NotAllowed, Invalid."""
    account = accounts.by_id(tx, account_id)
    if not account.is_local or account.is_gone:
        raise NotAllowed("That account cannot move")
    if account.uri not in target.also_known_as:
        raise Invalid("The new account does not name this one as another account of yours")
    if not may_move(account, target, now):
        raise NotAllowed("You cannot move there, or not so soon after the last time")
    tx.execute(_MOVED, {"account": account.id, "target": target.uri, "at": now})
    moved = accounts.by_id(tx, account.id)
    profile.tell(tx, origin, moved, now)
    enqueue.to_followers(tx, moved, documents.move(moved, target.uri, now), now=now)
    _carry_on(tx, moved.id, target.id, now)
    return moved


def move_back(tx: Connection, origin: Origin, account_id: int, now: datetime) -> Account:
    """One of ours, who moved, uses the account again.  The cool-down goes on.  Raises: NotFound, NotAllowed."""
    account = accounts.by_id(tx, account_id)
    if not account.is_local or account.is_gone:
        raise NotAllowed("That account cannot move")
    if account.moved_to is not None:
        tx.execute(_MOVED, {"account": account.id, "target": None, "at": account.moved_at})
        account = accounts.by_id(tx, account.id)
        profile.tell(tx, origin, account, now)
    return account


def carry(tx: Connection, account_id: int, target_id: int, now: datetime) -> bool:
    """Some of our people who follow `account_id` follow `target_id` instead.  True: there are more.

    The job `carry_followers`, with `account_id` and `target_id`, calls it until it says False.
    """
    found = many(tx, _OF_OURS, Follow, account=account_id, most=AT_ONCE)
    for follow in found:
        if follow.follower_id != target_id:
            with suppress(Refusal):  # he blocks the new one, or follows too many: then the old follow just ends
                follows.ask(
                    tx,
                    follow.follower_id,
                    target_id,
                    now,
                    show_boosts=follow.show_boosts,
                    notify=follow.notify,
                    languages=(follow.languages or "").split(),
                )
        follows.unfollow(tx, follow.follower_id, account_id, now)
    return len(found) == AT_ONCE


def _carry_on(tx: Connection, account_id: int, target_id: int, now: datetime) -> None:
    if carry(tx, account_id, target_id, now):
        payload = {"account_id": account_id, "target_id": target_id}
        jobs.ask(tx, CARRY, f"{account_id} to {target_id}", payload, now)
