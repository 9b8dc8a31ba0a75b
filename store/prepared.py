"""Queries that are asked so often that writing them out each time would cost more than answering them.

SQLAlchemy compiles a statement once, but expands its lists and passes its values through types at each call; for a
page of twenty posts that is more than half of the time.  Here the text for each length of the lists is kept.  `rows`
are as the driver gives them, an Instant is a number on SQLite: for ids, words, and for comparing.  `typed` are as
SQLAlchemy would give them.

    _MINE = Prepared(select(…).where(likes.c.account_id == bindparam("viewer", type_=Id), likes.c.post_id.in_(_IDS)))
    _MINE.rows(tx, viewer=7, ids=[1, 2])
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, TypeVar

from sqlalchemy import Connection, Dialect
from sqlalchemy.sql.selectable import SelectBase
from sqlalchemy.types import TypeEngine

T = TypeVar("T")
WATCHERS: Final[list[Callable[[str], None]]] = []  # are told each statement: for tests that count them
_Key: TypeAlias = tuple[Any, ...]
_Given: TypeAlias = tuple[str, Callable[[], Any]]
_Reader: TypeAlias = tuple[int, Callable[[Any], Any]]  # a column, and how its values are read


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
    for watcher in WATCHERS:
        watcher(text)
    try:
        cursor = tx.connection.cursor()
        try:
            cursor.execute(text, given)
            return cursor.fetchall()
        finally:
            cursor.close()
    except tx.dialect.loaded_dbapi.Error:
        # SQLAlchemy knows which errors end a connection, and how all of them are called.
        return [tuple(row) for row in tx.exec_driver_sql(text, given)]


class Prepared:
    def __init__(self, query: SelectBase) -> None:
        self._query = query
        self._texts: dict[_Key, tuple[str, tuple[Any, ...], tuple[_Given, ...]]] = {}
        self._readers: dict[str, tuple[_Reader, ...]] = {}

    def rows(self, tx: Connection, **values: Any) -> Sequence[Any]:
        """values: numbers, words, None; lists of them, `padded` so that there are few lengths."""
        key: _Key = (tx.dialect.name, *[(name, len(value)) for name, value in values.items() if type(value) is list])
        found = self._texts.get(key)
        if found is None:
            found = self._texts[key] = self._write(tx, values)
        text, order, given_by_itself = found
        for name, give in given_by_itself:
            values.setdefault(name, give())
        given = [
            (values[one.name] if one.at is None else values[one.name][one.at]) if type(one) is _Mark else one
            for one in order
        ]
        return _rows(tx, text, tuple(given))

    def typed(self, tx: Connection, **values: Any) -> list[list[Any]]:
        """The same rows, with values of their types: an Instant is a datetime."""
        readers = self._readers.get(tx.dialect.name)
        if readers is None:
            columns = enumerate(self._query.selected_columns)
            found = ((at, _reader(column.type, tx.dialect)) for at, column in columns)
            readers = self._readers[tx.dialect.name] = tuple((at, read) for at, read in found if read is not None)
        rows = [list(row) for row in self.rows(tx, **values)]
        for row in rows:
            for at, read in readers:
                row[at] = read(row[at])
        return rows

    def _write(self, tx: Connection, values: dict[str, Any]) -> tuple[str, tuple[Any, ...], tuple[_Given, ...]]:
        """The text, its values in their order, and those that the query gives itself, anew each time (a moment)."""
        marks = {
            name: [_Mark(name, at) for at in range(len(value))] if type(value) is list else _Mark(name)
            for name, value in values.items()
        }
        compiled: Any = self._query.compile(dialect=tx.dialect)
        own = tuple(
            (name, _giver(bind, tx.dialect))
            for name, bind in compiled.binds.items()
            if bind.callable is not None and name not in values
        )
        state = compiled.construct_expanded_state({**marks, **{name: _Mark(name) for name, _ in own}})
        return state.statement, tuple(state.positional_parameters), own


def _giver(bind: Any, dialect: Dialect) -> Callable[[], Any]:
    """Its value, as the driver takes it."""
    process = bind.type.dialect_impl(dialect).bind_processor(dialect)
    return bind.callable if process is None else lambda: process(bind.callable())


def _reader(type_: TypeEngine[Any], dialect: Dialect) -> Callable[[Any], Any] | None:
    return type_.dialect_impl(dialect).result_processor(dialect, None)
