from datetime import UTC, datetime, timedelta

import orjson
import pytest
from sqlalchemy import func, select

from inbox import spool as spooling
from inbox.append import Appender
from inbox.counts import Counts
from inbox.messages import Hint, Verified
from inbox.spool import ATTEMPTS
from store.database import Database
from store.tables import CachedKey, spooled

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
BOB, EVE = "https://far.test/users/bob", "https://bad.test/users/eve"


def body(actor=BOB, number=1):
    return orjson.dumps({"id": f"https://far.test/{number}", "type": "Create", "actor": actor, "object": {}})


def row(signer=BOB, actor=None, number=1):
    return spooling.row(signer, body(actor or signer, number), NOW, None, None)


def how_many(tx):
    return tx.scalar(select(func.count()).select_from(spooled))


async def keep(kept: Database, *rows):
    await kept.write(spooling.keep, rows)
    return [one["id"] for one in rows]


async def test_a_full_spool_keeps_nothing_more(spool: Database):
    kept = spool
    appender = Appender(kept, Counts(), limit=1)
    with pytest.raises(spooling.Full):
        await appender.append(row())
    assert await kept.read(how_many) == 0


async def test_what_comes_out_is_what_went_in(spool: Database):
    made = spooling.row(BOB, body(), NOW, "alice", "sync header")
    await keep(spool, made)
    [found] = await spool.read(spooling.waiting, 10)
    assert found.message == Verified(BOB, orjson.loads(body()), body(), "alice", "sync header")
    assert (found.id, found.attempts, found.signer) == (made["id"], 0, BOB)


async def test_what_somebody_else_signed_is_a_hint(spool: Database):
    await keep(spool, row(EVE, actor=BOB))
    [found] = await spool.read(spooling.waiting, 10)
    assert found.message == Hint(EVE, orjson.loads(body()), body())
    assert found.signer == EVE


async def test_messages_come_in_the_order_of_their_arrival_and_leave_when_done(spool: Database):
    ids = await keep(spool, *(row(number=n) for n in range(5)))
    assert [one.id for one in await spool.read(spooling.waiting, 3)] == ids[:3]
    await spool.write(spooling.settle, ids[:2], [])
    assert [one.id for one in await spool.read(spooling.waiting, 10)] == ids[2:]


async def test_those_of_a_held_actor_wait_and_no_others(spool: Database):
    ids = await keep(spool, row(BOB), row(EVE), row(BOB))
    assert [one.id for one in await spool.read(spooling.waiting, 10, [BOB])] == [ids[1]]


async def test_a_failed_message_holds_its_actor_until_it_is_due(spool: Database):
    [first, _] = await keep(spool, row(BOB, number=1), row(BOB, number=2))
    [found, *_] = await spool.read(spooling.waiting, 10)
    failure = spooling.failure(found, NOW, "ZeroDivisionError")
    assert failure == spooling.Failure(first, 1, NOW + spooling.FIRST, "ZeroDivisionError")
    await spool.write(spooling.settle, [], [failure])
    assert await spool.read(spooling.held) == {BOB: NOW + spooling.FIRST}
    assert [one.attempts for one in await spool.read(spooling.waiting, 10)] == [1, 0]


async def test_waits_grow(spool: Database):
    await keep(spool, row())
    waits = []
    for _ in range(ATTEMPTS):
        [found] = await spool.read(spooling.waiting, 10)
        failure = spooling.failure(found, NOW, "no")
        waits.append(failure.due - NOW)
        await spool.write(spooling.settle, [], [failure])
    assert waits == sorted(waits)
    assert timedelta(minutes=60) < sum(waits, timedelta()) < timedelta(hours=3)
    assert await spool.read(spooling.waiting, 10) == []
    assert await spool.read(spooling.held) == {}
    [rests] = await spool.read(spooling.resting)
    assert (rests.attempts, rests.error) == (ATTEMPTS, "no")
    assert await spool.write(spooling.wake_resting) == 1
    assert len(await spool.read(spooling.waiting, 10)) == 1


async def test_only_so_many_rest_and_the_newest_stay(spool: Database):
    ids = await keep(spool, *(row(number=n) for n in range(8)))
    failures = [spooling.Failure(number, ATTEMPTS, NOW, "no") for number in ids]
    await spool.write(spooling.settle, [], failures)
    assert await spool.write(spooling.trim, 5) == 3
    assert [-one.id for one in await spool.read(spooling.resting)] == ids[3:][::-1]


async def test_those_woken_come_in_their_old_order(spool: Database):
    ids = await keep(spool, *(row(number=n) for n in range(3)))
    await spool.write(spooling.settle, [], [spooling.Failure(number, ATTEMPTS, NOW, "no") for number in ids])
    [newer] = await keep(spool, row(number=9))
    assert [one.id for one in await spool.read(spooling.waiting, 10)] == [newer]
    assert await spool.write(spooling.wake_resting) == 3
    assert [one.id for one in await spool.read(spooling.waiting, 10)] == [*ids, newer]


async def test_stats_tell_of_depth_and_age(spool: Database):
    assert await spool.read(spooling.stats) == spooling.Stats(0, 0, None)
    ids = await keep(spool, row(number=1), row(number=2), row(number=3))
    await spool.write(spooling.settle, [], [spooling.Failure(ids[0], ATTEMPTS, NOW, "no")])
    assert await spool.read(spooling.stats) == spooling.Stats(2, 1, NOW)


async def test_it_survives_a_restart(spool: Database, tmp_path):
    await keep(spool, row())
    await spool.close()
    async with await Database.open(f"sqlite:///{tmp_path}/spool.db") as again:
        assert len(await again.read(spooling.waiting, 10)) == 1


async def test_many_arrivals_share_a_write(spool: Database, queries):
    woken = []
    appender = Appender(spool, counts := Counts(), wake=lambda: woken.append(1))
    counts.add("accepted", number=50)
    queries.clear()
    for answer in [appender.append(row(number=n)) for n in range(50)]:
        await answer
    await appender.flush()
    assert await spool.read(how_many) == 50
    assert sum("INSERT INTO spooled" in one for one in queries) <= 2
    assert woken
    assert await spool.read(spooling.counted) == {"accepted": 50}


async def test_counts_add_up_and_are_not_lost_when_the_disk_fails(spool: Database):
    counts = Counts()
    counts.add("refused", "signature")
    await spool.write(spooling.count, counts.take())
    counts.add("refused", "signature", 2)
    failing = Appender(spool, counts, limit=1)
    with pytest.raises(spooling.Full):
        await failing.append(row())
    await failing.flush()
    assert await spool.read(spooling.counted) == {"refused/signature": 3}


def test_names_from_outside_cannot_grow_without_end():
    counts = Counts()
    for n in range(1000):
        counts.add("unknown", f"Type{n}")
    counts.add("unknown", "no word <script>")
    taken = counts.take()
    assert len(taken) <= 202
    assert sum(taken.values()) == 1001


async def test_keys_are_kept_replaced_and_forgotten(spool: Database):
    key = CachedKey(f"{BOB}#main-key", BOB, "PEM", NOW)
    await spool.write(spooling.keep_key, key)
    newer = CachedKey(f"{BOB}#main-key", BOB, "PEM 2", NOW + timedelta(days=1))
    await spool.write(spooling.keep_key, newer)
    assert await spool.read(spooling.key, key.id) == newer
    assert await spool.write(spooling.drop_old_keys, NOW) == 0
    await spool.write(spooling.forget_keys, [BOB])
    assert await spool.read(spooling.key, key.id) is None
