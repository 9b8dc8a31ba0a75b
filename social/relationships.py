"""How a reader stands to others: what the buttons on their profiles say."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, literal, select, union_all

from social.paging import padded
from store.tables import blocks, follows
from store.tables.base import Id

_READER = bindparam("reader", type_=Id)
_IDS = bindparam("ids", expanding=True, type_=Id)
_FOLLOWS = union_all(
    select(
        literal(1).label("mine"),
        follows.c.target_id.label("other"),
        follows.c.accepted,
        follows.c.show_boosts,
        follows.c.notify,
    ).where(follows.c.follower_id == _READER, follows.c.target_id.in_(_IDS)),
    select(literal(0), follows.c.follower_id, follows.c.accepted, follows.c.show_boosts, follows.c.notify).where(
        follows.c.target_id == _READER, follows.c.follower_id.in_(_IDS)
    ),
)
_BLOCKS = union_all(
    select(literal(1).label("mine"), blocks.c.target_id.label("other")).where(
        blocks.c.account_id == _READER, blocks.c.target_id.in_(_IDS)
    ),
    select(literal(0), blocks.c.account_id).where(blocks.c.target_id == _READER, blocks.c.account_id.in_(_IDS)),
)


@dataclass(slots=True)
class Relationship:
    """From the reader's side: `following` is what he does, `followed_by` what the other does."""

    id: int
    following: bool = False
    requested: bool = False
    show_boosts: bool = False
    notify: bool = False
    followed_by: bool = False
    requested_by: bool = False
    blocking: bool = False
    blocked_by: bool = False


def relationship(tx: Connection, reader_id: int, ids: Collection[int]) -> dict[int, Relationship]:
    """One for each of `ids`, in two queries."""
    found = {number: Relationship(number) for number in ids}
    if not found:
        return found
    asked = {"reader": reader_id, "ids": padded(list(found))}
    for mine, other, accepted, show_boosts, notify in tx.execute(_FOLLOWS, asked):
        one = found[other]
        if mine:
            one.following, one.requested = accepted, not accepted
            one.show_boosts, one.notify = show_boosts, notify
        else:
            one.followed_by, one.requested_by = accepted, not accepted
    for mine, other in tx.execute(_BLOCKS, asked):
        if mine:
            found[other].blocking = True
        else:
            found[other].blocked_by = True
    return found
