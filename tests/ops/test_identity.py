"""A server never starts on somebody else's database."""

import shutil
from datetime import UTC, datetime

import pytest

from connectme.house import WrongDatabase, opened
from connectme.settings import Settings
from federation.keys import KeyPair
from federation.origin import Origin
from ops import identity
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
