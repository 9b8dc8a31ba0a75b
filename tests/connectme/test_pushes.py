"""Pushes as they are sent: to a real receiver, which opens them with its own keys."""

from datetime import timedelta

import pytest

from connectme.jobs import JobLoop
from connectme.pushes import Pusher
from federation.origin import Origin
from federation.webpush import VapidKey
from social import notifications, push
from social.push import Address, Wish
from store.tables import jobs, push_subscriptions
from tests.conftest import NOW
from tests.inbox.far import lab_client
from tests.people import local, remote, stored
from tests.receiver import PushService
from tests.social.said import rows
from tests.social.test_push import token

ORIGIN = Origin("ours.test", "https://ours.test")
KEY = VapidKey.make()


class Desk:
    """A job loop whose clock tests turn, and a push service."""

    def __init__(self, db, client, service):
        self.now = NOW
        self.db = db
        self.service = service
        pusher = Pusher(db, client, ORIGIN, KEY, "mailto:us@ours.test", lambda: self.now)
        self.loop = JobLoop(db, pusher.table, clock=lambda: self.now)

    async def program(self, account, name, *, standard=True, endpoint=None):
        where = self.service.endpoint(name)
        program = self.service.programs[name]
        address = Address(endpoint or where, program.public, program.auth, standard)
        held = await token(self.db, account)
        return await self.db.write(push.subscribe, held.id, account.id, address, Wish(["follow"]), NOW)

    async def told(self, account, by):
        await self.db.write(notifications.notify, account.id, "follow", by.id, None, NOW)
        await self.all()

    async def all(self):
        while await self.loop.round():
            pass


@pytest.fixture
async def desk(db):
    client = lab_client()
    async with PushService(KEY.public) as service:
        yield Desk(db, client, service)
    await client.close()


@pytest.fixture
async def pair(db):
    alice, bob = await local(db, "alice"), remote("bob", display_name="Bob")
    await stored(db, bob)
    return alice, bob


async def test_each_program_reads_its_own_in_its_own_way(desk, pair):
    alice, bob = pair
    await desk.program(alice, "new")
    await desk.program(alice, "old", standard=False)
    await desk.told(alice, bob)
    assert {name: said["title"] for name, said in desk.service.got} == dict.fromkeys(("new", "old"), "Bob follows you")
    assert {headers["Content-Encoding"] for headers in desk.service.headers} == {"aes128gcm", "aesgcm"}
    assert {(headers["TTL"], headers["Urgency"]) for headers in desk.service.headers} == {("172800", "normal")}
    assert await rows(desk.db, jobs) == []


@pytest.mark.parametrize("status", [404, 410])
async def test_a_subscription_that_ended_is_forgotten(desk, pair, status):
    alice, bob = pair
    await desk.program(alice, "gone")
    desk.service.status = status
    await desk.told(alice, bob)
    assert await rows(desk.db, push_subscriptions) == await rows(desk.db, jobs) == []


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_who_cannot_take_it_now_is_asked_later_and_alone(desk, pair, status):
    alice, bob = pair
    await desk.program(alice, "first")
    desk.service.status = status
    await desk.told(alice, bob)
    assert [row.kind for row in await rows(desk.db, jobs)] == ["push_one"]
    desk.now += timedelta(minutes=1)
    await desk.all()
    assert [row.attempts for row in await rows(desk.db, jobs)] == [1]
    desk.service.status = 201
    desk.now += timedelta(hours=1)
    await desk.all()
    assert [name for name, _ in desk.service.got] == ["first"]
    assert await rows(desk.db, jobs) == []


async def test_a_refusal_is_final(desk, pair):
    alice, bob = pair
    await desk.program(alice, "first")
    desk.service.status = 403
    await desk.told(alice, bob)
    assert (len(await rows(desk.db, push_subscriptions)), await rows(desk.db, jobs)) == (1, [])


async def test_one_that_does_not_answer_does_not_keep_others_waiting(desk, pair):
    alice, bob = pair
    await desk.program(alice, "silent", endpoint="http://127.0.0.1:9/")
    await desk.program(alice, "well")
    await desk.told(alice, bob)
    assert [name for name, _ in desk.service.got] == ["well"]
    assert [row.kind for row in await rows(desk.db, jobs)] == ["push_one"]


async def test_no_push_goes_where_the_guard_does_not_let_it(desk, pair):
    """Security row 57."""
    alice, bob = pair
    await desk.program(alice, "inside", endpoint="http://10.0.0.1/")
    await desk.told(alice, bob)
    assert await rows(desk.db, jobs) == []


async def test_what_is_dismissed_while_it_waits_is_not_sent(desk, pair):
    alice, bob = pair
    await desk.program(alice, "first")
    desk.service.status = 503
    await desk.told(alice, bob)
    desk.service.status, asked = 201, desk.service.asked
    await desk.db.write(notifications.clear, alice.id)
    desk.now += timedelta(hours=1)
    await desk.all()
    assert (desk.service.asked, await rows(desk.db, jobs)) == (asked, [])
