"""Counters against the rows that they count: some thousand rows at a time, by id."""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, ScalarSelect, Select, Table, Update, bindparam, func, select, update

from social.visibility import OPEN
from store.tables import accounts, follows, likes, posts
from store.tables.base import Id

AT_ONCE: Final = 2_000  # rows looked at in one transaction
_child = posts.alias("child")


def _number(statement: Select[Any]) -> ScalarSelect[Any]:
    return statement.scalar_subquery()


@dataclass(frozen=True, slots=True)
class Counter:
    table: Table
    name: str
    truth: ScalarSelect[Any]

    @property
    def title(self) -> str:
        return f"{self.table.name}.{self.name}"


_COUNT = func.count()
# Of other servers' accounts the counters are what those servers say; of the deleted they are 0 at once.
COUNTERS: Final = (
    Counter(posts, "likes_count", _number(select(_COUNT).where(likes.c.post_id == posts.c.id))),
    Counter(posts, "boosts_count", _number(select(_COUNT).where(_child.c.boost_of_id == posts.c.id))),
    Counter(
        posts,
        "replies_count",
        _number(select(_COUNT).where(_child.c.reply_to_id == posts.c.id, _child.c.visibility.in_(OPEN))),
    ),
    Counter(
        accounts,
        "followers_count",
        _number(select(_COUNT).where(follows.c.target_id == accounts.c.id, follows.c.accepted)),
    ),
    Counter(
        accounts,
        "following_count",
        _number(select(_COUNT).where(follows.c.follower_id == accounts.c.id, follows.c.accepted)),
    ),
    Counter(
        accounts,
        "posts_count",
        _number(select(_COUNT).where(posts.c.author_id == accounts.c.id, posts.c.visibility != "direct")),
    ),
)
_FROM, _TO = bindparam("begin", type_=Id), bindparam("end", type_=Id)


def _wrong(counter: Counter) -> Select[Any]:
    table = counter.table
    found = select(table.c.id).where(table.c.id >= _FROM, table.c.id <= _TO, table.c[counter.name] != counter.truth)
    return found.where(accounts.c.host.is_(None), accounts.c.deleted_at.is_(None)) if table is accounts else found


def _right(counter: Counter) -> Update:
    table = counter.table
    values: dict[str, Any] = {counter.name: counter.truth}
    if table is posts:
        values["version"] = posts.c.version + 1  # what was remembered of it is old
    return update(table).where(table.c.id.in_(bindparam("ids", expanding=True, type_=Id))).values(values)


_WRONG = {counter.title: _wrong(counter) for counter in COUNTERS}
_RIGHT = {counter.title: _right(counter) for counter in COUNTERS}
_HOLD = {
    counter.title: select(counter.table.c.id)
    .where(counter.table.c.id.in_(bindparam("ids", expanding=True, type_=Id)))
    .order_by(counter.table.c.id)
    .with_for_update()
    for counter in COUNTERS
}
_NEXT = {
    table.name: select(table.c.id).where(table.c.id > _FROM).order_by(table.c.id).limit(AT_ONCE)
    for table in (posts, accounts)
}


@dataclass(frozen=True, slots=True)
class Stretch:
    last: int | None  # None: there were no more rows
    wrong: dict[str, list[int]]  # ids by counter


def look(tx: Connection, table: str, after: int) -> Stretch:
    """The rows after `after`, at most AT_ONCE."""
    ids = list(tx.scalars(_NEXT[table], {"begin": after}))
    if not ids:
        return Stretch(None, {})
    found = {}
    for counter in COUNTERS:
        if counter.table.name == table:
            wrong = list(tx.scalars(_WRONG[counter.title], {"begin": ids[0], "end": ids[-1]}))
            if wrong:
                found[counter.title] = wrong
    return Stretch(ids[-1], found)


def repair(tx: Connection, wrong: dict[str, list[int]]) -> int:
    """Counts these anew; how many rows."""
    for title, ids in wrong.items():  # first, so that who counts meanwhile waits, and adds to what is right
        tx.execute(_HOLD[title], {"ids": ids})
    return sum(tx.execute(_RIGHT[title], {"ids": ids}).rowcount for title, ids in wrong.items())
