"""The loops together: a message that arrives is handled, answered and delivered; what is old goes."""

import asyncio
from datetime import timedelta

import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from sqlalchemy import insert, select

from connectme.bus import Bus
from connectme.gather import Gatherer
from connectme.house import House
from connectme.housekeeping import AT_ONCE, Housekeeping
from connectme.media.cache import Cache
from connectme.media.workshop import Workshop
from connectme.settings import Settings
from connectme.worker import Worker
from federation.origin import Origin
from federation.webpush import VapidKey
from inbox import spool as spooling
from inbox.counts import Counts
from inbox.rules import HostRules
from ops.modes import Board
from social import moderation
from social.posts.drafts import Draft, PollDraft
from social.posts.publish import publish
from store import jobs
from store.blobs import Folder
from store.tables import CachedKey, activities, handled, idempotency, polls, tombstones
from store.wires import open_wire
from tests.conftest import NOW
from tests.inbox.far import lab_client
from tests.inbox.letters import activity
from tests.people import local, remote, stored

ORIGIN = Origin("ours.test", "https://ours.test")


@pytest.fixture
async def house(db, url, spool, tmp_path):
    settings = Settings(data_dir=tmp_path)
    client, rules = lab_client(), HostRules()
    bus = Bus(open_wire(url, tmp_path / "live"))
    blobs = Folder(tmp_path / "media")
    files = blobs, Workshop(tmp_path / "incoming", blobs)
    more = bus, *files, VapidKey.make(), Cache(tmp_path / "cache", client, 1 << 20, 7), Board(tmp_path)
    yield House(settings, ORIGIN, db, spool, rules, client, Gatherer(db, client, ORIGIN), Counts(), *more)
    await bus.close()
    await client.close()


@pytest.fixture
async def peer():
    """bob's server: takes what is delivered."""
    got: asyncio.Queue = asyncio.Queue()

    async def take(request):
        await got.put(orjson.loads(await request.read()))
        return web.Response(status=202)

    app = web.Application()
    app.router.add_post("/inbox", take)
    async with TestServer(app, host="127.0.0.1") as server:
        host = f"127.0.0.1:{server.port}"
        base = f"http://{host}/users/bob"
        more = {
            "uri": base,
            "handle": f"bob@{host}",
            "inbox": f"http://{host}/inbox",
            "shared_inbox": f"http://{host}/inbox",
        }
        yield remote("bob", host, **more), got


async def follow_arrives(house, bob, alice):
    said = {**activity("Follow", bob, alice.uri), "id": f"{bob.uri}#follow"}
    await house.spool.write(spooling.keep, [spooling.row(bob.uri, orjson.dumps(said), NOW, None, None)])


async def test_a_follow_that_arrives_is_answered(house, peer):
    bob, got = peer
    alice = await local(house.db, "alice")
    await stored(house.db, bob)
    stop = asyncio.Event()
    worker = Worker(house)
    running = asyncio.create_task(worker.run(stop))
    await follow_arrives(house, bob, alice)
    worker.processor.wake()
    async with asyncio.timeout(60):
        answer = await got.get()
    assert (answer["type"], answer["actor"]) == ("Accept", alice.uri)
    stop.set()
    worker.processor.wake()
    await running


async def test_only_one_reads_the_spool_and_another_takes_over(house, peer):
    bob, _ = peer
    alice = await local(house.db, "alice")
    await stored(house.db, bob)
    first, second = Worker(house), Worker(house)
    rounds = {first: 0, second: 0}
    for worker in rounds:

        def watch(worker=worker, real=worker.processor.round):
            rounds[worker] += 1
            return real()

        worker.processor.round = watch
    stops = {first: asyncio.Event(), second: asyncio.Event()}
    one = asyncio.create_task(first._inbox(stops[first]))
    while not rounds[first]:
        await asyncio.sleep(0)
    two = asyncio.create_task(second._inbox(stops[second]))
    await follow_arrives(house, bob, alice)
    first.processor.wake()
    async with asyncio.timeout(60):
        while (await house.spool.read(spooling.stats)).waiting:
            await asyncio.sleep(0)
    assert rounds[second] == 0
    stops[first].set()
    first.processor.wake()
    await one
    async with asyncio.timeout(60):
        while not rounds[second]:
            await asyncio.sleep(0)
    stops[second].set()
    second.processor.wake()
    await two


async def test_a_worker_drains(house, peer):
    bob, _ = peer
    alice = await local(house.db, "alice")
    await stored(house.db, bob)
    await follow_arrives(house, bob, alice)
    await Worker(house).drain()
    assert (await house.spool.read(spooling.stats)).waiting == 0


async def test_what_is_written_beside_a_worker_wakes_only_who_has_to_do_with_it(house):
    worker, woken = Worker(house), []
    house.db.listeners.append(worker.hear)
    for name in ("processor", "deliverer", "jobs", "indexer"):
        getattr(worker, name).wake = lambda name=name: woken.append(name)
    alice = await local(house.db, "alice")
    await house.db.write(publish, ORIGIN, alice.id, Draft("hello"), NOW)
    assert woken == ["indexer"]
    await house.db.write(jobs.ask, "fetch_post", "later", {}, NOW, NOW + timedelta(hours=1))
    assert woken == ["indexer"]
    await house.db.write(jobs.ask, "fetch_post", "now", {}, NOW)
    assert woken == ["indexer", "indexer", "jobs"]


async def test_the_rules_of_hosts_are_read_again(house):
    stop = asyncio.Event()
    stop.set()
    await house.db.write(moderation.set_policy, "far.test", "block", "", NOW)
    await house.rules.read(house.db)
    assert not house.rules.permits("a.far.test:8443")
    assert house.rules.permits("notfar.test")
    await house.rules.follow(house.db, stop)


# Housekeeping.


async def test_polls_end_when_their_time_has_come(db, spool):
    alice = await local(db, "alice")
    draft = Draft("tea?", poll=PollDraft(("yes", "no"), NOW + timedelta(hours=1)))
    await db.write(publish, ORIGIN, alice.id, draft, NOW)
    for hours, ended in ((0, False), (2, True)):
        await Housekeeping(db, spool, ORIGIN, clock=lambda hours=hours: NOW + timedelta(hours=hours)).round()
        closed = await db.read(lambda tx: tx.scalar(select(polls.c.closed_at)))
        assert (closed is not None) == ended


async def test_what_nobody_can_need_is_forgotten_and_nothing_else(db, spool):
    alice = await local(db, "alice")
    ages = {"old": NOW - timedelta(days=400), "new": NOW - timedelta(hours=2)}
    for name, at in ages.items():
        rows = [{"uri": f"https://far.test/{name}/{n}", "at": at} for n in range(AT_ONCE + 1 if name == "old" else 1)]
        graves = [
            {"uri": f"https://far.test/{name}", "owner": "https://far.test/users/bob", "at": at},
            {"uri": f"https://ours.test/{name}", "owner": alice.uri, "at": at},
        ]
        sent = {"id": len(name) + at.year, "sender_id": alice.id, "body": b"{}", "synchronise": 0, "created_at": at}
        await db.write(put, [(handled, rows), (tombstones, graves), (activities, [sent])])
        await db.write(put, [(idempotency, [{"account_id": alice.id, "key": name, "post_id": 1, "at": at}])])
        await spool.write(spooling.keep_key, CachedKey(f"https://far.test/{name}#key", "https://far.test/x", "PEM", at))
    await Housekeeping(db, spool, ORIGIN, clock=lambda: NOW).round()
    assert await db.read(names, handled.c.uri) == ["https://far.test/new/0"]
    assert await db.read(names, tombstones.c.uri) == [
        "https://far.test/new",
        "https://ours.test/new",
        "https://ours.test/old",
    ]
    assert await db.read(names, idempotency.c.key) == ["new"]
    assert len(await db.read(names, activities.c.id)) == 1
    assert await spool.read(spooling.key, "https://far.test/old#key") is None
    assert await spool.read(spooling.key, "https://far.test/new#key") is not None


def put(tx, parts):
    for table, rows in parts:
        tx.execute(insert(table), rows)


def names(tx, column):
    return list(tx.scalars(select(column).order_by(column)))
