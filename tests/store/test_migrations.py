"""Migrations make the tables that the code expects, go up and down, and say what they do."""

import re
from pathlib import Path

import pytest
from sqlalchemy import Connection, inspect, select, update

import migrations
from social import accounts, moderation, verdicts
from social.numbers import number_of
from social.posts import receive
from store.database import Database
from store.tables import hashtags, users
from tests.conftest import NOW
from tests.people import local, remote, stored
from tests.social.said import note, private

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


async def test_accounts_take_over_what_was_said_of_them_elsewhere(db: Database) -> None:
    """Parts of profiles from the settings of their owners, limits from the nearest policy."""
    alice, bob = await local(db, "alice"), await local(db, "bob")
    far, port, good, other = (remote("x", host) for host in ("far.test", "a.far.test:8443", "good.far.test", "x.test"))
    await stored(db, far, port, good, other)
    for host, level in (("far.test", "limit"), ("good.far.test", "allow"), ("test", "noop")):
        await db.write(moderation.set_policy, host, level, "", NOW)
    hidden = update(users).where(users.c.account_id == bob.id).values(settings={"show_featured": False, "media": "x"})
    await db.write(lambda tx: tx.execute(hidden).rowcount)
    await db.write(migrations.downgrade, "0020")
    await db.write(migrations.upgrade)
    said = {it.id: await db.read(accounts.by_id, it.id) for it in (alice, bob, far, port, good, other)}
    assert {one.id for one in said.values() if one.host_limited} == {far.id, port.id}
    assert {one.id for one in said.values() if not one.show_featured} == {bob.id}
    assert all(one.show_media and one.show_media_replies for one in said.values())


async def test_hashtags_get_the_spelling_of_their_first_public_post(db: Database) -> None:
    """And those that were judged are there, too."""
    bob = remote("bob")
    await stored(db, bob)
    for shown, more in (("BIRDS", private(bob)), ("Birds", {}), ("birds", {}), ("Fish", private(bob))):
        await db.write(receive.receive, bob, note(bob, hashtags=(shown,), **more), NOW)
    await db.write(verdicts.judge, verdicts.USED, "spam", False, bob.id, NOW)
    before = await db.read(_hashtags)
    await db.write(migrations.downgrade, "0022")
    await db.write(migrations.upgrade)
    assert await db.read(_hashtags) == {**before, "spam": (number_of("spam"), "spam")}
    assert before == {"birds": (number_of("birds"), "Birds")}


def _hashtags(tx: Connection) -> dict[str, tuple[int, str]]:
    return {row.name: (row.number, row.shown) for row in tx.execute(select(hashtags))}
