from datetime import timedelta

from outbox import deliver, enqueue, queue
from outbox.mail import Talk, claim
from outbox.outcomes import record
from outbox.queue import HostQueue, Totals
from store.tables import activities, deliveries
from tests.conftest import NOW
from tests.outbox.rows import ALICE, LATER, add, count, far, hello, host
from tests.people import follow


async def prepare(db):
    """Two letters wait for down.test, which is silent, and one for up.test."""

    def unit(tx):
        down, up = far(1, "down.test"), far(2, "up.test")
        add(tx, ALICE, down, up)
        follow(tx, down, ALICE)
        enqueue.to_followers(tx, ALICE, hello(number=1), now=NOW)
        [mail] = claim(tx, LATER, 9)
        record(tx, [Talk(mail, silent=True, error="refused")], LATER)
        follow(tx, up, ALICE)
        enqueue.to_followers(tx, ALICE, hello(number=2), now=NOW)

    await db.write(unit)


async def test_an_empty_queue(db):
    assert await db.read(queue.queue_stats) == []
    assert await db.read(queue.totals) == Totals(0, 0, 0, None)
    assert await db.write(queue.retry, None, NOW) == 0
    assert await db.write(queue.drop, None) == 0
    assert await db.write(queue.sweep, NOW) == 0


async def test_a_host_that_waits_for_a_moment_of_a_clock_that_was_ahead_is_tried_now(db):
    await prepare(db)
    due = (await db.read(host, "down.test")).due
    assert await db.write(queue.shorten, due - timedelta(hours=12)) == 0
    now = due - timedelta(days=30)
    assert await db.write(queue.shorten, now) >= 1
    assert (await db.read(host, "down.test")).due == now


async def test_the_fullest_host_comes_first(db):
    await prepare(db)
    due = (await db.read(host, "down.test")).due
    assert await db.read(queue.queue_stats) == [
        HostQueue("down.test", 2, 1, due, "refused"),
        HostQueue("up.test", 1, 0, NOW, None),
    ]
    assert await db.read(queue.totals) == Totals(3, 2, 1, NOW)


async def test_mail_of_hosts_that_are_silent_is_not_our_fault(db):
    assert await db.read(queue.oldest_able) is None
    await prepare(db)
    assert await db.read(queue.oldest_able) == NOW
    await db.write(queue.drop, "up.test")
    assert await db.read(queue.oldest_able) is None


async def test_one_host_or_all_are_tried_now(db):
    await prepare(db)
    assert await db.write(queue.retry, "unknown.test", LATER) == 0
    assert await db.write(queue.retry, "down.test", LATER) == 1
    assert (await db.read(host, "down.test")).due == LATER
    assert await db.write(queue.retry, None, LATER) == 2


async def test_mail_of_one_host_or_of_all_is_dropped(db):
    await prepare(db)
    assert await db.write(queue.drop, "down.test") == 2
    assert (await db.read(host, "down.test")).due is None
    assert await db.read(count, deliveries) == 1
    assert await db.write(queue.drop, None) == 1
    assert (await db.read(host, "up.test")).due is None


async def test_activities_are_forgotten_once_nobody_waits_for_them(db):
    await prepare(db)
    assert await db.write(queue.sweep, LATER) == 0
    await db.write(queue.drop, None)
    assert await db.write(queue.sweep, NOW - timedelta(hours=1)) == 0
    assert await db.write(queue.sweep, LATER) == 2
    assert await db.read(count, activities) == 0


def test_the_units_are_where_others_look_for_them():
    assert deliver.queue_stats is queue.queue_stats
    assert deliver.claim is claim
