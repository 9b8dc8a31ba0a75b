"""What streams show and to whom, on both engines."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, true

from social import blocks, boosts, lists, live, mutes, reactions
from social.live import Listeners
from social.visibility import silences, visible, wanted
from store.tables import home_entries, posts, users
from tests.conftest import NOW
from tests.people import follow, local
from tests.social.said import say


async def shown(db, ids, home, public=(), lists=()):
    listeners = Listeners([one.id for one in home], [one.id for one in public], dict(lists))
    return await db.read(live.arrivals, [], list(ids), listeners, datetime.now(UTC))


async def test_what_one_reader_may_not_see_of_a_boost_is_kept_from_him_alone(db, origin):
    """Blocks and mutes of others are none of his business."""
    alice, bob, eve, dave = [await local(db, name) for name in ("alice", "bob", "eve", "dave")]
    for reader in (bob, eve):
        await db.write(follow, reader, alice)
    await db.write(follow, alice, dave)
    now = datetime.now(UTC)
    post = await say(db, origin, dave, "of dave")
    boost = await db.write(boosts.boost, alice.id, post.id, now)
    found = (await shown(db, [boost.id], (bob, eve)))[boost.id]
    assert found.home == {bob.id, eve.id}
    for deny, who in ((blocks.block, (dave.id, eve.id)), (mutes.mute, (eve.id, dave.id))):
        await db.write(deny, *who, now)
        found = (await shown(db, [boost.id], (bob, eve), (bob, eve)))[boost.id]
        assert (found.home, found.kept_from) == ({bob.id}, {eve.id})
        undo = {blocks.block: blocks.unblock, mutes.mute: mutes.unmute}[deny]
        await db.write(undo, *who, *([now] if deny is blocks.block else []))


async def test_a_post_is_in_those_lists_whose_owners_would_find_it(db, origin):
    alice, bob, eve = [await local(db, name) for name in ("alice", "bob", "eve")]
    it = {}
    for owner in (bob, eve):
        await db.write(follow, owner, alice)
        it[owner.id] = await db.write(lists.create, owner.id, "friends")
        await db.write(lists.add_members, owner.id, it[owner.id].id, [alice.id])
    other = await db.write(lists.create, bob.id, "others")
    asked = {it[bob.id].id: bob.id, it[eve.id].id: eve.id, other.id: bob.id}
    post = await say(db, origin, alice, "here", visibility="private")
    assert (await shown(db, [post.id], (), (), asked))[post.id].lists == {it[bob.id].id, it[eve.id].id}
    await db.write(mutes.mute, eve.id, alice.id, NOW)
    assert (await shown(db, [post.id], (), (), asked))[post.id].lists == {it[bob.id].id}


async def test_a_quote_is_shown_to_those_alone_who_may_see_what_is_quoted(db, origin):
    alice, dave, *readers = [await local(db, name) for name in ("alice", "dave", "bob", "eve", "mute", "carl")]
    bob, eve, mute, carl = readers
    for reader in readers:
        await db.write(follow, reader, alice)
    await db.write(blocks.block, dave.id, eve.id, NOW)
    await db.write(mutes.mute, mute.id, dave.id, NOW)
    theirs = await say(db, origin, dave, "of dave", quote_policy="public")
    await db.write(reactions.like, carl.id, theirs.id, NOW)
    quoting = await say(db, origin, alice, "look", quoted_id=theirs.id)
    found = (await shown(db, [quoting.id], readers))[quoting.id]
    assert (found.view.quote.state, found.view.quote.post.parts.post.id) == ("accepted", theirs.id)
    assert {who: view.quote.state for who, view in found.own.items()} == {
        eve.id: "unauthorized",
        mute.id: "blocked_account",
        carl.id: "accepted",
    }
    assert found.own[carl.id].quote.post.liked
    boost = await db.write(boosts.boost, alice.id, quoting.id, NOW)
    found = (await shown(db, [boost.id], readers))[boost.id]
    assert found.own[eve.id].boost_of.quote.state == "unauthorized"
    assert bob.id not in found.own


async def test_a_private_post_that_its_author_quotes_is_seen_by_his_followers(db, origin):
    alice, bob, eve = [await local(db, name) for name in ("alice", "bob", "eve")]
    await db.write(follow, bob, alice)
    mine = await say(db, origin, alice, "between us", visibility="private")
    quoting = await say(db, origin, alice, "@eve as I said", visibility="private", quoted_id=mine.id)
    found = (await shown(db, [quoting.id], (bob, eve)))[quoting.id]
    assert found.view.quote.state == "unauthorized"
    assert {who: view.quote.state for who, view in found.own.items()} == {bob.id: "accepted"}


async def test_what_is_fetched_late_is_not_news_and_what_changed_late_is(db, origin):
    alice = await local(db, "alice")
    post, later = await say(db, origin, alice), NOW + timedelta(days=1)
    listeners = Listeners([alice.id], [])
    assert await db.read(live.arrivals, [post.id], [], listeners, later) == {}
    assert await db.read(live.arrivals, [post.id], [], listeners, NOW)
    assert (await db.read(live.arrivals, [], [post.id], listeners, later))[post.id].home == {alice.id}


async def test_the_follower_of_one_does_not_open_his_private_words_to_others(db, origin):
    """An author boosts his own private post; somebody to whose home it came follows him no more."""
    alice, bob, eve = [await local(db, name) for name in ("alice", "bob", "eve")]
    await db.write(follow, bob, alice)
    post = await say(db, origin, alice, "between us", visibility="private")
    boost = await db.write(boosts.boost, alice.id, post.id, datetime.now(UTC))
    rows = [{"owner_id": one.id, "post_id": boost.id} for one in (bob, eve)]
    await db.write(lambda tx: tx.execute(home_entries.insert(), rows) and None)
    assert (await shown(db, [boost.id], (bob, eve)))[boost.id].home == {bob.id}


@pytest.mark.parametrize("clause", [visible, wanted, lambda viewer: silences(viewer, posts.c.author_id)])
def test_a_reader_who_is_a_column_is_the_one_of_the_row_however_deep(clause):
    for table, reader in ((home_entries, home_entries.c.owner_id), (users, users.c.account_id)):
        query = str(select(posts.c.id).join_from(posts, table, true()).where(clause(viewer=reader)))
        assert f"JOIN {table.fullname}" in query.replace('"', "")
        assert f", {table.fullname}" not in query.replace('"', "")
