"""Direct posts come together as conversations, one for each reader and thread."""

import pytest

from social import blocks, conversations, domains, mutes
from social.errors import NotFound
from social.events import Conversed
from social.pages import Page
from social.posts import delete, receive
from store.tables import conversations as table
from tests.conftest import NOW
from tests.people import local, remote, stored
from tests.social.said import direct, note, rows, say


async def test_a_conversation_is_its_owners_alone(db, origin):
    alice, bob = await local(db, "alice"), await local(db, "bob")
    await say(db, origin, alice, "note to self", visibility="direct")
    [mine] = await db.read(conversations.page, alice.id, Page())
    number = mine.conversation.id
    with pytest.raises(NotFound):
        await db.read(conversations.get, bob.id, number)
    with pytest.raises(NotFound):
        await db.write(lambda tx: conversations.mark(tx, bob.id, number, unread=True))
    with pytest.raises(NotFound):
        await db.write(conversations.end, bob.id, number)
    assert [one.id for one in mine.accounts] == [alice.id]  # who speaks to himself is the only one in it
    assert not mine.conversation.unread


async def test_only_direct_posts_are_conversations(db, origin):
    alice, _ = await local(db, "alice"), await local(db, "bob")
    for seen_by in ("public", "unlisted", "private"):
        await say(db, origin, alice, "@bob hi", visibility=seen_by)
    assert await rows(db, table) == []


async def test_both_sides_have_it_and_the_last_word_is_on_top(db, origin):
    alice, bob, eve = await local(db, "alice"), await local(db, "bob"), remote("eve")
    await stored(db, eve)
    heard: list[object] = []
    db.listeners.append(heard.append)
    first = await say(db, origin, alice, "@bob hi", visibility="direct")
    other = await db.write(receive.receive, eve, note(eve, **direct(bob)), NOW)
    assert sum(isinstance(event, Conversed) for event in heard) == 3
    views = await db.read(conversations.page, bob.id, Page())
    assert {view.last.parts.post.id: [one.id for one in view.accounts] for view in views} == {
        first.id: [alice.id],
        other.id: [eve.id],
    }
    assert all(view.conversation.unread for view in views)
    [hers] = await db.read(conversations.page, alice.id, Page())
    assert not hers.conversation.unread
    answer = await say(db, origin, bob, "@alice @eve@far.test hm", visibility="direct", reply_to_id=first.id)
    [hers] = await db.read(conversations.page, alice.id, Page())
    assert (hers.last.parts.post.id, hers.conversation.unread) == (answer.id, True)
    assert {one.id for one in hers.accounts} == {bob.id, eve.id}
    top = (await db.read(conversations.page, bob.id, Page(limit=1)))[0]
    assert (top.last.parts.post.id, top.conversation.unread) == (answer.id, False)
    rest = await db.read(conversations.page, bob.id, Page(max_id=top.conversation.last_post_id))
    assert [view.last.parts.post.id for view in rest] == [other.id]
    read = await db.write(lambda tx: conversations.mark(tx, alice.id, hers.conversation.id, unread=False))
    assert not read.conversation.unread
    await db.write(conversations.end, alice.id, hers.conversation.id)
    assert await db.read(conversations.page, alice.id, Page()) == []


async def test_what_is_deleted_is_no_last_word(db, origin):
    alice, bob = await local(db, "alice"), await local(db, "bob")
    first = await say(db, origin, alice, "@bob one", visibility="direct")
    second = await say(db, origin, alice, "@bob two", visibility="direct", reply_to_id=first.id)
    await db.write(delete.delete, alice.id, second.id, NOW)
    assert [view.last.parts.post.id for view in await db.read(conversations.page, bob.id, Page())] == [first.id]
    await db.write(delete.delete, alice.id, first.id, NOW)
    assert await rows(db, table) == []


async def test_whom_one_blocks_begins_no_conversation_and_shows_no_word(db, origin):
    alice, bob = await local(db, "alice"), await local(db, "bob")
    await say(db, origin, alice, "@bob one", visibility="direct")
    await db.write(blocks.block, alice.id, bob.id, NOW)
    [view] = await db.read(conversations.page, bob.id, Page())
    assert view.last is None
    await say(db, origin, bob, "@alice two", visibility="direct")
    assert len(await db.read(conversations.page, alice.id, Page())) == 1


@pytest.mark.parametrize("how", ["domain", "muted"])
async def test_of_whom_one_wants_no_news_begins_no_conversation(db, origin, how):
    alice, eve = await local(db, "alice"), remote("eve")
    await stored(db, eve)
    if how == "domain":
        await db.write(domains.block, origin, alice.id, eve.domain, NOW)
    else:
        await db.write(mutes.mute, alice.id, eve.id, NOW)
    await db.write(receive.receive, eve, note(eve, **direct(alice)), NOW)
    assert await rows(db, table) == []


async def test_two_halves_of_a_conversation_become_one(db):
    alice, bob = await local(db, "alice"), remote("bob")
    await stored(db, bob)
    root = note(bob, **direct(alice))
    answer = await db.write(receive.receive, bob, note(bob, in_reply_to=root.id, **direct(alice)), NOW)
    first = await db.write(receive.receive, bob, root, NOW)
    [row] = await rows(db, table)
    assert row.thread_id == first.thread_id
    assert row.last_post_id == max(first.id, answer.id)


async def test_forty_cost_as_many_queries_as_one(db, origin, queries):
    alice, _ = await local(db, "alice"), await local(db, "bob")
    counts = []
    for number in range(40):
        await say(db, origin, alice, f"@bob {number}", visibility="direct")
        if number in (0, 39):
            queries.clear()
            assert len(await db.read(conversations.page, alice.id, Page(limit=40))) == number + 1
            counts.append(len(queries))
    assert counts[0] == counts[1]
