"""Has a database that is behind parts of what later migrations make?  Then one of them was run by hand, and not whole.

Ours run in a transaction each, so a kill leaves all of one or nothing.  Names are compared, with those that the same
migrations make in memory: types differ between the engines.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, create_engine, inspect
from sqlalchemy.pool import StaticPool

import migrations
from store.tables.search import INDEX


@dataclass(frozen=True, slots=True)
class Half:
    early: tuple[str, ...]  # is there, and should not be yet
    missing: tuple[str, ...]  # should be there, and is not
    commands: tuple[str, ...]  # take away what is early


def look(tx: Connection, found: str) -> Half:
    """found: the migration that the database says it is at."""
    here, (then, later) = _columns(tx), _expected(found)
    early = list(_early(here, then, later))
    missing = [
        f"{table}.{column}"
        for table, columns in sorted(then.items())
        for column in sorted(columns - here.get(table, set()))
    ]
    return Half(tuple(name for name, _ in early), tuple(missing), tuple(command for _, command in early))


def _early(
    here: dict[str, set[str]], then: dict[str, set[str]], later: dict[str, set[str]]
) -> Iterator[tuple[str, str]]:
    """Names, and how each is taken away."""
    for table in sorted(here.keys() & later.keys()):
        if table not in then:
            yield table, f'DROP TABLE "{table}"'
            continue
        for column in sorted(here[table] & (later[table] - then[table])):
            yield f"{table}.{column}", f'ALTER TABLE "{table}" DROP COLUMN "{column}"'


def _expected(found: str) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """At that migration, and at the newest."""
    memory = create_engine("sqlite://", poolclass=StaticPool)
    try:
        with memory.begin() as tx:
            migrations.upgrade(tx, found)
            then = _columns(tx)
            migrations.upgrade(tx)
            return then, _columns(tx)
    finally:
        memory.dispose()


def _columns(tx: Connection) -> dict[str, set[str]]:
    found = inspect(tx).get_multi_columns()
    return {
        str(table): {column["name"] for column in columns}
        for (_, table), columns in found.items()
        if table != "alembic_version" and not str(table).startswith(INDEX)
    }
