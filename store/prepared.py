"""Queries that are asked so often that writing them out each time would cost more than answering them.

SQLAlchemy compiles a statement once, but expands its lists and passes its values through types at each call; for a
page of twenty posts that is more than half of the time.  Here the text for each length of the lists is kept, and rows
come as the driver gives them: an Instant is a number on SQLite.  For ids, words, and for comparing rows; where whole
rows are wanted, `typed` makes of them what SQLAlchemy would.

    _MINE = Prepared(select(…).where(likes.c.account_id == bindparam("viewer", type_=Id), likes.c.post_id.in_(_IDS)))
    _MINE.rows(tx, viewer=7, ids=[1, 2])

`Change` is the same for what changes rows.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, TypeAlias, TypeVar

from sqlalchemy import BindParameter, Connection, Delete, Dialect, Insert, Update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.selectable import SelectBase
from sqlalchemy.sql.visitors import iterate

T = TypeVar("T")
WATCHERS: Final[list[Callable[[str], None]]] = []  # are told each statement: for tests that count them
_DOUBLE: Final = 701  # float8 in PostgreSQL: numbers alone look at it, and all of ours that have a point are such
_Key: TypeAlias = tuple[Any, ...]
_Given: TypeAlias = tuple[str, Callable[[], Any]]


@dataclass(frozen=True, slots=True)
class _Mark:
    """Stands for a value while the text is made.  at: its place in a list."""

    name: str
    at: int | None = None


def padded(values: Sequence[T]) -> list[T]:
    """`values` for an IN (…), the last one repeated until there are 1, 2, 4, 8, … of them.

    So a query has a few texts instead of one for each length, and both drivers find it among the prepared ones.

    >>> padded([7, 8, 9])
    [7, 8, 9, 9]
    """
    if not values:
        return []
    return [*values, *([values[-1]] * ((1 << (len(values) - 1).bit_length()) - len(values)))]


def _rows(tx: Connection, text: str, given: tuple[Any, ...]) -> Sequence[Any]:
    """Past SQLAlchemy's results: to describe a hundred columns takes it longer than to fetch twenty rows."""
    _tell(text)
    try:
        cursor = tx.connection.cursor()
        try:
            cursor.execute(text, given)
            return cursor.fetchall()
        finally:
            cursor.close()
    except tx.dialect.loaded_dbapi.Error as error:
        if tx.dialect.name == "sqlite":
            raise as_sqlalchemy(tx, error, text) from error
        # SQLAlchemy knows which errors end a connection, and how all of them are called.
        return [tuple(row) for row in tx.exec_driver_sql(text, given)]


def _change(tx: Connection, text: str, given: tuple[Any, ...] | list[tuple[Any, ...]]) -> int:
    """How many rows it changed; -1 for many on PostgreSQL, whose driver does not say.

    On SQLite past SQLAlchemy.  Not on PostgreSQL: after an error there is no asking again, and which errors end a
    connection is SQLAlchemy's to know.
    """
    if tx.dialect.name != "sqlite":
        number = tx.exec_driver_sql(text, given).rowcount
        return -1 if isinstance(given, list) else number
    _tell(text)
    try:
        cursor = tx.connection.cursor()
        try:
            ask = cursor.executemany if isinstance(given, list) else cursor.execute
            ask(text, given)
            return cursor.rowcount
        finally:
            cursor.close()
    except tx.dialect.loaded_dbapi.Error as error:
        raise as_sqlalchemy(tx, error, text) from error


def as_sqlalchemy(tx: Connection, error: Exception, text: str = "") -> Exception:
    """What the driver says, as SQLAlchemy says it."""
    base = tx.dialect.loaded_dbapi.Error
    return DBAPIError.instance(text, None, error, base, hide_parameters=True, dialect=tx.dialect)


def _tell(text: str) -> None:
    for watcher in WATCHERS:
        watcher(text)


@dataclass(frozen=True, slots=True)
class _Text:
    """order: its values, a _Mark for each that is given; own: those that it gives itself, anew each time (a moment).

    takes: how values become what the driver takes; gives: how what it gives becomes a value, by place in the row.
    """

    sql: str
    order: tuple[Any, ...]
    own: tuple[_Given, ...]
    takes: Mapping[str, Callable[[Any], Any]]
    gives: tuple[tuple[int, Callable[[Any], Any]], ...]

    def given(self, values: dict[str, Any]) -> tuple[Any, ...]:
        for name, give in self.own:
            values.setdefault(name, give())
        return tuple(
            [
                (values[one.name] if one.at is None else values[one.name][one.at]) if type(one) is _Mark else one
                for one in self.order
            ]
        )

    def typed(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """`values` as the driver takes them; None is the same to all types."""
        taken = dict(values)
        for name, take in self.takes.items():
            if taken[name] is not None:
                taken[name] = take(taken[name])
        return taken

    def told(self, row: Sequence[Any]) -> list[Any]:
        """What the driver gave, as it is meant."""
        told = list(row)
        for at, give in self.gives:
            if told[at] is not None:
                told[at] = give(told[at])
        return told


class _Texts:
    def __init__(self, statement: SelectBase | Insert | Update | Delete) -> None:
        self._statement = statement
        self._texts: dict[_Key, _Text] = {}

    @cached_property
    def _lists(self) -> frozenset[str]:
        """Found when it is first asked: of most statements that are rare, never."""
        parts = iterate(self._statement)
        return frozenset(one.key for one in parts if isinstance(one, BindParameter) and one.expanding and one.required)

    def _text(self, tx: Connection, values: Mapping[str, Any]) -> _Text:
        key: _Key = (tx.dialect.name, *[(name, len(values[name])) for name in self._lists])
        found = self._texts.get(key)
        if found is None:
            found = self._texts[key] = self._write(tx, values)
        return found

    def _write(self, tx: Connection, values: Mapping[str, Any]) -> _Text:
        marks = {
            name: [_Mark(name, at) for at in range(len(value))] if name in self._lists else _Mark(name)
            for name, value in values.items()
        }
        compiled: Any = self._statement.compile(dialect=tx.dialect, column_keys=list(values))
        own = tuple(
            (name, _giver(bind, tx.dialect))
            for name, bind in compiled.binds.items()
            if bind.callable is not None and name not in values
        )
        takes = {
            name: _each(take) if bind.expanding else take
            for name, bind in compiled.binds.items()
            if name in values and (take := bind.type.dialect_impl(tx.dialect).bind_processor(tx.dialect)) is not None
        }
        state = compiled.construct_expanded_state({**marks, **{name: _Mark(name) for name, _ in own}})
        return _Text(state.statement, tuple(state.positional_parameters), own, takes, self._gives(tx.dialect))

    def _gives(self, dialect: Dialect) -> tuple[tuple[int, Callable[[Any], Any]], ...]:
        if not isinstance(self._statement, SelectBase):
            return ()
        columns: Any = enumerate(self._statement.selected_columns)
        found = ((at, one.type.dialect_impl(dialect).result_processor(dialect, _DOUBLE)) for at, one in columns)
        return tuple((at, give) for at, give in found if give is not None)


class Prepared(_Texts):
    def rows(self, tx: Connection, **values: Any) -> Sequence[Any]:
        """values: numbers, words, None; lists of them, `padded` so that there are few lengths."""
        text = self._text(tx, values)
        return _rows(tx, text.sql, text.given(values))

    def typed(self, tx: Connection, **values: Any) -> list[list[Any]]:
        """As `rows`, but with moments, JSON and all the rest, given and found."""
        text = self._text(tx, values)
        return [text.told(row) for row in _rows(tx, text.sql, text.given(text.typed(values)))]

    def told(self, tx: Connection, row: Sequence[Any], **values: Any) -> list[Any]:
        """One of `rows(tx, **values)` as `typed` would have given it."""
        return self._text(tx, values).told(row)


class Change(_Texts):
    """An INSERT, UPDATE or DELETE.  Values are those that SQLAlchemy takes."""

    def run(self, tx: Connection, **values: Any) -> int:
        """How many rows it changed."""
        text = self._text(tx, values)
        return _change(tx, text.sql, text.given(text.typed(values)))

    def each(self, tx: Connection, rows: Iterable[Mapping[str, Any]]) -> int:
        """Once for each of `rows`, which have the same names.  How many changed; -1 on PostgreSQL."""
        all_of_them = list(rows)
        if not all_of_them:
            return 0
        text = self._text(tx, all_of_them[0])
        return _change(tx, text.sql, [text.given(text.typed(values)) for values in all_of_them])


def _each(take: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda values: [take(one) for one in values]


def _giver(bind: Any, dialect: Dialect) -> Callable[[], Any]:
    """Its value, as the driver takes it."""
    process = bind.type.dialect_impl(dialect).bind_processor(dialect)
    return bind.callable if process is None else lambda: process(bind.callable())
