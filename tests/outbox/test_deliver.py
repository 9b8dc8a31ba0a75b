"""With real HTTP and real signatures, between this process and servers of bytes on 127.0.0.1."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import delete, update

from federation import signatures
from federation.client import Client, Limits
from federation.keys import load_public
from outbox import synchronisation
from outbox.deliver import Deliverer
from store.tables import Account, account_keys, deliveries, hosts
from tests.conftest import NOW
from tests.federation.talking import LAB
from tests.federation.wire import Wire, http, wire
from tests.outbox.rows import ALICE, LATER, count, far, followed, host, say
from tests.people import rsa_pem
from tests.ports import free_port

QUICK = Limits(headers=0.3, total=0.6)


def at(server: str, number: int = 1, **more) -> Account:
    """Somebody on a server of this test."""
    base = f"http://{server}/users/f{number}"
    inboxes = {"inbox": f"{base}/inbox", "shared_inbox": f"http://{server}/inbox"}
    return far(number, server, **{**inboxes, **more})


async def until(reached: Callable[[], object]) -> None:
    async with asyncio.timeout(60):
        while not reached():
            await asyncio.sleep(0)


def bodies(server: Wire) -> list[bytes]:
    return [request.body for request in server.requests]


def accept(_wire, _request):
    return http(202)


def answering(status):
    return lambda _wire, _request: http(status)


def deliverer(db, client, **more):
    return Deliverer(db, client, clock=lambda: LATER, **more)


async def test_without_mail_nothing_happens(db, client):
    worker = deliverer(db, client)
    assert await worker.drain() == 0
    stop = asyncio.Event()
    stop.set()
    await worker.run(stop)
    assert db.listeners == []


async def test_who_does_not_listen_is_silent_and_delays_nobody(db, client):
    down = f"127.0.0.1:{free_port()}"  # nobody listens there
    async with wire(accept) as up:
        await db.write(followed, at(up.host), at(down))
        for n in range(3):
            await say(db, n)
        worker = deliverer(db, client)
        assert await worker.drain() == 3
        assert len(up.requests) == 3
    silent = await db.read(host, down)
    assert (silent.failures, silent.succeeded_at) == (1, None)
    assert silent.due > LATER
    assert silent.last_error
    assert (worker.stats.delivered, worker.stats.failed, worker.stats.in_flight) == (3, 1, 0)


async def test_who_hangs_is_silent(db):
    async def hang(_wire, _request):
        await asyncio.Event().wait()

    client = Client(guard=LAB, user_agent="test", limits=QUICK)
    async with wire(hang) as slow:
        await db.write(followed, at(slow.host))
        await say(db)
        assert await deliverer(db, client).drain() == 0
        assert (await db.read(host, slow.host)).last_error.endswith("took too long")
    await client.close()


@pytest.mark.parametrize(("status", "waiting", "failures"), [(500, 1, 1), (503, 1, 1), (422, 0, 0), (410, 0, 0)])
async def test_what_is_final_is_done_and_the_rest_waits(db, client, status, waiting, failures):
    async with wire(answering(status)) as server:
        await db.write(followed, at(server.host))
        await say(db)
        assert await deliverer(db, client).drain() == 0
        assert await db.read(count, deliveries) == waiting
        assert (await db.read(host, server.host)).failures == failures


async def test_a_host_that_asks_for_time_gets_it(db, client):
    async with wire(lambda _wire, _request: http(429, b"slow down", Retry_After="7200")) as server:
        await db.write(followed, at(server.host))
        await say(db)
        assert await deliverer(db, client).drain() == 0
        busy = await db.read(host, server.host)
        assert (busy.due, busy.last_error) == (LATER + timedelta(hours=2), "429 slow down")


async def test_a_sender_without_a_key_sends_nothing_and_waits_for_nothing(db, client):
    async with wire(accept) as server:
        await db.write(followed, at(server.host))
        await say(db)
        await db.write(lambda tx: tx.execute(delete(account_keys)) and None)
        worker = deliverer(db, client)
        assert await worker.drain() == 0
        assert (server.requests, worker.stats.refused) == ([], 1)
        assert await db.read(count, deliveries) == 0


async def test_letters_arrive_in_order_over_one_connection_and_are_signed(db, client):
    async with wire(accept) as server:
        await db.write(followed, at(server.host))
        for n in range(5):
            await say(db, n)
        worker = deliverer(db, client)
        assert await worker.drain() == 5
        assert [body.partition(b"#")[2][:1] for body in bodies(server)] == [b"0", b"1", b"2", b"3", b"4"]
        assert server.connections == 1
        request = server.requests[0]
        message = signatures.Message(request.method, request.target, server.host, "http", request.headers, request.body)
        signature = signatures.parse(message)
        assert signature.key_id == f"{ALICE.uri}#main-key"
        key = load_public(signature.key_id, ALICE.uri, rsa_pem("alice")[1])
        signatures.verify(message, signature, key, NOW.timestamp())
        assert request.header("Collection-Synchronization") is None
    assert await db.read(count, deliveries) == 0


async def test_the_scheme_that_a_host_accepts_is_remembered(db, client):
    def only_new(_wire, request):
        return http(202 if request.scheme == "rfc9421" else 401)

    async with wire(only_new) as server:
        await db.write(followed, at(server.host))
        await say(db)
        assert await deliverer(db, client).drain() == 1
        assert (await db.read(host, server.host)).scheme == "rfc9421"
        another = Client(guard=LAB, user_agent="test", clock=NOW.timestamp)  # that remembers nothing by itself
        await say(db, 2)
        assert await deliverer(db, another).drain() == 1
        await another.close()
        assert [request.scheme for request in server.requests] == ["cavage", "rfc9421", "rfc9421"]


async def test_what_only_followers_may_see_says_who_follows(db, client):
    async with wire(accept) as server:
        fan = at(server.host)
        await db.write(followed, fan)
        await say(db, synchronise=True)
        assert await deliverer(db, client).drain() == 1
        said = synchronisation.parse(server.requests[0].header("Collection-Synchronization"))
        assert said.collection_id == ALICE.followers_uri
        assert said.digest == synchronisation.xor_digest([fan.uri])


async def test_more_letters_than_one_talk_has_all_arrive(db, client):
    async with wire(accept) as server:
        await db.write(followed, at(server.host))
        for n in range(50):
            await say(db, n)
        assert await deliverer(db, client).drain() == 50
        assert len(server.requests) == 50
        assert (await db.read(host, server.host)).due is None


async def test_one_slow_host_does_not_delay_the_next_talk_with_another(db, client):
    """The quick host gets all its mail, over several talks, while the slow one has not answered once."""
    released = asyncio.Event()

    async def slow(_wire, _request):
        await released.wait()
        return http(202)

    stop = asyncio.Event()
    async with wire(slow) as behind, wire(accept) as ahead:
        await db.write(followed, at(behind.host), at(ahead.host))
        for n in range(50):
            await say(db, n)
        worker = deliverer(db, client)
        running = asyncio.create_task(worker.run(stop))
        await until(lambda: worker.stats.delivered == 50)
        assert len(ahead.requests) == 50
        assert len(behind.requests) == 1
        released.set()
        await until(lambda: worker.stats.delivered == 100)
        stop.set()
        await running
    assert await db.read(count, deliveries) == 0


async def test_a_worker_that_runs_hears_of_new_mail(db, client):
    async with wire(accept) as server:
        await db.write(followed, at(server.host))
        stop, worker = asyncio.Event(), deliverer(db, client)
        running = asyncio.create_task(worker.run(stop))
        for n in range(3):
            await say(db, n)
            await until(lambda n=n: worker.stats.delivered > n)
        stop.set()
        await running
        assert len(server.requests) == 3


async def test_a_worker_that_was_stopped_may_be_started_again(db, client):
    async with wire(accept) as server:
        await db.write(followed, at(server.host))
        worker = deliverer(db, client)
        for n in range(2):
            stop = asyncio.Event()
            running = asyncio.create_task(worker.run(stop))
            for m in range(2):
                await say(db, 2 * n + m)
                await until(lambda seen=2 * n + m: worker.stats.delivered > seen)
            stop.set()
            await running
        assert len(server.requests) == 4


async def test_few_places_are_enough_for_many_hosts(db, client):
    async with wire(accept) as server:
        # One server with many names: the host of an account says whose mail it is, the inbox where that goes.
        people = [far(n, f"h{n}.test", shared_inbox=f"http://{server.host}/inbox") for n in range(30)]
        await db.write(followed, *people)
        await say(db)
        stop, worker = asyncio.Event(), deliverer(db, client, window=4, places=6)
        running = asyncio.create_task(worker.run(stop))
        await until(lambda: worker.stats.in_flight > 6 or worker.stats.delivered == len(people))
        stop.set()
        await running
        assert len(server.requests) == len(people)


async def test_a_worker_that_stops_gives_back_what_it_could_not_finish(db):
    heard = asyncio.Event()

    async def hang(_wire, _request):
        heard.set()
        await asyncio.Event().wait()

    client = Client(guard=LAB, user_agent="test")
    async with wire(hang) as slow:
        await db.write(followed, at(slow.host))
        await say(db)
        stop, worker = asyncio.Event(), deliverer(db, client, grace=0.01)
        running = asyncio.create_task(worker.run(stop))
        await heard.wait()
        stop.set()
        await running
        after = await db.read(host, slow.host)
        assert (after.failures, after.due) == (0, LATER)  # at once, for the next worker
        assert await db.read(count, deliveries) == 1
    await client.close()


async def test_hosts_that_were_silent_have_places_of_their_own(db, client):
    async with wire(accept) as server:
        await db.write(followed, at(server.host))
        await say(db)
        await db.write(lambda tx: tx.execute(update(hosts).values(failures=3, failing_since=NOW)) and None)
        stop, worker = asyncio.Event(), deliverer(db, client)
        running = asyncio.create_task(worker.run(stop))
        await until(lambda: worker.stats.delivered)
        stop.set()
        await running
        assert (await db.read(host, server.host)).failures == 0
