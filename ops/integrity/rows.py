"""Rows that point at nothing, are there twice but for their case, or wait for what never comes."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    Connection,
    ForeignKeyConstraint,
    Select,
    and_,
    bindparam,
    delete,
    exists,
    func,
    literal,
    not_,
    select,
)

from store.tables import accounts, activities, deliveries, metadata, posts, users
from store.tables.base import Instant

SOME: Final = 1_000  # rows without a parent that are counted
LATE: Final = timedelta(days=30)  # a parent that did not come for so long does not come

_HANDLES = select(func.lower(accounts.c.handle)).group_by(func.lower(accounts.c.handle)).having(func.count() > 1)
_EMAILS = select(func.lower(users.c.email)).group_by(func.lower(users.c.email)).having(func.count() > 1)
_LOST = (
    select(func.count())
    .select_from(posts)
    .where(
        posts.c.reply_to_id.is_(None),
        posts.c.reply_to_uri.is_not(None),
        posts.c.published < bindparam("before", type_=Instant),
    )
)
_NO_ACTIVITY = not_(exists().where(activities.c.id == deliveries.c.activity_id))
_NOWHERE = select(func.count()).select_from(deliveries).where((deliveries.c.inbox == "") | _NO_ACTIVITY)
_FORGET = delete(deliveries).where((deliveries.c.inbox == "") | _NO_ACTIVITY)


def _gone(key: ForeignKeyConstraint) -> Select[Any]:
    """How many of its rows name one that is not there; SOME at most."""
    pairs = [(element.parent, element.column) for element in key.elements]
    far = key.referred_table.alias("far")
    there = exists().where(*(far.c[column.name] == ours for ours, column in pairs))
    gone = and_(*(ours.is_not(None) for ours, _ in pairs), not_(there))
    some = select(literal(1).label("one")).select_from(key.table).where(gone).limit(SOME).subquery("some")
    return select(func.count()).select_from(some)


@dataclass(frozen=True, slots=True)
class Orphans:
    """Rows of `table` whose `columns` name a row of `parent` that is not there."""

    table: str
    columns: str
    parent: str
    number: int


KEYS: Final = tuple(
    (key, _gone(key))
    for table in metadata.tables.values()
    for key in sorted(table.foreign_key_constraints, key=lambda key: list(key.column_keys))
)


def orphans(tx: Connection, which: int) -> Orphans | None:
    """Of one foreign key, a number of KEYS."""
    key, statement = KEYS[which]
    number = tx.scalar(statement) or 0
    table, columns = key.table.name, ", ".join(key.column_keys)
    return Orphans(table, columns, key.referred_table.name, number) if number else None


def twice(tx: Connection) -> list[str]:
    """Handles and addresses that differ in case alone."""
    return [*tx.scalars(_HANDLES), *tx.scalars(_EMAILS)]


def lost(tx: Connection, now: datetime) -> int:
    """Comments whose parent never came."""
    return tx.scalar(_LOST, {"before": now - LATE}) or 0


def without_target(tx: Connection) -> int:
    return tx.scalar(_NOWHERE) or 0


def forget_without_target(tx: Connection) -> int:
    return tx.execute(_FORGET).rowcount
