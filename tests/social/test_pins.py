"""Pins: one's own posts, on one's own collection."""

import pytest

from social import boosts, pins
from social.errors import Invalid, NotFound
from social.posts import publish, receive
from social.posts.drafts import Draft
from store.tables import jobs
from store.tables import pins as pins_table
from tests.conftest import NOW
from tests.people import follow, local, remote, stored
from tests.social.mail import sent, types
from tests.social.said import direct, later, note, rows, scene


async def test_only_ones_own_posts_are_pinned(db, origin):
    alice, _, ours, theirs = await scene(db, origin)
    carol = await local(db, "carol")
    boost = await db.write(boosts.boost, alice.id, theirs.id, NOW)
    psst = await db.write(publish.publish, origin, alice.id, Draft("psst", visibility="direct"), NOW)
    for who, what, refusal in (
        (alice, theirs.id, NotFound),
        (alice, boost.id, NotFound),
        (carol, ours.id, NotFound),
        (alice, 4711, NotFound),
        (alice, psst.id, Invalid),
    ):
        with pytest.raises(refusal):
            await db.write(pins.pin, who.id, what, NOW)
    with pytest.raises(NotFound):
        await db.write(pins.unpin, carol.id, ours.id)
    assert await rows(db, pins_table) == []


async def test_five_are_enough(db, origin):
    alice, *_ = await scene(db, origin)
    made = [await db.write(publish.publish, origin, alice.id, Draft(str(n)), NOW) for n in range(6)]
    for number, one in enumerate(made[:5]):
        await db.write(pins.pin, alice.id, one.id, later(number))
    with pytest.raises(Invalid):
        await db.write(pins.pin, alice.id, made[5].id, NOW)
    await db.write(pins.pin, alice.id, made[0].id, NOW)  # is pinned already
    assert await db.read(pins.pinned, alice.id) == [one.id for one in reversed(made[:5])]


async def test_followers_hear_of_pins_once(db, origin):
    alice, bob, ours, _ = await scene(db, origin)
    await db.write(follow, bob, alice)
    for unit in (pins.pin, pins.pin, pins.unpin, pins.unpin, pins.pin):
        await db.write(unit, alice.id, ours.id, NOW)
    letters = await sent(db)
    assert await types(db) == ["Add", "Remove", "Add"]
    assert len({letter.document["id"] for letter in letters}) == 3
    for letter in letters:
        assert (letter.document["object"], letter.document["target"]) == (ours.uri, alice.featured_uri)
        assert letter.inboxes == {"https://far.test/inbox"}


async def test_nobody_pins_for_another(db, origin):
    alice, bob, ours, theirs = await scene(db, origin)
    eve = remote("eve")
    await stored(db, eve)
    psst = await db.write(receive.receive, bob, note(bob, **direct(alice)), NOW)
    for who, target, what in (
        (eve, bob.featured_uri, theirs.uri),
        (eve, eve.featured_uri, theirs.uri),
        (bob, bob.featured_uri, ours.uri),
        (bob, alice.featured_uri, theirs.uri),
        (bob, bob.outbox, theirs.uri),
        (bob, bob.featured_uri, psst.uri),
        (alice, alice.featured_uri, ours.uri),
    ):
        assert not await db.write(pins.receive_add, who, target, what, NOW)
    assert await db.write(pins.receive_add, bob, bob.featured_uri, theirs.uri, NOW)
    assert not await db.write(pins.receive_add, bob, bob.featured_uri, theirs.uri, NOW)
    assert not await db.write(pins.receive_remove, eve, bob.featured_uri, theirs.uri)
    assert not await db.write(pins.receive_remove, bob, bob.outbox, theirs.uri)
    assert await db.read(pins.pinned, bob.id) == [theirs.id]
    assert await db.write(pins.receive_remove, bob, bob.featured_uri, theirs.uri)
    assert not await db.write(pins.receive_remove, bob, bob.featured_uri, "https://far.test/unknown")


async def test_pins_of_others_are_bounded(db, origin):
    _, bob, *_ = await scene(db, origin)
    said = [note(bob) for _ in range(pins.MOST_REMOTE + 2)]
    await db.write(receive.receive_many, [(bob, one) for one in said], NOW)
    for one in said:
        await db.write(pins.receive_add, bob, bob.featured_uri, one.id, NOW)
    assert len(await rows(db, pins_table)) == pins.MOST_REMOTE


async def test_others_who_name_it_first_keep_nobody_from_pinning_his_post(db, origin):
    alice, bob, *_ = await scene(db, origin)
    others = [remote(name) for name in ("eve", "mallory")]
    await stored(db, *others)
    unknown = note(bob)
    for who in (*others, bob):
        await db.write(follow, alice, who)
        await db.write(pins.receive_add, who, who.featured_uri, unknown.id, NOW)
    assert bob.uri in [job.payload["account"] for job in await rows(db, jobs)]


async def test_an_unknown_post_is_fetched_for_those_who_are_followed(db, origin):
    alice, bob, *_ = await scene(db, origin)
    unknown = note(bob)
    assert not await db.write(pins.receive_add, bob, bob.featured_uri, unknown.id, NOW)
    assert await rows(db, jobs) == []
    await db.write(follow, alice, bob)
    assert not await db.write(pins.receive_add, bob, bob.featured_uri, unknown.id, NOW)
    (job,) = await rows(db, jobs)
    assert job.kind == "fetch_pinned"
    fetched = await db.write(receive.receive, bob, unknown, NOW)
    assert await db.write(pins.finish, fetched.id, job.payload, NOW)
    assert not await db.write(pins.finish, 4711, job.payload, NOW)
    assert not await db.write(pins.finish, fetched.id, {"account": "https://far.test/nobody"}, NOW)
