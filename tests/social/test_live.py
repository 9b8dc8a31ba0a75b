"""What streams show and to whom, on both engines."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select, true

from social import blocks, boosts, live, mutes
from social.live import Listeners
from social.visibility import silences, visible, wanted
from store.tables import home_entries, posts, users
from tests.people import follow, local
from tests.social.said import say


async def shown(db, ids, home, public=()):
    listeners = Listeners([one.id for one in home], [one.id for one in public])
    return await db.read(live.arrivals, list(ids), listeners, datetime.now(UTC))


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


async def test_the_follower_of_one_does_not_open_his_private_words_to_others(db, origin):
    """An author boosts his own private post; somebody to whose home it came follows him no more."""
    alice, bob, eve = [await local(db, name) for name in ("alice", "bob", "eve")]
    await db.write(follow, bob, alice)
    post = await say(db, origin, alice, "between us", visibility="private")
    boost = await db.write(boosts.boost, alice.id, post.id, datetime.now(UTC))
    row = {"owner_id": eve.id, "post_id": boost.id}
    await db.write(lambda tx: tx.execute(home_entries.insert(), row) and None)
    assert (await shown(db, [boost.id], (bob, eve)))[boost.id].home == {bob.id}


@pytest.mark.parametrize("clause", [visible, wanted, lambda viewer: silences(viewer, posts.c.author_id)])
def test_a_reader_who_is_a_column_is_the_one_of_the_row_however_deep(clause):
    for table, reader in ((home_entries, home_entries.c.owner_id), (users, users.c.account_id)):
        query = str(select(posts.c.id).join_from(posts, table, true()).where(clause(viewer=reader)))
        assert f"JOIN {table.fullname}" in query.replace('"', "")
        assert f", {table.fullname}" not in query.replace('"', "")
