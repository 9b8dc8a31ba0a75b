"""Work for later: asked for often, done once, and once more when it was asked for too late to count."""

import pytest
from sqlalchemy import select

from store import jobs
from store.database import Database
from store.tables import Job
from store.tables import jobs as table
from tests.conftest import NOW
from tests.interleaved import Two

WHAT = ("fetch", "it", {"uri": "https://far.test/1"}, NOW)


async def waiting(db: Database) -> list[Job]:
    return await db.read(lambda tx: [Job(*row) for row in tx.execute(select(table).order_by(table.c.id))])


async def test_what_waits_is_not_asked_for_twice(db: Database):
    assert await db.write(jobs.ask, *WHAT)
    assert not await db.write(jobs.ask, *WHAT)
    assert len(await waiting(db)) == 1


async def test_what_was_begun_is_done_once_more_when_it_is_over(db: Database):
    await db.write(jobs.ask, *WHAT)
    (begun,) = await db.write(jobs.claim, NOW)
    assert await db.write(jobs.ask, *WHAT)
    assert not await db.write(jobs.ask, *WHAT)
    assert await db.write(jobs.claim, NOW) == []  # never both at once
    await db.write(jobs.done, [begun.id])
    (again,) = await db.write(jobs.claim, NOW + jobs.LEASE)
    assert (again.kind, again.payload) == (begun.kind, begun.payload)


async def test_what_is_asked_for_otherwise_is_not_forgotten(db: Database):
    await db.write(jobs.ask, *WHAT)
    assert await db.write(jobs.ask, "fetch", "it", {"uri": "https://far.test/1", "fresh": True}, NOW)
    assert [job.payload.get("fresh", False) for job in await waiting(db)] == [False, True]


async def test_what_went_on_from_a_place_begins_anew_for_who_asks_later(db: Database):
    await db.write(jobs.ask, *WHAT)
    (begun,) = await db.write(jobs.claim, NOW)
    await db.write(jobs.progress, begun.id, {"after": 7})
    await db.write(jobs.put_off, begun, NOW + jobs.FIRST)
    assert await db.write(jobs.ask, *WHAT)
    assert [(job.payload, job.due) for job in await waiting(db)] == [
        ({"after": 7}, NOW + jobs.FIRST),
        (begun.payload, NOW + jobs.FIRST),
    ]


@pytest.mark.parametrize("at", range(3))
async def test_who_asks_while_it_begins_is_heard(two: Two, at: int):
    await two.here.write(jobs.ask, *WHAT)
    is_new, begun = await two.meet(jobs.ask, WHAT, jobs.claim, (NOW,), at=at)
    assert is_new == bool(begun)  # otherwise it begins after what this is about
    assert len(await waiting(two.here)) == 1 + is_new
