"""How a reader stands to others: what the buttons on their profiles say."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, Table, bindparam, cast, literal, null, or_, select, union_all

from social.paging import padded
from social.visibility import MOMENT
from store.tables import account_notes, accounts, blocks, domain_blocks, endorsements, follows, mutes
from store.tables.base import Id, Instant

_READER = bindparam("reader", type_=Id)
_IDS = bindparam("ids", expanding=True, type_=Id)
_FOLLOWS = union_all(
    select(
        literal(1).label("mine"),
        follows.c.target_id.label("other"),
        follows.c.accepted,
        follows.c.show_boosts,
        follows.c.notify,
        follows.c.languages,
    ).where(follows.c.follower_id == _READER, follows.c.target_id.in_(_IDS)),
    select(
        literal(0),
        follows.c.follower_id,
        follows.c.accepted,
        follows.c.show_boosts,
        follows.c.notify,
        follows.c.languages,
    ).where(follows.c.target_id == _READER, follows.c.follower_id.in_(_IDS)),
)
_BLOCKS = union_all(
    select(literal(1).label("mine"), blocks.c.target_id.label("other")).where(
        blocks.c.account_id == _READER, blocks.c.target_id.in_(_IDS)
    ),
    select(literal(0), blocks.c.account_id).where(blocks.c.target_id == _READER, blocks.c.account_id.in_(_IDS)),
)
_MUTES, _SHUNS, _ENDORSES, _NOTES = range(4)
_NEVER: Any = cast(null(), Instant)


def _kept(what: int, table: Table, text: Any) -> Select[Any]:
    other = table.c.target_id
    return select(literal(what), other, literal(value=False), _NEVER, text).where(
        table.c.account_id == _READER, other.in_(_IDS)
    )


# What he keeps for himself.
_KEPT = union_all(
    select(
        literal(_MUTES).label("what"),
        mutes.c.target_id.label("other"),
        mutes.c.notifications,
        mutes.c.expires_at,
        literal("").label("text"),
    ).where(
        mutes.c.account_id == _READER,
        mutes.c.target_id.in_(_IDS),
        or_(mutes.c.expires_at.is_(None), mutes.c.expires_at > MOMENT),
    ),
    select(literal(_SHUNS), accounts.c.id, literal(value=False), _NEVER, literal(""))
    .join_from(accounts, domain_blocks, domain_blocks.c.domain == accounts.c.domain)
    .where(domain_blocks.c.account_id == _READER, accounts.c.id.in_(_IDS)),
    _kept(_ENDORSES, endorsements, literal("")),
    _kept(_NOTES, account_notes, account_notes.c.text),
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
    languages: tuple[str, ...] | None = None
    muting: bool = False
    muting_notifications: bool = False
    muting_expires_at: datetime | None = None
    domain_blocking: bool = False
    endorsed: bool = False
    note: str = ""


def relationship(tx: Connection, reader_id: int, ids: Collection[int]) -> dict[int, Relationship]:
    """One for each of `ids`, in three queries."""
    found = {number: Relationship(number) for number in ids}
    if not found:
        return found
    asked = {"reader": reader_id, "ids": padded(list(found))}
    for mine, other, accepted, show_boosts, notify, languages in tx.execute(_FOLLOWS, asked):
        one = found[other]
        if mine:
            one.following, one.requested = accepted, not accepted
            one.show_boosts, one.notify = show_boosts, notify
            one.languages = None if languages is None else tuple(languages.split())
        else:
            one.followed_by, one.requested_by = accepted, not accepted
    for mine, other in tx.execute(_BLOCKS, asked):
        if mine:
            found[other].blocking = True
        else:
            found[other].blocked_by = True
    for what, other, silent, expires_at, text in tx.execute(_KEPT, asked):
        _keeps(found[other], what, silent, expires_at, text)
    return found


def _keeps(one: Relationship, what: int, silent: bool, expires_at: datetime | None, text: str) -> None:
    if what == _MUTES:
        one.muting, one.muting_notifications, one.muting_expires_at = True, silent, expires_at
    elif what == _SHUNS:
        one.domain_blocking = True
    elif what == _ENDORSES:
        one.endorsed = one.following
    else:
        one.note = text
