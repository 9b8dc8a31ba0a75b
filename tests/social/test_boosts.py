"""Boosts: once per person and post, never wider than the post, never of those who are shut out."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from social import accounts, blocks, boosts, moderation
from social.errors import NotAllowed, NotFound
from social.events import Deleted, Posted
from social.posts import publish, receive
from social.posts.drafts import Draft
from store.tables import jobs, notifications, posts
from tests.conftest import NOW
from tests.people import follow, local, remote, stored
from tests.social.mail import fresh, sent, types
from tests.social.said import home, note, post, private, rows


async def scene(db, origin):
    """alice (ours) and bob (remote) wrote a post; carol (ours) follows bob; dora (remote) follows alice."""
    alice, carol, bob, dora = (
        await local(db, "alice"),
        await local(db, "carol"),
        remote("bob"),
        remote("dora", "third.test"),
    )
    await stored(db, bob, dora)
    await db.write(follow, carol, bob)
    await db.write(follow, dora, alice)
    ours = await db.write(publish.publish, origin, alice.id, Draft("hello"), NOW)
    theirs = await db.write(receive.receive, dora, note(dora), NOW)
    return alice, bob, carol, dora, ours, theirs


async def boosted(db, booster, uri, number=1, visibility="public", published=NOW):
    name = f"{booster.uri}/boost/{number}"
    return await db.write(boosts.receive_announce_of, booster, name, uri, published, visibility, NOW)


async def test_what_is_not_public_is_not_boosted(db, origin):
    alice, bob, carol, dora, ours, _ = await scene(db, origin)
    closed = await db.write(publish.publish, origin, alice.id, Draft("friends", visibility="private"), NOW)
    direct = await db.write(publish.publish, origin, alice.id, Draft("psst", visibility="direct"), NOW)
    await db.write(follow, carol, alice)
    for who, what, visibility, refusal in (
        (carol, closed.id, "public", NotAllowed),
        (carol, direct.id, "public", NotFound),
        (alice, direct.id, "public", NotAllowed),
        (alice, ours.id, "direct", NotAllowed),
        (alice, ours.id, "nonsense", NotAllowed),
        (alice, 4711, "public", NotFound),
    ):
        with pytest.raises(refusal):
            await db.write(boosts.boost, who.id, what, NOW, visibility)
    own = await db.write(boosts.boost, alice.id, closed.id, NOW)
    assert own.visibility == "private"  # no wider than what it boosts
    for one in (closed, direct):
        assert await boosted(db, dora, one.uri) is None
    secret = await db.write(receive.receive, bob, note(bob, **private(bob)), NOW)
    assert await boosted(db, dora, secret.uri) is None


async def test_a_boost_goes_to_followers_and_the_author(db, origin):
    alice, _, carol, _, _, theirs = await scene(db, origin)
    await db.write(follow, carol, alice)
    heard = []
    db.listeners.append(heard.append)
    made = await db.write(boosts.boost, alice.id, theirs.id, NOW)
    again = await db.write(boosts.boost, alice.id, made.id, NOW)  # of the boost
    assert again.id == made.id
    assert (made.kind, made.boost_of_id, made.uri) == ("Announce", theirs.id, f"{alice.uri}/posts/{made.id}/activity")
    assert Posted(made.id, alice.id) in heard
    letters = [letter for letter in await sent(db) if letter.type == "Announce"]
    assert [letter.document["id"] for letter in letters] == [made.uri]
    assert letters[0].document["object"] == theirs.uri
    assert letters[0].inboxes == {"https://third.test/inbox"}
    original = await post(db, theirs.id)
    assert (original.boosts_count, original.version) == (1, theirs.version + 1)
    assert made.id in await db.read(home, carol)
    assert made.id in await db.read(home, alice)
    assert (await fresh(db, alice)).posts_count == 2


async def test_an_unboost_leaves_nothing(db, origin):
    alice, _, carol, _, _, theirs = await scene(db, origin)
    await db.write(follow, carol, alice)
    made = await db.write(boosts.boost, alice.id, theirs.id, NOW)
    heard = []
    db.listeners.append(heard.append)
    await db.write(boosts.unboost, alice.id, theirs.id)
    await db.write(boosts.unboost, alice.id, theirs.id)
    with pytest.raises(NotFound):
        await db.write(boosts.unboost, alice.id, 4711)
    assert (await types(db)).count("Undo") == 1
    undo = (await sent(db))[-1].document
    assert (undo["object"]["type"], undo["object"]["id"]) == ("Announce", made.uri)
    assert (await post(db, theirs.id)).boosts_count == 0
    assert made.id not in await db.read(home, carol)
    assert Deleted(made.id, alice.id, "public", listed=False, local=True) in heard
    assert (await fresh(db, alice)).posts_count == 1
    assert (await db.write(boosts.boost, alice.id, theirs.id, NOW)).id != made.id


async def test_a_received_boost_counts_once(db, origin):
    alice, bob, carol, _, ours, _ = await scene(db, origin)
    made = await boosted(db, bob, ours.uri)
    assert made.boost_of_id == ours.id
    assert await boosted(db, bob, ours.uri) is None
    assert await boosted(db, bob, ours.uri, 2) is None
    assert (await post(db, ours.id)).boosts_count == 1
    assert await db.read(home, carol) == [made.id]
    told = await rows(db, notifications, notifications.c.account_id == alice.id)
    assert [(row.kind, row.from_id, row.post_id) for row in told] == [("reblog", bob.id, ours.id)]


async def test_boosts_that_come_at_the_same_moment_count_once(db, origin):
    alice, bob, _, _, ours, _ = await scene(db, origin)
    received = await asyncio.gather(*(boosted(db, bob, ours.uri, number) for number in range(5)))
    assert len([made for made in received if made]) == 1
    carol = await local(db, "dana")
    made = await asyncio.gather(*(db.write(boosts.boost, carol.id, ours.id, NOW) for _ in range(5)))
    assert len({one.id for one in made}) == 1
    assert (await post(db, ours.id)).boosts_count == 2
    await asyncio.gather(*(db.write(boosts.unboost, carol.id, ours.id) for _ in range(5)))
    assert (await post(db, ours.id)).boosts_count == 1
    assert len(await rows(db, notifications, notifications.c.account_id == alice.id)) == 2


async def test_nobody_boosts_in_the_name_of_another(db, origin):
    alice, bob, _, dora, ours, _ = await scene(db, origin)
    foreign = (bob, f"{dora.uri}/boost/1", ours.uri, NOW, "public", NOW)
    assert await db.write(boosts.receive_announce_of, *foreign) is None
    mine = (alice, f"{alice.uri}/boost/1", ours.uri, NOW, "public", NOW)
    assert await db.write(boosts.receive_announce_of, *mine) is None
    clash = (bob, ours.uri, ours.id, NOW, "public", NOW)
    assert await db.write(boosts.receive_announce, *clash) is None
    made = await boosted(db, bob, ours.uri)
    assert not await db.write(boosts.receive_unannounce, dora, None, made.uri, NOW)
    assert not await db.write(boosts.receive_unannounce, dora, ours.uri, None, NOW)
    assert not await db.write(boosts.receive_unannounce, alice, None, ours.uri, NOW)  # a post is no boost
    assert (await post(db, ours.id)).boosts_count == 1


async def test_a_boost_is_taken_back_by_id_or_post(db, origin):
    _, bob, _, dora, ours, _ = await scene(db, origin)
    first, second = await boosted(db, bob, ours.uri), await boosted(db, dora, ours.uri)
    assert await db.write(boosts.receive_unannounce, bob, None, first.uri, NOW)
    assert not await db.write(boosts.receive_unannounce, bob, None, first.uri, NOW)
    assert await db.write(boosts.receive_unannounce, dora, ours.uri, f"{dora.uri}/invented", NOW)
    assert second.id != first.id
    assert (await post(db, ours.id)).boosts_count == 0


async def test_undo_before_boost_counts_once(db, origin):
    _, bob, _, _, ours, _ = await scene(db, origin)
    for what in (ours.uri, "https://third.test/unknown"):
        assert not await db.write(boosts.receive_unannounce, bob, what, f"{bob.uri}/boost/1", NOW)
        assert await boosted(db, bob, what) is None
    assert (await post(db, ours.id)).boosts_count == 0
    assert await rows(db, jobs) == []


async def test_the_shut_out_do_not_come_back_by_boosts(db, origin):
    alice, bob, carol, dora, ours, theirs = await scene(db, origin)
    await db.write(blocks.block, carol.id, dora.id, NOW)
    made = await boosted(db, bob, theirs.uri)
    assert made is not None
    assert await db.read(home, carol) == []  # who blocks the author does not see it
    await db.write(blocks.block, alice.id, bob.id, NOW)
    assert await boosted(db, bob, ours.uri, 2) is None
    other = remote("eve", "other.test")
    await stored(db, other)
    await db.write(moderation.set_policy, "third.test", "block", "", NOW)
    assert await boosted(db, other, theirs.uri, 3) is None
    await db.write(accounts.suspend, other.id, NOW)
    assert await boosted(db, await fresh(db, other), ours.uri, 4) is None


async def test_an_old_boost_is_sorted_where_it_belongs(db, origin):
    alice, bob, _, _, ours, _ = await scene(db, origin)
    long_ago = NOW - timedelta(days=300)
    made = await boosted(db, bob, ours.uri, published=long_ago)
    assert made.published == long_ago
    assert made.id < ours.id
    assert await rows(db, notifications, notifications.c.account_id == alice.id) == []
    future = await boosted(db, (await _someone(db)), ours.uri, published=datetime(9999, 1, 1, tzinfo=UTC))
    assert future.published == NOW
    ancient = await boosted(db, (await _someone(db)), ours.uri, published=datetime(1, 1, 1, tzinfo=UTC))
    assert ancient.id > 0


async def _someone(db):
    one = remote(f"someone{len(await rows(db, posts))}", "some.test")
    await stored(db, one)
    return one


async def test_an_unknown_post_is_fetched_for_those_who_are_followed(db, origin):
    _, bob, carol, dora, *_ = await scene(db, origin)
    unknown = note(dora)
    assert await boosted(db, dora, "https://far.test/unknown") is None
    assert await rows(db, jobs) == []  # nobody here follows dora
    assert await boosted(db, bob, unknown.id) is None
    await boosted(db, bob, unknown.id)
    (job,) = await rows(db, jobs)
    assert (job.kind, job.payload["uri"]) == ("fetch_announced", unknown.id)
    fetched = await db.write(receive.receive, dora, unknown, NOW)
    made = await db.write(boosts.finish, fetched.id, job.payload, NOW)
    assert (made.author_id, made.boost_of_id, made.published) == (bob.id, fetched.id, NOW)
    assert await db.read(home, carol) == [made.id]
    assert await db.write(boosts.finish, fetched.id, job.payload, NOW) is None
    assert await db.write(boosts.finish, fetched.id, {**job.payload, "booster": "https://far.test/nobody"}, NOW) is None
    assert (await db.read(boosts.find_boost, bob.id, fetched.id)).id == made.id


async def test_a_fetched_post_of_private_nature_is_not_boosted(db, origin):
    _, bob, _, dora, *_ = await scene(db, origin)
    hidden = note(dora, **private(dora))
    await boosted(db, bob, hidden.id)
    (job,) = await rows(db, jobs)
    fetched = await db.write(receive.receive, dora, hidden, NOW)
    assert await db.write(boosts.finish, fetched.id, job.payload, NOW) is None
