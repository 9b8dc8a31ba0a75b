"""Moves all rows of the main database to an empty one of the other kind, and proves that they are the same.

All of it is one transaction of the target, and its last step: killed at any moment, the target is empty as before, and
the source is only read.  The index of words is not copied, for each engine has its own: the worker makes it again.
"""

import sqlite3
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from sqlalchemy import Connection, Table, func, inspect, make_url, select, text
from sqlalchemy.exc import SQLAlchemyError

import migrations
from ops import copies
from ops.change import checks, engine, progress, snapshots
from ops.change.place import NotChanged, Place, sync_folder, want_room
from ops.findings import first_line
from ops.move import ends
from ops.move.ends import End
from ops.move.values import Row, Sum
from social import fulltext
from store.tables import metadata

OLDEST: Final = 130_000  # of PostgreSQL
Seen: TypeAlias = Callable[[str, int, int], None]  # table, rows done, rows of all

_OTHERS = text(
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
)


@dataclass(frozen=True, slots=True)
class Moved:
    rows: Mapping[str, int]
    sums: Mapping[str, str]  # a table's, the same on both engines
    mended: int  # texts with NUL, or with bytes that are no UTF-8
    seconds: float


def move(place: Place, target: str, seen: Seen) -> Moved:
    """place: from where; its server is stopped, and stays so: the caller holds the lock of the data folder.

    Raises: NotChanged.  Then the target is as it was.
    """
    began = time.monotonic()
    _refuse(place, target)
    file = _file(target)
    if file is None:
        _see_postgresql(target)
        done = _between(place.url, target, seen)
    else:
        done = _into_file(place, file, seen)
    rows = {name: one.rows for name, one in done[0].items()}
    return Moved(rows, {name: one.hex() for name, one in done[0].items()}, done[1], time.monotonic() - began)


def _file(url: str) -> Path | None:
    address = make_url(url)
    return Path(address.database or "") if address.get_backend_name() == "sqlite" else None


def _refuse(place: Place, target: str) -> None:
    """What must be so of the source."""
    if (place.file is None) == (_file(target) is None):
        kind = (
            "SQLite: stop the server and copy DATA_DIR" if place.file else "PostgreSQL: make a backup, and restore it"
        )
        raise NotChanged(f"both are {kind}; docs/admin/moving.md says how")
    if progress.unfinished(place.data_dir) is not None:
        raise NotChanged("a change of the database is not finished; run `connectme db upgrade` first")
    at = engine.read(place.url, migrations.current)
    if at != migrations.newest():
        raise NotChanged(
            f"the database is at migration {at}, not {migrations.newest()}; run `connectme db upgrade` first"
        )
    if place.file is None:
        if others := engine.read(place.url, lambda tx: tx.scalar(_OTHERS) or 0):
            raise NotChanged(
                f"{others} other connections use the database; stop the server on all machines, and all else that"
                " is connected"
            )
    elif wrong := copies.check_sqlite(place.file):
        raise NotChanged(f"the database is damaged ({wrong[0]}); run `connectme db check`, nothing is moved before")


def _see_postgresql(url: str) -> None:
    def look(tx: Connection) -> tuple[list[str], str, int]:
        version = int(tx.scalar(text("SHOW server_version_num")) or 0)
        return inspect(tx).get_table_names(), str(tx.scalar(text("SHOW server_encoding"))), version

    tables, encoding, version = engine.read(url, look)
    if tables:
        raise NotChanged(f"the target is not empty (it has a table {tables[0]}); make a new database and name that")
    if encoding != "UTF8":
        raise NotChanged(f"the target is in {encoding}; make one with: createdb --encoding UTF8 --template template0")
    if version < OLDEST:
        raise NotChanged(f"the target is PostgreSQL {version // 10_000}; ConnectMe needs {OLDEST // 10_000} or newer")


def _into_file(place: Place, file: Path, seen: Seen) -> tuple[dict[str, Sum], int]:
    """The file has its name when all is in it, and is durable."""
    if file.exists():
        raise NotChanged(f"{file} is there already; name another file, or move that one away")
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        want_room(file.parent, snapshots.size(place), "the new database")
        with copies.unfinished(file) as beside:
            beside.touch(mode=0o600)
            done = _between(place.url, f"sqlite:///{beside}", seen)
        sync_folder(file.parent)
    except OSError as error:
        raise NotChanged(
            f"{file} cannot be written ({error.strerror or error}); correct its rights, or make room"
        ) from error
    return done


def _between(source: str, target: str, seen: Seen) -> tuple[dict[str, Sum], int]:
    return engine.read(source, lambda old: engine.write(target, lambda new: _all(ends.end(old), ends.end(new), seen)))


def _all(source: End, to: End, seen: Seen) -> tuple[dict[str, Sum], int]:
    migrations.upgrade(to.tx)
    again = to.bare()
    sums = {table.name: _table(source, to, table, seen) for table in metadata.sorted_tables}
    for statement in again:
        _made(to, statement)
    _compare(to, sums)
    for batch in ends.indexed(source.tx):
        fulltext.ask(to.tx, batch)
    if wrong := to.finish() + checks.answers(to.tx):
        raise NotChanged(f"nothing was moved: {wrong[0]}")
    return sums, source.mended + to.mended


def _table(source: End, to: End, table: Table, seen: Seen) -> Sum:
    total, found = source.tx.scalar(select(func.count()).select_from(table)) or 0, Sum()
    for batch in source.rows(table):
        rows = to.fit(batch)
        _put(to, table, rows)
        found.add(rows)
        seen(table.name, found.rows, total)
    return found


def _put(to: End, table: Table, rows: list[Row]) -> None:
    try:
        to.take(table, rows)
    except (NotChanged, sqlite3.Error, ValueError, OverflowError) as error:
        keys = [place for place, column in enumerate(table.columns) if column.primary_key]
        first, last = ([row[place] for place in keys] for row in (rows[0], rows[-1]))
        raise NotChanged(
            f"nothing was moved: of {table.name}, the rows {first} to {last}: {first_line(error)}"
        ) from error


def _made(to: End, statement: str) -> None:
    try:
        to.tx.exec_driver_sql(statement)
    except SQLAlchemyError as error:
        raise NotChanged(
            f"nothing was moved: the target refused {statement!r} ({first_line(error)}); run `connectme db check`"
        ) from error


def _compare(to: End, sums: Mapping[str, Sum]) -> None:
    for table in metadata.sorted_tables:
        found = Sum()
        for batch in to.rows(table):
            found.add(batch)
        if found != sums[table.name]:
            was = sums[table.name]
            raise NotChanged(
                f"nothing was moved: {table.name} had {was.rows} rows with the sum {was.hex()}, and has {found.rows}"
                f" with {found.hex()} now; report this"
            )
