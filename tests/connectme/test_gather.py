"""What is fetched from others, on whose word, how often; another server answers on loopback."""

import asyncio
import itertools
from datetime import timedelta

import pytest
from sqlalchemy import select

from connectme.gather import STALE, Gatherer
from federation.origin import Origin
from social import accounts
from social.errors import NotAllowed, NotFound, Unavailable
from social.posts import find
from social.posts.drafts import Draft
from social.posts.publish import publish
from store.tables import Account, jobs
from tests.conftest import NOW
from tests.inbox.far import lab_client
from tests.people import local, remote, stored

ORIGIN = Origin("ours.test", "https://ours.test")


@pytest.fixture
async def blocked():
    return set()


@pytest.fixture
async def gatherer(db, blocked):
    client = lab_client()
    yield Gatherer(db, client, ORIGIN, permits=lambda host: host not in blocked, clock=lambda: NOW)
    await client.close()


async def kinds(db):
    return await db.read(lambda tx: list(tx.scalars(select(jobs.c.kind).order_by(jobs.c.id))))


# Accounts.


async def test_who_is_nowhere_is_not_found(gatherer, far):
    for who in (f"nobody@{far.host}", f"{far.base}/users/nobody", "no handle", ""):
        with pytest.raises(NotFound):
            await gatherer.account(who)


async def test_a_silent_server_is_unavailable(gatherer):
    with pytest.raises(Unavailable):
        await gatherer.account("http://127.0.0.1:9/users/bob")


async def test_a_blocked_server_is_not_asked(gatherer, far, blocked):
    bob = far.person("bob")
    blocked.add(far.host)
    for who in (bob["id"], f"bob@{far.host}"):
        with pytest.raises(NotAllowed):
            await gatherer.account(who)
    with pytest.raises(NotAllowed):
        await gatherer.resolve(bob["id"])
    assert not far.asked


async def test_ours_are_never_fetched(gatherer, db):
    alice = await local(db, "alice")
    assert (await gatherer.account("@alice@ours.test")).id == alice.id
    assert (await gatherer.account(alice.uri)).id == alice.id
    for who in ("https://ours.test/users/nobody", "nobody@ours.test", "nobody"):
        with pytest.raises(NotFound):
            await gatherer.account(who)


async def test_nobody_elsewhere_is_called_like_one_of_ours(gatherer, far):
    bob = far.person("bob", webfinger="alice@ours.test")
    far.names["alice@ours.test"] = ("alice@ours.test", bob["id"])
    met = await gatherer.account(bob["id"])
    assert met.handle == f"bob@{far.host}"


@pytest.mark.parametrize("by_handle", [True, False])
async def test_a_stranger_is_fetched_and_remembered(gatherer, far, by_handle):
    bob = far.person("bob", name="Bob")
    found = await gatherer.account(f"@bob@{far.host}" if by_handle else bob["id"])
    assert (found.uri, found.handle, found.display_name) == (bob["id"], f"bob@{far.host}", "Bob")
    far.asked.clear()
    assert (await gatherer.account(bob["id"])).id == found.id
    assert not far.asked


async def test_many_who_ask_at_once_cause_one_fetch(gatherer, far):
    bob = far.person("bob")
    found = await asyncio.gather(*(gatherer.account(bob["id"]) for _ in range(10)))
    assert len({one.id for one in found}) == 1
    assert far.asked["/users/bob"] == 1


async def test_a_reader_who_is_slow_causes_no_second_fetch(gatherer, far, monkeypatch):
    bob, read, reads = far.person("bob"), gatherer._db.read, itertools.count()

    async def answered_late(*what):
        late, answer = next(reads), await read(*what)
        if late:
            await first  # until then bob is here
        return answer

    monkeypatch.setattr(gatherer._db, "read", answered_late)
    first, second = (asyncio.create_task(gatherer.account(bob["id"])) for _ in range(2))
    assert (await second).id == (await first).id
    assert far.asked["/users/bob"] == 1


async def test_who_gives_up_waiting_does_not_disturb_the_others(gatherer, far):
    bob = far.person("bob")
    first, second = (asyncio.create_task(gatherer.account(bob["id"])) for _ in range(2))
    while not gatherer._running:
        await asyncio.sleep(0)
    first.cancel()
    assert (await second).uri == bob["id"]


async def test_an_old_account_is_shown_and_asked_for_again(gatherer, db):
    old, new = remote("old", fetched_at=NOW - STALE - timedelta(1)), remote("new", fetched_at=NOW)
    await stored(db, old, new)
    assert (await gatherer.account(new.uri)).id == new.id
    assert await kinds(db) == []
    assert (await gatherer.account(old.uri)).id == old.id
    assert await kinds(db) == ["fetch_account"]


async def test_fresh_is_fetched_although_known(gatherer, far):
    bob = far.person("bob")
    await gatherer.account(bob["id"])
    bob["name"] = "Robert"
    assert (await gatherer.account(bob["id"])).display_name == ""
    assert (await gatherer.account(bob["id"], fresh=True)).display_name == "Robert"


# Posts.


async def test_what_is_no_post_is_not_found(gatherer, far):
    far.documents["/x"] = {"id": f"{far.base}/x", "type": "Blub"}
    far.documents["/y"] = {"id": f"{far.base}/y", "type": "Note"}
    bob = far.person("bob")
    for address in (f"{far.base}/x", f"{far.base}/y", f"{far.base}/nothing", bob["id"]):
        with pytest.raises(NotFound):
            await gatherer.post(address)


async def test_a_post_brings_its_author(gatherer, far, db):
    post = far.note(far.person("bob"), 1)
    number = await gatherer.post(post["id"])
    stored_post = await db.read(find.by_id, number)
    assert (stored_post.uri, stored_post.html) == (post["id"], "<p>note 1</p>")
    far.asked.clear()
    assert await gatherer.post(post["id"]) == number
    assert not far.asked


async def test_a_post_brings_the_group_that_it_was_said_in(gatherer, far, db):
    bob, cats = far.person("bob"), far.person("cats", type="Group")
    await gatherer.post(far.note(bob, 1, audience=cats["id"])["id"])
    await gatherer.post(far.note(bob, 2, audience=cats["id"])["id"])
    assert await db.read(accounts.find_by_uri, cats["id"]) is not None
    assert far.asked["/users/cats"] == 1
    assert await gatherer.post(far.note(bob, 3, audience=f"{far.base}/nowhere")["id"])


async def test_a_post_of_an_author_who_lives_elsewhere_is_refused(gatherer, far, other):
    post = far.note(other.person("bob"), 1)
    with pytest.raises(NotFound):
        await gatherer.post(post["id"])


async def test_a_post_that_says_to_be_another_is_taken_from_where_that_is(gatherer, far, other, db):
    honest = far.note(far.person("bob"), 1)
    other.documents["/copy"] = honest | {"content": "<p>forged</p>"}
    number = await gatherer.post(f"{other.base}/copy")
    assert (await db.read(find.by_id, number)).html == "<p>note 1</p>"


async def test_a_redirect_does_not_make_one_host_speak_for_another(gatherer, far, other):
    honest = far.note(far.person("bob"), 1)
    far.documents["/upload"] = {**honest, "id": f"{other.base}/notes/1", "attributedTo": f"{other.base}/users/eve"}
    other.moved["/notes/1"] = f"{far.base}/upload"
    with pytest.raises(NotFound):
        await gatherer.post(f"{other.base}/notes/1")


async def test_an_activity_leads_to_its_post(gatherer, far, db):
    post = far.note(far.person("bob"), 1)
    act = {"id": f"{far.base}/activity", "type": "Create", "actor": post["attributedTo"]}
    far.documents["/activity"] = {**act, "object": {**post, "content": "<p>embedded</p>"}}
    number = await gatherer.resolve(act["id"])
    assert (await db.read(find.by_id, number)).html == "<p>note 1</p>"


async def test_a_missing_parent_is_asked_for_by_a_job_one_step_deeper(gatherer, far, db):
    bob = far.person("bob")
    far.note(bob, 1)
    answer = far.note(bob, 2, inReplyTo=f"{far.base}/notes/1")
    await gatherer.fetch_post(answer["id"], depth=1)
    found = await db.read(lambda tx: tx.execute(select(jobs.c.payload)).scalars().all())
    assert found == [{"uri": f"{far.base}/notes/1", "depth": 2}]


async def test_ours_are_found_by_id_and_by_page(gatherer, db):
    alice = await local(db, "alice")
    post = await db.write(publish, ORIGIN, alice.id, Draft("hello"), NOW)
    assert await gatherer.post(post.uri) == post.id
    for address in (post.uri, post.url):
        assert await gatherer.resolve(address) == post.id
    for address in (alice.url, alice.uri, "@alice@ours.test", "alice@OURS.test"):
        found = await gatherer.resolve(address)
        assert isinstance(found, Account)
        assert found.id == alice.id
    for address in ("https://ours.test/@alice/1", "https://ours.test/@nobody", "https://ours.test/about"):
        with pytest.raises(NotFound):
            await gatherer.resolve(address)


async def test_anything_is_resolved(gatherer, far):
    bob = far.person("bob")
    post = far.note(bob, 1)
    assert (await gatherer.resolve(f" @bob@{far.host} ")).uri == bob["id"]
    assert (await gatherer.resolve(bob["id"])).uri == bob["id"]
    assert isinstance(await gatherer.resolve(post["id"]), int)
    for query in ("hello", "#tag", "bob", "javascript:alert(1)", ""):
        assert await gatherer.resolve(query) is None
