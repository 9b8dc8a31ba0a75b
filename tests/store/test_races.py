"""Units that others overtake on PostgreSQL, between two of their statements: they are tried again, and see what is."""

import pytest
from sqlalchemy import delete, insert, select
from sqlalchemy.exc import IntegrityError

from store.database import TRIES, Database
from store.races import Vanished
from store.tables import hosts, markers
from tests.conftest import NOW
from tests.interleaved import Two
from tests.people import local

NAMES = select(hosts.c.name)


def add(tx, name):
    tx.execute(insert(hosts), {"name": name, "failures": 0})


def look_then_add(tx, name):
    if name in tx.scalars(NAMES).all():
        return "there"
    add(tx, name)
    return "added"


async def test_who_looked_and_was_outrun_looks_again(two: Two):
    assert await two.meet(look_then_add, ("a",), look_then_add, ("a",), at=1) == ["there", "added"]


async def test_who_hangs_a_row_on_one_that_goes_finds_out(two: Two):
    alice = await local(two.here, "alice")

    def mark(tx, account_id):
        if tx.exec_driver_sql('SELECT 1 FROM "user"').first() is None:
            return "nobody"
        values = {"account_id": account_id, "timeline": "home", "last_read": 1, "version": 1, "updated_at": NOW}
        tx.execute(insert(markers), values)
        return "marked"

    def leave(tx):
        tx.exec_driver_sql('DELETE FROM "user"')
        return "left"

    assert await two.meet(mark, (alice.id,), leave, (), at=1) == ["nobody", "left"]


@pytest.mark.parametrize("at_once", [1, 3])
async def test_what_stays_wrong_ends_with_its_error_after_the_tries(db: Database, at_once: int):
    await db.write(add, "a")
    tries = []

    def wrong(tx):
        tries.append(1)
        add(tx, "a")

    outcomes = [db.write(wrong), *(db.write(add, f"b{n}") for n in range(at_once - 1))]
    with pytest.raises(IntegrityError):
        await outcomes[0]
    assert len(tries) == (1 if db._engine.lanes == 1 else 1 + TRIES)
    for one in outcomes[1:]:
        await one


async def test_a_row_that_vanished_under_a_unit_is_missed_from_the_start_the_next_time(two: Two):
    await two.here.write(add, "a")

    def twice(tx):
        if "a" not in tx.scalars(NAMES).all():
            return "no such thing"
        if "a" not in tx.scalars(NAMES).all():
            raise Vanished("a")
        return "here"

    def remove(tx):
        tx.execute(delete(hosts))
        return "removed"

    assert await two.meet(twice, (), remove, (), at=1) == ["no such thing", "removed"]
