"""What was handled lately: kept by the spool itself, within a bound, and handled again when it is asked for."""

from datetime import UTC, datetime, timedelta

import orjson
import pytest
from sqlalchemy import func, select

from inbox import spool as spooling
from store import journal
from store.database import Database
from store.rows import many
from store.tables import Spooled, spool_metadata, spooled

BODY = orjson.dumps({"id": "https://far.test/1", "type": "Like", "actor": "https://far.test/b", "content": "x" * 900})
EVER = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
async def bare(tmp_path):
    async with await Database.open(f"sqlite:///{tmp_path}/spool.db") as db:
        await db.write(spool_metadata.create_all)
        yield db


@pytest.fixture
async def kept(bare: Database):
    await bare.write(journal.begin)
    return bare


def now():
    return datetime.now(UTC)


async def handle(db: Database, *numbers: int):
    rows = [{**spooling.row(f"https://far.test/{n}", BODY, now(), None, None), "id": n} for n in numbers]
    await db.write(spooling.keep, rows)
    await db.write(spooling.settle, numbers, [])


def waiting(tx):
    return [one.id for one in many(tx, select(spooled).order_by(spooled.c.id), Spooled)]


async def test_without_it_nothing_comes_again(bare: Database):
    await handle(bare, 1)
    assert (await bare.read(journal.kept, EVER), await bare.write(journal.again, EVER)) == (0, 0)
    assert not await bare.read(journal.is_whole, now())


async def test_what_was_handled_comes_again_in_its_order_as_if_new(kept: Database):
    await handle(kept, 2, 1)
    failed = {**spooling.row("https://far.test/b", BODY, now(), "alice", "sync"), "id": 3, "attempts": 2, "error": "x"}
    await kept.write(spooling.keep, [failed])
    await kept.write(spooling.settle, [3], [])
    assert await kept.read(journal.kept, EVER) == 3
    assert await kept.write(journal.again, EVER) == 3
    one, two, three = await kept.read(spooling.waiting, 10)
    assert (one.id, two.id, three.id, three.attempts, three.message.recipient) == (1, 2, 3, 0, "alice")
    assert await kept.write(journal.again, EVER) == 0  # they are not handled yet
    await kept.write(spooling.settle, [1, 2, 3], [])
    assert await kept.read(journal.kept, EVER) == 3


async def test_what_was_handled_before_does_not_come_again(kept: Database):
    await handle(kept, 1)
    later = now() + journal.MARGIN + timedelta(seconds=2)
    assert (await kept.read(journal.kept, later), await kept.write(journal.again, later)) == (0, 0)
    assert await kept.read(journal.is_whole, later)
    assert not await kept.read(journal.is_whole, EVER)


async def test_what_rests_is_not_what_was_handled(kept: Database):
    await handle(kept)
    row = {**spooling.row("https://far.test/1", BODY, now(), None, None), "id": -1}
    await kept.write(spooling.keep, [row])
    assert await kept.write(spooling.trim, 0) == 1
    assert await kept.read(journal.kept, EVER) == 0


async def test_the_oldest_go_and_it_is_said(kept: Database):
    await handle(kept, *range(1, 21))
    most = 10 * len(BODY)
    assert await kept.read(journal.is_whole, now() + timedelta(seconds=1))
    assert await kept.read(journal.is_too_long, most)
    assert await kept.write(journal.trim, most) == 10
    assert not await kept.read(journal.is_too_long, most)
    assert await kept.write(journal.trim, most) == 0
    await kept.write(journal.again, EVER)
    assert await kept.read(waiting) == list(range(11, 21))
    assert not await kept.read(journal.is_whole, EVER)


async def test_a_column_that_the_spool_did_not_have_is_kept_too(kept: Database):
    await handle(kept, 1)
    await kept.write(lambda tx: tx.exec_driver_sql(f"ALTER TABLE {spooled.name} ADD COLUMN later TEXT"))
    await kept.write(journal.begin)
    await handle(kept, 2)
    assert await kept.write(journal.again, EVER) == 2


async def test_what_an_older_version_kept_makes_way(bare: Database):
    keeps = (
        "CREATE TRIGGER keep_settled BEFORE DELETE ON spooled BEGIN INSERT INTO settled VALUES (NULL, 0, old.id); END"
    )
    for statement in ("CREATE TABLE settled (seq INTEGER PRIMARY KEY, total INTEGER NOT NULL, id)", keeps):
        await bare.write(lambda tx, what=statement: tx.exec_driver_sql(what))
    await bare.write(journal.begin)
    await handle(bare, 1)
    assert await bare.write(journal.again, EVER) == 1


async def test_a_copy_can_do_without(kept: Database):
    await handle(kept, 1)
    for statement in journal.LEFT_OUT[:-1]:
        await kept.write(lambda tx, what=statement: tx.exec_driver_sql(what))
    await handle(kept, 2)
    assert await kept.read(lambda tx: tx.scalar(select(func.count()).select_from(spooled))) == 0
    await kept.write(journal.begin)
    await handle(kept, 3)
    assert await kept.read(journal.kept, EVER) == 1
