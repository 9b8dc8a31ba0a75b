"""A server never starts on somebody else's database."""

import shutil
from datetime import UTC, datetime

import pytest

from connectme import schema
from connectme.house import opened
from connectme.schema import WrongDatabase
from connectme.settings import Settings
from federation.keys import KeyPair
from federation.origin import Origin
from ops import belonging, identity
from social import accounts, instance
from store.database import Database
from store.tables import INSTANCE_ACTOR_ID
from tests.people import OURS, rsa_pem

ORIGIN = Origin("ours.test", OURS)


@pytest.mark.parametrize(
    ("other", "says"),
    [
        (Origin("other.test", OURS), "DOMAIN back to ours.test"),
        (Origin("ours.test", "https://other.test"), f"BASE_URL back to {OURS}"),
        (Origin("ours.test", "http://ours.test"), f"BASE_URL back to {OURS}"),
    ],
)
async def test_another_name_is_refused_and_changes_nothing(db: Database, other: Origin, says: str):
    await db.write(identity.claim, ORIGIN)
    for unit in (identity.check, identity.claim):
        with pytest.raises(identity.WrongDatabase, match=says):
            await db.write(unit, other)
    await db.read(identity.check, ORIGIN)


async def test_an_empty_database_is_nobody_s_and_is_claimed_once(db: Database):
    await db.read(identity.check, ORIGIN)
    await db.write(identity.claim, ORIGIN)
    first = await db.read(instance.fact, identity.INSTANCE)
    await db.write(identity.claim, ORIGIN)
    assert first == await db.read(instance.fact, identity.INSTANCE)
    assert first
    assert len(first) == 32


def settings(folder, **more: str) -> Settings:
    named = {
        "DOMAIN": "ours.test",
        "BASE_URL": OURS,
        "DATA_DIR": str(folder),
        "DATABASE_URL": f"sqlite:///{folder}/x.db",
    }
    environ = {f"CONNECTME_{name}": value for name, value in {**named, **more}.items()}
    return Settings.load(environ={"CONNECTME_CONFIG": "/dev/null", **environ})


@pytest.mark.parametrize("other", [{"DOMAIN": "other.test"}, {"BASE_URL": "https://other.test"}])
async def test_a_server_does_not_start_with_another_name(sqlite_template, tmp_path, other):
    shutil.copy(sqlite_template, tmp_path / "x.db")
    async with await Database.open(f"sqlite:///{tmp_path}/x.db") as db:
        await db.write(identity.claim, ORIGIN)
        pair = KeyPair("rsa", *rsa_pem("server"))
        await db.write(accounts.create_instance_actor, ORIGIN, [pair], datetime.now(UTC))
    with pytest.raises(WrongDatabase, match="this database was made for"):
        async with opened(settings(tmp_path, **other)):
            pass
    async with opened(settings(tmp_path)) as house:
        (key,) = await house.db.read(accounts.keys_of, INSTANCE_ACTOR_ID)
        assert key.public == pair.public


async def test_a_new_server_claims_its_database_and_makes_its_keys(sqlite_template, tmp_path):
    shutil.copy(sqlite_template, tmp_path / "x.db")
    async with opened(settings(tmp_path)) as house:
        made = await house.db.read(accounts.keys_of, INSTANCE_ACTOR_ID)
    assert {key.kind for key in made} == {"rsa", "ed25519"}
    async with opened(settings(tmp_path)) as house:
        assert made == await house.db.read(accounts.keys_of, INSTANCE_ACTOR_ID)


@pytest.fixture
async def server(sqlite_template, tmp_path):
    """Its settings; it ran once, so its data folder knows its database."""
    shutil.copy(sqlite_template, tmp_path / "x.db")
    async with opened(settings(tmp_path)):
        pass
    return settings(tmp_path)


async def refused(set_, says: str):
    """By the cheap look and by the server, with nothing written."""
    before = {path.name: path.read_bytes() for path in set_.sqlite_file.parent.glob("*.db*")}
    with pytest.raises(WrongDatabase, match=says) as caught:
        await schema.looked(set_)
    assert "\n" not in str(caught.value)
    with pytest.raises(WrongDatabase, match=says):
        async with opened(set_):
            pass
    assert before == {path.name: path.read_bytes() for path in set_.sqlite_file.parent.glob("*.db*")}


async def test_a_missing_or_empty_database_is_refused_where_a_filled_one_was(server, tmp_path, sqlite_template):
    kept = (tmp_path / "x.db").read_bytes()
    (tmp_path / "x.db").unlink()
    await refused(server, "filled database was here before: that of ours.test")
    assert not (tmp_path / "x.db").exists()
    (tmp_path / "x.db").touch()
    await refused(server, "is empty or missing")
    shutil.copy(sqlite_template, tmp_path / "x.db")  # migrated, and nobody's
    await refused(server, "is empty or missing")
    (tmp_path / "x.db").write_bytes(kept)  # the remedy
    async with opened(server):
        pass


async def test_the_database_of_another_instance_is_refused_although_it_has_the_same_name(
    server, tmp_path, sqlite_template
):
    other = tmp_path / "other"
    other.mkdir()
    shutil.copy(sqlite_template, other / "x.db")
    async with opened(settings(other)):
        pass
    wrong = settings(tmp_path, DATABASE_URL=f"sqlite:///{other}/x.db")
    await refused(wrong, "the database of another instance, ours.test")
    async with await Database.open(wrong.database_url) as db:
        with pytest.raises(identity.WrongDatabase, match="another instance"):
            await db.read(identity.check, ORIGIN, belonging.recall(tmp_path))
    belonging.forget(tmp_path)  # the other remedy: connectme db adopt
    async with opened(wrong):
        pass
    await refused(server, "the database of another instance")


async def test_other_keys_under_the_same_id_are_refused(server, tmp_path):
    async with await Database.open(server.database_url) as db:
        await db.write(lambda tx: tx.exec_driver_sql("UPDATE account_key SET public = 'other' WHERE kind = 'rsa'"))
    await refused(server, "keys .* are not those that were here before")


async def test_a_copy_in_another_place_is_the_same_database(server, tmp_path):
    shutil.copy(tmp_path / "x.db", tmp_path / "moved.db")
    async with opened(settings(tmp_path, DATABASE_URL=f"sqlite:///{tmp_path}/moved.db")):
        pass


async def test_a_damaged_note_is_written_anew(server, tmp_path):
    (tmp_path / "state" / "identity.json").write_text("{}")
    assert belonging.recall(tmp_path) is None
    async with opened(server):
        pass
    known = belonging.recall(tmp_path)
    assert known
    assert (known.domain, known.base_url) == ("ours.test", OURS)
    assert "ix_account_host" in known.parts


async def test_what_the_three_drivers_see_is_the_same(url, db, tmp_path):
    await db.write(identity.claim, ORIGIN)
    await db.write(accounts.create_instance_actor, ORIGIN, [KeyPair("rsa", *rsa_pem("server"))], datetime.now(UTC))
    seen = await db.read(identity.seen)
    file = settings(tmp_path, DATABASE_URL=url).sqlite_file
    other = schema.sqlite_seen(file) if file else await schema.postgresql_seen(url)
    assert (seen.facts, seen.keys, seen.version, seen.empty) == (other.facts, other.keys, other.version, other.empty)
    assert seen.keys


async def test_another_postgresql_database_is_refused(postgres, postgres_template, tmp_path):
    server = settings(tmp_path, DATABASE_URL=postgres.format(postgres_template))
    remembered = belonging.Identity("1" * 32, "ours.test", OURS, (), "0001", ())
    belonging.remember(tmp_path, remembered)
    for database in (postgres_template, "postgres"):
        with pytest.raises(WrongDatabase, match=rf"database {database} is empty or missing"):
            await schema.looked(settings(tmp_path, DATABASE_URL=postgres.format(database)))
    assert belonging.recall(tmp_path) == remembered
    assert server


def test_a_database_that_lets_nobody_write_is_away(tmp_path, sqlite_template, monkeypatch):
    shutil.copy(sqlite_template, tmp_path / "x.db")

    monkeypatch.setattr(schema.os, "access", lambda path, _: path.name != "x.db")  # root may write everything
    with pytest.raises(schema.Away, match=r"x\.db cannot be written; `connectme doctor`") as caught:
        schema.look(settings(tmp_path))
    assert not caught.value.lasting
