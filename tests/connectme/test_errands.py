"""The jobs that need the network: what they do, what they believe, when they are tried again."""

import asyncio
from dataclasses import asdict, replace
from datetime import timedelta

import pytest
from sqlalchemy import insert, select, update

from connectme.errands import Errands
from connectme.gather import Gatherer
from connectme.jobs import JobLoop
from federation.errors import Malformed, Unreachable
from federation.origin import Origin
from federation.reading import Actor
from social import accounts, follows, pins
from social.accounts import naming
from social.errors import NotFound, Unavailable
from social.posts import find, healing, receive
from social.posts.delete import receive_delete
from social.posts.healing import Healed
from store import jobs as asking
from store.jobs import ATTEMPTS
from store.tables import accounts as account_table
from store.tables import activities, jobs, mentions, posts
from store.tables import follows as follow_table
from tests import people
from tests.conftest import NOW
from tests.inbox.far import lab_client
from tests.people import follow, local, remote
from tests.social.said import mention, note

ORIGIN = Origin("ours.test", "https://ours.test")


class Office:
    """A job loop whose clock tests turn."""

    def __init__(self, db, client):
        self.now = NOW
        self.db = db
        self.gatherer = Gatherer(db, client, ORIGIN, clock=lambda: self.now)
        self.errands = dict(Errands(db, self.gatherer).table)
        self.loop = JobLoop(db, self.errands, clock=lambda: self.now)

    async def do(self, kind, **payload):
        await self.db.write(asking.ask, kind, payload.get("uri", kind), payload, self.now)
        return await self.all()

    async def all(self):
        while await self.loop.round():
            pass

    async def left(self):
        return await self.db.read(lambda tx: [tuple(row) for row in tx.execute(select(jobs.c.kind, jobs.c.attempts))])


@pytest.fixture
async def office(db):
    client = lab_client()
    yield Office(db, client)
    await client.close()


# The loop.


@pytest.mark.parametrize(
    "error", [Unavailable("silent"), Unreachable("far.test", "silent"), ZeroDivisionError("a bug")]
)
async def test_what_may_succeed_later_is_tried_again_and_given_up_in_the_end(office, error):
    tried = []

    async def fail(job):
        tried.append(job)
        raise error

    office.errands["fetch_post"] = fail
    await office.do("fetch_post", uri="https://far.test/1")
    assert await office.left() == [("fetch_post", 1)]
    for _ in range(ATTEMPTS + 2):
        office.now += timedelta(days=1)
        await office.all()
    assert await office.left() == []
    assert len(tried) == ATTEMPTS


@pytest.mark.parametrize("error", [NotFound("nothing"), Malformed("id", None)])
async def test_what_cannot_succeed_is_done(office, error):
    async def fail(job):
        raise error

    office.errands["fetch_post"] = fail
    await office.do("fetch_post", uri="https://far.test/1")
    assert await office.left() == []


async def test_a_job_that_nobody_knows_is_done(office):
    await office.do("paint_the_roof")
    assert await office.left() == []


async def test_one_that_takes_long_does_not_hold_up_others(office, db):
    slow, done, stop = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def wait(job):
        await slow.wait()

    async def quick(job):
        done.set()

    office.errands |= {"fetch_post": wait, "fetch_account": quick}
    office.loop._errands = office.errands
    running = asyncio.create_task(office.loop.run(stop))
    await db.write(asking.ask, "fetch_post", "1", {}, NOW)
    await db.write(asking.ask, "fetch_account", "2", {}, NOW)
    office.loop.wake()
    async with asyncio.timeout(60):
        await done.wait()
    slow.set()
    stop.set()
    office.loop.wake()
    await running


# Posts.


async def stored(db, uri):
    return await db.read(find.find_by_uri, uri)


async def test_a_post_its_parents_and_no_further_than_ten_of_them(office, far, db):
    bob = far.person("bob")
    for n in range(20):
        far.note(bob, n, **({"inReplyTo": f"{far.base}/notes/{n - 1}"} if n else {}))
    await office.do("fetch_post", uri=f"{far.base}/notes/19", depth=1)
    numbers = {int(uri.rpartition("/")[2]) for uri in await db.read(lambda tx: list(tx.scalars(select(posts.c.uri))))}
    assert numbers == set(range(10, 20))
    top = await stored(db, f"{far.base}/notes/19")
    assert top.thread_id == (await stored(db, f"{far.base}/notes/10")).thread_id


async def test_a_comment_and_its_parent_that_came_at_the_same_moment_find_each_other(office, db, monkeypatch):
    bob, eve = remote("bob"), remote("eve")
    await people.stored(db, bob, eve)
    parent = note(bob)
    comment = note(eve, in_reply_to=parent.id)
    await db.write(receive.receive, eve, comment, NOW)
    with monkeypatch.context() as patch:  # as on PostgreSQL, where neither transaction sees the other
        patch.setattr(healing, "heal", lambda tx, places: Healed())
        await db.write(receive.receive, bob, parent, NOW)
    assert (await stored(db, comment.id)).reply_to_id is None
    for _ in range(2):
        await office.do("fetch_post", uri=parent.id, depth=1)  # as the comment asked
        above, below = await stored(db, parent.id), await stored(db, comment.id)
        assert (below.reply_to_id, below.thread_id, above.replies_count) == (above.id, above.thread_id, 1)


async def test_ours_are_not_fetched(office):
    await office.do("fetch_post", uri="https://ours.test/users/alice/posts/1", depth=0)
    await office.do("check_deleted", uri="https://ours.test/users/alice/posts/1")
    assert await office.left() == []


async def test_a_fresh_look_sees_edits_and_deletions(office, far, db):
    post = far.note(far.person("bob"), 1)
    await office.do("fetch_post", uri=post["id"])
    post |= {"content": "<p>better</p>", "updated": "2026-11-01T11:30:00Z"}
    await office.do("fetch_post", uri=post["id"])
    assert (await stored(db, post["id"])).html == "<p>note 1</p>"
    await office.do("fetch_post", uri=post["id"], fresh=True)
    assert (await stored(db, post["id"])).html == "<p>better</p>"
    far.documents["/notes/1"] = 410
    await office.do("fetch_post", uri=post["id"], fresh=True)
    assert await stored(db, post["id"]) is None


async def test_what_is_said_to_be_deleted_stays_while_its_server_has_it(office, far, db):
    post = far.note(far.person("bob"), 1)
    await office.do("fetch_post", uri=post["id"])
    await office.do("check_deleted", uri=post["id"])
    assert await stored(db, post["id"]) is not None
    far.documents["/notes/1"] = 500
    await office.do("check_deleted", uri=post["id"])
    assert await stored(db, post["id"]) is not None


@pytest.mark.parametrize("answer", [404, 410, {"type": "Tombstone"}])
async def test_what_its_server_has_no_more_goes(office, far, db, answer):
    post = far.note(far.person("bob"), 1)
    await office.do("fetch_post", uri=post["id"])
    far.documents["/notes/1"] = answer if isinstance(answer, int) else {"id": post["id"], **answer}
    await office.do("check_deleted", uri=post["id"])
    assert await stored(db, post["id"]) is None


@pytest.mark.parametrize(("answer", "stays"), [(404, True), (410, False)])
async def test_not_found_may_mean_not_for_us(office, far, db, answer, stays):
    post = far.note(far.person("bob"), 1, to=[f"{far.base}/users/bob/followers"])
    await office.do("fetch_post", uri=post["id"])
    far.documents["/notes/1"] = far.documents["/users/bob"] = answer
    await office.do("check_deleted", uri=post["id"])
    assert (await stored(db, post["id"]) is not None) == stays
    await office.do("check_deleted", uri=f"{far.base}/users/bob")
    bob = await db.read(accounts.by_uri, f"{far.base}/users/bob")
    assert (bob.deleted_at is None) == stays


async def test_answers_are_fetched_from_their_pages_within_bounds(office, far, db):
    bob = far.person("bob")
    replies = f"{far.base}/replies"
    far.note(bob, 0, replies={"id": replies, "type": "Collection"})
    far.documents["/replies"] = {"id": replies, "type": "Collection", "first": f"{replies}/1"}
    for page in range(1, 50):  # endless
        items = [far.note(bob, 10 * page + n)["id"] for n in range(3)]
        name = f"{replies}/{page}"
        far.documents[f"/replies/{page}"] = {
            "id": name, "type": "CollectionPage", "items": [*items, "https://ours.test/x", {"id": 7}, None],
            "next": f"{replies}/{page + 1}",
        }  # fmt: skip
    await office.do("fetch_post", uri=f"{far.base}/notes/0")
    await office.do("fetch_replies", uri=f"{far.base}/notes/0")
    assert 1 < len(await db.read(lambda tx: tx.execute(select(posts.c.id)).all())) <= 21
    assert sum(far.asked.values()) < 60
    assert await office.left() == []


async def test_a_boost_of_something_unknown_is_stored_when_it_comes(office, far, db):
    alice = await local(db, "alice")
    carol = await office.gatherer.account(far.person("carol")["id"])
    await db.write(follow, alice, carol)
    post = far.note(far.person("bob"), 1)
    said = {
        "uri": post["id"],
        "booster": carol.uri,
        "announce": f"{carol.uri}/1",
        "published": None,
        "visibility": "public",
    }
    await office.do("fetch_announced", **said)
    boosted = select(posts.c.author_id).where(posts.c.boost_of_id.is_not(None))
    assert await db.read(lambda tx: list(tx.scalars(boosted))) == [carol.id]


async def test_what_was_deleted_is_here_again_when_its_server_has_it_again(office, far, db):
    bob = far.person("bob")
    post = far.note(bob, 1)
    await office.do("fetch_post", uri=post["id"])
    author = await office.gatherer.account(bob["id"])
    await db.write(receive_delete, author, post["id"], NOW)
    far.documents["/notes/1"] = 410
    await office.do("fetch_restored", uri=post["id"])
    assert await stored(db, post["id"]) is None
    far.documents["/notes/1"] = post
    await office.do("fetch_post", uri=post["id"])  # by chance: nobody took it back
    assert await stored(db, post["id"]) is None
    await office.do("fetch_restored", uri=post["id"])
    assert await stored(db, post["id"]) is not None


async def pinned(db, account):
    return [(await db.read(find.by_id, number)).uri for number in await db.read(pins.pinned, account.id)]


async def test_what_an_account_pinned_is_read_when_somebody_looks_at_it(office, far, other, db):
    """GoToSocial never says what is pinned; the order is that of the collection."""
    bob, eve = far.person("bob", featured=f"{far.base}/featured"), other.person("eve")
    posts = [far.note(bob, n) for n in range(3)]
    reply = far.note(bob, 3, inReplyTo="https://third.test/1")
    alien, gone = other.note(eve, 9), f"{far.base}/notes/99"
    items = [posts[2]["id"], posts[0], gone, alien["id"], reply["id"]]
    far.documents["/featured"] = {"id": f"{far.base}/featured", "type": "OrderedCollection", "orderedItems": items}
    account = await office.gatherer.account(f"bob@{far.host}")
    await office.all()
    assert await pinned(db, account) == [posts[2]["id"], posts[0]["id"], reply["id"]]
    assert await office.left() == []  # what a pinned post answers is not asked for
    assert other.asked.total() == 0  # nor is anybody else for what cannot be his

    far.documents["/featured"]["orderedItems"] = posts[0]["id"]
    await office.do("fetch_account", uri=bob["id"])
    assert await pinned(db, account) == [posts[0]["id"]]
    far.documents["/featured"] = 500
    await office.do("fetch_account", uri=bob["id"])
    assert await pinned(db, account) == [posts[0]["id"]]


async def test_nobody_is_asked_what_the_author_of_a_post_pinned(office, far, db):
    bob = far.person("bob", featured=f"{far.base}/featured")
    await office.gatherer.post(far.note(bob, 1)["id"])
    await office.all()
    assert far.asked["/featured"] == 0


async def test_a_pinned_post_is_fetched(office, far, db):
    bob = far.person("bob")
    post = far.note(bob, 1)
    await office.gatherer.account(bob["id"])
    await office.do("fetch_pinned", uri=post["id"], account=bob["id"])
    assert await stored(db, post["id"]) is not None


# People.


async def test_a_move_is_believed_when_the_new_account_names_the_old_one(office, far, db):
    alice = await local(db, "alice")
    bob, robert = far.person("bob"), far.person("robert")
    old = await office.gatherer.account(bob["id"])
    await db.write(follow, alice, old)
    await office.do("verify_move", actor=bob["id"], target=robert["id"])
    assert (await db.read(accounts.by_id, old.id)).moved_to is None
    robert["alsoKnownAs"] = [bob["id"]]
    await office.do("verify_move", actor=bob["id"], target=robert["id"])
    new = await db.read(accounts.by_uri, robert["id"])
    assert (await db.read(accounts.by_id, old.id)).moved_to == robert["id"]
    targets = select(follow_table.c.target_id).where(follow_table.c.follower_id == alice.id)
    assert await db.read(lambda tx: list(tx.scalars(targets))) == [new.id]


async def test_an_account_is_looked_at_again(office, far, db):
    bob = far.person("bob")
    await office.gatherer.account(bob["id"])
    bob["name"] = "Robert"
    await office.do("fetch_account", uri=bob["id"])
    assert (await db.read(accounts.by_uri, bob["id"])).display_name == "Robert"


async def test_the_deleted_are_purged(office, far, db):
    post = far.note(far.person("bob"), 1)
    await office.do("fetch_post", uri=post["id"])
    bob = await db.read(accounts.by_uri, f"{far.base}/users/bob")
    await db.write(accounts.forget, bob, NOW)
    await office.all()
    assert await stored(db, post["id"]) is None


async def test_followers_are_synchronised(office, far, db):
    """alice follows here and not there; carl asked and is accepted there; dora follows there and not here."""
    alice, carl, dora = [await local(db, name) for name in ("alice", "carl", "dora")]
    bob = await office.gatherer.account(far.person("bob")["id"])
    await db.write(follow, alice, bob)
    await db.write(follow, carl, bob, accepted=False)
    url = f"{bob.uri}/sync"
    items = [carl.uri, dora.uri, "https://third.test/users/x", "https://ours.test/users/nobody", {"id": alice.uri}]
    far.documents["/users/bob/sync"] = {"id": url, "type": "OrderedCollection", "orderedItems": items}
    await office.do("synchronise_followers", actor=bob.uri, url=url)
    ties = select(follow_table.c.follower_id, follow_table.c.accepted)
    assert await db.read(lambda tx: [tuple(row) for row in tx.execute(ties)]) == [(carl.id, True)]
    [undo] = await db.read(lambda tx: [bytes(body) for body in tx.scalars(select(activities.c.body))])
    assert b'"Undo"' in undo
    assert dora.uri.encode() in undo


async def test_a_long_list_ends_no_follows_either(office, far, db):
    alice, bob = await local(db, "alice"), await office.gatherer.account(far.person("bob")["id"])
    await db.write(follow, alice, bob)
    url, others = f"{bob.uri}/sync", [f"https://ours.test/users/{number}" for number in range(1_500)]
    far.documents["/users/bob/sync"] = {"id": url, "type": "OrderedCollection", "orderedItems": [*others, alice.uri]}
    await office.do("synchronise_followers", actor=bob.uri, url=url)
    assert (await db.read(follows.relationship, alice.id, [bob.id]))[bob.id].following


async def test_a_list_in_pages_ends_no_follows(office, far, db):
    alice = await local(db, "alice")
    bob = await office.gatherer.account(far.person("bob")["id"])
    await db.write(follow, alice, bob)
    url = f"{bob.uri}/sync"
    far.documents["/users/bob/sync"] = {"id": url, "type": "OrderedCollection", "first": f"{url}?page=1"}
    await office.do("synchronise_followers", actor=bob.uri, url=url)
    assert (await db.read(follows.relationship, alice.id, [bob.id]))[bob.id].following
    change = update(account_table).where(account_table.c.id == bob.id).values(deleted_at=NOW)
    await db.write(lambda tx: tx.execute(change).rowcount)
    await office.do("synchronise_followers", actor=bob.uri, url=url)
    assert await office.left() == []


async def test_posts_tell_how_those_are_called_now_whom_they_mention_however_many_they_are(office, db):
    alice, bob, carl = await local(db, "alice"), remote("bob"), remote("carl")
    await people.stored(db, bob, carl)
    said = [await db.write(receive.receive, carl, note(carl, mentions=(mention(it),)), NOW) for it in (bob, alice)]
    many = [replace(said[0], id=said[0].id - number, uri=f"{said[0].uri}/{number}") for number in range(1, 600)]
    rows = [{"post_id": one.id, "account_id": bob.id, "silent": False} for one in many]
    await db.write(lambda tx: tx.execute(insert(posts), [asdict(one) for one in many]).rowcount)
    await db.write(lambda tx: tx.execute(insert(mentions), rows).rowcount)

    async def anew():
        found = await db.read(lambda tx: list(tx.scalars(select(posts.c.id).where(posts.c.version > 1))))
        return len(found), said[0].id in found, said[1].id in found

    assert (said[0].version, await anew()) == (1, (0, False, False))
    named = Actor(bob.uri, "Person", bob.username, bob.inbox, url="https://far.test/people/bob")
    await db.write(accounts.remember, named, bob.handle, NOW + timedelta(hours=1))
    assert await anew() == (naming.AT_ONCE, True, False)
    office.now += timedelta(hours=1)
    await office.all()
    assert (await anew(), await office.left()) == ((600, True, False), [])
    await db.write(accounts.remember, named, bob.handle, NOW + timedelta(hours=2))  # nothing is new
    assert await office.left() == []
