"""After an outage: whom is asked, what is believed, how it goes on after a crash, and what is said of it."""

from datetime import timedelta

import pytest
from sqlalchemy import delete, select, update

from connectme import repair as repairing
from connectme.errands import Errands
from connectme.gather import Gatherer
from connectme.jobs import JobLoop
from federation.origin import Origin
from inbox import spool as spooling
from ops import outages, state
from ops.doctor import records
from ops.doctor.case import Case
from ops.modes import Mode
from social import accounts, repairs
from social.errors import Invalid, NotFound
from social.posts.find import find_by_uri, visible
from store import jobs as asking
from store.ids import moment_ms
from store.tables import INSTANCE_ACTOR_ID, activities, follows, home_entries, jobs, notifications, posts
from store.tables import accounts as account_table
from store.tables import repairs as repair_table
from tests.conftest import NOW
from tests.inbox.far import Far, lab_client
from tests.interleaved import Two
from tests.people import add, follow, local, ours

ORIGIN = Origin("ours.test", "https://ours.test")
PUBLIC = "https://www.w3.org/ns/activitystreams#Public"
BEGAN, ENDED = NOW - timedelta(hours=8), NOW - timedelta(hours=1)


def at(hours):
    return (NOW - timedelta(hours=hours)).isoformat()


async def test_of_two_that_begin_at_once_the_second_is_refused(two: Two):
    await two.here.write(add, ours("server", id=INSTANCE_ACTOR_ID))
    words = (BEGAN, ENDED, "asked for by hand", NOW)
    for at in range(3):
        found = await two.meet(repairs.begin, words, repairs.begin, words, at=at)
        assert sorted(type(one).__name__ for one in found) == ["Invalid", "Repair"], at
        assert len(await two.here.read(repairs.last, 9)) == 1
        await two.here.write(lambda tx: tx.execute(delete(repair_table)))


class Office:
    """A worker's loops, whose clock tests turn."""

    def __init__(self, db, spool, client, folder):
        self.now, self.db, self.folder, self.client = NOW, db, folder, client
        self.gatherer = Gatherer(db, client, ORIGIN, clock=lambda: self.now)
        self.watch = repairing.Watch(db, spool, folder, clock=lambda: self.now)
        self.open()

    def open(self):
        """As after a restart."""
        self.loop = JobLoop(self.db, Errands(self.db, self.gatherer).table, clock=lambda: self.now)

    async def work(self, most=40):
        """Until the repair is done."""
        for _ in range(most):
            found = await self.watch.look()
            if found is None or found.finished_at:
                return found
            self.now += timedelta(minutes=1)
            while await self.loop.round():
                pass
        raise AssertionError("it never ends")

    async def begin(self):
        await self.db.write(repairs.begin, BEGAN, ENDED, "a test", self.now)
        return await self.work()

    async def all(self, column, *where):
        return await self.db.read(lambda tx: list(tx.scalars(select(column).where(*where).order_by(column))))


@pytest.fixture
async def office(db, spool, tmp_path):
    client = lab_client()
    yield Office(db, spool, client, tmp_path)
    await client.close()


@pytest.fixture
async def far():
    async with Far() as server:
        yield server


def outbox(far, who, *items, pages=()):
    """`items`: on the first page; `pages`: those behind it."""
    path = f"/users/{who}/outbox"
    names = [f"{far.base}{path}/{number}" for number in range(1 + len(pages))]
    far.documents[path] = {"id": f"{far.base}{path}", "type": "OrderedCollection", "first": names[0]}
    for number, part in enumerate([items, *pages]):
        page = {"id": names[number], "type": "OrderedCollectionPage", "orderedItems": list(part)}
        far.documents[f"{path}/{number}"] = page | ({"next": names[number + 1]} if number < len(pages) else {})


def create(note):
    return {"id": f"{note['id']}/activity", "type": "Create", "actor": note["attributedTo"], "object": note,
            "published": note["published"], "to": note["to"]}  # fmt: skip


async def met(office, far, name):
    """Of the other server, and stored here."""
    document = far.person(name)
    return document, await office.gatherer.account(document["id"])


async def test_a_repair_of_nobody_is_done_at_once(office):
    found = await office.begin()
    assert (found.accounts, found.asked, found.found, found.finished_at) == (0, 0, 0, NOW)


async def test_a_worker_that_starts_says_nothing_of_a_look_back_that_was_done(office, far, db, spool, caplog):
    alice = await local(db, "alice")
    await db.write(follow, alice, (await met(office, far, "bob"))[1])
    outbox(far, "bob")
    with caplog.at_level("INFO", repairing.log.name):
        await office.begin()
        assert [record.message.partition(" from")[0] for record in caplog.records if "said" in record.message] == [
            "what was said"
        ]
        assert "is done" in caplog.text
        caplog.clear()
        assert (await repairing.Watch(db, spool, office.folder, clock=lambda: office.now).look()).finished_at
    assert caplog.text == ""


async def test_what_followed_people_said_meanwhile_comes_home_in_its_order(office, far, db):
    alice = await local(db, "alice")
    document, bob = await met(office, far, "bob")
    await met(office, far, "eve")  # whom nobody follows
    await db.write(follow, alice, bob)
    notes = [far.note(document, number, published=at(hours)) for number, hours in enumerate([7, 5, 3, 2])]
    old = far.note(document, "old", published=at(20))
    named = far.note(document, "named", published=at(4))
    boost = {"id": f"{bob.uri}/boost", "type": "Announce", "actor": bob.uri, "object": notes[0]["id"],
             "to": [PUBLIC], "published": at(1)}  # fmt: skip
    outbox(far, "bob", boost, create(notes[3]), create(notes[2]), {**create(named), "object": named["id"]},
           pages=[[create(notes[1]), create(notes[0]), create(old)], ["https://never.test/asked"]])  # fmt: skip
    outbox(far, "eve", create(far.note(far.documents["/users/eve"], "eve's", published=at(2))))

    found = await office.begin()

    assert (found.accounts, found.asked, found.found, found.failed) == (1, 1, 6, 0)
    on_it = select(posts.c.uri).join(home_entries, home_entries.c.post_id == posts.c.id).order_by(posts.c.id)
    home = await db.read(lambda tx: list(tx.scalars(on_it)))
    assert home == [notes[0]["id"], notes[1]["id"], named["id"], notes[2]["id"], notes[3]["id"]]
    assert await db.read(find_by_uri, boost["id"]), "it is on top already, so the boost is kept but not shown"
    assert not far.asked["/users/bob/outbox/2"]  # older than the outage
    assert not far.asked["/users/eve/outbox"]
    again = await office.begin()
    assert (again.asked, again.found) == (1, 0)
    assert len(await office.all(posts.c.id)) == 6


async def test_nothing_is_believed_of_other_servers_or_other_people(office, far, db):
    alice = await local(db, "alice")
    document, bob = await met(office, far, "bob")
    carol, _ = await met(office, far, "carol")
    await db.write(follow, alice, bob)
    elsewhere = {**far.note(document, 1, published=at(2)), "id": "https://other.test/1"}
    hers = far.note(carol, "hers", published=at(2), content="<p>true</p>")
    lie = {**hers, "content": "<p>a lie</p>"}
    outbox(far, "bob", create(elsewhere), {**create(lie), "actor": bob.uri}, create(hers),
           {"id": f"{bob.uri}/x", "type": "Delete", "actor": bob.uri, "object": bob.uri},
           {"id": f"{bob.uri}/y", "type": "Create", "actor": bob.uri, "object": "https://other.test/2"},
           {"type": []}, 7, {"id": f"{bob.uri}/z", "type": "Announce", "actor": bob.uri})  # fmt: skip
    found = await office.begin()
    words = await office.all(posts.c.html)
    assert words == ["<p>true</p>"]  # fetched from where it lives
    assert (found.found, found.failed) == (1, 0)
    assert not (await db.read(accounts.find_by_uri, bob.uri)).is_gone


async def test_an_outbox_on_another_server_is_not_asked_for(office, far, db):
    alice = await local(db, "alice")
    _, bob = await met(office, far, "bob")
    await db.write(follow, alice, bob)
    async with Far() as other:
        outbox(other, "bob")
        await db.write(lambda tx: tx.execute(update(account_table).values(outbox=f"{other.base}/users/bob/outbox")))
        found = await office.begin()
        assert not other.asked
    assert (found.asked, found.failed, list(found.troubles)) == (1, 1, [far.host])


async def test_mentions_are_told_and_edits_taken_over(office, far, db):
    alice = await local(db, "alice")
    document, bob = await met(office, far, "bob")
    await db.write(follow, alice, bob)
    note = far.note(document, 1, published=at(20))
    await office.gatherer.fetch_post(note["id"])
    edited = {**note, "content": "<p>better</p>", "updated": at(3)}
    to_alice = far.note(document, 2, published=at(2), tag=[{"type": "Mention", "href": alice.uri}])
    outbox(far, "bob", create(to_alice), {**create(edited), "published": at(3)})
    found = await office.begin()
    assert found.found == 1
    assert "<p>better</p>" in await office.all(posts.c.html)
    assert await office.all(notifications.c.kind, notifications.c.account_id == alice.id) == ["mention"]


def shown_to(name, to_him, to_others):
    """An answer for requests in his name, and one for all others."""
    return lambda request: to_him if f"/users/{name}#" in request.headers.get("Signature", "") else to_others


def private(far, document, number, hours):
    return far.note(document, number, published=at(hours), to=[document["followers"]])


async def test_what_was_said_to_followers_comes_home_to_them(office, far, db):
    alice, eve = await local(db, "alice"), await local(db, "eve")
    document, bob = await met(office, far, "bob")
    await db.write(follow, alice, bob)
    note = private(far, document, "private", 3)
    outbox(far, "bob", create(note))
    page = far.documents["/users/bob/outbox/0"]
    far.documents["/users/bob/outbox/0"] = shown_to("alice", page, {**page, "orderedItems": []})
    found = await office.begin()
    assert (found.asked, found.found, found.failed) == (1, 1, 0)
    post = await db.read(find_by_uri, note["id"])
    assert post.visibility == "private"
    assert await office.all(home_entries.c.owner_id) == [alice.id]
    with pytest.raises(NotFound):
        await db.read(visible, post.id, eve.id)


@pytest.mark.parametrize("answer", [403, "nothing"])
async def test_whose_follower_is_blocked_there_is_read_as_anybody_may(office, far, db, answer):
    alice = await local(db, "alice")
    document, bob = await met(office, far, "bob")
    await db.write(follow, alice, bob)
    outbox(far, "bob", create(far.note(document, 1, published=at(3))))
    page = far.documents["/users/bob/outbox/0"]
    empty = {**page, "orderedItems": []} if answer == "nothing" else answer
    far.documents["/users/bob/outbox/0"] = shown_to("alice", empty, page)
    found = await office.begin()
    assert (found.asked, found.found, found.failed) == (1, 1, 0)


async def test_what_was_deleted_meanwhile_goes_here_too_when_its_own_server_says_so(office, far, db):
    alice = await local(db, "alice")
    document, bob = await met(office, far, "bob")
    await db.write(follow, alice, bob)
    said = {"listed": 2, "unlisted": 3, "deleted": 4, "busy": 5, "first": 6, "before": 7, "old": 40}
    notes = {name: far.note(document, name, published=at(hours)) for name, hours in said.items()}
    notes["private"] = private(far, document, "private", 3)
    for note in notes.values():
        await office.gatherer.fetch_post(note["id"])
    outbox(far, "bob", create(notes["listed"]), create(notes["first"]))
    far.asked.clear()
    gone = ("deleted", "before", "old", "private")
    far.documents |= {f"/notes/{name}": 404 for name in gone} | {"/notes/busy": 503}
    await office.begin()
    office.now += timedelta(minutes=1)
    while await office.loop.round():
        pass
    left = {name for name, note in notes.items() if await db.read(find_by_uri, note["id"])}
    assert left == set(notes) - {"deleted", "before"}
    assert {path for path in far.asked if path.startswith("/notes/")} == {
        "/notes/unlisted", "/notes/deleted", "/notes/before", "/notes/busy"
    }  # fmt: skip


async def test_an_outbox_that_lists_little_costs_few_requests(office, far, db, monkeypatch):
    monkeypatch.setattr(repairing, "DOUBTED", (2, 3))
    alice = await local(db, "alice")
    for name in ("bob", "carol", "dan"):
        document, account = await met(office, far, name)
        await db.write(follow, alice, account)
        notes = [far.note(document, f"{name}{number}", published=at(4)) for number in range(4)]
        for note in notes:
            await office.gatherer.fetch_post(note["id"])
        outbox(far, name, create(far.note(document, f"{name}-first", published=at(6))))
    far.asked.clear()
    await office.begin()
    office.now += timedelta(minutes=1)
    while await office.loop.round():
        pass
    assert sum(1 for path in far.asked if path.startswith("/notes/")) == 3


async def test_a_host_is_asked_for_a_few_people_at_a_time_and_goes_on_after_a_crash(office, far, db):
    alice = await local(db, "alice")
    for number in range(7):
        document, person = await met(office, far, f"p{number}")
        await db.write(follow, alice, person)
        outbox(far, f"p{number}", create(far.note(document, number, published=at(2))))
    await db.write(repairs.begin, BEGAN, ENDED, "a test", NOW)
    [job] = await db.write(asking.claim, NOW)
    with pytest.raises(asking.Later):
        await Errands(db, office.gatherer).table[job.kind](job)
    assert sum(far.asked[f"/users/p{number}/outbox"] for number in range(7)) == repairing.AT_ONCE
    office.now += asking.LEASE + timedelta(seconds=1)  # killed before it said that it goes on later
    office.open()
    found = await office.work()
    assert (found.accounts, found.asked, found.found) == (7, 7, 7)
    assert all(far.asked[f"/users/p{number}/outbox"] == 1 for number in range(7))


async def test_a_silent_host_is_tried_for_some_hours_and_then_counted(office, far, db):
    alice = await local(db, "alice")
    _, bob = await met(office, far, "bob")
    await db.write(follow, alice, bob)
    far.documents["/users/bob/outbox"] = 503
    await db.write(repairs.begin, BEGAN, ENDED, "a test", NOW)
    for _ in range(12):
        await office.watch.look()
        office.now += timedelta(hours=3)
        while await office.loop.round():
            pass
    found = await office.watch.look()
    assert (found.asked, found.failed, found.finished_at is not None) == (0, 1, True)
    assert "503" in found.troubles[far.host]


async def test_followers_are_compared_where_the_other_server_has_the_list(office, far, db):
    alice, carl = await local(db, "alice"), await local(db, "carl")
    _, bob = await met(office, far, "bob")
    _, dan = await met(office, far, "dan")
    for person in (alice, carl):
        await db.write(follow, person, bob)
    await db.write(follow, alice, dan)
    _, eve = await met(office, far, "eve")
    await db.write(follow, alice, eve)
    empty = "/users/eve/followers_synchronization"
    far.documents[empty] = {"id": far.base + empty, "type": "OrderedCollection", "totalItems": 0, "orderedItems": []}
    outbox(far, "eve")
    path = "/users/bob/followers_synchronization"
    far.documents[path] = {"id": far.base + path, "type": "OrderedCollection", "orderedItems": [alice.uri]}
    outbox(far, "bob")
    outbox(far, "dan")
    await office.begin()
    assert await office.all(follows.c.follower_id, follows.c.target_id == bob.id) == [alice.id]
    assert await office.all(follows.c.follower_id, follows.c.target_id == dan.id) == [alice.id]  # 404 says nothing
    assert await office.all(follows.c.follower_id, follows.c.target_id == eve.id) == [alice.id]  # nor that, unasked for


async def test_requests_to_follow_are_sent_again(office, far, db):
    alice = await local(db, "alice")
    _, bob = await met(office, far, "bob")
    await db.write(follow, alice, bob, accepted=False, created_at=BEGAN)
    await db.write(repairs.begin, BEGAN, ENDED, "a test", NOW)
    [body] = await office.all(activities.c.body)
    assert b'"Follow"' in bytes(body, "utf-8") if isinstance(body, str) else b'"Follow"' in body


async def test_lively_conversations_are_refreshed(office, far, db):
    alice = await local(db, "alice")
    document, bob = await met(office, far, "bob")
    await db.write(follow, alice, bob)
    top = far.note(document, "top", published=at(30))
    answer = far.note(document, "answer", published=at(2), inReplyTo=top["id"])
    outbox(far, "bob", create(answer))
    found = await office.begin()
    assert found.threads == 1
    kinds = await office.all(jobs.c.kind)
    assert set(kinds) <= {"fetch_thread", "fetch_post"}


# When one begins.


async def test_one_begins_when_an_outage_is_over_and_once(office, db, spool):
    await local(db, "alice")
    assert await office.watch.look() is None
    outages.note(office.folder, Mode(), Mode("emergency", 10.0), BEGAN.timestamp())
    outages.refused(office.folder, ENDED.timestamp() - 60, ENDED.timestamp())  # short: they try again
    assert await office.watch.look() is None
    outages.beat(office.folder, BEGAN.timestamp())
    outages.beat(office.folder, ENDED.timestamp())  # nobody listened for hours
    found = await office.work()
    assert (found.begins, found.ends) == (BEGAN, ENDED)
    assert await office.watch.look() == found
    outages.restored(office.folder, (BEGAN - timedelta(days=1)).timestamp(), ENDED.timestamp(), "restored from b")
    assert (await office.work()).begins == BEGAN - timedelta(days=1)
    await db.write(lambda tx: tx.execute(delete(repairs.repairs)))  # an older database was restored: it knows nothing
    assert (await office.work()).reason == "no web process ran; restored from b"


async def test_it_waits_for_the_spool_but_not_for_ever(office, db, spool):
    office.now = ENDED + timedelta(minutes=1)
    outages.beat(office.folder, BEGAN.timestamp())
    outages.beat(office.folder, ENDED.timestamp())
    row = spooling.row("https://far.test/users/x", b"{}", ENDED - timedelta(minutes=1), None, None)
    await spool.write(spooling.keep, [row])
    assert await office.watch.look() is None
    office.now = ENDED + timedelta(minutes=11)
    assert await office.watch.look() is not None


async def test_two_at_once_are_refused(office, db):
    await db.write(repairs.begin, BEGAN, ENDED, "one", NOW)
    with pytest.raises(Invalid):
        await db.write(repairs.begin, BEGAN, ENDED, "two", NOW)


async def test_the_doctor_tells_how_far_it_is_and_what_came_of_it(office, far, db):
    alice = await local(db, "alice")
    _, bob = await met(office, far, "bob")
    await db.write(follow, alice, bob)
    await db.write(repairs.begin, BEGAN, ENDED, "a test", NOW)
    await office.watch.look()
    case = Case(type("Settings", (), {"data_dir": office.folder})(), "", NOW)
    assert [one.id for one in records.repair(case)] == ["repair.running"]
    far.documents["/users/bob/outbox"] = 404
    await office.work()
    [said] = records.repair(case)
    assert (said.id, said.severity) == ("repair.done", "notice")
    assert far.host in said.evidence
    later = Case(case.settings, "", NOW + timedelta(days=3))
    assert [one.severity for one in records.repair(later)] == ["ok"]
    assert state.read_json(office.folder / "state" / "repair.json")["failed"] == 1


async def test_ids_of_late_posts_are_of_their_own_time(office, far, db):
    alice = await local(db, "alice")
    document, bob = await met(office, far, "bob")
    await db.write(follow, alice, bob)
    outbox(far, "bob", create(far.note(document, 1, published=at(5))))
    await office.begin()
    [number] = await office.all(posts.c.id)
    assert moment_ms(number) == round((NOW - timedelta(hours=5)).timestamp() * 1000)
