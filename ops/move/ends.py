"""The two ends of a move: rows out of one database, rows into the other, some at a time, each by its own driver.

Rows are as ops/move/values.py says.  Indexes and foreign keys are laid aside while rows come in: it is quicker, and
posts answer posts that come later.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final, Protocol

from sqlalchemy import Connection, Table, text

from ops.change.place import NotChanged
from ops.findings import first_line
from ops.move import values
from ops.move.values import Row
from store.tables.search import INDEX

AT_ONCE: Final = 500  # rows
_CACHE: Final = "PRAGMA cache_size = -131072"  # KiB
_PLAIN: Final = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
_KEYS: Final = (
    "SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid) FROM pg_constraint"
    " WHERE contype = 'f' AND connamespace = current_schema()::text::regnamespace"
)
_INDEXES: Final = (
    "SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) FROM pg_index i"
    " JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relnamespace = current_schema()::text::regnamespace"
    " AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x'))"
)
_PATIENT: Final = ("statement_timeout", "idle_in_transaction_session_timeout")


class End(Protocol):
    tx: Connection
    mended: int  # texts that could not be kept as they were

    def rows(self, table: Table) -> Iterator[list[Row]]: ...

    def take(self, table: Table, rows: list[Row]) -> None: ...

    def fit(self, rows: list[Row]) -> list[Row]:
        """As this database can keep them."""

    def bare(self) -> list[str]:
        """Drops indexes and foreign keys; the statements that make them again."""

    def finish(self) -> list[str]:
        """After the last row; what is wrong."""


def end(tx: Connection) -> End:
    return SQLite(tx) if tx.dialect.name == "sqlite" else PostgreSQL(tx)


class SQLite:
    def __init__(self, tx: Connection) -> None:
        self.tx = tx
        self.mended = 0
        raw: Any = tx.connection.dbapi_connection
        raw.text_factory = self._text
        raw.execute(_CACHE)
        self._raw = raw

    def _text(self, raw: bytes) -> str:
        try:
            return raw.decode()
        except UnicodeDecodeError:  # half of a surrogate pair, written by something else than this server
            self.mended += 1
            return raw.decode(errors="replace")

    def rows(self, table: Table) -> Iterator[list[Row]]:
        found = self._raw.execute(_select(self.tx, table))
        while batch := found.fetchmany(AT_ONCE):
            yield batch

    def take(self, table: Table, rows: list[Row]) -> None:
        name, columns = _names(self.tx, table)
        marks = ", ".join("?" * len(table.columns))
        self._raw.executemany(f"INSERT INTO {name} ({columns}) VALUES ({marks})", rows)  # noqa: S608

    def fit(self, rows: list[Row]) -> list[Row]:
        return rows

    def bare(self) -> list[str]:
        made = self._raw.execute(_PLAIN).fetchall()
        for name, _ in made:
            self._raw.execute(f'DROP INDEX "{name}"')
        return [sql for _, sql in made]

    def finish(self) -> list[str]:
        wrong = [row[0] for row in self._raw.execute("PRAGMA integrity_check(20)") if row[0] != "ok"]
        keys = self._raw.execute("PRAGMA foreign_key_check").fetchmany(20)
        return wrong + [f"a row of {table} names one of {other} that is not there" for table, _, other, _ in keys]


class PostgreSQL:
    def __init__(self, tx: Connection) -> None:
        self.tx = tx
        self.mended = 0
        for name in _PATIENT:
            tx.exec_driver_sql(f"SET LOCAL {name} = 0")
        self._raw: Any = tx.connection.dbapi_connection  # run_async: SQLAlchemy's word for the driver's own

    def rows(self, table: Table) -> Iterator[list[Row]]:
        turns = values.turns(table, values.from_postgresql)
        statement = _select(self.tx, table)
        found = self._ask(lambda driver: driver.cursor(statement))
        while batch := self._ask(lambda _: found.fetch(AT_ONCE)):
            yield values.turned(batch, turns)

    def take(self, table: Table, rows: list[Row]) -> None:
        names = [column.name for column in table.columns]
        records = values.turned(rows, values.turns(table, values.to_postgresql))
        self._ask(lambda driver: driver.copy_records_to_table(table.name, records=records, columns=names))

    def _ask(self, work: Callable[[Any], Any]) -> Any:
        try:
            return self._raw.run_async(work)
        except Exception as error:  # the driver's own, which SQLAlchemy does not see
            raise NotChanged(f"PostgreSQL refused: {first_line(error)}") from error

    def fit(self, rows: list[Row]) -> list[Row]:
        """Without NUL in texts, which PostgreSQL cannot keep."""
        return [
            tuple(map(self._clean, row)) if any(type(one) is str and "\0" in one for one in row) else row
            for row in rows
        ]

    def _clean(self, value: Any) -> Any:
        if type(value) is str and "\0" in value:
            self.mended += 1
            return value.replace("\0", "")
        return value

    def bare(self) -> list[str]:
        keys, indexes = self.tx.execute(text(_KEYS)).all(), self.tx.execute(text(_INDEXES)).all()
        for table, name, _ in keys:
            self.tx.exec_driver_sql(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        for name, _ in indexes:
            self.tx.exec_driver_sql(f"DROP INDEX {name}")
        return [
            *(sql for _, sql in indexes),
            *(f"ALTER TABLE {table} ADD CONSTRAINT {name} {sql}" for table, name, sql in keys),
        ]

    def finish(self) -> list[str]:
        self.tx.exec_driver_sql("ANALYZE")
        return []


def _names(tx: Connection, table: Table) -> tuple[str, str]:
    quote = tx.dialect.identifier_preparer.quote
    return quote(table.name), ", ".join(quote(column.name) for column in table.columns)


def _select(tx: Connection, table: Table) -> str:
    """In the order of their keys, so that the other one can put each row behind the last."""
    name, columns = _names(tx, table)
    quote = tx.dialect.identifier_preparer.quote
    order = ", ".join(quote(column.name) for column in table.primary_key)
    return f"SELECT {columns} FROM {name} ORDER BY {order}"  # noqa: S608


def indexed(tx: Connection) -> Iterator[list[int]]:
    """The posts in the index of words."""
    found = tx.execute(text(f"SELECT rowid FROM {INDEX}"))  # noqa: S608
    while batch := found.fetchmany(AT_ONCE):
        yield [number for (number,) in batch]
