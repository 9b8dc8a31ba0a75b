"""All rows of a damaged file that can be believed, into a scratch database: a table of each, with no rule but its key.

A page to which nothing leads any more (the pages above it are damaged) belongs to the one damaged table, or index,
whose rows look like that; when there are several such, or when it cannot be known whether it was deleted, it is left.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ops.salvage.pages import HEAD, Pages
from ops.salvage.shapes import Shape, shapes
from ops.salvage.trees import INDEX, INDEX_ABOVE, TABLE, Damaged, Reader, Row, Tree, Values

MASTER: Final = 1  # the root of the list of all trees
VERSION: Final = "alembic_version"
NAMED: Final = "named "  # before a table's name: the keys that its indexes name


@dataclass(slots=True)
class Found:
    """What of a table was found.  lost: keys that its indexes name, of rows that nobody found."""

    shape: Shape
    tree: Tree
    rows: int = 0
    strays: int = 0  # of them: on pages to which nothing leads
    clean: bool = False  # these are all rows that it had
    lost: list[Values] = field(default_factory=list)


@dataclass(slots=True)
class Reading:
    pages: int = 0
    log_whole: bool = True
    unclear: int = 0  # pages of rows that could not be said to belong to a table
    version: str | None = None  # the migration it is at
    tables: dict[str, Found] = field(default_factory=dict)


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def names(columns: Sequence[str], of: str = "") -> str:
    return ", ".join(f"{of}{quoted(one)}" for one in columns)


def read(damaged: Path, sound: Path, scratch: Path) -> Reading:
    """sound: the restored database.  scratch: is made.  Raises: OSError, sqlite3.Error."""
    with sqlite3.connect(f"{sound.absolute().as_uri()}?mode=ro", uri=True) as link:
        wanted = shapes(link)
    link.close()
    into = sqlite3.connect(scratch, isolation_level=None)
    try:
        for pragma in ("journal_mode = off", "synchronous = off", "cache_size = -65536"):
            into.execute(f"PRAGMA {pragma}")
        into.execute("BEGIN")
        with sound.open("rb") as whole, Pages(damaged, whole.read(HEAD)) as pages:
            found = _Work(pages, into).all(wanted)
        into.execute("COMMIT")
    finally:
        into.close()
    return found


class _Work:
    def __init__(self, pages: Pages, into: sqlite3.Connection) -> None:
        self._pages, self._into = pages, into
        self._reader = Reader(pages)
        self._damaged: list[tuple[Shape, Tree]] = []
        self._found = Reading(pages.count, pages.log_whole)

    def all(self, wanted: Sequence[Shape]) -> Reading:
        roots = self._roots()
        for shape in wanted:
            tree = Tree(roots.get(shape.name, shape.root), is_table=shape.has_ids)
            if shape.ours and not shape.is_index:
                self._table(shape, tree)
            elif shape.is_index and shape.ours:
                self._index(shape, tree)
            else:
                self._others(shape, tree)
            if not tree.whole:
                self._damaged.append((shape, tree))
        self._strays()
        for one in self._found.tables.values():
            self._judge(one)
        return self._found

    def _roots(self) -> dict[str, int]:
        """As the file itself says.  Where it does not, they are where they were in the backup, which is its copy."""
        found = {}
        for rows in self._reader.walk(MASTER, Tree(MASTER)):
            for _, values in rows:
                if len(values) == 5 and type(values[1]) is str and type(values[3]) is int and values[3] > 0:
                    found[values[1]] = values[3]
        return found

    def _table(self, shape: Shape, tree: Tree) -> None:
        key = f"PRIMARY KEY ({names(shape.key)})) WITHOUT ROWID"
        for name, fields in (
            (shape.name, shape.fields),
            (NAMED + shape.name, [one for one in shape.fields if one.name in shape.key]),
        ):
            columns = ", ".join(f"{quoted(one.name)} {one.kind}" for one in fields)
            self._into.execute(f"CREATE TABLE {quoted(name)} ({columns}, {key}")
        found = self._found.tables[shape.name] = Found(shape, tree)
        for rows in self._reader.walk(tree.root, tree):
            kept = [values for row in rows if (values := shape.believed(row)) is not None]
            tree.bad_rows += len(rows) - len(kept)
            found.rows += self._keep(shape, kept)

    def _keep(self, shape: Shape, rows: Sequence[Values]) -> int:
        """How many were not there."""
        before = self._into.total_changes
        order = names([one.name for one in shape.fields])
        marks = ", ".join("?" * len(shape.fields))
        self._into.executemany(f"INSERT OR IGNORE INTO {quoted(shape.name)} ({order}) VALUES ({marks})", rows)  # noqa: S608
        return self._into.total_changes - before

    def _index(self, shape: Shape, tree: Tree) -> None:
        """The keys of the rows that it names."""
        order = [one.name for one in shape.fields]
        places = [order.index(one) for one in shape.key if one in order]
        into = f"{quoted(NAMED + shape.table)} ({names(shape.key)})"
        marks = ", ".join("?" * len(shape.key))
        for rows in self._reader.walk(tree.root, tree):
            kept = [values for row in rows if (values := shape.believed(row)) is not None]
            tree.bad_rows += len(rows) - len(kept)
            if len(places) == len(shape.key):
                keys = [tuple(values[place] for place in places) for values in kept]
                self._into.executemany(f"INSERT OR IGNORE INTO {into} VALUES ({marks})", keys)  # noqa: S608

    def _others(self, shape: Shape, tree: Tree) -> None:
        """What is not ours belongs to somebody, too."""
        for rows in self._reader.walk(tree.root, tree):
            if shape.name == VERSION and len(rows) == 1:
                (_, values), *_ = rows
                self._found.version = values[0] if values and type(values[0]) is str else None

    def _strays(self) -> None:
        free, free_known = self._pages.free()
        self._reader.seen |= free
        for number, rows in self._unnamed():
            fit = [shape for shape, _ in self._damaged if all(shape.believed(row) is not None for row in rows)]
            if free_known and len(fit) == 1 and fit[0].ours and not fit[0].is_index:
                found = self._found.tables[fit[0].name]
                more = self._keep(fit[0], [values for row in rows if (values := fit[0].believed(row)) is not None])
                found.rows, found.strays = found.rows + more, found.strays + more
            elif not free_known or len(fit) > 1 or any(not one.is_index for one in fit):
                self._found.unclear += 1
            self._reader.seen.add(number)

    def _unnamed(self) -> Iterator[tuple[int, list[Row]]]:
        if not self._damaged:
            return
        for number in range(2, self._pages.count + 1):
            if number in self._reader.seen:
                continue
            try:
                page = self._reader.leaf(number)
            except Damaged:
                continue
            if page.rows and not page.bad and page.kind in (INDEX, INDEX_ABOVE, TABLE):
                yield number, page.rows

    def _judge(self, one: Found) -> None:
        """lost: what an index names that is not there."""
        table, key = quoted(one.shape.name), one.shape.key
        same = " AND ".join(f"t.{quoted(name)} = k.{quoted(name)}" for name in key)
        one.lost = self._into.execute(
            f"SELECT {names(key, 'k.')} FROM {quoted(NAMED + one.shape.name)} k"  # noqa: S608
            f" WHERE NOT EXISTS (SELECT 1 FROM {table} t WHERE {same})"
        ).fetchall()
        one.clean = one.tree.whole and not one.lost
