"""Feeds: who finds what in them, and that pages leave nothing out and show nothing twice."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import BigInteger, Column, MetaData, Table, create_engine, insert, select, update

from social import boosts, mutes, tagged, timelines
from social.pages import Page
from social.paging import MOST, Paged, padded, parted
from social.posts import publish
from social.posts.drafts import Draft
from social.tagged import Asked
from store.tables import accounts, blocks
from tests.conftest import NOW
from tests.people import follow, local, remote, stored
from tests.social.said import arrive, direct, home, mention, note, private

_numbers = Table("number", MetaData(), Column("id", BigInteger, primary_key=True))
_paged = Paged(select(_numbers.c.id), _numbers.c.id)


@pytest.fixture(scope="module")
def tx():
    with create_engine("sqlite://").connect() as connection:
        _numbers.create(connection)
        connection.commit()
        yield connection


@given(ids=st.sets(st.integers(1, 60)), limit=st.integers(1, 9), start=st.integers(0, 61))
def test_the_union_of_pages_is_all_in_both_directions(tx, ids, limit, start):
    try:
        if ids:
            tx.execute(insert(_numbers), [{"id": number} for number in ids])
        down, page = [], _paged(tx, Page(limit))
        while page:
            down += page
            page = _paged(tx, Page(limit, max_id=page[-1]))
        assert down == sorted(ids, reverse=True)

        up, page = [], _paged(tx, Page(limit, min_id=start))
        while page:
            assert page == sorted(page, reverse=True)
            up += page[::-1]
            page = _paged(tx, Page(limit, min_id=page[0]))
        assert up == sorted(number for number in ids if number > start)
    finally:
        tx.rollback()


@given(
    ids=st.sets(st.integers(1, 30)),
    page=st.builds(
        Page,
        limit=st.integers(-3, 300),
        max_id=st.none() | st.integers(-(2**70), 2**70) | st.integers(0, 30),
        since_id=st.none() | st.integers(-(2**70), 2**70) | st.integers(0, 30),
        min_id=st.none() | st.integers(-(2**70), 2**70) | st.integers(0, 30),
    ),
)
def test_each_page_is_what_mastodon_says(tx, ids, page):
    """since_id: the newest of the newer; min_id: those next to it, and it wins over since_id."""
    try:
        if ids:
            tx.execute(insert(_numbers), [{"id": number} for number in ids])
        fit = [n for n in sorted(ids) if page.max_id is None or n < page.max_id]
        most = max(0, min(page.limit, MOST))
        if page.min_id is not None:
            expected = [n for n in fit if n > page.min_id][:most][::-1]
        else:
            expected = [n for n in fit[::-1] if page.since_id is None or n > page.since_id][:most]
        assert _paged(tx, page) == expected
    finally:
        tx.rollback()


@given(st.lists(st.integers(), max_size=70))
def test_padding_adds_only_what_is_there(values):
    assert set(padded(values)) == set(values)
    assert len(padded(values)).bit_count() <= 1
    assert [value for part in parted(values) for value in part][: len(values)] == values


async def shown(db, unit, *args, **more):
    return [view.parts.post.id for view in await db.read(lambda tx: unit(tx, *args, **more))]


async def test_strangers_and_the_asked_but_not_accepted_get_nothing(db):
    alice, anna, bob = await local(db, "alice"), await local(db, "anna"), remote("bob")
    await stored(db, bob)
    await db.write(follow, alice, bob, accepted=False)
    await arrive(db, (bob, note(bob)))
    assert await db.read(home, alice) == await db.read(home, anna) == []


async def test_direct_posts_are_in_no_home_feed_and_private_ones_in_those_of_followers(db):
    alice, bob = await local(db, "alice"), remote("bob")
    await stored(db, bob)
    await db.write(follow, alice, bob)
    _, seen = await arrive(db, (bob, note(bob, **direct(alice))), (bob, note(bob, **private(bob))))
    assert await db.read(home, alice) == [seen.id]


async def test_answers_are_shown_to_those_who_follow_both(db):
    one, both, asked, bob, carl = (
        await local(db, "one"),
        await local(db, "both"),
        await local(db, "asked"),
        remote("bob"),
        remote("carl"),
    )
    await stored(db, bob, carl)
    for reader in (one, both, asked):
        await db.write(follow, reader, bob)
    await db.write(follow, both, carl)
    await db.write(follow, asked, carl, accepted=False)
    root = note(carl)
    found = await arrive(db, (carl, root), (bob, note(bob, in_reply_to=root.id)))
    assert await db.read(home, one) == await db.read(home, asked) == []
    assert set(await db.read(home, both)) == {post.id for post in found}


async def test_answers_to_me_and_to_oneself_are_shown(db, origin):
    alice, bob = await local(db, "alice"), remote("bob")
    await stored(db, bob)
    await db.write(follow, alice, bob)
    mine = await db.write(publish.publish, origin, alice.id, Draft("x"), NOW)
    to_me = note(bob, in_reply_to=mine.uri)
    found = await arrive(db, (bob, to_me), (bob, note(bob, in_reply_to=to_me.id)))
    assert set(await db.read(home, alice)) == {mine.id, *(post.id for post in found)}


async def test_boosts_obey_the_follow_and_blocks(db):
    alice, quiet, blocker, bob, carl = (
        await local(db, "alice"),
        await local(db, "quiet"),
        await local(db, "blocker"),
        remote("bob"),
        remote("carl"),
    )
    blocked = await local(db, "blocked")
    await stored(db, bob, carl)
    for reader, boosts_too in ((alice, True), (quiet, False), (blocker, True), (blocked, True)):
        await db.write(follow, reader, bob, show_boosts=boosts_too)
    rows = [
        {"account_id": blocker.id, "target_id": carl.id, "id": 1, "uri": "x:1", "created_at": NOW},
        {"account_id": carl.id, "target_id": blocked.id, "id": 2, "uri": "x:2", "created_at": NOW},
    ]
    await db.write(lambda tx: tx.execute(insert(blocks), rows) and None)
    (original,) = await arrive(db, (carl, note(carl)))
    boost = await db.write(boosts.receive_announce, bob, "https://far.test/boosts/1", original.id, NOW, "public", NOW)
    assert await db.read(home, alice) == [boost.id]
    for reader in (quiet, blocker, blocked):
        assert await db.read(home, reader) == []


async def test_what_is_on_top_of_a_feed_is_not_boosted_into_it(db):
    alice, bob, carl, dora = await local(db, "alice"), remote("bob"), remote("carl"), remote("dora")
    await stored(db, bob, carl, dora)
    for one in (bob, carl, dora):
        await db.write(follow, alice, one)

    async def boosted(by, post):
        uri = f"https://far.test/{by.username}/{post.id}"
        boost = await db.write(boosts.receive_announce, by, uri, post.id, NOW, "public", NOW)
        return boost.id in await db.read(home, alice)

    old, *newer = await arrive(db, *((bob, note(bob)) for _ in range(timelines.AGAIN + 1)))
    assert not await boosted(carl, newer[0])
    assert await boosted(carl, old)
    assert not await boosted(dora, old)


async def test_the_boost_of_somebody_muted_does_not_stand_before_others(db):
    alice, bob, carl, dora = await local(db, "alice"), remote("bob"), remote("carl"), remote("dora")
    await stored(db, bob, carl, dora)
    for one in (carl, dora):
        await db.write(follow, alice, one)
    (post,) = await arrive(db, (bob, note(bob)))
    await db.write(mutes.mute, alice.id, carl.id, NOW)
    for by in (carl, dora):
        last = await db.write(boosts.receive_announce, by, f"{by.uri}/b/1", post.id, NOW, "public", NOW)
    assert await shown(db, timelines.home_page, alice.id, Page()) == [last.id]


async def test_a_new_follow_fills_the_feed_and_its_end_empties_it(db, monkeypatch):
    alice, bob, carl = await local(db, "alice"), remote("bob"), remote("carl")
    await stored(db, bob, carl)
    root = note(carl)
    found = await arrive(
        db, (bob, note(bob)), (carl, root), (bob, note(bob, in_reply_to=root.id)), (bob, note(bob, **direct(alice)))
    )
    await db.write(follow, alice, bob)
    for _ in range(2):
        await db.write(timelines.fill, alice.id, bob.id)
    assert await db.read(home, alice) == [found[0].id]
    await db.write(follow, alice, carl)
    await db.write(timelines.fill, alice.id, carl.id)
    await db.write(timelines.empty, alice.id, bob.id)
    assert await db.read(home, alice) == [found[1].id]


async def test_home_leaves_out_who_was_blocked_or_suspended_since(db):
    alice, bob, carl = await local(db, "alice"), remote("bob"), remote("carl")
    await stored(db, bob, carl)
    for one in (bob, carl):
        await db.write(follow, alice, one)
    await arrive(db, (bob, note(bob)), (carl, note(carl)))
    assert len(await shown(db, timelines.home_page, alice.id, Page())) == 2
    block = {"account_id": alice.id, "target_id": bob.id, "id": 1, "uri": "x:1", "created_at": NOW}
    await db.write(lambda tx: tx.execute(insert(blocks), block) and None)
    await db.write(
        lambda tx: tx.execute(update(accounts).where(accounts.c.id == carl.id).values(suspended_at=NOW)) and None
    )
    assert await shown(db, timelines.home_page, alice.id, Page()) == []


async def test_pages_of_home_are_whole_although_some_posts_are_hidden(db):
    alice, bob, eve = await local(db, "alice"), remote("bob"), remote("eve")
    await stored(db, bob, eve)
    for one in (bob, eve):
        await db.write(follow, alice, one)
    found = await arrive(db, *((one, note(one)) for _ in range(15) for one in (bob, eve)))
    block = {"account_id": alice.id, "target_id": eve.id, "id": 1, "uri": "x:1", "created_at": NOW}
    await db.write(lambda tx: tx.execute(insert(blocks), block) and None)
    seen, page = [], await shown(db, timelines.home_page, alice.id, Page(4))
    while page:
        seen += page
        page = await shown(db, timelines.home_page, alice.id, Page(4, max_id=page[-1]))
    assert seen == sorted((post.id for post in found if post.author_id == bob.id), reverse=True)


async def test_the_public_feeds_have_what_is_listed(db, origin):
    alice, bob = await local(db, "alice"), remote("bob")
    await stored(db, bob)
    mine = await db.write(publish.publish, origin, alice.id, Draft("x"), NOW)
    await db.write(publish.publish, origin, alice.id, Draft("x", visibility="unlisted"), NOW)
    theirs, *_ = await arrive(
        db, (bob, note(bob)), (bob, note(bob, in_reply_to=mine.uri)), (bob, note(bob, **private(bob)))
    )
    await db.write(boosts.boost, alice.id, theirs.id, NOW)
    assert await shown(db, timelines.public_page, None, Page()) == sorted([mine.id, theirs.id], reverse=True)
    assert await shown(db, timelines.public_page, None, Page(), local_only=True) == [mine.id]


async def test_a_profile_shows_what_is_asked_for(db, origin):
    alice, bob = await local(db, "alice"), remote("bob")
    await stored(db, bob)
    await db.write(follow, alice, bob)
    root = await db.write(publish.publish, origin, alice.id, Draft("x"), NOW)
    plain = note(bob)
    found = await arrive(
        db,
        (bob, plain),
        (bob, note(bob, in_reply_to=root.uri)),
        (bob, note(bob, in_reply_to=plain.id)),
        (bob, note(bob, **private(bob))),
        (bob, note(bob, **direct(bob))),
    )
    boost = await db.write(boosts.receive_announce, bob, "https://far.test/b/1", root.id, NOW, "public", NOW)
    plain, answer, own, hidden, _ = [post.id for post in found]

    async def profile(viewer, **more):
        return set(await shown(db, timelines.account_page, viewer, bob.id, Page(), **more))

    assert await profile(None) == {plain, answer, own, boost.id}
    assert await profile(alice.id) == {plain, answer, own, hidden, boost.id}
    assert await profile(None, replies=False) == {plain, own, boost.id}
    assert await profile(None, boosts=False) == {plain, answer, own}
    assert await profile(None, only_media=True) == set()


async def test_a_tag_has_public_posts_and_comments(db):
    bob = remote("bob")
    await stored(db, bob)
    root = note(bob, hashtags=("Cats",))
    found = await arrive(
        db,
        (bob, root),
        (bob, note(bob, in_reply_to=root.id, hashtags=("CATS",))),
        (bob, note(bob, hashtags=("cats",), to=(), cc=root.to)),
        (bob, note(bob, hashtags=("dogs",))),
    )
    assert set(await shown(db, tagged.page, None, Asked("cats"), Page())) == {found[0].id, found[1].id}
    assert await shown(db, tagged.page, None, Asked("cats", local_only=True), Page()) == []


async def test_feeds_cost_the_same_queries_for_1_and_40(db, queries):
    alice, bob = await local(db, "alice"), remote("bob")
    await stored(db, bob)
    await db.write(follow, alice, bob)
    counts = []
    for size in (1, 40):
        await arrive(db, *((bob, note(bob, mentions=(mention(alice),), hashtags=("t",))) for _ in range(size)))
        for unit, args in (
            (timelines.home_page, (alice.id, Page(40))),
            (timelines.public_page, (alice.id, Page(40))),
            (timelines.account_page, (alice.id, bob.id, Page(40))),
            (tagged.page, (None, Asked("t"), Page(40))),
        ):
            queries.clear()
            found = await shown(db, unit, *args)
            counts.append((len(found) > 1, len(queries)))
    assert [n for many, n in counts if not many] == [n for many, n in counts if many]
    # The home feed comes first and is cold: its ids, who may see them, and what the reader did; what changed (a stamp
    # of each, which makes all later ones cheap), and for what did, the post, mentions, hashtags and media.
    assert max(n for _, n in counts) <= 8
    assert max(n for _, n in counts[1:4] + counts[5:]) <= 4


async def test_the_public_feeds_use_their_indexes(db, queries):
    """A feed that reads the table is as slow as the server is old."""
    if db._engine.lanes > 1:
        pytest.skip("PostgreSQL decides by the rows that are there")
    for local_only in (False, True):
        queries.clear()
        await shown(db, timelines.public_page, None, Page(), local_only=local_only)
        query = queries[0]

        def plan(tx, query=query):
            nothing = (None,) * query.count("?")
            return [row[3] for row in tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", nothing)]

        found = await db.read(plan)
        assert any("ix_post_public" in line or "ix_post_local" in line for line in found), found
        assert not any("TEMP B-TREE" in line or line.startswith("SCAN account") for line in found), found
