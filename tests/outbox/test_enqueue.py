from datetime import timedelta

import pytest
from sqlalchemy import delete, insert, select

from outbox import enqueue, fetches
from outbox.enqueue import Queued
from store.ids import new_id
from store.tables import activities, deliveries, hosts, likes, poll_votes, posts, reactions
from store.tables import fetches as fetches_table
from tests.conftest import NOW
from tests.outbox.rows import ALICE, add, add_post, count, far, followed, hello, host, inboxes, policy, post
from tests.people import follow, ours, remote

BOB = ours("bob")


async def test_a_change_that_fails_leaves_no_mail(db):
    await db.write(followed, far(1))

    def change_and_fail(tx):
        enqueue.to_followers(tx, ALICE, hello())
        raise KeyError

    with pytest.raises(KeyError):
        await db.write(change_and_fail)
    assert [await db.read(count, table) for table in (activities, deliveries, hosts)] == [0, 0, 0]


async def test_nobody_elsewhere_is_no_mail(db):
    await db.write(followed, BOB)
    await db.write(enqueue.to_followers, ALICE, hello(), also=[BOB.id])
    await db.write(enqueue.to_accounts, ALICE, hello(), [BOB.id])
    await db.write(enqueue.to_accounts, ALICE, hello(), [BOB.id, ALICE.id])
    await db.write(enqueue.to_accounts, ALICE, hello(), [])
    await db.write(enqueue.forward, ALICE.id, b"{}", except_host="far.test")
    assert [await db.read(count, table) for table in (activities, deliveries, hosts)] == [0, 0, 0]


async def test_blocked_hosts_get_nothing_nor_do_those_below_them(db):
    people = [
        far(1, "evil.test"),
        far(2, "sub.evil.test"),
        far(3, "evil.test:8443"),
        far(4, "notevil.test"),
        far(5, "test"),
        far(6, "a_b.test"),
        far(7, "axb.test"),
        far(8, "[::1]:3000"),
        far(9, "good.evil.test"),
        far(10, "quiet.evil.test"),
    ]
    await db.write(followed, *people)
    for name in ("evil.test", "a_b.test", "[::1]:3000"):
        await db.write(policy, name)
    await db.write(policy, "good.evil.test", "allow")
    await db.write(policy, "quiet.evil.test", "limit")
    await db.write(enqueue.to_followers, ALICE, hello())
    reached = ("axb.test", "good.evil.test", "notevil.test", "quiet.evil.test", "test")
    assert await db.read(inboxes) == [f"https://{host}/inbox" for host in reached]
    await db.write(enqueue.to_accounts, ALICE, hello(), [people[0].id])
    assert await db.read(count, activities) == 1
    assert await db.read(count, hosts) == len(reached)


async def test_who_is_gone_or_only_asked_to_follow_gets_nothing(db):
    await db.write(followed, far(1, "a.test", deleted_at=NOW), far(2, "b.test", suspended_at=NOW), far(3, "c.test"))
    asked = far(4, "d.test")
    await db.write(add, asked)
    await db.write(follow, asked, ALICE, accepted=False)
    await db.write(enqueue.to_followers, ALICE, hello())
    assert await db.read(inboxes) == ["https://c.test/inbox"]


async def test_a_shared_inbox_gets_one_letter_and_who_has_none_is_written_to_directly(db):
    many = [far(n, "big.test") for n in range(5)]
    alone = far(9, "small.test", shared_inbox=None)
    await db.write(followed, *many, alone, BOB)
    await db.write(enqueue.to_followers, ALICE, hello(), also=[many[0].id, alone.id, BOB.id])
    assert await db.read(inboxes) == ["https://big.test/inbox", alone.inbox]


async def test_those_whom_it_also_concerns_get_it_once(db):
    friend, stranger = far(1, "a.test"), far(2, "b.test")
    await db.write(followed, friend)
    await db.write(add, stranger)
    await db.write(enqueue.to_followers, ALICE, hello(), also={friend.id, stranger.id})
    assert await db.read(inboxes) == ["https://a.test/inbox", "https://b.test/inbox"]


async def test_one_person_is_written_to_personally_even_when_suspended(db):
    carol = remote("carol", suspended_at=NOW)
    await db.write(add, ALICE, carol)
    await db.write(enqueue.to_accounts, ALICE, hello(), [carol.id])
    assert await db.read(inboxes) == [carol.inbox]


async def test_the_bytes_are_written_once_with_their_context(db):
    await db.write(followed, *(far(n, f"h{n}.test") for n in range(3)))
    await db.write(enqueue.to_followers, ALICE, hello(), synchronise=True, now=NOW)

    def rows(tx):
        return [tuple(row) for row in tx.execute(select(activities))]

    [(_, sender, body, synchronise, created, asleep)] = await db.read(rows)
    assert (sender, synchronise, created, asleep) == (ALICE.id, 1, NOW, False)
    assert body.startswith(b'{"@context":')
    assert b'"type":"Follow"' in body


async def test_mail_wakes_a_host_that_has_none_and_no_other(db):
    await db.write(followed, far(1, "a.test"), far(2, "b.test"))
    waits = NOW + timedelta(hours=3)
    row = {"name": "a.test", "failures": 2, "due": waits}
    await db.write(lambda tx: tx.execute(insert(hosts), row) and None)
    await db.write(enqueue.to_followers, ALICE, hello(), now=NOW)
    assert (await db.read(host, "a.test")).due == waits
    assert (await db.read(host, "b.test")).due == NOW
    await db.write(enqueue.to_followers, ALICE, hello(), now=NOW + timedelta(minutes=1))
    assert (await db.read(host, "b.test")).due == NOW


async def test_an_answer_may_wait_a_moment(db):
    carol = remote("carol")
    await db.write(add, ALICE, carol)
    second = timedelta(seconds=1)
    await db.write(enqueue.to_accounts, ALICE, hello(), [carol.id], delay=second, now=NOW)
    assert (await db.read(host, "far.test")).due == NOW + second


async def test_new_mail_is_announced_after_the_commit(db):
    heard = []
    db.listeners.append(heard.append)
    await db.write(followed, far(1))
    await db.write(enqueue.to_followers, ALICE, hello())
    assert heard == [Queued()]


@pytest.mark.parametrize(("visibility", "followers"), [("public", True), ("private", True), ("direct", False)])
async def test_edits_go_to_every_server_that_holds_the_post(db, visibility, followers):
    parent, mentioned, replier, booster = (far(n, f"h{n}.test") for n in range(4))
    liker, reactor, voter, follower = (far(n, f"h{n}.test") for n in range(4, 8))
    stranger = far(9, "stranger.test")
    people = [parent, mentioned, replier, booster, liker, reactor, voter, follower, stranger]

    def prepare(tx):
        add(tx, ALICE, *people)
        follow(tx, follower, ALICE)
        above = post(parent)
        add_post(tx, above)
        ours_post = post(ALICE, visibility=visibility, reply_to_id=above.id, reply_to_uri=above.uri)
        add_post(tx, ours_post, mentioned)
        add_post(tx, post(replier, reply_to_id=ours_post.id, reply_to_uri=ours_post.uri))
        add_post(tx, post(booster, boost_of_id=ours_post.id, kind="Announce"))
        mark = {"post_id": ours_post.id, "created_at": NOW}
        tx.execute(insert(likes), {**mark, "account_id": liker.id, "id": new_id(), "uri": "https://h4.test/l"})
        tx.execute(insert(reactions), {**mark, "account_id": reactor.id, "name": "x", "uri": "https://h5.test/r"})
        tx.execute(insert(poll_votes), {"post_id": ours_post.id, "account_id": voter.id, "option": 0})
        return ours_post

    ours_post = await db.write(prepare)
    await db.write(enqueue.to_inboxes_of_post, ALICE, hello(), ours_post.id)
    assert await db.read(inboxes) == [f"https://h{n}.test/inbox" for n in range(8 if followers else 7)]


async def fetched(db, *, by, **more):
    """A post of alice's that each of `by` has: the host, and the inbox that it named."""

    def unit(tx):
        mine = post(ALICE, **more)
        add_post(tx, mine)
        for name, inbox in by:
            fetches.add(tx, name, inbox, [mine.id], NOW)
        return mine.id

    return await db.write(unit)


async def test_edits_go_to_servers_that_fetched_the_post_once_and_to_no_blocked_one(db):
    follower = far(1, "small.test", shared_inbox=None)
    await db.write(followed, follower)
    names = ("far.test", "small.test", "evil.test", "far.test")
    post_id = await fetched(db, by=[(name, f"https://{name}/actor/inbox") for name in names])
    await fetched(db, by=[("other.test", "https://other.test/inbox")])
    await db.write(policy, "evil.test")
    await db.write(enqueue.to_inboxes_of_post, ALICE, hello(), post_id)
    assert await db.read(inboxes) == ["https://far.test/actor/inbox", follower.inbox]


async def test_who_fetched_a_post_is_enough_for_mail(db):
    await db.write(followed, BOB)
    post_id = await fetched(db, by=[("far.test", "https://far.test/inbox")])
    await db.write(enqueue.to_inboxes_of_post, ALICE, hello(), post_id)
    assert await db.read(inboxes) == ["https://far.test/inbox"]


async def test_a_post_is_noted_for_a_bounded_number_of_servers_and_forgotten_with_it(db, monkeypatch):
    monkeypatch.setattr(fetches, "MOST", 2)
    await db.write(followed)
    by = [(f"h{number}.test", f"https://h{number}.test/inbox") for number in range(3)]
    post_id = await fetched(db, by=by)
    assert await db.read(fetches.new, "h0.test", [post_id]) == []
    assert await db.read(count, fetches_table) == 2
    await db.write(lambda tx: tx.execute(delete(posts).where(posts.c.id == post_id)).rowcount)
    assert await db.read(count, fetches_table) == 0


async def test_what_is_forwarded_goes_on_as_it_is_but_not_back(db):
    await db.write(followed, far(1, "a.test"), far(2, "b.test"))
    body = b'{"as": "it is"}'
    await db.write(enqueue.forward, ALICE.id, body, except_host="a.test")
    assert await db.read(inboxes) == ["https://b.test/inbox"]
    assert await db.read(lambda tx: tx.scalar(select(activities.c.body))) == body


async def test_the_number_of_statements_does_not_grow_with_the_followers(db, queries):
    await db.write(followed, *(far(n, f"h{n}.test") for n in range(40)))
    queries.clear()
    await db.write(enqueue.to_followers, ALICE, hello())
    assert len(queries) == 6  # whether there are any, and the key for the proof, among them


async def test_more_people_than_a_statement_takes_are_no_error(db):
    carol, dora = remote("carol"), far(1, "b.test")
    await db.write(add, ALICE, carol, dora)
    unknown = range(2, 2 + 2 * enqueue.IDS)
    await db.write(enqueue.to_accounts, ALICE, hello(), [carol.id, *unknown, dora.id])
    assert await db.read(inboxes) == ["https://b.test/inbox", "https://far.test/inbox"]
