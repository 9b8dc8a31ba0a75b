"""Lists, their feeds, and followed hashtags, on both engines."""

import pytest

from social import blocks, follows, lists, tags, timelines
from social.errors import Invalid, NotFound
from social.pages import Page
from store.tables import list_entries, list_members
from tests.conftest import NOW
from tests.people import follow, local, remote, stored
from tests.social.said import arrive, direct, home, how_many, note, say


async def scene(db):
    """alice follows bob and carol."""
    alice, bob, carol = await local(db, "alice"), remote("bob"), remote("carol")
    await stored(db, bob, carol)
    for one in (bob, carol):
        await db.write(follow, alice, one)
    return alice, bob, carol


async def feed(db, owner, it):
    return [view.parts.post.id for view in await db.read(lists.feed, owner.id, it.id, Page())]


async def test_another_s_list_is_not_there(db):
    alice, bob, _ = await scene(db)
    mallory = await local(db, "mallory")
    it = await db.write(lists.create, alice.id, "friends")
    for unit, *args in (
        (lists.get,),
        (lists.change, "mine"),
        (lists.remove,),
        (lists.members_page, Page()),
        (lists.add_members, [bob.id]),
        (lists.remove_members, [bob.id]),
        (lists.feed, Page()),
    ):
        with pytest.raises(NotFound):
            await db.write(unit, mallory.id, it.id, *args)
    assert await db.read(lists.all_of, mallory.id) == []


async def test_who_is_not_followed_is_in_no_list_and_none_is_in_it_twice(db):
    alice, bob, _ = await scene(db)
    eve = remote("eve")
    await stored(db, eve)
    it = await db.write(lists.create, alice.id, "friends")
    with pytest.raises(NotFound):
        await db.write(lists.add_members, alice.id, it.id, [bob.id, eve.id])
    await db.write(lists.add_members, alice.id, it.id, [bob.id, alice.id])
    with pytest.raises(Invalid):
        await db.write(lists.add_members, alice.id, it.id, [bob.id])
    found = await db.read(lists.members_page, alice.id, it.id, Page())
    assert {one.account.id for one in found} == {alice.id, bob.id}
    assert await db.read(lists.with_member, alice.id, bob.id) == [it]


async def test_a_list_has_what_its_members_write_from_before_and_since(db, origin):
    alice, bob, carol = await scene(db)
    (before,) = await arrive(db, (bob, note(bob)))
    it = await db.write(lists.create, alice.id, "friends")
    await db.write(lists.add_members, alice.id, it.id, [bob.id, alice.id])
    since, _, _ = await arrive(db, (bob, note(bob)), (carol, note(carol)), (bob, note(bob, **direct(alice))))
    mine = await say(db, origin, alice)
    assert await feed(db, alice, it) == sorted([before.id, since.id, mine.id], reverse=True)
    await db.write(lists.remove_members, alice.id, it.id, [bob.id, carol.id])
    assert await feed(db, alice, it) == [mine.id]


@pytest.mark.parametrize(("policy", "seen"), [("followed", "cbma"), ("list", "bma"), ("none", "ma")])
async def test_answers_are_there_as_far_as_the_list_wants_them(db, origin, policy, seen):
    alice, bob, carol = await scene(db)
    dave = remote("dave")
    await stored(db, dave)
    await db.write(follow, alice, dave)
    it = await db.write(lists.create, alice.id, "friends", policy)
    await db.write(lists.add_members, alice.id, it.id, [bob.id, dave.id])
    mine, by_carol, by_dave = await say(db, origin, alice), note(carol), note(dave)
    await arrive(db, (carol, by_carol), (dave, by_dave))
    to_carol, to_dave, to_me = await arrive(
        db, *((bob, note(bob, in_reply_to=uri)) for uri in (by_carol.id, by_dave.id, mine.uri))
    )
    names = {to_carol.id: "c", to_dave.id: "b", to_me.id: "m"}
    assert {names.get(number, "a") for number in await feed(db, alice, it)} == set(seen)


async def test_members_of_an_exclusive_list_are_not_at_home(db):
    alice, bob, carol = await scene(db)
    old, other = await arrive(db, (bob, note(bob)), (carol, note(carol)))
    it = await db.write(lists.create, alice.id, "apart", "list", True)
    await db.write(lists.add_members, alice.id, it.id, [bob.id])
    (new,) = await arrive(db, (bob, note(bob)))
    assert await db.read(home, alice) == [other.id]
    assert await feed(db, alice, it) == [new.id, old.id]
    await db.write(lists.change, alice.id, it.id, None, None, False)
    assert await db.read(home, alice) == sorted([old.id, new.id, other.id], reverse=True)
    await db.write(lists.change, alice.id, it.id, None, None, True)
    assert await db.read(home, alice) == [other.id]
    await db.write(lists.remove, alice.id, it.id)
    assert await db.read(home, alice) == sorted([old.id, new.id, other.id], reverse=True)
    assert await db.read(how_many, list_entries) == 0


async def test_who_is_unfollowed_or_blocked_leaves_the_lists(db):
    alice, bob, carol = await scene(db)
    it = await db.write(lists.create, alice.id, "friends")
    await db.write(lists.add_members, alice.id, it.id, [bob.id, carol.id])
    await arrive(db, (bob, note(bob)), (carol, note(carol)))
    await db.write(follows.unfollow, alice.id, bob.id)
    await db.write(blocks.block, alice.id, carol.id, NOW)
    assert await db.read(lists.members_page, alice.id, it.id, Page()) == []
    assert await feed(db, alice, it) == []
    assert (await db.read(how_many, list_members), await db.read(how_many, list_entries)) == (0, 0)


async def test_who_has_not_agreed_yet_brings_nothing_until_he_does(db):
    alice, bob = await local(db, "alice"), remote("bob")
    await stored(db, bob)
    await db.write(follow, alice, bob, accepted=False)
    it = await db.write(lists.create, alice.id, "friends")
    await db.write(lists.add_members, alice.id, it.id, [bob.id])
    (post,) = await arrive(db, (bob, note(bob)))
    assert await feed(db, alice, it) == []
    assert await db.write(follows.accepted, bob, uri=f"{alice.uri}#follows/{bob.id}")
    assert await feed(db, alice, it) == [post.id]


async def test_deleted_posts_leave_no_entry(db, origin):
    from social.posts import delete  # noqa: PLC0415  beside its only use

    alice, *_ = await scene(db)
    it = await db.write(lists.create, alice.id, "friends")
    await db.write(lists.add_members, alice.id, it.id, [alice.id])
    mine = await say(db, origin, alice)
    await db.write(delete.delete, alice.id, mine.id, NOW)
    assert await db.read(how_many, list_entries) == 0


async def test_titles_policies_and_numbers_have_limits(db):
    alice = await local(db, "alice")
    for title, policy in (("", "list"), (" ", "list"), ("x" * 300, "list"), ("x", "all")):
        with pytest.raises(Invalid):
            await db.write(lists.create, alice.id, title, policy)
    for number in range(lists.MOST):
        await db.write(lists.create, alice.id, f"{number}")
    with pytest.raises(Invalid):
        await db.write(lists.create, alice.id, "one more")


async def test_posts_with_a_followed_hashtag_come_home(db, origin):
    alice, bob = await local(db, "alice"), remote("bob")
    await stored(db, bob)
    await db.write(tags.follow, alice.id, "cats")
    await db.write(tags.follow, alice.id, "cats")
    await db.write(tags.follow, alice.id, "pets")
    seen, *_ = await arrive(
        db,
        (bob, note(bob, hashtags=("CATS", "pets"))),
        (bob, note(bob, hashtags=("dogs",))),
        (bob, note(bob, hashtags=("cats",), to=(), cc=note(bob).to)),
    )
    assert await db.read(home, alice) == [seen.id]
    await db.write(tags.unfollow, alice.id, "cats")
    await arrive(db, (bob, note(bob, hashtags=("cats",))))
    assert await db.read(home, alice) == [seen.id]
    await db.write(blocks.block, alice.id, bob.id, NOW)
    await arrive(db, (bob, note(bob, hashtags=("pets",))))
    assert await db.read(home, alice) == []


async def test_a_hashtag_tells_of_its_last_days(db):
    alice, bob, carol = await scene(db)
    await arrive(db, *((who, note(who, hashtags=("cats",))) for who in (bob, bob, carol)))
    first, second = await db.read(tags.look, ["cats", "dogs"], alice.id, NOW)
    assert (first.history[0].uses, first.history[0].accounts, len(first.history)) == (3, 2, 7)
    assert (sum(day.uses for day in second.history), second.following) == (0, False)
    assert first.history[0].start % 86_400 == 0


async def test_the_list_feed_and_its_arrival_use_indexes(db, queries):
    if db._engine.lanes > 1:
        pytest.skip("PostgreSQL decides by the rows that are there")
    alice, bob, _ = await scene(db)
    it = await db.write(lists.create, alice.id, "friends")
    await db.write(lists.add_members, alice.id, it.id, [bob.id])
    queries.clear()
    await arrive(db, (bob, note(bob)))
    await db.read(timelines.list_page, alice.id, it.id, Page())
    for query in [q for q in queries if "list_entry" in q]:

        def plan(tx, query=query):
            nothing = (None,) * query.count("?")
            return [row[3] for row in tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", nothing)]

        found = await db.read(plan)
        scanned = {line.split()[1] for line in found if line.startswith("SCAN ")}
        assert scanned <= {"newest", "unwanted_domain"}, (query, found)  # what is asked about, and a table of few rows
