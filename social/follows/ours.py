"""What our people do: follow, stop following, answer requests, remove followers."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, bindparam, delete, update

from outbox import documents, enqueue
from social import accounts, backfills, domains, notifications, ties, timelines
from social.accounts import verification
from social.errors import Invalid, NotAllowed, NotFound
from store.tables import INSTANCE_ACTOR_ID, Account, Follow, follows
from store.tables import notifications as rows
from store.tables.base import Id

MOST: Final = 7_500  # accounts that one of our people follows, as on Mastodon
# Takahe loses an Accept that comes while its Follow's own request is still open.
ANSWER_AFTER: Final = timedelta(seconds=1)

_PREFER = (
    update(follows)
    .where(
        follows.c.target_id == bindparam("target", type_=Id), follows.c.follower_id == bindparam("follower", type_=Id)
    )
    .values(show_boosts=bindparam("boosts"), notify=bindparam("bell"), languages=bindparam("spoken"))
)
_SETTLED = delete(rows).where(
    rows.c.account_id == bindparam("whom", type_=Id),
    rows.c.from_id == bindparam("by", type_=Id),
    rows.c.kind == "follow_request",
)


def ask(
    tx: Connection,
    follower_id: int,
    target_id: int,
    now: datetime,
    *,
    show_boosts: bool = True,
    notify: bool = False,
    languages: Sequence[str] | None = None,
) -> Follow:
    """One of ours wants to follow `target_id`, or changes how he does.  `languages`: the only ones for his home feed.

    A remote account is asked; one of ours agrees at once, unless it is locked.
    Raises: Invalid, NotFound, NotAllowed.
    """
    spoken = f" {' '.join(languages)} " if languages else None
    if found := ties.find(tx, follower_id, target_id):
        values = {"target": target_id, "follower": follower_id, "boosts": show_boosts, "bell": notify}
        tx.execute(_PREFER, {**values, "spoken": spoken})
        return ties.find(tx, follower_id, target_id) or found
    accounts.hold(tx, target_id)  # he may block the follower just now, or be blocked
    follower, target = accounts.by_id(tx, follower_id), accounts.by_id(tx, target_id)
    _check(tx, follower, target)
    follow = ties.add(
        tx,
        follower,
        target,
        now,
        accepted=target.is_local and not target.locked,
        show_boosts=show_boosts,
        notify=notify,
        languages=spoken,
    )
    if follow is None:  # asked twice at the same moment
        return ties.find(tx, follower_id, target_id) or _vanished()
    if not target.is_local:
        enqueue.to_accounts(tx, follower, documents.follow(follower, target, follow.uri), [target.id], now=now)
        verification.ask(tx, target, now)
        backfills.ask(tx, target.id, now)
        return follow
    notifications.notify(tx, target.id, "follow" if follow.accepted else "follow_request", follower.id, None, now)
    if follow.accepted:
        timelines.fill(tx, follower.id, target.id)
    return follow


def unfollow(tx: Connection, follower_id: int, target_id: int, now: datetime | None = None) -> bool:
    """One of ours no longer follows, or no longer asks.  False: he did not."""
    follow = ties.end(tx, follower_id, target_id)
    if follow is None:
        return False
    timelines.empty(tx, follower_id, target_id)
    settle(tx, target_id, follower_id)
    take_back(tx, follow, now)
    return True


def take_back(tx: Connection, follow: Follow, now: datetime | None = None) -> None:
    """Tells a remote account that one of ours, whose follow ended, does not follow it."""
    people = accounts.by_ids(tx, [follow.follower_id, follow.target_id])
    follower, target = people[follow.follower_id], people[follow.target_id]
    if not target.is_local:
        undo = documents.undo(documents.follow(follower, target, follow.uri))
        enqueue.to_accounts(tx, follower, undo, [target.id], now=now)


def remove_follower(tx: Connection, account_id: int, follower_id: int, now: datetime | None = None) -> bool:
    """One of ours does not want to be followed by `follower_id`.  False: he was not."""
    follow = ties.end(tx, follower_id, account_id)
    if follow is None:
        return False
    timelines.empty(tx, follower_id, account_id)
    settle(tx, account_id, follower_id)
    refuse(tx, follow, now)
    return True


def accept_request(tx: Connection, target_id: int, follower_id: int, now: datetime) -> Follow:
    """One of ours, who is locked, agrees.  Raises: NotFound, when nobody asked."""
    follow = ties.find(tx, follower_id, target_id)
    if follow is None:
        raise NotFound("No such follow request")
    settle(tx, target_id, follower_id)
    if not ties.accept(tx, follow):
        return follow
    people = accounts.by_ids(tx, [follower_id, target_id])
    if people[follower_id].is_local:
        timelines.fill(tx, follower_id, target_id)
    else:
        answer(tx, follow, people[follower_id], people[target_id], now)
    return follow


def reject_request(tx: Connection, target_id: int, follower_id: int, now: datetime) -> None:
    """Raises: NotFound, when nobody asked."""
    follow = ties.find(tx, follower_id, target_id)
    if follow is None or follow.accepted:
        raise NotFound("No such follow request")
    remove_follower(tx, target_id, follower_id, now)


def answer(
    tx: Connection, follow: Follow, follower: Account, target: Account, now: datetime, *, screened: bool = False
) -> None:
    """Sends the Accept.  screened: the follower's server is known not to be blocked."""
    accept = documents.accept(follow, follower, target)
    enqueue.to_accounts(tx, target, accept, [follower.id], delay=ANSWER_AFTER, now=now, screened=screened)


def refuse(tx: Connection, follow: Follow, now: datetime | None = None) -> None:
    """Tells a remote follower of one of ours that it does not follow him."""
    people = accounts.by_ids(tx, [follow.follower_id, follow.target_id])
    follower, target = people[follow.follower_id], people[follow.target_id]
    if not follower.is_local:
        reject = documents.reject(follow, follower, target)
        enqueue.to_accounts(tx, target, reject, [follower.id], delay=ANSWER_AFTER, now=now)


def settle(tx: Connection, target_id: int, follower_id: int) -> None:
    """The request needs no answer any more."""
    tx.execute(_SETTLED, {"whom": target_id, "by": follower_id})


def _check(tx: Connection, follower: Account, target: Account) -> None:
    if follower.id == target.id:
        raise Invalid("Nobody follows himself")
    if not follower.is_local or follower.is_gone:
        raise NotAllowed("This account cannot follow anybody")
    if target.is_gone:
        raise NotFound("No such account", why=target.uri)
    if target.moved_to is not None or target.id == INSTANCE_ACTOR_ID:
        raise NotAllowed("That account cannot be followed")
    if ties.are_apart(tx, follower.id, target.id) or domains.shuns(tx, follower.id, target):
        raise NotAllowed("You cannot follow that account")
    if follower.following_count >= MOST:
        raise Invalid(f"You can follow at most {MOST} accounts")


def _vanished() -> Follow:
    raise NotFound("No such account")
