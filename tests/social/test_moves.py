"""Moves: nobody is moved by others, nor too often; followers come along."""

from datetime import timedelta

import pytest

from social import blocks, follows, moves
from social.errors import Invalid, NotAllowed, NotFound
from store.tables import follows as follows_table
from store.tables import jobs
from tests.conftest import NOW
from tests.people import follow, local, remote, stored
from tests.social.mail import fresh, sent, types
from tests.social.said import rows


async def moving(db, **more):
    """alice (ours) follows old, who moves to new."""
    alice, old = await local(db, "alice"), remote("old")
    new = remote("new", "other.test", **{"also_known_as": [old.uri], **more})
    await stored(db, old, new)
    await db.write(follow, alice, old, show_boosts=False)
    return alice, old, new


async def followed(db, account):
    found = await rows(db, follows_table, follows_table.c.follower_id == account.id)
    return {row.target_id: row for row in found}


async def test_the_new_account_must_name_the_old(db):
    alice, old, new = await moving(db, also_known_as=["https://far.test/users/other"])
    circle, gone = remote("circle", also_known_as=[old.uri], moved_to=old.uri), remote("gone", deleted_at=NOW)
    await stored(db, circle, gone)
    for target in (new, old, alice, circle, gone):
        assert not await db.write(moves.receive_move, old, target, NOW)
    assert not await db.write(moves.receive_move, alice, new, NOW)
    assert set(await followed(db, alice)) == {old.id}
    assert await types(db) == []


async def test_followers_come_along(db):
    alice, old, new = await moving(db)
    carol = await local(db, "carol")
    await db.write(follow, carol, old)
    await db.write(follow, carol, new)
    assert await db.write(moves.receive_move, old, new, NOW)
    follow_now = await followed(db, alice)
    assert set(follow_now) == {new.id}
    assert (follow_now[new.id].accepted, follow_now[new.id].show_boosts) == (False, False)
    assert set(await followed(db, carol)) == {new.id}
    assert sorted((letter.type, *letter.inboxes) for letter in await sent(db)) == [
        ("Follow", new.inbox),
        ("Undo", old.inbox),
        ("Undo", old.inbox),
    ]
    assert (await fresh(db, old)).moved_to == new.uri
    with pytest.raises(NotAllowed):
        await db.write(follows.ask, alice.id, old.id, NOW)


async def test_a_second_move_waits(db):
    alice, old, new = await moving(db)
    third = remote("third", also_known_as=[old.uri])
    await stored(db, third)
    await db.write(moves.receive_move, old, new, NOW)
    for target, when in ((new, NOW), (third, NOW + timedelta(days=29))):
        assert not await db.write(moves.receive_move, await fresh(db, old), target, when)
    assert set(await followed(db, alice)) == {new.id}
    assert await db.write(moves.receive_move, await fresh(db, old), third, NOW + timedelta(days=30))


async def test_who_blocks_the_new_one_just_loses_the_old(db):
    alice, old, new = await moving(db)
    await db.write(blocks.block, alice.id, new.id, NOW)
    await db.write(moves.receive_move, old, new, NOW)
    assert await followed(db, alice) == {}


async def test_a_crowd_moves_in_steps(db, monkeypatch):
    alice, old, new = await moving(db)
    monkeypatch.setattr(moves, "AT_ONCE", 2)
    people = [await local(db, f"p{n}") for n in range(3)]
    for one in people:
        await db.write(follow, one, old)
    assert await db.write(moves.receive_move, old, new, NOW)
    found = {one.id: set(await followed(db, one)) for one in (alice, *people)}
    assert list(found.values()).count({new.id}) == 2
    (job,) = [one for one in await rows(db, jobs) if one.kind == "carry_followers"]
    assert job.payload == {"account_id": old.id, "target_id": new.id}
    while await db.write(moves.carry, old.id, new.id, NOW):
        pass
    assert all([set(await followed(db, one)) == {new.id} for one in (alice, *people)])


async def test_a_follower_may_be_the_new_account_himself(db):
    bob = remote("old")
    alice = await local(db, "alice", also_known_as=[bob.uri])
    await stored(db, bob)
    await db.write(follow, alice, bob)
    assert await db.write(moves.receive_move, bob, alice, NOW)
    assert await followed(db, alice) == {}


async def test_ours_move_only_where_they_are_expected(db, origin):
    alice, stranger = await local(db, "alice"), remote("stranger")
    await stored(db, stranger)
    with pytest.raises(Invalid):
        await db.write(moves.move_out, origin, alice.id, stranger, NOW)
    with pytest.raises(NotAllowed):
        await db.write(moves.move_out, origin, stranger.id, alice, NOW)
    with pytest.raises(NotFound):
        await db.write(moves.move_out, origin, 4711, stranger, NOW)
    moved = await local(db, "moved", moved_at=NOW - timedelta(days=1))
    target = remote("target", also_known_as=[alice.uri, moved.uri], moved_to=stranger.uri)
    for one in (alice, moved):
        with pytest.raises(NotAllowed):
            await db.write(moves.move_out, origin, one.id, target, NOW)


async def test_ours_move_and_their_followers_hear_it(db, origin):
    alice, carol, bob = await local(db, "alice"), await local(db, "carol"), remote("bob")
    new = remote("alice", "new.test", also_known_as=[alice.uri])
    await stored(db, bob, new)
    await db.write(follow, bob, alice)
    await db.write(follow, carol, alice)
    moved = await db.write(moves.move_out, origin, alice.id, new, NOW)
    assert (moved.moved_to, moved.moved_at) == (new.uri, NOW)
    letters = await sent(db)
    assert [letter.type for letter in letters] == ["Update", "Move", "Follow"]
    assert (letters[1].document["object"], letters[1].document["target"]) == (alice.uri, new.uri)
    assert letters[1].inboxes == {"https://far.test/inbox"}
    assert set(await followed(db, carol)) == {new.id}
    back = await db.write(moves.move_back, origin, alice.id, NOW)
    assert (back.moved_to, back.moved_at) == (None, NOW)
    with pytest.raises(NotAllowed):
        await db.write(moves.move_out, origin, alice.id, new, NOW + timedelta(days=1))
    with pytest.raises(NotAllowed):
        await db.write(moves.move_back, origin, bob.id, NOW)
