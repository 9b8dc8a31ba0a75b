"""Blocks: they end what was, and hide each from the other."""

import pytest

from social import blocks, follows, notifications, ties
from social.errors import Invalid, NotFound
from social.pages import Page
from social.posts import find, receive
from store.tables import blocks as blocks_table
from store.tables import follows as follows_table
from store.tables import notifications as notices
from tests.conftest import NOW
from tests.people import follow, local, remote, stored
from tests.social.mail import sent, types
from tests.social.said import home, mention, note, rows


async def friends(db):
    """alice and bob follow each other."""
    alice, bob = await local(db, "alice"), remote("bob")
    await stored(db, bob)
    await db.write(follows.receive, bob, alice, f"{bob.uri}/follow/1", NOW)
    asked = await db.write(follows.ask, alice.id, bob.id, NOW)
    await db.write(follows.accepted, bob, uri=asked.uri)
    return alice, bob


async def test_some_cannot_be_blocked(db):
    alice = await local(db, "alice")
    with pytest.raises(Invalid):
        await db.write(blocks.block, alice.id, alice.id, NOW)
    with pytest.raises(NotFound):
        await db.write(blocks.block, alice.id, 4711, NOW)
    assert not await db.write(blocks.unblock, alice.id, 4711, NOW)


async def test_a_block_ends_everything_between_two(db):
    alice, bob = await friends(db)
    said = await db.write(receive.receive, bob, note(bob, mentions=(mention(alice),)), NOW)
    assert await db.read(home, alice) == [said.id]
    made = await db.write(blocks.block, alice.id, bob.id, NOW)
    assert await db.write(blocks.block, alice.id, bob.id, NOW) == made
    assert await types(db) == ["Accept", "Follow", "Reject", "Undo", "Block"]
    letter = (await sent(db))[-1]
    assert (letter.document["id"], letter.document["object"]) == (f"{alice.uri}#blocks/{made.id}", bob.uri)
    assert await rows(db, follows_table) == []
    assert await rows(db, notices) == []
    assert await db.read(home, alice) == []
    ((number, account),) = await db.read(blocks.page, alice.id, Page())
    assert (number, account.id) == (made.id, bob.id)


async def test_the_blocked_bring_no_news(db):
    alice, bob = await friends(db)
    await db.write(blocks.block, alice.id, bob.id, NOW)
    await db.write(notifications.notify, alice.id, "favourite", bob.id, None, NOW)
    await db.write(receive.receive, bob, note(bob, mentions=(mention(alice),)), NOW)
    assert await rows(db, notices) == []


async def test_an_unblock_brings_nothing_back(db):
    alice, bob = await friends(db)
    made = await db.write(blocks.block, alice.id, bob.id, NOW)
    assert await db.write(blocks.unblock, alice.id, bob.id, NOW)
    assert not await db.write(blocks.unblock, alice.id, bob.id, NOW)
    undo = (await sent(db))[-1].document
    assert (undo["type"], undo["object"]["id"]) == ("Undo", made.uri)
    assert await rows(db, follows_table) == []
    assert (await db.write(follows.ask, alice.id, bob.id, NOW)).uri


async def test_two_of_ours_need_no_mail(db):
    alice, carol = await local(db, "alice"), await local(db, "carol")
    await db.write(follows.ask, alice.id, carol.id, NOW)
    await db.write(follows.ask, carol.id, alice.id, NOW)
    await db.write(blocks.block, alice.id, carol.id, NOW)
    await db.write(blocks.unblock, alice.id, carol.id, NOW)
    assert await types(db) == []
    assert await rows(db, follows_table) == []


async def test_a_received_block_hides_and_is_not_answered(db):
    alice, bob = await friends(db)
    said = await db.write(receive.receive, bob, note(bob), NOW)
    await db.read(find.visible, said.id, alice.id)
    before = await types(db)
    assert await db.write(blocks.receive_block, bob, alice, f"{bob.uri}/block/1", NOW)
    assert not await db.write(blocks.receive_block, bob, alice, f"{bob.uri}/block/1", NOW)
    assert not await db.write(blocks.receive_block, bob, alice, f"{bob.uri}/block/2", NOW)
    assert await types(db) == before
    assert await rows(db, follows_table) == []
    with pytest.raises(NotFound):
        await db.read(find.visible, said.id, alice.id)
    assert await db.write(blocks.receive_unblock, bob, None, f"{bob.uri}/block/1", NOW)
    await db.read(find.visible, said.id, alice.id)


async def test_nobody_blocks_in_the_name_of_another(db):
    alice, bob = await friends(db)
    carol = remote("carol")
    await stored(db, carol)
    assert not await db.write(blocks.receive_block, alice, bob, f"{alice.uri}#blocks/1", NOW)
    assert not await db.write(blocks.receive_block, bob, carol, f"{bob.uri}/block/1", NOW)
    await db.write(blocks.receive_block, bob, alice, f"{bob.uri}/block/1", NOW)
    for uri in (f"{bob.uri}/block/1", "https://elsewhere.test/block"):
        assert not await db.write(blocks.receive_unblock, carol, None, uri, NOW)
        assert not await db.write(blocks.receive_unblock, carol, alice, uri, NOW)
    assert await db.read(ties.find_block, bob.id, alice.id)
    dora = await local(db, "dora")
    assert await db.write(blocks.receive_block, bob, dora, f"{bob.uri}/block/1", NOW)  # the same id for two
    assert len({row.uri for row in await rows(db, blocks_table)}) == 2


async def test_undo_before_block_counts_once(db):
    alice, bob = await friends(db)
    assert not await db.write(blocks.receive_unblock, bob, alice, f"{bob.uri}/block/1", NOW)
    assert not await db.write(blocks.receive_block, bob, alice, f"{bob.uri}/block/1", NOW)
    assert await rows(db, blocks_table) == []
    assert await db.write(blocks.receive_block, bob, alice, f"{bob.uri}/block/1", NOW)


async def test_the_blocked_are_listed_newest_first(db):
    alice = await local(db, "alice")
    people = [remote(f"p{n}") for n in range(3)]
    await stored(db, *people)
    await db.write(follow, people[0], alice)
    for one in people:
        await db.write(blocks.block, alice.id, one.id, NOW)
    listed = await db.read(blocks.page, alice.id, Page(limit=2))
    assert [account.id for _, account in listed] == [people[2].id, people[1].id]
    rest = await db.read(blocks.page, alice.id, Page(max_id=listed[-1][0]))
    assert [account.id for _, account in rest] == [people[0].id]
