"""Rows between two accounts: who follows, who blocks.  What follows.py, blocks.py and others share; sends nothing.

The counts of both accounts change with the row, and only when a row really changed: a follow is counted once,
however often it is accepted or undone, and by whomever at the same moment.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, bindparam, case, delete, exists, or_, select, update
from sqlalchemy.dialects.postgresql import insert  # SQLite has the same ON CONFLICT

from store.ids import new_id
from store.prepared import Change, padded
from store.rows import many, one, values_of
from store.tables import Account, Block, Follow, accounts, blocks, follows, users
from store.tables.base import Id

_FOLLOWER, _TARGET = bindparam("follower", type_=Id), bindparam("target", type_=Id)
_PAIR = (follows.c.target_id == _TARGET, follows.c.follower_id == _FOLLOWER)
_FIND = select(follows).where(*_PAIR)
_BY_URI = select(follows).where(follows.c.uri == bindparam("uri"))
_AROUND = select(follows).where(or_(and_(*_PAIR), follows.c.uri == bindparam("uri")))
_ADD = insert(follows).on_conflict_do_nothing()
_ACCEPT = update(follows).where(*_PAIR, ~follows.c.accepted).values(accepted=True)
_END = delete(follows).where(*_PAIR).returning(*follows.c)
_COUNT = (
    update(accounts)
    .where(accounts.c.id.in_([_TARGET, _FOLLOWER]))
    .values(
        followers_count=accounts.c.followers_count + case((accounts.c.id == _TARGET, bindparam("by")), else_=0),
        following_count=accounts.c.following_count + case((accounts.c.id == _FOLLOWER, bindparam("by")), else_=0),
    )
)
_INSERT = Change(insert(follows))
_COUNT_FOLLOWERS = Change(
    update(accounts)
    .where(accounts.c.id == bindparam("target_", type_=Id))
    .values(followers_count=accounts.c.followers_count + bindparam("by"))
)
_COUNT_FOLLOWING = Change(
    update(accounts)
    .where(accounts.c.id.in_(bindparam("ids", expanding=True, type_=Id)))
    .values(following_count=accounts.c.following_count + 1)
)
_IS_FOLLOWED = select(
    exists()
    .where(follows.c.target_id == _TARGET, follows.c.accepted)
    .where(users.c.account_id == follows.c.follower_id)
)
_ONE, _OTHER = bindparam("one", type_=Id), bindparam("other", type_=Id)


def apart(one: Any, other: Any) -> ColumnElement[bool]:
    """The clause: does either of the two block the other?"""
    return exists().where(
        or_(
            (blocks.c.account_id == one) & (blocks.c.target_id == other),
            (blocks.c.account_id == other) & (blocks.c.target_id == one),
        )
    )


_BLOCKED = select(apart(_ONE, _OTHER))
_BLOCK = select(blocks).where(blocks.c.account_id == _ONE, blocks.c.target_id == _OTHER)
_ADD_BLOCK = insert(blocks).on_conflict_do_nothing()
_END_BLOCK = delete(blocks).where(blocks.c.account_id == _ONE, blocks.c.target_id == _OTHER).returning(*blocks.c)


def find(tx: Connection, follower_id: int, target_id: int) -> Follow | None:
    return one(tx, _FIND, Follow, follower=follower_id, target=target_id)


def around(tx: Connection, follower_id: int, target_id: int, uri: str) -> tuple[Follow | None, bool]:
    """The follow of the two, and whether any follow has that uri."""
    rows = many(tx, _AROUND, Follow, follower=follower_id, target=target_id, uri=uri)
    pair = (follower_id, target_id)
    found = next((row for row in rows if (row.follower_id, row.target_id) == pair), None)
    return found, any(row.uri == uri for row in rows)


def by_uri(tx: Connection, uri: str) -> Follow | None:
    """The follow that the Follow activity `uri` asked for."""
    return one(tx, _BY_URI, Follow, uri=uri)


def add(
    tx: Connection,
    follower: Account,
    target: Account,
    now: datetime,
    *,
    uri: str | None = None,
    accepted: bool = False,
    show_boosts: bool = True,
    notify: bool = False,
    languages: str | None = None,
) -> Follow | None:
    """A new follow; uri None: made here.  None: there is one already, or another has that uri."""
    number = new_id()
    follow = Follow(
        target_id=target.id,
        follower_id=follower.id,
        id=number,
        uri=uri or f"{follower.uri}#follows/{number}",
        accepted=accepted,
        show_boosts=show_boosts,
        notify=notify,
        created_at=now,
        languages=languages,
    )
    if not tx.execute(_ADD, values_of(follow)).rowcount:
        return None
    if accepted:
        _count(tx, follow, 1)
    return follow


def add_many(tx: Connection, new: Sequence[Follow]) -> None:
    """Accepted follows, of different followers, that are known not to exist."""
    _INSERT.each(tx, [values_of(follow) for follow in new])
    by_target = Counter(follow.target_id for follow in new)
    _COUNT_FOLLOWERS.each(tx, [{"target_": target, "by": by} for target, by in sorted(by_target.items())])
    _COUNT_FOLLOWING.run(tx, ids=padded([follow.follower_id for follow in new]))


def accept(tx: Connection, follow: Follow) -> bool:
    """False: it was accepted before, or is no more."""
    changed = bool(tx.execute(_ACCEPT, {"target": follow.target_id, "follower": follow.follower_id}).rowcount)
    if changed:
        _count(tx, follow, 1)
    return changed


def end(tx: Connection, follower_id: int, target_id: int) -> Follow | None:
    """The follow that ended, accepted or only asked for; None: there was none."""
    row = tx.execute(_END, {"target": target_id, "follower": follower_id}).one_or_none()
    if row is None:
        return None
    follow = Follow(*row)
    if follow.accepted:
        _count(tx, follow, -1)
    return follow


def _count(tx: Connection, follow: Follow, by: int) -> None:
    tx.execute(_COUNT, {"target": follow.target_id, "follower": follow.follower_id, "by": by})


def is_followed(tx: Connection, account_id: int) -> bool:
    """Does somebody of ours follow the account?"""
    return bool(tx.scalar(_IS_FOLLOWED, {"target": account_id}))


def are_apart(tx: Connection, one_id: int, other_id: int) -> bool:
    """Does either of the two block the other?"""
    return bool(tx.scalar(_BLOCKED, {"one": one_id, "other": other_id}))


def find_block(tx: Connection, account_id: int, target_id: int) -> Block | None:
    return one(tx, _BLOCK, Block, one=account_id, other=target_id)


def add_block(tx: Connection, blocker: Account, target: Account, now: datetime, uri: str | None = None) -> Block | None:
    """None: there is one already, or another has that uri."""
    number = new_id()
    block = Block(blocker.id, target.id, number, uri or f"{blocker.uri}#blocks/{number}", now)
    added = tx.execute(_ADD_BLOCK, values_of(block)).rowcount
    return block if added else None


def end_block(tx: Connection, account_id: int, target_id: int) -> Block | None:
    row = tx.execute(_END_BLOCK, {"one": account_id, "other": target_id}).one_or_none()
    return None if row is None else Block(*row)
