"""What an upgrade would do: the migrations that are missing, what each locks, and how to go back.

Which tables a migration touches is not written down twice: the pending migrations are run on an empty database in
memory, and their statements are looked at.
"""

import ast
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.pool import StaticPool

import migrations
from ops.change import engine
from ops.change.place import Place

_SAID: Final = re.compile(r"^(Why|Locks|Back|Rows): (.+(?:\n +\S.*)*)", re.MULTILINE)
_TABLE: Final = re.compile(r'\b(?:ALTER TABLE|UPDATE|FROM|INTO|ON|DROP TABLE)\s+"?(\w+)"?', re.IGNORECASE)
_CHANGES: Final = re.compile(r"\s*(?:ALTER|UPDATE|DELETE|INSERT|CREATE (?:UNIQUE )?INDEX|DROP)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Step:
    """One migration."""

    number: str
    name: str
    why: str
    locks: str
    back: str
    changes_rows: tuple[str, ...]  # tables whose rows it adds or takes away
    reversible: bool
    rows: Mapping[str, int]  # about how many rows each table has that was there and is touched
    online: bool  # nothing that exists is touched
    seconds: float | None  # in the last rehearsal


def pending(found: str | None) -> list[str]:
    """The migrations after the one that the database is at, in order."""
    return [number for number in migrations.files() if number > (found or "")]


def fingerprint(numbers: Iterable[str]) -> str:
    """Of the migrations as they are written: a rehearsal of other ones proves nothing."""
    files, digest = migrations.files(), hashlib.sha256()
    for number in numbers:
        digest.update(files[number].read_bytes())
    return digest.hexdigest()


def make(place: Place, seconds: Mapping[str, float]) -> list[Step]:
    """seconds: of each migration, in the last rehearsal.  Raises: NotChanged."""
    found = engine.read(place.url, migrations.current)
    numbers = pending(found)
    touched = _touched(found, numbers) if numbers else {}
    rows = engine.read(place.url, lambda tx: _rows(tx, {name for names in touched.values() for name in names}))
    return [_step(number, touched[number], rows, seconds.get(number)) for number in numbers]


def said(number: str) -> dict[str, str]:
    """What a migration says of itself: Why, Locks, Back, and Rows where it changes their number."""
    return {word: " ".join(what.split()) for word, what in _SAID.findall(_docstring(number))}


def changes_rows(number: str) -> tuple[str, ...]:
    return tuple(re.findall(r"\w+", said(number).get("Rows", "")))


def _step(number: str, touched: Sequence[str], rows: Mapping[str, int], seconds: float | None) -> Step:
    words = said(number)
    there = {name: rows[name] for name in touched if name in rows}
    return Step(
        number=number,
        name=migrations.files()[number].stem[5:].replace("_", " "),
        why=words.get("Why", ""),
        locks=words.get("Locks", ""),
        back=words.get("Back", ""),
        changes_rows=changes_rows(number),
        reversible=_reversible(number),
        rows=there,
        online=not there,
        seconds=seconds,
    )


def _tree(number: str) -> ast.Module:
    return ast.parse(migrations.files()[number].read_text(encoding="utf-8"))


def _docstring(number: str) -> str:
    return ast.get_docstring(_tree(number), clean=False) or ""


def _reversible(number: str) -> bool:
    """Does its `downgrade` do anything but refuse?"""
    made = [one for one in _tree(number).body if isinstance(one, ast.FunctionDef) and one.name == "downgrade"]
    lines = [line for one in made for line in one.body]
    return any(not isinstance(line, ast.Raise | ast.Pass | ast.Expr) or _is_call(line) for line in lines)


def _is_call(line: ast.stmt) -> bool:
    return isinstance(line, ast.Expr) and isinstance(line.value, ast.Call)


def _touched(found: str | None, numbers: Sequence[str]) -> dict[str, list[str]]:
    """The tables that each migration changes, of those that were there before all of them."""
    memory = create_engine("sqlite://", poolclass=StaticPool)
    try:
        with memory.begin() as tx:
            if found:
                migrations.upgrade(tx, found)
            before = set(inspect(tx).get_table_names()) - {"alembic_version"}
            return {number: _watched(tx, memory, number, before) for number in numbers}
    finally:
        memory.dispose()


def _watched(tx: Connection, memory: Engine, number: str, before: set[str]) -> list[str]:
    names: dict[str, None] = {}

    def see(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        if _CHANGES.match(statement):
            names.update(dict.fromkeys(_TABLE.findall(statement)))

    event.listen(memory, "before_cursor_execute", see)
    try:
        migrations.upgrade(tx, number)
    finally:
        event.remove(memory, "before_cursor_execute", see)
    return [name for name in names if name in before]


_ABOUT = text("SELECT reltuples FROM pg_class WHERE oid = to_regclass(:name)")


def _rows(tx: Connection, names: Iterable[str]) -> dict[str, int]:
    """PostgreSQL's own estimate, where it has one: counting a large table takes a while."""
    found: dict[str, int] = {}
    for name in names:
        quoted = tx.dialect.identifier_preparer.quote(name)
        about = tx.scalar(_ABOUT, {"name": quoted}) if tx.dialect.name == "postgresql" else -1
        known = about is not None and about >= 0
        found[name] = int(about) if known else tx.scalar(text(f"SELECT count(*) FROM {quoted}")) or 0  # noqa: S608
    return found
