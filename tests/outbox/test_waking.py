"""Of a post to many hosts: they are woken by the worker, not by who posts."""

import pytest

from outbox.mail import Talk, claim, next_due
from outbox.outcomes import record
from outbox.queue import oldest_able
from store.tables import deliveries, hosts
from tests.conftest import NOW
from tests.outbox.rows import LATER, count, far, followed, host, say

NAMES = ["h1.test", "h2.test", "h3.test"]


@pytest.fixture(autouse=True)
async def three_are_many(db, monkeypatch):
    monkeypatch.setattr("outbox.enqueue.MANY", 3)
    await db.write(followed, *(far(n, name) for n, name in enumerate(NAMES)))


async def test_they_are_not_touched_by_who_posts_but_their_mail_counts(db):
    await say(db)
    assert (await db.read(count, deliveries), await db.read(count, hosts)) == (3, 0)
    assert await db.read(next_due) == NOW
    assert await db.read(oldest_able) == NOW


async def test_the_next_claim_has_their_mail_and_leaves_nobody_asleep(db):
    await say(db)
    assert sorted([mail.host for mail in await db.write(claim, LATER, 10)]) == NAMES
    assert await db.read(next_due) > LATER  # the end of a lease
    assert await db.write(claim, LATER, 10) == []


async def test_two_posts_are_woken_one_after_the_other(db):
    await say(db, 1)
    await say(db, 2)
    [first, *_] = await db.write(claim, LATER, 10)
    assert len(first.letters) == 2
    assert await db.read(next_due) == NOW
    assert await db.write(claim, LATER, 10) == []
    assert await db.read(next_due) > LATER


async def test_who_is_talked_to_meanwhile_has_the_mail_afterwards(db):
    await say(db, 1)
    for mail in await db.write(claim, LATER, 10):
        await db.write(record, [Talk(mail, accepted=list(mail.letters))], LATER)
    assert (await db.read(host, NAMES[0])).due is None
    await say(db, 2)
    claimed = await db.write(claim, LATER, 10)
    await say(db, 3)
    await db.write(record, [Talk(mail, accepted=list(mail.letters)) for mail in claimed], LATER)
    assert sorted([mail.host for mail in await db.write(claim, LATER, 10)]) == NAMES


async def test_a_host_that_waits_keeps_its_moment(db):
    await say(db, 1)
    claimed = await db.write(claim, LATER, 10)
    await db.write(record, [Talk(mail, silent=True, error="no") for mail in claimed], LATER)
    due = (await db.read(host, NAMES[0])).due
    await say(db, 2)
    assert await db.write(claim, LATER, 10, 10) == []
    assert (await db.read(host, NAMES[0])).due == due
