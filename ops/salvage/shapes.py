"""What rows of each table look like on the pages of a file, by the sound database; and whether one may be believed."""

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

import orjson
from sqlalchemy import Boolean, Column, Float, Integer, LargeBinary, Text
from sqlalchemy.types import TypeEngine

from ops.salvage.trees import Row, Values
from store.tables import metadata
from store.tables.base import Instant, Json

Look: TypeAlias = Callable[[Any], bool]

_FIRST: Final = -62_135_596_800_000_000  # microseconds: the year 1
_LAST: Final = 253_402_300_799_999_999  # and the end of 9999
_DOCUMENTS: Final = {("activity", "body")}  # JSON, as bytes
_TABLES: Final = "SELECT name, wr FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', 'shadow')"


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    kind: str  # as it was declared: values are compared by it
    look: Look
    nullable: bool
    default: Any = None  # of rows that are older than their column

    def takes(self, value: Any) -> bool:
        return self.nullable if value is None else self.look(value)


@dataclass(frozen=True, slots=True)
class Shape:
    """A table, or an index of one.

    fields:   in their order on the pages; of tables that we do not know (those of the full text), just so many
    own:      the column that is the row's id, and not in its record
    key:      names of the primary key; of an index: of its table
    full:     of an index: has every row of its table
    """

    name: str
    table: str
    root: int
    fields: tuple[Field, ...]
    key: tuple[str, ...]
    has_ids: bool = False
    own: str | None = None
    ours: bool = True
    is_index: bool = False
    full: bool = False

    def believed(self, row: Row) -> Values | None:
        """The values of its fields; None: that is no row of this table."""
        name, values = row
        if (name is not None) != self.has_ids or len(values) > len(self.fields):
            return None
        if not self.ours:
            return values if len(values) == len(self.fields) else None
        found = []
        for place, one in enumerate(self.fields):
            value = values[place] if place < len(values) else one.default
            if one.name == self.own:
                if value is not None:
                    return None
                value = name
            elif not one.takes(value):
                return None
            found.append(value)
        return tuple(found) if not self.is_index or len(values) == len(self.fields) else None


def shapes(sound: sqlite3.Connection) -> list[Shape]:
    """Tables, each before its indexes.  sound: the restored database."""
    roots = dict(sound.execute("SELECT name, rootpage FROM sqlite_master WHERE rootpage > 0"))
    found = []
    for name, without_ids in sound.execute(_TABLES).fetchall():
        if name not in roots:  # sqlite_schema itself
            continue
        shape = _table(sound, name, roots[name], has_ids=not without_ids)
        found += [shape, *_indexes(sound, shape, roots)]
    return found


def _table(sound: sqlite3.Connection, name: str, root: int, *, has_ids: bool) -> Shape:
    rows = sound.execute('SELECT name, type, "notnull", dflt_value, pk FROM pragma_table_info(?) ORDER BY cid', (name,))
    there = rows.fetchall()
    key = tuple(row[0] for row in sorted(there, key=lambda row: row[4]) if row[4])
    known = {column.name: column for column in metadata.tables[name].columns} if name in metadata.tables else {}
    own = key[0] if has_ids and len(key) == 1 and _kind(there, key[0]) == "INTEGER" else None
    fields = {
        row[0]: Field(row[0], row[1], _look(known.get(row[0])), not (row[2] or row[4]), _default(sound, row[3]))
        for row in there
    }
    columns = tuple(fields)
    order = columns if has_ids else (*key, *(one for one in columns if one not in key))
    return Shape(name, name, root, tuple(fields[one] for one in order), key, has_ids, own, ours=bool(known))


def _indexes(sound: sqlite3.Connection, table: Shape, roots: dict[str, int]) -> list[Shape]:
    fields = {one.name: one for one in table.fields}
    row_id = Field("", "INTEGER", lambda value: type(value) is int, nullable=False)
    found = []
    listed = sound.execute("SELECT name, partial FROM pragma_index_list(?)", (table.name,)).fetchall()
    for name, partial in listed:
        if name not in roots:  # the primary key of a table without ids is that table
            continue
        parts = sound.execute("SELECT cid, name FROM pragma_index_xinfo(?) ORDER BY seqno", (name,)).fetchall()
        ours = table.ours and all(cid >= -1 for cid, _ in parts)
        of = tuple(row_id if cid == -1 else fields.get(column or "", row_id) for cid, column in parts)
        of = tuple(replace(one, name=table.own or "") if one is row_id else one for one in of)
        found.append(Shape(name, table.name, roots[name], of, table.key, ours=ours, is_index=True, full=not partial))
    return found


def _kind(there: Sequence[Any], name: str) -> str:
    return next(str(row[1]).upper() for row in there if row[0] == name)


def _default(sound: sqlite3.Connection, words: str | None) -> Any:
    return None if words is None else sound.execute(f"SELECT {words}").fetchone()[0]


def _look(column: Column[Any] | None) -> Look:
    if column is None:
        return lambda _: True
    if (column.table.name, column.name) in _DOCUMENTS:
        return lambda value: type(value) is bytes and _is_document(value)
    kind: TypeEngine[Any] = column.type
    for one, look in _LOOKS:
        if isinstance(kind, one):
            return look
    return lambda _: False


def _is_json(value: Any) -> bool:
    return type(value) is str and _is_document(value)


def _is_document(value: bytes | str) -> bool:
    try:
        orjson.loads(value)
    except orjson.JSONDecodeError:
        return False
    return True


_LOOKS: Final[tuple[tuple[type[Any], Look], ...]] = (
    (Instant, lambda value: type(value) is int and _FIRST <= value <= _LAST),
    (Json, _is_json),
    (Boolean, lambda value: value in (0, 1) and type(value) is int),
    (Float, lambda value: type(value) in (int, float)),
    (Integer, lambda value: type(value) is int),
    (LargeBinary, lambda value: type(value) is bytes),
    (Text, lambda value: type(value) is str and "\0" not in value),  # as a page of zeros would be read
)
