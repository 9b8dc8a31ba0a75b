"""What was read of the damaged file goes into the restored database: one transaction, so all of it or nothing.

The damaged file is the later one.  While the restored database is `fresh` (no server ran on it) it is right wherever
it can be read: a row that differs is replaced, and of a table that was read whole, what it has not was deleted after
the backup, and is again.  Once a server ran, nobody can say which of two is later: then only rows are added that were
made since the backup.  A row whose parent is nowhere, or whose name another row has, is not taken.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from sqlalchemy import BigInteger, Connection, ForeignKeyConstraint, Table

from ops.change.place import NotChanged
from ops.salvage.reading import Found, Reading, names, quoted
from social import fulltext
from store.ids import NODE_BITS, SEQUENCE_BITS
from store.tables import metadata
from store.tables.base import Instant

Raw: TypeAlias = Any  # the driver's own connection

LOOSE: Final = {  # what they name, with no foreign key
    "delivery": ("activity_id", "activity"),
    "home_entry": ("post_id", "post"),
    "idempotency": ("post_id", "post"),
    "list_entry": ("post_id", "post"),
}
# The first is filled from what is taken.  The second: what was handled since the backup comes again from the spool, and
# must not be thought handled where its effect was on a page that is gone.
LEFT: Final = {"unindexed_post", "handled"}
_SHIFT: Final = NODE_BITS + SEQUENCE_BITS
_MADE: Final = ("created_at", "at")
_BURIED: Final = (
    "EXISTS (SELECT 1 FROM main.tombstone b JOIN main.account a ON a.uri = b.owner"
    " WHERE b.uri = t.uri AND a.id = t.author_id)"
)


@dataclass(slots=True)
class Merged:
    """Rows.  alone: not taken, for what they belong to is nowhere.  there: not taken, another has their name."""

    new: int = 0
    changed: int = 0
    removed: int = 0
    alone: int = 0
    there: int = 0


@dataclass(slots=True)
class Work:
    """since: microseconds; of a database that is not fresh, only what was made later is taken."""

    raw: Raw
    reading: Reading
    since: int | None = None
    done: dict[str, Merged] = field(default_factory=dict)
    posts: set[int] = field(default_factory=set)  # that are new, others, or gone

    @property
    def fresh(self) -> bool:
        return self.since is None


def merge(tx: Connection, scratch: str, reading: Reading, since: int | None) -> Mapping[str, Merged]:
    """Raises: NotChanged, when the result would not be sound; sqlite3.Error."""
    raw: Raw = tx.connection.dbapi_connection
    raw.execute("ATTACH ? AS found", (scratch,))
    raw.execute("CREATE TEMP TABLE taken (name TEXT, id INTEGER, PRIMARY KEY (name, id)) WITHOUT ROWID")
    work = Work(raw, reading, since)
    ours = [table for table in metadata.sorted_tables if table.name in reading.tables and table.name not in LEFT]
    tables = sorted(ours, key=lambda table: table.name in LOOSE)  # after what they name
    for table in tables:
        work.done[table.name] = Merged()
        if work.fresh and reading.tables[table.name].clean:
            _remove(work, table)
    for table in tables:
        _take(work, table)
    _bury(work)
    _settle(work)
    fulltext.ask(tx, sorted(work.posts))
    if wrong := raw.execute("PRAGMA main.foreign_key_check").fetchmany(5):
        raise NotChanged(f"nothing was taken: rows would name others that are not there ({wrong}); report this")
    raw.execute("DROP TABLE temp.taken")
    return work.done


def _same(table: Table) -> str:
    return " AND ".join(f"t.{quoted(one.name)} = s.{quoted(one.name)}" for one in table.primary_key)


def _remove(work: Work, table: Table) -> None:
    name = quoted(table.name)
    gone = f"NOT EXISTS (SELECT 1 FROM found.{name} s WHERE {_same(table)})"  # noqa: S608
    _note_posts(work, table, f"SELECT t.id FROM main.{name} t WHERE {gone}")  # noqa: S608
    work.done[table.name].removed = _number(work, f"DELETE FROM main.{name} AS t WHERE {gone}")  # noqa: S608


def _take(work: Work, table: Table) -> None:
    name, done = quoted(table.name), work.done[table.name]
    if not work.fresh:
        _number(work, f"DELETE FROM found.{name} AS t WHERE NOT ({_since(work, table)})")  # noqa: S608
        _number(work, f"DELETE FROM found.{name} AS t WHERE EXISTS (SELECT 1 FROM main.{name} s WHERE {_same(table)})")  # noqa: S608
    if table.name == "post":
        _number(work, f"DELETE FROM found.{name} AS t WHERE {_BURIED}")  # noqa: S608
    done.alone = _without_parents(work, table)
    columns = [one.name for one in table.columns]
    others = [one.name for one in table.columns if not one.primary_key]
    missing = f"NOT EXISTS (SELECT 1 FROM main.{name} t WHERE {_same(table)})"  # noqa: S608
    if others and work.fresh:
        differs = " OR ".join(f"t.{quoted(one)} IS NOT s.{quoted(one)}" for one in others)
        newer = " AND s.version >= t.version" if "version" in others else ""
        where = f"{_same(table)} AND ({differs}){newer}"
        _note_posts(work, table, f"SELECT t.id FROM main.{name} t, found.{name} s WHERE {where}")  # noqa: S608
        sets = ", ".join(f"{quoted(one)} = s.{quoted(one)}" for one in others)
        done.changed = _number(work, f"UPDATE OR IGNORE main.{name} AS t SET {sets} FROM found.{name} s WHERE {where}")  # noqa: S608
    _note_posts(work, table, f"SELECT s.id FROM found.{name} s WHERE {missing}")  # noqa: S608
    (wanted,) = work.raw.execute(f"SELECT count(*) FROM found.{name} s WHERE {missing}").fetchone()  # noqa: S608
    done.new = _number(
        work,
        f"INSERT OR IGNORE INTO main.{name} ({names(columns)})"  # noqa: S608
        f" SELECT {names(columns, 's.')} FROM found.{name} s WHERE {missing}",
    )
    done.there = wanted - done.new
    if not work.fresh and len(table.primary_key) == 1:
        key = quoted(next(iter(table.primary_key)).name)
        work.raw.execute(
            f"INSERT OR IGNORE INTO temp.taken SELECT ?, s.{key} FROM found.{name} s"  # noqa: S608
            f" WHERE typeof(s.{key}) = 'integer' AND s.{key} IN (SELECT {key} FROM main.{name})",
            (table.name,),
        )


def _since(work: Work, table: Table) -> str:
    """Was it made since the backup, or belongs it to what was?"""
    moment = int(work.since or 0)
    found = [f"t.{one.name} >= {moment}" for one in table.columns
             if one.name in _MADE and isinstance(one.type, Instant)]  # fmt: skip
    if _has_id(table) and not found:
        found.append(f"(t.id >> {_SHIFT}) >= {moment // 1000}")
    for column, parent, _ in _parents(table):
        if len(column) == 1:
            found.append(f"t.{quoted(column[0])} IN (SELECT id FROM temp.taken WHERE name = '{parent}')")  # noqa: S608
    return " OR ".join(found) or "0"


def _has_id(table: Table) -> bool:
    """One of store.ids, which say when they were made."""
    return "id" in table.columns and isinstance(table.columns["id"].type, BigInteger)


def _parents(table: Table) -> Iterator[tuple[list[str], str, str]]:
    """(columns, table that they name, what happens to a row when that one is gone)."""
    for key in sorted(table.foreign_key_constraints, key=lambda key: list(key.column_keys)):
        yield list(key.column_keys), key.referred_table.name, key.ondelete or ""
    if table.name in LOOSE:
        column, parent = LOOSE[table.name]
        yield [column], parent, ""


def _gone(table: Table, columns: Sequence[str], parent: str, *places: str) -> str:
    """It names one that is in none of the places."""
    key = _key(table, columns, parent)
    same = " AND ".join(f"p.{quoted(far)} = t.{quoted(near)}" for near, far in key)
    named = " AND ".join(f"t.{quoted(near)} IS NOT NULL" for near, _ in key)
    there = [f"NOT EXISTS (SELECT 1 FROM {place}.{quoted(parent)} p WHERE {same})" for place in places]  # noqa: S608
    return f"{named} AND {' AND '.join(there)}"


def _key(table: Table, columns: Sequence[str], parent: str) -> list[tuple[str, str]]:
    found: ForeignKeyConstraint | None = next(
        (key for key in table.foreign_key_constraints if list(key.column_keys) == list(columns)), None
    )
    if found is None:
        return [(columns[0], next(iter(metadata.tables[parent].primary_key)).name)]
    return [(element.parent.name, element.column.name) for element in found.elements]


def _without_parents(work: Work, table: Table) -> int:
    name, total, again = quoted(table.name), 0, True
    while again:
        again = False
        for columns, parent, then in _parents(table):
            places = ("main", "found") if parent == table.name else ("main",)
            gone = _gone(table, columns, parent, *places)
            if then == "SET NULL":
                _number(work, f"UPDATE found.{name} AS t SET {quoted(columns[0])} = NULL WHERE {gone}")  # noqa: S608
                continue
            left = _number(work, f"DELETE FROM found.{name} AS t WHERE {gone}")  # noqa: S608
            again = again or (parent == table.name and left > 0)
            total += left
    return total


def _bury(work: Work) -> None:
    """Posts of the backup that were deleted after it, by what the file says of deletions."""
    if not work.fresh:
        return
    _note_posts(work, metadata.tables["post"], f"SELECT t.id FROM main.post t WHERE {_BURIED}")  # noqa: S608
    work.done["post"].removed += _number(work, f"DELETE FROM main.post AS t WHERE {_BURIED}")  # noqa: S608


def _settle(work: Work) -> None:
    """What hung on what is gone goes the way that its key says: foreign keys are not looked after meanwhile."""
    again = True
    while again:
        again = False
        for table in metadata.sorted_tables:
            name = quoted(table.name)
            for columns, parent, then in _parents(table):
                gone = _gone(table, columns, parent, "main")
                if then == "SET NULL":
                    _number(work, f"UPDATE main.{name} AS t SET {quoted(columns[0])} = NULL WHERE {gone}")  # noqa: S608
                    continue
                _note_posts(work, table, f"SELECT t.id FROM main.{name} t WHERE {gone}")  # noqa: S608
                left = _number(work, f"DELETE FROM main.{name} AS t WHERE {gone}")  # noqa: S608
                work.done.setdefault(table.name, Merged()).removed += left
                again = again or left > 0


def _note_posts(work: Work, table: Table, query: str) -> None:
    if table.name == "post":
        work.posts.update(number for (number,) in work.raw.execute(query))


def _number(work: Work, statement: str) -> int:
    found: int = work.raw.execute(statement).rowcount
    return found


def newest(found: Mapping[str, Found], raw: Raw) -> int:
    """Milliseconds: the latest moment that anything in the scratch database is of."""
    moments = [0]
    for name in found:
        table = metadata.tables[name]
        if _has_id(table):
            moments.append((raw.execute(f"SELECT max(id) FROM {quoted(name)}").fetchone()[0] or 0) >> _SHIFT)  # noqa: S608
        if "at" in table.columns:
            moments.append((raw.execute(f"SELECT max(at) FROM {quoted(name)}").fetchone()[0] or 0) // 1000)  # noqa: S608
    return max(moments)
