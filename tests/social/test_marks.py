"""Bookmarks, quiet conversations, and posts that never leave."""

import pytest

from social import blocks, boosts, marks, notifications, pins, reactions, views
from social.errors import NotFound
from social.pages import Page
from social.posts import around, delete, edit, find, receive
from social.posts.drafts import Draft
from store.tables import bookmarks, deliveries, thread_mutes
from store.tables import notifications as notifications_table
from tests.conftest import NOW
from tests.people import follow, local, remote, stored
from tests.social.said import mention, note, rows, say


async def test_what_may_not_be_seen_cannot_be_kept_or_made_quiet(db, origin):
    alice, bob = await local(db, "alice"), await local(db, "bob")
    secret = await say(db, origin, alice, visibility="private")
    for unit in (marks.bookmark, marks.unbookmark, marks.mute_thread, marks.unmute_thread):
        with pytest.raises(NotFound):
            await db.write(unit, bob.id, secret.id, NOW)
    for unit in (around.liked_by, around.boosted_by):
        with pytest.raises(NotFound):
            await db.read(unit, secret.id, bob.id, Page())


async def test_a_bookmark_is_kept_once_and_for_its_owner_alone(db, origin):
    alice, bob = await local(db, "alice"), await local(db, "bob")
    post = await say(db, origin, alice)
    boost = await db.write(boosts.boost, bob.id, post.id, NOW)
    for _ in range(2):
        assert await db.write(marks.bookmark, bob.id, boost.id, NOW) == await db.read(find.by_id, post.id)
    assert (await db.read(views.post, post.id, bob.id)).bookmarked
    assert not (await db.read(views.post, post.id, alice.id)).bookmarked
    cursors, found = await db.read(marks.bookmarks_page, bob.id, Page())
    assert [view.parts.post.id for view in found] == [post.id]
    assert len(cursors) == 1
    assert await db.read(marks.bookmarks_page, alice.id, Page()) == ([], [])
    await db.write(marks.unbookmark, bob.id, post.id, NOW)
    assert await rows(db, bookmarks) == []


async def test_a_bookmark_of_what_is_hidden_by_now_is_not_shown(db, origin):
    alice, bob = await local(db, "alice"), await local(db, "bob")
    post = await say(db, origin, alice, "@bob hi", visibility="direct")
    await db.write(marks.bookmark, bob.id, post.id, NOW)
    await db.write(delete.delete, alice.id, post.id, NOW)
    assert await rows(db, bookmarks) == []
    assert await db.read(marks.bookmarks_page, bob.id, Page()) == ([], [])


async def test_lists_of_marks_are_cut_by_when_they_were_made(db, origin):
    alice, bob = await local(db, "alice"), await local(db, "bob")
    first, second, third = [await say(db, origin, alice, str(n)) for n in range(3)]
    for post in (second, third, first):
        await db.write(marks.bookmark, bob.id, post.id, NOW)
        await db.write(reactions.like, bob.id, post.id, NOW)
    for unit in (marks.bookmarks_page, marks.likes_page):
        cursors, found = await db.read(unit, bob.id, Page(limit=2))
        assert [view.parts.post.id for view in found] == [first.id, third.id]
        _, rest = await db.read(unit, bob.id, Page(limit=2, max_id=cursors[-1]))
        assert [view.parts.post.id for view in rest] == [second.id]
        _, back = await db.read(unit, bob.id, Page(limit=1, min_id=cursors[1]))
        assert [view.parts.post.id for view in back] == [first.id]


async def test_a_quiet_conversation_tells_nothing(db, origin):
    alice, bob, eve = await local(db, "alice"), await local(db, "bob"), remote("eve")
    await stored(db, eve)
    post = await say(db, origin, alice)
    await db.write(marks.mute_thread, alice.id, post.id, NOW)
    assert (await db.read(views.post, post.id, alice.id)).muted
    assert not (await db.read(views.post, post.id, bob.id)).muted
    answer = await say(db, origin, bob, "@alice hi", reply_to_id=post.id)
    arrived = note(eve, mentions=(mention(alice),), in_reply_to=answer.uri)
    assert await db.write(receive.receive, eve, arrived, NOW)
    await db.write(reactions.like, bob.id, post.id, NOW)
    await db.write(boosts.boost, bob.id, post.id, NOW)
    assert await db.read(notifications.page, alice.id, Page()) == []
    await say(db, origin, bob, "@alice elsewhere")
    assert len(await rows(db, notifications_table, notifications_table.c.account_id == alice.id)) == 1
    await db.write(marks.unmute_thread, alice.id, answer.id, NOW)
    await say(db, origin, bob, "@alice again", reply_to_id=post.id)
    assert len(await rows(db, notifications_table, notifications_table.c.account_id == alice.id)) == 2


async def test_a_conversation_stays_quiet_when_its_beginning_is_found(db, origin):
    alice, bob = await local(db, "alice"), remote("bob")
    await stored(db, bob)
    root = note(bob)
    answer = await db.write(receive.receive, bob, note(bob, in_reply_to=root.id), NOW)
    await db.write(marks.mute_thread, alice.id, answer.id, NOW)
    found = await db.write(receive.receive, bob, root, NOW)
    assert (await db.read(views.post, found.id, alice.id)).muted
    assert [row.thread_id for row in await rows(db, thread_mutes)] == [found.thread_id]


async def test_who_likes_and_boosts_a_post_is_told_without_the_blocked(db, origin):
    alice, bob, eve = await local(db, "alice"), await local(db, "bob"), remote("eve")
    await stored(db, eve)
    post = await say(db, origin, alice)
    await db.write(reactions.receive_like, eve, post.uri, f"{eve.uri}#like", NOW)
    await db.write(reactions.like, bob.id, post.id, NOW)
    await db.write(boosts.boost, bob.id, post.id, NOW)
    assert [it.id for _, it in await db.read(around.liked_by, post.id, None, Page())] == [bob.id, eve.id]
    [(cursor, _)] = await db.read(around.liked_by, post.id, None, Page(limit=1))
    assert [it.id for _, it in await db.read(around.liked_by, post.id, None, Page(max_id=cursor))] == [eve.id]
    assert [it.id for _, it in await db.read(around.boosted_by, post.id, alice.id, Page())] == [bob.id]
    await db.write(blocks.block, alice.id, eve.id, NOW)
    assert [it.id for _, it in await db.read(around.liked_by, post.id, alice.id, Page())] == [bob.id]


async def test_what_stays_here_is_for_our_people_alone_and_never_sent(db, origin):
    """Whatever happens to it: no delivery is queued, and nobody elsewhere can see or touch it."""
    alice, bob, eve = await local(db, "alice"), await local(db, "bob"), remote("eve")
    await stored(db, eve)
    await db.write(follow, eve, alice)
    await db.write(follow, eve, bob)
    post = await say(db, origin, alice, "@eve@far.test here", local_only=True)
    answer = await say(db, origin, bob, "@eve@far.test me too", reply_to_id=post.id)
    assert answer.local_only
    boost = await db.write(boosts.boost, bob.id, post.id, NOW)
    await db.write(pins.pin, alice.id, post.id, NOW)
    await db.write(edit.edit, origin, alice.id, post.id, Draft("@eve@far.test changed"), NOW)
    for number in (post.id, answer.id, boost.id):
        assert await db.read(views.post, number, bob.id)
        for viewer in (None, eve.id):
            assert await db.read(views.post, number, viewer) is None
    assert not await db.write(reactions.receive_like, eve, post.uri, f"{eve.uri}#like", NOW)
    assert await db.write(boosts.receive_announce, eve, f"{eve.uri}/a", post.id, NOW, "public", NOW) is None
    await db.write(pins.unpin, alice.id, post.id, NOW)
    await db.write(boosts.unboost, bob.id, post.id, NOW)
    await db.write(delete.delete, alice.id, post.id, NOW)
    assert await rows(db, deliveries) == []
    await say(db, origin, alice, "to all")
    assert len(await rows(db, deliveries)) == 1
