"""Migrations make the tables that the code expects, go up and down, and say what they do."""

import re
from pathlib import Path

import pytest
from sqlalchemy import inspect

import migrations
from store.database import Database

VERSIONS = sorted((Path(migrations.__file__).parent / "versions").glob("[0-9]*.py"))


async def test_migrations_make_the_tables_that_the_code_expects(db: Database) -> None:
    assert await db.read(migrations.differences) == []
    assert await db.read(migrations.current) == migrations.newest()


async def test_upgrading_what_is_up_to_date_changes_nothing(db: Database) -> None:
    await db.write(migrations.upgrade)
    assert await db.read(migrations.differences) == []


async def test_each_migration_goes_up_down_and_up_again(db: Database) -> None:
    await db.write(migrations.downgrade, "base")
    assert await db.read(lambda tx: inspect(tx).get_table_names()) == ["alembic_version"]
    for path in VERSIONS:
        number = path.name[:4]
        await db.write(migrations.upgrade, number)
        await db.write(migrations.downgrade, "-1")
        await db.write(migrations.upgrade, number)
    assert await db.read(migrations.differences) == []


@pytest.mark.parametrize("path", VERSIONS, ids=lambda path: path.stem)
def test_a_migration_says_why_what_it_locks_and_how_to_go_back(path: Path) -> None:
    said = path.read_text().split('"""')[1]
    for word in ("Why", "Locks", "Back"):
        assert re.search(rf"^{word}: \S", said, re.MULTILINE), word
