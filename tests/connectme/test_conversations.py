"""The rest of a conversation is fetched: from above and below, within bounds, and what is missing is said."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from connectme import conversations
from social.errors import NotFound
from social.posts import find, refreshing
from store.tables import jobs, posts
from tests.conftest import NOW
from tests.connectme.test_errands import Office
from tests.inbox.far import lab_client
from tests.people import local
from tests.social.said import say


@pytest.fixture
async def office(db):
    client = lab_client()
    yield Office(db, client)
    await client.close()


async def state(db, post_id, now=NOW):
    return await db.read(lambda tx: refreshing.completeness(tx, find.by_id(tx, post_id), now))


async def here(db):
    return await db.read(lambda tx: tx.scalar(select(func.count()).select_from(posts)))


async def look(office, post_id, **more):
    asked = await office.db.write(refreshing.ask, None, post_id, office.now, **more)
    await office.loop.round()
    return asked


def listed(far, path, items, **more):
    document = {"id": f"{far.base}{path}", "type": "Collection", "totalItems": len(items), "items": items, **more}
    far.documents[path] = document
    return document["id"]


async def test_nobody_is_asked_for_the_rest_of_what_is_private_or_not_for_the_reader(office, far, db):
    bob = far.person("bob")
    followers = {"to": [bob["followers"]]}
    secret = await office.gatherer.fetch_post(far.note(bob, 1, **followers)["id"])
    with pytest.raises(NotFound):
        await db.write(refreshing.ask, None, secret, NOW)
    own = await db.write(lambda tx: find.by_id(tx, secret).author_id)
    assert not await db.write(refreshing.ask, own, secret, NOW)
    assert not (await state(db, secret)).asked


async def test_answers_and_their_answers_come_by_replies(office, far, db):
    bob = far.person("bob")
    for n in range(5):
        below = listed(far, f"/replies/{n}", [f"{far.base}/notes/{n + 1}"] if n < 4 else [])
        parent = {"inReplyTo": f"{far.base}/notes/{n - 1}"} if n else {}
        far.note(bob, n, replies=below, **parent)
    root = await office.gatherer.fetch_post(f"{far.base}/notes/0")
    assert await look(office, root)
    assert await here(db) == 5
    found = await state(db, root)
    assert (found.known, found.said, found.found, found.running, found.silent) == (5, 5, 4, False, ())
    assert found.asked_at == NOW


async def test_the_list_of_the_conversation_is_read_where_there_is_one(office, far, db):
    bob = far.person("bob")
    names = [f"{far.base}/notes/{n}" for n in range(4)]
    context = listed(far, "/context/0", names)
    for n in range(4):
        far.note(bob, n, context=context, **({"inReplyTo": names[0]} if n else {}))
    root = await office.gatherer.fetch_post(names[0])
    assert await look(office, root)
    assert await here(db) == 4
    assert far.asked["/context/0"] == 1


async def test_the_list_may_be_one_of_activities(office, far, db):
    """FEP-171b, FEP-f228: what each item brings counts, embedded or by its id; likes bring nothing."""
    bob = far.person("bob")
    names = [f"{far.base}/notes/{n}" for n in range(5)]

    def does(kind, path, what):
        far.documents[path] = {"id": f"{far.base}{path}", "type": kind, "actor": bob["id"], "object": what}
        return far.documents[path]

    by_id = does("Add", "/adds/1", does("Create", "/creates/1", names[1])["id"])["id"]
    like, create = does("Like", "/likes/1", names[0]), does("Create", "/creates/2", {"type": "Note", "id": names[2]})
    add = does("Add", "/adds/3", {"type": "Create", "id": f"{far.base}/none", "object": names[3]})
    context = listed(far, "/context/0", [names[0], by_id, like, create, add, {"type": "Note", "id": names[4]}])
    for n in range(5):
        far.note(bob, n, context=context, **({"inReplyTo": names[0]} if n else {}))
    root = await office.gatherer.fetch_post(names[0])
    assert await look(office, root)
    assert await here(db) == 5
    assert far.asked["/likes/1"] == far.asked["/none"] == far.asked["/creates/2"] == 0


async def test_a_list_on_another_host_is_no_list(office, far, other, db):
    bob = far.person("bob")
    context = listed(other, "/context/0", [other.note(other.person("eve"), 1)["id"]])
    root = await office.gatherer.fetch_post(far.note(bob, 0, context=context)["id"])
    await look(office, root)
    assert other.asked["/context/0"] == 0
    assert await here(db) == 1


async def test_what_is_above_comes_first_and_the_threads_become_one(office, far, db):
    bob = far.person("bob")
    for n in range(3):
        far.note(bob, n, **({"inReplyTo": f"{far.base}/notes/{n - 1}"} if n else {}))
    last = await office.gatherer.fetch_post(f"{far.base}/notes/2", depth=10)
    assert await here(db) == 1
    assert await look(office, last)
    assert await here(db) == 3
    found = await state(db, last)
    assert (found.known, found.running, found.asked_at) == (3, False, NOW)


async def test_silent_servers_are_named_and_what_they_have_is_missing(office, far, db):
    bob = far.person("bob")
    away = "http://127.0.0.1:9/notes/1"
    root = await office.gatherer.fetch_post(far.note(bob, 0, replies=listed(far, "/replies/0", [away]))["id"])
    await look(office, root)
    found = await state(db, root)
    assert (found.known, found.said, found.silent) == (1, 2, ("127.0.0.1:9",))


async def test_what_is_gone_is_not_missed(office, far, db):
    bob = far.person("bob")
    far.documents["/notes/1"] = 410
    replies = listed(far, "/replies/0", [f"{far.base}/notes/1", f"{far.base}/notes/2"])
    root = await office.gatherer.fetch_post(far.note(bob, 0, replies=replies)["id"])
    await look(office, root)
    assert (await state(db, root)).said == 1


async def test_one_round_has_a_budget_and_says_what_it_left(office, far, db, monkeypatch):
    monkeypatch.setattr(conversations, "REQUESTS", 12)
    bob = far.person("bob")
    names = [f"{far.base}/notes/{n}" for n in range(30)]
    for n in range(1, 30):
        far.note(bob, n, inReplyTo=names[0])
    root = await office.gatherer.fetch_post(far.note(bob, 0, replies=listed(far, "/replies/0", names[1:]))["id"])
    far.asked.clear()
    await look(office, root)
    assert sum(far.asked.values()) <= 12
    found = await state(db, root)
    assert found.said == 30
    assert 1 < found.known < 30


async def test_an_endless_conversation_ends(office, far, db, monkeypatch):
    monkeypatch.setattr(conversations, "REQUESTS", 40)
    bob = far.person("bob")
    for n in range(200):
        page = f"/replies/{n}"
        listed(far, page, [f"{far.base}/notes/{n + 1}"], next=f"{far.base}{page}", type="CollectionPage")
        far.note(bob, n, replies=f"{far.base}{page}", **({"inReplyTo": f"{far.base}/notes/{n - 1}"} if n else {}))
    root = await office.gatherer.fetch_post(f"{far.base}/notes/0")
    far.asked.clear()
    await look(office, root)
    assert sum(far.asked.values()) <= 40


async def test_a_thread_is_not_asked_for_again_so_soon_but_a_lively_one_asks_by_itself(office, far, db):
    bob = far.person("bob")
    root = await office.gatherer.fetch_post(far.note(bob, 0, replies=listed(far, "/replies/0", []))["id"])
    assert await look(office, root)
    office.now += timedelta(seconds=30)
    assert not await look(office, root, wished=True)
    office.now += timedelta(minutes=2)
    assert not await look(office, root)
    far.note(bob, 1, inReplyTo=f"{far.base}/notes/0")
    listed(far, "/replies/0", [f"{far.base}/notes/1"])
    assert await look(office, root, wished=True)
    assert await here(db) == 2
    again = await db.read(lambda tx: list(tx.scalars(select(jobs.c.due).where(jobs.c.kind == refreshing.JOB))))
    assert again == [office.now + conversations.PAUSE]


async def test_who_broke_off_is_not_thought_to_go_on_for_ever(office, far, db):
    root = await office.gatherer.fetch_post(far.note(far.person("bob"), 0)["id"])
    await db.write(refreshing.ask, None, root, NOW)
    assert (await state(db, root)).running
    assert not (await state(db, root, NOW + timedelta(hours=1))).running


async def test_of_a_thread_that_is_all_ours_nobody_is_asked(office, db, origin):
    post = await say(db, origin, await local(db, "alice"))
    assert not await db.write(refreshing.ask, None, post.id, NOW)
