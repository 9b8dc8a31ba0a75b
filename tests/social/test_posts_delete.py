"""Deletion: only by the author, everywhere, for good."""

import pytest
from sqlalchemy import insert, select

from federation.errors import Forged
from social import notifications as notices
from social import timelines
from social.errors import NotFound
from social.events import Deleted
from social.posts import delete, find, receive
from social.posts.drafts import PollDraft
from store.ids import new_id
from store.tables import (
    accounts,
    home_entries,
    likes,
    media,
    mentions,
    notifications,
    polls,
    post_tags,
    posts,
    tombstones,
)
from tests.conftest import NOW
from tests.people import follow, local, remote, stored
from tests.social.mail import mailed
from tests.social.said import how_many, later, mention, note, post, rows, say


async def boosted(db, original, *people):
    """Boost rows, counted as social.boosts does."""

    def boost(tx):
        row = dict(tx.execute(select(posts).where(posts.c.id == original.id)).mappings().one())
        ids = []
        for one in people:
            ids.append(new_id())
            tx.execute(
                insert(posts),
                {
                    **row,
                    "id": ids[-1],
                    "uri": f"x:{ids[-1]}",
                    "author_id": one.id,
                    "boost_of_id": original.id,
                    "reply_to_id": None,
                    "reply_to_uri": None,
                },
            )
            tx.execute(accounts.update().where(accounts.c.id == one.id).values(posts_count=accounts.c.posts_count + 1))
            tx.execute(posts.update().where(posts.c.id == original.id).values(boosts_count=posts.c.boosts_count + 1))
        timelines.push(tx, ids)
        return ids

    return await db.write(boost)


async def test_nobody_deletes_the_posts_of_others(db, origin):
    """Security row 20."""
    alice, anna, bob, eve = await local(db, "alice"), await local(db, "anna"), remote("bob"), remote("eve")
    away = remote("away", "else.test")
    await stored(db, bob, eve, away)
    made, said = await say(db, origin, alice), note(bob)
    await db.write(receive.receive, bob, said, NOW)
    with pytest.raises(NotFound):
        await db.write(delete.delete, anna.id, made.id, NOW)
    for who, uri in ((eve, said.id), (bob, made.uri), (away, "https://far.test/unknown")):
        with pytest.raises(Forged):
            await db.write(delete.receive_delete, who, uri, NOW)
    assert len(await rows(db, posts)) == 2
    assert await rows(db, tombstones) == []


async def test_a_boost_is_not_deleted_as_a_post(db, origin):
    alice = await local(db, "alice")
    made = await say(db, origin, alice)
    (boost,) = await boosted(db, made, alice)
    with pytest.raises(NotFound):
        await db.write(delete.delete, alice.id, boost, NOW)


async def test_a_deleted_post_leaves_nothing_but_a_tombstone(db, origin):
    alice, anna, bob = await local(db, "alice"), await local(db, "anna"), remote("bob")
    await stored(db, bob)
    await db.write(follow, bob, alice)
    await db.write(follow, anna, alice)
    await db.write(follow, anna, bob)
    above = await say(db, origin, anna)
    made = await say(db, origin, alice, "@anna #tag", reply_to_id=above.id, poll=PollDraft(("a", "b"), later(60)))
    await boosted(db, made, bob)
    like = {"post_id": made.id, "account_id": bob.id, "id": 1, "uri": "x:l", "created_at": NOW}
    await db.write(lambda tx: tx.execute(insert(likes), like) and None)
    await db.write(notices.notify, alice.id, "favourite", bob.id, made.id, NOW)
    heard = []
    db.listeners.append(heard.append)
    await db.write(delete.delete, alice.id, made.id, later(1))
    for table in (mentions, post_tags, polls, media, likes, notifications):
        assert await rows(db, table) == []
    assert [row.id for row in await rows(db, posts)] == [above.id]
    assert {row.post_id for row in await rows(db, home_entries)} == {above.id}
    assert {event.author_id for event in heard if isinstance(event, Deleted)} == {alice.id, bob.id}
    assert (await post(db, above.id)).replies_count == 0
    counts = {row.id: row.posts_count for row in await rows(db, accounts)}
    assert (counts[alice.id], counts[bob.id], counts[anna.id]) == (0, 0, 1)
    assert [(row.uri, row.owner) for row in await rows(db, tombstones)] == [(made.uri, alice.uri)]
    document, hosts = (await mailed(db))[-1]
    assert (document["type"], document["object"]["id"], hosts) == ("Delete", made.uri, {"far.test"})
    with pytest.raises(NotFound):
        await db.read(find.by_id, made.id)


async def test_a_deletion_goes_only_where_the_post_went(db, origin):
    """Security row 39."""
    alice, bob, carl = await local(db, "alice"), remote("bob", "b.test"), remote("carl", "c.test")
    await stored(db, bob, carl)
    await db.write(follow, carl, alice)
    made = await say(db, origin, alice, "@bob@b.test psst", visibility="direct")
    await db.write(delete.delete, alice.id, made.id, NOW)
    assert [hosts for _, hosts in await mailed(db)] == [{"b.test"}, {"b.test"}]


async def test_a_remote_deletion_takes_all_of_it_and_holds(db):
    alice, bob = await local(db, "alice"), remote("bob")
    await stored(db, bob)
    await db.write(follow, alice, bob)
    said = note(bob, mentions=(mention(alice),))
    found = await db.write(receive.receive, bob, said, NOW)
    await boosted(db, found, alice)
    assert await db.write(delete.receive_delete, bob, said.id, NOW)
    assert not await db.write(delete.receive_delete, bob, said.id, NOW)
    assert await db.write(receive.receive, bob, said, NOW) is None
    for table in (posts, home_entries, notifications, mentions):
        assert await rows(db, table) == []
    assert {row.posts_count for row in await rows(db, accounts)} == {0}


async def test_all_of_an_account_goes_some_at_a_time(db, monkeypatch):
    monkeypatch.setattr(delete, "AT_ONCE", 2)
    monkeypatch.setattr(delete, "_SOME", delete._SOME.limit(2))
    bob, carl = remote("bob"), remote("carl")
    await stored(db, bob, carl)
    theirs = await db.write(receive.receive, carl, note(carl), NOW)
    for _ in range(4):
        await db.write(receive.receive, bob, note(bob), NOW)
    await boosted(db, theirs, bob)
    more = [await db.write(delete.remove_some, bob.id) for _ in range(3)]
    assert more == [True, True, False]
    assert await db.read(how_many) == 1
    assert (await post(db, theirs.id)).boosts_count == 0
