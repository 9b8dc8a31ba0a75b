"""Letting go of accounts: suspended, which can be undone; and deleted, which leaves a tombstone.

The row stays in both cases: social.visibility hides all that a suspended or deleted author wrote, at once, and a
tombstone keeps the uri and the handle from being used again.  The posts of the deleted are removed by the job
`purge_account` (social.purge), some at a time.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, bindparam, delete, func, or_, select, union, update

from outbox import documents, enqueue
from social import sessions, severed, ties
from social.accounts import find
from social.errors import NotAllowed
from social.severed import Lost
from store import jobs
from store.rows import many
from store.tables import (
    INSTANCE_ACTOR_ID,
    Account,
    Follow,
    account_keys,
    accounts,
    blocks,
    collection_items,
    collections,
    follows,
    likes,
    mentions,
    notifications,
    posts,
    reactions,
    users,
)
from store.tables.base import Id, Instant

PURGE = "purge_account"

_ACCOUNT = bindparam("account", type_=Id)
_THIS = update(accounts).where(accounts.c.id == _ACCOUNT)
_SUSPEND = _THIS.where(accounts.c.suspended_at.is_(None)).values(suspended_at=bindparam("at", type_=Instant))
_UNSUSPEND = _THIS.where(accounts.c.suspended_at.is_not(None)).values(suspended_at=None)
_BURY = _THIS.where(accounts.c.deleted_at.is_(None)).values(
    deleted_at=bindparam("at", type_=Instant),
    display_name="",
    note="",
    note_source="",
    fields=[],
    emojis=[],
    also_known_as=[],
    avatar_url=None,
    avatar_alt="",
    header_url=None,
    header_alt="",
    followers_count=0,
    following_count=0,
    posts_count=0,
    last_post_at=None,
)
_FOLLOWED = select(follows.c.target_id).where(follows.c.follower_id == _ACCOUNT, follows.c.accepted)
_FOLLOWERS = select(follows.c.follower_id).where(follows.c.target_id == _ACCOUNT, follows.c.accepted)
_LOSE_FOLLOWER = (
    update(accounts).where(accounts.c.id.in_(_FOLLOWED)).values(followers_count=accounts.c.followers_count - 1)
)
_LOSE_FOLLOWED = (
    update(accounts).where(accounts.c.id.in_(_FOLLOWERS)).values(following_count=accounts.c.following_count - 1)
)
_HIS_FOLLOWS = or_(follows.c.follower_id == _ACCOUNT, follows.c.target_id == _ACCOUNT)
# First, so that a follow that just ends is not counted twice.
_HOLD_FOLLOWS = select(func.count()).select_from(select(follows.c.id).where(_HIS_FOLLOWS).with_for_update().subquery())
_END_FOLLOWS = delete(follows).where(_HIS_FOLLOWS)
_END_BLOCKS = delete(blocks).where(blocks.c.account_id == _ACCOUNT)  # others' blocks stay, should he come back
_END_NOTICES = delete(notifications).where(notifications.c.from_id == _ACCOUNT)
_END_COLLECTIONS = delete(collections).where(collections.c.account_id == _ACCOUNT)
_END_ITEMS = delete(collection_items).where(collection_items.c.account_id == _ACCOUNT)
_END_KEYS = delete(account_keys).where(account_keys.c.account_id == _ACCOUNT)
_END_LOGIN = delete(users).where(users.c.account_id == _ACCOUNT)
_FOLLOWS_OF_OURS = (
    select(follows)
    .join(accounts, accounts.c.id == follows.c.target_id)
    .where(follows.c.follower_id == _ACCOUNT, accounts.c.host.is_(None))
)


def suspend(tx: Connection, account_id: int, now: datetime) -> Account:
    """Hides an account and all that it wrote.  One of ours is signed out; one elsewhere follows nobody of ours any
    more, for its server would go on showing what it gets.

    Raises: NotFound, NotAllowed.
    """
    account = _ordinary(tx, account_id)
    if not tx.execute(_SUSPEND, {"account": account.id, "at": now}).rowcount:
        return account
    if account.is_local:
        sessions.revoke_all(tx, account.id, now)
    else:
        _lose_as_follower(tx, account, now)
    return find.by_id(tx, account.id)


def unsuspend(tx: Connection, account_id: int) -> Account:
    """Raises: NotFound, NotAllowed."""
    account = _ordinary(tx, account_id)
    tx.execute(_UNSUSPEND, {"account": account.id})
    return find.by_id(tx, account.id)


def forget(tx: Connection, account: Account, now: datetime) -> bool:
    """A tombstone for `account`, ours or remote: it follows nobody, nobody follows it, it says nothing any more.

    False: it was forgotten before.  Blocks that others have against it stay.
    """
    ids = {"account": account.id}
    if not tx.execute(_BURY, {**ids, "at": now}).rowcount:
        return False
    for statement in (
        _HOLD_FOLLOWS,
        _LOSE_FOLLOWER,
        _LOSE_FOLLOWED,
        _END_FOLLOWS,
        _END_BLOCKS,
        _END_NOTICES,
        _END_COLLECTIONS,
        _END_ITEMS,
    ):
        tx.execute(statement, ids)
    if not account.is_local:  # ours still signs what it said last
        tx.execute(_END_KEYS, ids)
    jobs.ask(tx, PURGE, str(account.id), {"account_id": account.id}, now)
    return True


def delete_local(tx: Connection, account_id: int, now: datetime) -> bool:
    """One of ours leaves for good, and every server that knows him is told.  His name stays taken.

    False: he left before.  Raises: NotFound, NotAllowed.
    """
    account = _ordinary(tx, account_id)
    if not account.is_local:
        raise NotAllowed("That account is not ours to delete")
    if account.deleted_at is not None:
        return False
    knowing = list(tx.scalars(_KNOWING, {"account": account.id}))
    enqueue.to_accounts(tx, account, documents.delete_actor(account), knowing, now=now)
    tx.execute(_END_LOGIN, {"account": account.id})  # sessions, tokens, feed and notifications go with it
    return forget(tx, account, now)


def _lose_as_follower(tx: Connection, account: Account, now: datetime) -> None:
    lost: dict[int, Lost] = {}
    for follow in many(tx, _FOLLOWS_OF_OURS, Follow, account=account.id):
        if ties.end(tx, follow.follower_id, follow.target_id):
            if follow.accepted:
                lost[follow.target_id] = Lost(followers=1)
            target = find.by_id(tx, follow.target_id)
            enqueue.to_accounts(tx, target, documents.reject(follow, account, target), [account.id], now=now)
    severed.record(tx, severed.ACCOUNT, account.handle, lost, now)


def _ordinary(tx: Connection, account_id: int) -> Account:
    if account_id == INSTANCE_ACTOR_ID:
        raise NotAllowed("That account is the server itself")
    return find.by_id(tx, account_id)


def _everybody_who_knows() -> Select[Any]:
    """One account for each inbox where something of `account` is known: both ways of following, and his posts."""
    mine, answers, answered = posts.alias("mine"), posts.alias("answers"), posts.alias("answered")
    held = select(mine.c.id).where(mine.c.author_id == _ACCOUNT)
    everybody = union(
        select(follows.c.follower_id).where(follows.c.target_id == _ACCOUNT),
        select(follows.c.target_id).where(follows.c.follower_id == _ACCOUNT),
        *(select(table.c.account_id).where(table.c.post_id.in_(held)) for table in (mentions, likes, reactions)),
        select(answers.c.author_id).where(or_(answers.c.reply_to_id.in_(held), answers.c.boost_of_id.in_(held))),
        select(answered.c.author_id)
        .join(mine, or_(mine.c.reply_to_id == answered.c.id, mine.c.boost_of_id == answered.c.id))
        .where(mine.c.author_id == _ACCOUNT),
        select(answered.c.author_id)
        .join(likes, likes.c.post_id == answered.c.id)
        .where(likes.c.account_id == _ACCOUNT),
    )
    return (
        select(func.min(accounts.c.id))
        .where(accounts.c.id.in_(everybody), accounts.c.host.is_not(None), accounts.c.deleted_at.is_(None))
        .group_by(func.coalesce(accounts.c.shared_inbox, accounts.c.inbox))
    )


_KNOWING = _everybody_who_knows()
