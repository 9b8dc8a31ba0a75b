"""Older posts of an account: who has them asked for, when again, what is believed, and that nobody hears of them."""

from datetime import timedelta

import pytest
from sqlalchemy import func, insert, select, update

from connectme import backfilling
from connectme.errands import Errands
from connectme.gather import Gatherer
from connectme.jobs import JobLoop
from federation.origin import Origin
from social import backfills, follows, fulltext
from social.events import Posted
from social.posts.find import find_by_uri
from store.ids import moment_ms
from store.tables import (
    accounts,
    followed_tags,
    home_entries,
    jobs,
    mentions,
    notifications,
    pins,
    post_tags,
    posts,
)
from store.tables import follows as follow_table
from tests.conftest import NOW
from tests.connectme.test_repair import create, outbox
from tests.inbox.far import Far, lab_client
from tests.people import follow, local, remote, stored

ORIGIN = Origin("ours.test", "https://ours.test")


class Office:
    """A job loop whose clock tests turn."""

    def __init__(self, db, client):
        self.now, self.db, self.permitted = NOW, db, True
        self.gatherer = Gatherer(db, client, ORIGIN, permits=lambda _: self.permitted, clock=lambda: self.now)
        self.loop = JobLoop(db, Errands(db, self.gatherer).table, clock=lambda: self.now)

    async def look(self, account):
        """Somebody looks at it; was it worth asking?"""
        asked = await self.db.write(backfills.ask, account.id, self.now)
        while await self.loop.round():
            pass
        return asked

    async def words(self):
        return await self.db.read(lambda tx: list(tx.scalars(select(posts.c.html).order_by(posts.c.id))))

    async def count(self, what):
        return await self.db.read(lambda tx: tx.scalar(select(func.count()).select_from(what)))

    async def state(self, account):
        return await self.db.read(backfills.state, account.id, self.now)


@pytest.fixture
async def office(db):
    client = lab_client()
    yield Office(db, client)
    await client.close()


@pytest.fixture
async def far():
    async with Far() as server:
        yield server


def ago(**time):
    return (NOW - timedelta(**time)).isoformat()


async def met(office, far, name="bob", **more):
    document = far.person(name, **more)
    return document, await office.gatherer.account(document["id"])


@pytest.mark.parametrize(
    "how",
    [{"suspended_at": NOW}, {"silenced_at": NOW}, {"host_limited": True}, {"moved_to": "https://x.test/1"},
     {"deleted_at": NOW}, {"outbox": None}],
)  # fmt: skip
async def test_some_are_never_asked_for_their_posts(office, far, db, how):
    _, bob = await met(office, far)
    outbox(far, "bob")
    await db.write(lambda tx: tx.execute(update(accounts).where(accounts.c.id == bob.id).values(**how)).rowcount)
    assert not await office.look(bob)
    assert not (await office.state(bob)).due
    assert not far.asked["/users/bob/outbox"]


async def test_ours_are_not_asked(office, db):
    alice = await local(db, "alice")
    assert not await office.look(alice)


async def test_who_is_limited_before_the_job_begins_is_not_asked(office, far, db):
    _, bob = await met(office, far)
    await db.write(backfills.ask, bob.id, NOW)
    await db.write(lambda tx: tx.execute(update(accounts).values(host_limited=True)).rowcount)
    await office.look(bob)
    assert not far.asked["/users/bob/outbox"]


async def test_a_server_that_was_blocked_meanwhile_is_not_asked(office, far):
    _, bob = await met(office, far)
    office.permitted = False
    await office.look(bob)
    assert not far.asked["/users/bob/outbox"]


@pytest.mark.parametrize("there", [401, 404, 410, {"type": "OrderedCollection"}, {"nothing": 1}])
async def test_an_outbox_that_shows_nothing_is_not_asked_for_again_that_day(office, far, db, there):
    _, bob = await met(office, far)
    far.documents["/users/bob/outbox"] = there if isinstance(there, int) else {"id": bob.outbox, **there}
    assert await office.look(bob)
    assert not (await office.state(bob)).running
    office.now += timedelta(hours=23)
    assert not await office.look(bob)
    assert far.asked["/users/bob/outbox"] == 1
    office.now += timedelta(hours=1)
    assert await office.look(bob)
    assert far.asked["/users/bob/outbox"] == 2
    assert await office.count(jobs) == 0


async def test_a_server_that_does_not_answer_is_asked_again_by_itself(office, far):
    document, bob = await met(office, far)
    far.documents["/users/bob/outbox"] = 503
    await office.look(bob)
    assert (await office.state(bob)).running
    outbox(far, "bob", create(far.note(document, 1)))
    office.now += timedelta(minutes=2)
    assert not await office.look(bob)
    assert (await office.state(bob)).found == 1


async def test_it_is_asked_again_a_day_later_but_not_while_somebody_here_follows(office, far, db):
    alice = await local(db, "alice")
    document, bob = await met(office, far)
    outbox(far, "bob", create(far.note(document, 1)))
    assert await office.look(bob)
    assert not await office.look(bob)
    outbox(far, "bob", create(far.note(document, 2)), create(far.note(document, 1)))
    office.now += timedelta(days=1)
    assert await office.look(bob)
    assert (await office.state(bob)).found == 1
    await db.write(follow, alice, bob)
    office.now += timedelta(days=9)
    assert not await office.look(bob)


async def test_people_of_one_host_are_asked_one_after_the_other(office, far, db):
    people = [(await met(office, far, f"p{number}"))[1] for number in range(3)]
    for person in people:
        await db.write(backfills.ask, person.id, NOW)
    await stored(db, carol := remote("carol"))
    await db.write(backfills.ask, carol.id, NOW)
    due = select(jobs.c.due).where(jobs.c.kind == backfills.JOB).order_by(jobs.c.id)
    waits = [moment - NOW for moment in await db.read(lambda tx: list(tx.scalars(due)))]
    assert waits == [timedelta(), backfills.EACH, 2 * backfills.EACH, timedelta()]


async def test_who_begins_to_follow_has_the_older_posts_asked_for(office, far, db):
    alice = await local(db, "alice")
    document, bob = await met(office, far)
    outbox(far, "bob", create(far.note(document, 1)))
    await db.write(follows.ask, alice.id, bob.id, NOW)
    while await office.loop.round():
        pass
    assert await office.words() == ["<p>note 1</p>"]


async def test_old_posts_come_in_their_order_and_nobody_hears_of_them(office, far, db):
    alice = await local(db, "alice")
    document, bob = await met(office, far, featured=f"{far.base}/featured", indexable=False)
    await db.write(follow, alice, bob)
    bell, tagged = update(follow_table).values(notify=True), insert(followed_tags)
    await db.write(lambda tx: tx.execute(bell).rowcount)
    await db.write(lambda tx: tx.execute(tagged, {"id": 1, "account_id": alice.id, "name": "tea"}).rowcount)
    heard = []
    db.listeners.append(heard.append)
    tag = {"type": "Mention", "href": alice.uri, "name": "@alice@ours.test"}
    told = far.note(document, "told", published=ago(days=3), tag=[tag], cc=[alice.uri])
    tea = far.note(document, "tea", published=ago(days=2), tag=[{"type": "Hashtag", "name": "#tea"}])
    named = far.note(document, "named", published=ago(days=4))
    pinned = far.note(document, "pinned", published=ago(days=400))
    reply = far.note(document, "reply", published=ago(days=1), inReplyTo="https://third.test/1")
    boost = {
        "id": f"{bob.uri}/boost",
        "type": "Announce",
        "actor": bob.uri,
        "object": told["id"],
        "published": ago(days=1),
    }
    secret = far.note(document, "direct", published=ago(days=2), to=[alice.uri])
    far.documents["/featured"] = {"id": bob.featured_uri, "type": "OrderedCollection", "orderedItems": [pinned["id"]]}
    outbox(far, "bob", create(reply), boost, create(tea), create(secret), create(told),
           {**create(named), "object": named["id"]})  # fmt: skip
    await office.look(bob)
    uris = await db.read(lambda tx: list(tx.scalars(select(posts.c.uri).order_by(posts.c.id))))
    assert uris == [post["id"] for post in (pinned, named, told, tea, reply)]
    stored_ = await db.read(find_by_uri, told["id"])
    assert moment_ms(stored_.id) == int(stored_.published.timestamp() * 1000)
    assert await office.count(pins) == 1
    assert await office.count(mentions) == 1
    assert await office.count(post_tags) == 1
    assert [await office.count(what) for what in (home_entries, notifications, jobs)] == [0, 0, 0]
    assert (await db.read(fulltext.waiting))[0] == 1  # the one that names alice: he is not indexable
    assert not [event for event in heard if isinstance(event, Posted)]
    assert (await office.state(bob)).found == 4


async def test_what_may_be_on_its_way_is_as_if_it_had_been_sent(office, far, db):
    """Who begins to follow just then would else not hear of it: it is known when it comes."""
    alice = await local(db, "alice")
    document, bob = await met(office, far)
    await db.write(follow, alice, bob)
    new = far.note(document, "new", published=ago(minutes=1))
    old = far.note(document, "old", published=ago(minutes=20))
    outbox(far, "bob", create(new), {**create(old), "object": old["id"]})
    await office.look(bob)
    at_home = select(posts.c.uri).join(home_entries, home_entries.c.post_id == posts.c.id)
    assert await db.read(lambda tx: list(tx.scalars(at_home))) == [new["id"]]
    assert len(await office.words()) == 2


async def test_nothing_is_believed_of_others(office, far, db):
    document, bob = await met(office, far)
    carol = far.person("carol")
    true = far.note(carol, 1, content="<p>true</p>")
    lie = {**true, "content": "<p>a lie</p>"}
    outbox(far, "bob", create(lie), {**create(lie), "actor": bob.uri}, {"type": []}, 7, create(far.note(document, 2)))
    await office.look(bob)
    assert "a lie" not in "".join(await office.words())
    assert "<p>note 2</p>" in await office.words()


async def test_an_outbox_is_read_as_far_as_it_is_worth(office, far, monkeypatch):
    monkeypatch.setattr(backfilling, "POSTS", 3)
    document, bob = await met(office, far)
    notes = [create(far.note(document, number, published=ago(hours=number + 1))) for number in range(5)]
    outbox(far, "bob", *notes[:2], pages=[notes[2:4], notes[4:]])
    await office.look(bob)
    assert await office.words() == ["<p>note 2</p>", "<p>note 1</p>", "<p>note 0</p>"]
    assert not far.asked["/users/bob/outbox/2"]


async def test_requests_are_counted(office, far, monkeypatch):
    monkeypatch.setattr(backfilling, "REQUESTS", 4)
    document, bob = await met(office, far)
    notes = [far.note(document, number) for number in range(5)]
    outbox(far, "bob", *({**create(note), "object": note["id"]} for note in notes))
    await office.look(bob)
    assert len(await office.words()) == 2
    assert not (await office.state(bob)).running
