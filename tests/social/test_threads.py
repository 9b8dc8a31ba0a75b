"""Conversations: whole, healed, in order, and only as far as the viewer may see."""

import itertools
from dataclasses import replace

import pytest
from sqlalchemy import insert

from social.errors import NotFound
from social.posts import delete, publish, threads
from social.posts.drafts import Draft
from store.tables import blocks, posts
from tests.conftest import NOW
from tests.people import follow, local, remote, stored
from tests.social.said import arrive, home, mention, note, post, private, rows


async def thread(db, post_id, viewer=None):
    return await db.read(threads.thread, post_id, viewer)


async def test_nobody_sees_a_thread_around_what_he_may_not_see(db):
    bob = remote("bob")
    await stored(db, bob)
    (hidden,) = await arrive(db, (bob, note(bob, **private(bob))))
    with pytest.raises(NotFound):
        await thread(db, hidden.id)


async def test_a_missing_parent_is_named_and_healed_when_it_comes(db):
    alice, bob, carl = await local(db, "alice"), remote("bob"), remote("carl")
    await stored(db, bob, carl)
    await db.write(follow, alice, bob)
    await db.write(follow, alice, carl)
    root = note(carl)
    child = note(bob, in_reply_to=root.id)
    grandchild = note(bob, in_reply_to=child.id)
    found_child, found_grandchild = await arrive(db, (bob, child), (bob, grandchild))
    assert (await thread(db, found_grandchild.id)).missing == (root.id,)
    assert (await thread(db, found_child.id)).missing == (root.id,)
    # An answer to somebody unknown is in nobody's home feed; an answer to oneself is.
    assert await db.read(home, alice) == [found_grandchild.id]

    (found_root,) = await arrive(db, (carl, root))
    whole = await thread(db, found_child.id)
    assert whole == threads.Thread((found_root.id,), (found_grandchild.id,), ())
    assert {row.thread_id for row in await rows(db, posts)} == {found_root.id}
    assert (await post(db, found_root.id)).replies_count == 1
    assert (await post(db, found_child.id)).version == found_child.version + 2  # counted its own answer, healed
    assert set(await db.read(home, alice)) == {found_root.id, found_child.id, found_grandchild.id}


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))), ids=str)
async def test_any_order_of_arrival_gives_the_same_conversation(sqlite_db, order):
    bob = remote("bob")
    await stored(sqlite_db, bob)
    said = [note(bob)]
    said += [note(bob, in_reply_to=said[0].id)]
    said += [note(bob, in_reply_to=said[1].id), note(bob, in_reply_to=said[0].id)]
    for number in order:
        await arrive(sqlite_db, (bob, said[number]))
    await _same(sqlite_db, said)


async def test_any_order_within_one_batch_gives_the_same_conversation(db):
    bob = remote("bob")
    await stored(db, bob)
    for order in itertools.permutations(range(4)):
        said = [note(bob)]
        said += [note(bob, in_reply_to=said[0].id)]
        said += [note(bob, in_reply_to=said[1].id), note(bob, in_reply_to=said[0].id)]
        found = await arrive(db, *((bob, said[number]) for number in order))
        await _same(db, said)
        for one in found:  # what is told to the caller is what is stored
            stored_one = await post(db, one.id)
            assert (one.thread_id, one.reply_to_id) == (stored_one.thread_id, stored_one.reply_to_id)


async def _same(db, said):
    found = {row.uri: row for row in await rows(db, posts)}
    root, child, grandchild, sister = [found[one.id] for one in said]
    assert {one.thread_id for one in (root, child, grandchild, sister)} == {root.id}
    assert (child.reply_to_id, grandchild.reply_to_id, sister.reply_to_id) == (root.id, child.id, root.id)
    assert (root.replies_count, child.replies_count) == (2, 1)
    assert all(one.listed for one in (root, child, grandchild, sister))  # he answers himself
    whole = await thread(db, root.id)
    assert set(whole.descendants) == {child.id, grandchild.id, sister.id}
    assert whole.descendants.index(child.id) + 1 == whole.descendants.index(grandchild.id)


async def test_a_circle_is_not_closed(db):
    bob = remote("bob")
    await stored(db, bob)
    one, other = note(bob), note(bob)
    one, other = replace(one, in_reply_to=other.id), replace(other, in_reply_to=one.id)
    first, second = await arrive(db, (bob, one), (bob, other))
    assert (await thread(db, first.id)).ancestors in ((), (second.id,))
    third, fourth = note(bob), note(bob)
    third, fourth = replace(third, in_reply_to=fourth.id), replace(fourth, in_reply_to=third.id)
    (found,) = await arrive(db, (bob, third))
    await arrive(db, (bob, fourth))
    assert (await thread(db, found.id)).ancestors == ()


async def test_a_circle_of_two_halves_is_not_closed_either(db):
    bob = remote("bob")
    await stored(db, bob)
    u, v, a, b = (note(bob) for _ in range(4))
    u, v = replace(u, in_reply_to=b.id), replace(v, in_reply_to=a.id)
    a, b = replace(a, in_reply_to=u.id), replace(b, in_reply_to=v.id)
    await arrive(db, (bob, a), (bob, b))
    found = await arrive(db, (bob, u), (bob, v))
    for one in found:
        assert len((await thread(db, one.id)).ancestors) < 4


async def test_hidden_posts_leave_a_hole_but_not_the_end(db, origin):
    alice, anna, bob = await local(db, "alice"), await local(db, "anna"), remote("bob")
    await stored(db, bob)
    await db.write(follow, bob, alice)
    root = await db.write(publish.publish, origin, alice.id, Draft("root"), NOW)
    hidden = await db.write(
        publish.publish, origin, alice.id, Draft("hidden", visibility="private", reply_to_id=root.id), NOW
    )
    (public,) = await arrive(db, (bob, note(bob, in_reply_to=hidden.uri)))
    assert await thread(db, public.id, anna.id) == threads.Thread((root.id,), (), ())
    assert await thread(db, root.id) == threads.Thread((), (public.id,), ())
    assert (await thread(db, root.id, bob.id)).descendants == (hidden.id, public.id)


async def test_the_blocked_are_not_in_my_threads(db, origin):
    alice, eve = await local(db, "alice"), remote("eve")
    await stored(db, eve)
    root = await db.write(publish.publish, origin, alice.id, Draft("root"), NOW)
    (answer,) = await arrive(db, (eve, note(eve, in_reply_to=root.uri)))
    block = {"account_id": alice.id, "target_id": eve.id, "id": 1, "uri": "x:1", "created_at": NOW}
    await db.write(lambda tx: tx.execute(insert(blocks), block) and None)
    assert (await thread(db, root.id, alice.id)).descendants == ()
    assert (await thread(db, root.id)).descendants == (answer.id,)


async def test_the_author_comes_first_then_the_oldest(db):
    bob, carl = remote("bob"), remote("carl")
    await stored(db, bob, carl)
    root = note(bob)
    answers = [note(carl, in_reply_to=root.id), note(carl, in_reply_to=root.id), note(bob, in_reply_to=root.id)]
    below = note(carl, in_reply_to=answers[0].id)
    found = await arrive(db, (bob, root), *((carl, one) for one in answers[:2]), (bob, answers[2]), (carl, below))
    ids = [one.id for one in found]
    first, second = sorted(ids[1:3])
    order = [ids[3], first, second]
    order.insert(order.index(ids[1]) + 1, ids[4])
    assert (await thread(db, ids[0])).descendants == tuple(order)


async def test_strangers_see_40_above_and_60_below_and_20_deep(db):
    bob = remote("bob")
    await stored(db, bob)
    chain = [note(bob)]
    for _ in range(50):
        chain.append(note(bob, in_reply_to=chain[-1].id))
    found = await arrive(db, *((bob, one) for one in chain))
    ids = [one.id for one in found]
    wide = await arrive(db, *((bob, note(bob, in_reply_to=chain[-1].id)) for _ in range(70)))
    alice = await local(db, "alice")
    assert (await thread(db, ids[0])).descendants == tuple(ids[1:21])
    assert (await thread(db, ids[0], alice.id)).descendants[:50] == tuple(ids[1:])
    last = await thread(db, ids[-1])
    assert last.ancestors == tuple(ids[10:-1])
    assert len(last.descendants) == 60
    assert (await thread(db, ids[-1], alice.id)).ancestors == tuple(ids[:-1])
    assert set((await thread(db, ids[-1], alice.id)).descendants) == {one.id for one in wide}


async def test_the_size_of_a_thread_does_not_change_the_number_of_queries(db, queries):
    bob = remote("bob")
    await stored(db, bob)
    root = note(bob)
    (found, *_) = await arrive(db, (bob, root))
    counts = []
    for _ in range(2):
        queries.clear()
        await thread(db, found.id)
        counts.append(len(queries))
        await arrive(db, *((bob, note(bob, in_reply_to=root.id)) for _ in range(40)))
    assert counts == [2, 2]


async def test_what_answered_a_deleted_post_stays(db):
    bob, carl = remote("bob"), remote("carl")
    await stored(db, bob, carl)
    root = note(bob)
    middle = note(bob, in_reply_to=root.id)
    last = note(carl, in_reply_to=middle.id)
    found = await arrive(db, (bob, root), (bob, middle), (carl, last))
    await db.write(delete.receive_delete, bob, middle.id, NOW)
    left = await thread(db, found[2].id)
    assert left == threads.Thread((), (), (middle.id,))
    assert (await post(db, found[2].id)).thread_id == found[0].id


async def test_private_answers_are_not_counted(db):
    alice, bob = await local(db, "alice"), remote("bob")
    await stored(db, bob)
    root = note(bob)
    child = note(bob, in_reply_to=root.id, mentions=(mention(alice),), **private(bob))
    await arrive(db, (bob, child))
    (found,) = await arrive(db, (bob, root))
    assert (await post(db, found.id)).replies_count == 0


async def test_looking_for_who_waits_does_not_read_all_that_answers_nothing(db, queries):
    if db._engine.lanes > 1:
        pytest.skip("PostgreSQL decides by the rows that are there")
    bob = remote("bob")
    await stored(db, bob)
    queries.clear()
    await arrive(db, (bob, note(bob)))
    (query,) = [query for query in queries if "AS child" in query]

    def plan(tx):
        return [row[3] for row in tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", (1,) * query.count("?"))]

    assert any("ix_post_missing_parent" in line for line in await db.read(plan))
