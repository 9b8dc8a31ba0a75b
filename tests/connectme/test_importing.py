"""What people bring along, done by a worker: who is not to be had, whom nobody answers for; nothing is lost."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select

from connectme.errands import Errands
from connectme.gather import Gatherer
from connectme.jobs import JobLoop
from federation.origin import Origin
from social import follows, imports
from store.tables import jobs
from tests.conftest import NOW
from tests.inbox.far import lab_client
from tests.people import local

ORIGIN = Origin("ours.test", "https://ours.test")


class Office:
    def __init__(self, db, client, permits=lambda _: True):
        self.now, self.db = NOW, db
        self.gatherer = Gatherer(db, client, ORIGIN, clock=lambda: self.now, permits=permits)
        self.errands = dict(Errands(db, self.gatherer).table)
        self.loop = JobLoop(db, self.errands, clock=lambda: self.now)

    async def bring(self, who, kind, text):
        lines = imports.read(text.encode(), kind, ORIGIN, who.handle)
        it = await self.db.write(imports.prepare, who.id, kind, overwrite=False)
        await self.db.write(imports.add, it, lines, self.now)
        await self.db.write(imports.complete, it, len(lines))
        await self.db.write(imports.begin, who.id, kind, self.now)
        return it

    async def stands(self, it):
        it = await self.db.read(imports.get, it.account_id, it.kind)
        found = await self.db.read(imports.progress, it, self.now)
        return found.done, found.failed, found.waiting, it.ended_at is not None

    async def whys(self, it):
        return {row.line: row.why for row in await self.db.read(imports.failures, it)}

    async def waiting(self):
        return await self.db.read(lambda tx: tx.scalars(select(jobs.c.due).where(jobs.c.kind == imports.JOB)).all())


@pytest.fixture
async def office(db):
    client = lab_client()
    yield Office(db, client)
    await client.close()


async def test_people_are_looked_up_and_who_is_not_there_fails_alone(office, far, other):
    alice = await local(office.db, "alice")
    far.person("bob")
    other.person("carol")
    text = f"bob@{far.host}\nnobody@{far.host}\ncarol@{other.host}\neve\n"
    it = await office.bring(alice, "follows", text)
    await office.loop.round()
    assert await office.stands(it) == (2, 2, 0, True)
    assert await office.whys(it) == {2: "There is nothing that can be shown", 4: "No such account"}
    assert await office.waiting() == []
    bob = await office.gatherer.account(f"bob@{far.host}")
    assert (await office.db.read(follows.relationship, alice.id, [bob.id]))[bob.id].requested


async def test_a_server_that_is_blocked_here_is_not_asked(db, far):
    client = lab_client()
    office = Office(db, client, permits=lambda host: host != far.host)
    alice = await local(db, "alice")
    it = await office.bring(alice, "follows", f"bob@{far.host}\n")
    await office.loop.round()
    assert await office.whys(it) == {1: "That server is blocked here"}
    assert not far.asked
    await client.close()


async def test_posts_are_fetched_and_others_things_are_no_bookmarks(office, far):
    alice = await local(office.db, "alice")
    bob = far.person("bob")
    note = far.note(bob, 1)
    it = await office.bring(alice, "bookmarks", f"{note['id']}\n{bob['id']}\n{far.base}/nothing\nhttps://ours.test/1\n")
    await office.loop.round()
    assert await office.stands(it) == (1, 3, 0, True)
    assert (await office.whys(it))[2] == "That is no post"


async def test_a_silent_server_is_left_alone_longer_each_time_and_keeps_nobody_else(office, far, other):
    alice = await local(office.db, "alice")
    for number in range(3):
        far.person(f"b{number}")
        far.documents[f"/users/b{number}"] = 503
    other.person("carol")
    text = "".join(f"b{number}@{far.host}\n" for number in range(3)) + f"carol@{other.host}\n"
    it = await office.bring(alice, "follows", text)
    for round_ in range(imports.keeping.TRIES):
        await office.loop.round()
        assert sum(far.asked[f"/users/b{number}"] for number in range(3)) <= round_ + 1  # one for all
        if round_ < imports.keeping.TRIES - 1:
            assert await office.stands(it) == (1, 0, 3, False)
            [due] = await office.waiting()
            assert due - office.now == timedelta(minutes=5) * 4**round_
            office.now = due
    assert await office.stands(it) == (1, 3, 0, True)
    assert set((await office.whys(it)).values()) == {"That server does not answer"}


async def test_one_who_is_ill_does_not_cost_the_others_of_his_server(office, far):
    alice = await local(office.db, "alice")
    for name in ("ill", "bob", "carol"):
        far.person(name)
    far.documents["/users/ill"] = 503
    it = await office.bring(alice, "follows", "".join(f"{name}@{far.host}\n" for name in ("ill", "bob", "carol")))
    while await office.waiting():
        await office.loop.round()
        office.now += timedelta(hours=6)
    assert await office.stands(it) == (2, 1, 0, True)


async def test_it_goes_on_after_a_crash_and_after_a_worker_gave_up(office, far):
    alice = await local(office.db, "alice")
    names = [f"b{number}" for number in range(3)]
    for name in names:
        far.person(name)
    it = await office.bring(alice, "follows", "".join(f"{name}@{far.host}\n" for name in names))
    work = office.gatherer.account

    async def die(who, **more):
        if who.startswith("b1"):
            raise asyncio.CancelledError
        return await work(who, **more)

    office.gatherer.account = die
    await office.loop.round()
    assert await office.stands(it) == (1, 0, 2, False)
    office.gatherer.account = work
    await office.db.write(lambda tx: tx.execute(jobs.delete()))  # given up
    await office.db.write(imports.tend, office.now)
    await office.db.write(imports.tend, office.now)
    await office.loop.round()
    assert await office.stands(it) == (3, 0, 0, True)
    assert all(far.asked[f"/users/{name}"] == 1 for name in names)
