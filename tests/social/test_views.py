"""Views: what a reader sees of posts, in a fixed number of queries."""

from sqlalchemy import insert

from social import boosts, pins, polls, reactions, views
from social.posts import publish, receive
from social.posts.drafts import Draft, PollDraft
from store.tables import blocks
from tests.conftest import NOW
from tests.people import local, remote, stored
from tests.social.said import later, mention, note, private


async def see(db, ids, viewer=None):
    return await db.read(views.posts, ids, viewer)


async def test_what_one_may_not_see_is_not_there_also_inside_a_boost(db, origin):
    alice, anna, bob = await local(db, "alice"), await local(db, "anna"), remote("bob")
    await stored(db, bob)
    hidden = await db.write(receive.receive, bob, note(bob, **private(bob)), NOW)
    shown = await db.write(receive.receive, bob, note(bob), NOW)
    boost = await db.write(boosts.boost, alice.id, shown.id, NOW)
    ids = [hidden.id, boost.id, shown.id, 12345, shown.id]
    found = await see(db, ids, anna.id)
    assert [view.parts.post.id for view in found] == [boost.id, shown.id, shown.id]
    assert found[0].boost_of == found[1]
    row = {"account_id": bob.id, "target_id": anna.id, "id": 1, "uri": "x:1", "created_at": NOW}
    await db.write(lambda tx: tx.execute(insert(blocks), row) and None)
    assert await see(db, ids, anna.id) == []
    assert await db.read(views.post, shown.id, anna.id) is None
    assert (await db.read(views.post, shown.id, None)).parts.post.id == shown.id


async def test_a_reader_finds_what_he_did_and_nobody_elses_deeds(db, origin):
    alice, anna = await local(db, "alice"), await local(db, "anna")
    asked = Draft("?", poll=PollDraft(("a", "b", "c"), later(60), multiple=True))
    post = await db.write(publish.publish, origin, alice.id, asked, NOW)
    await db.write(polls.vote, anna.id, post.id, [2, 0], NOW)
    await db.write(reactions.like, anna.id, post.id, NOW)
    boost = await db.write(boosts.boost, anna.id, post.id, NOW)
    await db.write(pins.pin, alice.id, post.id, NOW)
    view, boosted = await see(db, [post.id, boost.id], anna.id)
    assert (view.liked, view.boosted, view.pinned, view.voted) == (True, True, False, (0, 2))
    assert (boosted.liked, boosted.boosted, boosted.boost_of) == (True, True, view)
    (own,) = await see(db, [post.id], alice.id)
    assert (own.liked, own.boosted, own.pinned, own.voted) == (False, False, True, ())
    (anybody,) = await see(db, [post.id])
    assert (anybody.liked, anybody.boosted, anybody.pinned, anybody.voted) == (False, False, False, ())


async def test_views_cost_the_same_queries_for_1_and_40_and_few_for_2000(db, queries):
    alice, bob = await local(db, "alice"), remote("bob")
    await stored(db, bob)
    said = [(bob, note(bob, mentions=(mention(alice),), hashtags=("t",))) for _ in range(40)]
    found = await db.write(receive.receive_many, said, NOW)
    made = [await db.write(boosts.boost, alice.id, post.id, NOW) for post in found[:20]]
    ids = [post.id for post in found] + [boost.id for boost in made]
    counts = []
    for some in (ids[-1:], ids):
        queries.clear()
        assert len(await see(db, some, alice.id)) == len(some)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 7
    assert await see(db, []) == []
    assert len(await see(db, ids * 100, alice.id)) == 6000
