"""The clause and the predicate say the same, and both say what the page of rules says."""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, bindparam, create_engine, insert, select, true

from social.errors import NotFound
from social.posts import find, publish, receive
from social.posts.drafts import Draft
from social.visibility import VISIBILITIES, Facts, facts, may_see, narrower, visible, wanted
from store.rows import many
from store.tables import Post, accounts, blank_account, blank_post, blocks, follows, mentions, metadata, posts, users
from store.tables.base import Id
from tests.conftest import NOW
from tests.people import follow, local, remote, stored
from tests.social.said import direct, note, private

PEOPLE = (1, 2, 3, 4)
_ALL = select(posts).order_by(posts.c.id)
_VISIBLE = select(posts.c.id).where(visible())
_EACH = select(accounts.c.id, posts.c.id).join_from(accounts, posts, true())
_VISIBLE_TO = _EACH.where(visible(viewer=accounts.c.id))


@pytest.fixture(scope="module")
def tx() -> Iterator[Connection]:
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        metadata.create_all(connection)
        connection.commit()
        yield connection


def person(number: int, state: str) -> dict[str, object]:
    host = None if number % 2 else "far.test"
    return blank_account(
        id=number,
        uri=f"https://x.test/{number}",
        handle=str(number),
        username=str(number),
        host=host,
        url="",
        inbox="",
        created_at=NOW,
        suspended_at=NOW if state == "suspended" else None,
        deleted_at=NOW if state == "deleted" else None,
    )


def login(number: int) -> dict[str, object]:
    return {
        "account_id": number,
        "email": str(number),
        "password": "",
        "role": "member",
        "created_at": NOW,
        "notifications_read": 0,
        "default_visibility": "public",
        "default_sensitive": False,
    }


def row(
    number: int, author: int, visibility: str, boost_of: int | None, *, local_only: bool = False
) -> dict[str, object]:
    return blank_post(
        id=number,
        uri=f"https://x.test/p/{number}",
        author_id=author,
        local=author % 2 == 1,
        visibility=visibility,
        published=NOW,
        thread_id=number,
        boost_of_id=boost_of,
        local_only=local_only,
    )


_pairs = st.sets(st.tuples(st.sampled_from(PEOPLE), st.sampled_from(PEOPLE)), max_size=6)


@st.composite
def worlds(draw: st.DrawFn) -> dict[str, list[dict[str, object]]]:
    state = st.sampled_from(["here", "here", "here", "suspended", "deleted"])
    made = [(draw(st.sampled_from(PEOPLE)), draw(st.sampled_from(VISIBILITIES)), draw(st.booleans())) for _ in range(4)]
    boosted = draw(st.sets(st.tuples(st.integers(1, 4), st.sampled_from(PEOPLE)), max_size=3))
    written = [row(n, author, seen, None, local_only=stays) for n, (author, seen, stays) in enumerate(made, 1)]
    written += [
        row(n, author, draw(st.sampled_from(VISIBILITIES[:3])), of) for n, (of, author) in enumerate(boosted, 10)
    ]
    return {
        "account": [person(number, draw(state)) for number in PEOPLE],
        "user": [login(number) for number in PEOPLE if number % 2],
        "post": written,
        "follow": [
            {"target_id": a, "follower_id": b, "id": 1, "uri": f"f{a}{b}", "accepted": draw(st.booleans()),
             "show_boosts": True, "notify": False, "created_at": NOW}
            for a, b in draw(_pairs)
        ],
        "block": [
            {"account_id": a, "target_id": b, "id": 1, "uri": f"b{a}{b}", "created_at": NOW} for a, b in draw(_pairs)
        ],
        "mention": [
            {"post_id": p, "account_id": a, "silent": draw(st.booleans())}
            for p, a in draw(st.sets(st.tuples(st.integers(1, 4), st.sampled_from(PEOPLE)), max_size=4))
        ],
    }  # fmt: skip


@settings(max_examples=150)
@given(worlds())
def test_the_clause_and_the_predicate_agree(tx, world):
    try:
        for table in (accounts, users, posts, follows, blocks, mentions):
            if world[table.name]:
                tx.execute(insert(table), world[table.name])
        by_column = {(row[0], row[1]) for row in tx.execute(_VISIBLE_TO)}
        for viewer in (None, *PEOPLE):
            by_clause = set(tx.scalars(_VISIBLE, {"viewer": viewer}))
            assert by_clause == set(_by_predicate(tx, viewer))
            assert viewer is None or by_clause == {post for who, post in by_column if who == viewer}
            assert by_clause == {number for number in by_clause if _by_the_rules(world, number, viewer)}
            assert all(n in by_clause for n in (p["id"] for p in world["post"]) if _by_the_rules(world, n, viewer))
    finally:
        tx.rollback()


def _by_predicate(tx: Connection, viewer: int | None) -> Iterator[int]:
    found = {post.id: post for post in many(tx, _ALL, Post)}
    for post in found.values():
        inner = found.get(post.boost_of_id or 0)
        boosted = None if inner is None else (inner, facts(tx, inner, viewer))
        if may_see(post, viewer, facts(tx, post, viewer), boosted):
            yield post.id


def _by_the_rules(world, number, viewer) -> bool:
    """A third telling, from the rows of the world and no SQL."""
    post = next(p for p in world["post"] if p["id"] == number)
    author = next(a for a in world["account"] if a["id"] == post["author_id"])
    if post["boost_of_id"] and not _by_the_rules(world, post["boost_of_id"], viewer):
        return False
    if author["suspended_at"] or author["deleted_at"]:
        return False
    if post["local_only"] and (viewer is None or viewer % 2 == 0):
        return False
    if any(b["account_id"] == author["id"] and b["target_id"] == viewer for b in world["block"]):
        return False
    named = any(m["post_id"] == number and m["account_id"] == viewer for m in world["mention"])
    followed = any(
        f["target_id"] == author["id"] and f["follower_id"] == viewer and f["accepted"] for f in world["follow"]
    )
    return {
        "public": True,
        "unlisted": True,
        "private": viewer is not None and (viewer == author["id"] or named or followed),
        "direct": viewer is not None and (viewer == author["id"] or named),
    }[post["visibility"]]


def test_a_boost_without_what_it_boosts_is_not_shown(tx):
    boost = Post(**row(1, 1, "public", 2))
    assert not may_see(boost, None, Facts())


@pytest.mark.parametrize("one", VISIBILITIES)
def test_narrower_is_narrower_whichever_comes_first(one):
    for other in VISIBILITIES:
        assert narrower(one, other) == narrower(other, one) == max(one, other, key=VISIBILITIES.index)


async def test_deny_is_to_say_that_there_is_nothing(db, origin):
    """On both engines, through the door that everything uses."""
    alice, anna, bob, eve = await local(db, "alice"), await local(db, "anna"), remote("bob"), remote("eve")
    await stored(db, bob, eve)
    await db.write(follow, bob, alice)
    await db.write(follow, eve, alice, accepted=False)
    private_, direct_ = [
        await db.write(publish.publish, origin, alice.id, Draft("@anna hi", visibility=seen_by), NOW)
        for seen_by in ("private", "direct")
    ]
    for viewer, seen in (
        (None, []),
        (eve.id, []),
        (bob.id, [private_.id]),
        (anna.id, [private_.id, direct_.id]),
        (alice.id, [private_.id, direct_.id]),
    ):
        for post in (private_, direct_):
            if post.id in seen:
                assert await db.read(find.visible, post.id, viewer) == post
            else:
                with pytest.raises(NotFound):
                    await db.read(find.visible, post.id, viewer)


@pytest.mark.parametrize("number", [0, -1, 2**63, 10**40])
async def test_odd_numbers_are_no_posts(db, number):
    for ask in (find.by_id, find.visible):
        with pytest.raises(NotFound):
            await (db.read(ask, number, None) if ask is find.visible else db.read(ask, number))


async def test_a_followers_collection_of_ours_in_a_remote_post_opens_nothing(db):
    """Security row 30."""
    alice, bob, carl = await local(db, "alice"), remote("bob"), await local(db, "carl")
    await stored(db, bob)
    await db.write(follow, carl, alice)
    forged = note(bob, to=(f"{alice.uri}/followers",), cc=())
    found = await db.write(receive.receive, bob, forged, NOW)
    for viewer in (None, alice.id, carl.id):
        with pytest.raises(NotFound):
            await db.read(find.visible, found.id, viewer)


async def test_a_remote_private_post_is_for_its_own_followers_here(db):
    """Security row 36."""
    alice, anna, bob = await local(db, "alice"), await local(db, "anna"), remote("bob")
    await stored(db, bob)
    await db.write(follow, alice, bob)
    found = await db.write(receive.receive, bob, note(bob, **private(bob)), NOW)
    assert await db.read(find.visible, found.id, alice.id)
    with pytest.raises(NotFound):
        await db.read(find.visible, found.id, anna.id)
    told = await db.write(receive.receive, bob, note(bob, **direct(anna)), NOW)
    assert await db.read(find.visible, told.id, anna.id)
    with pytest.raises(NotFound):
        await db.read(find.visible, told.id, alice.id)


async def test_who_blocks_does_not_see_the_blocked_in_his_lists(db):
    alice, bob = await local(db, "alice"), remote("bob")
    await stored(db, bob)
    found = await db.write(receive.receive, bob, note(bob), NOW)
    block = {"account_id": alice.id, "target_id": bob.id, "id": 1, "uri": "x:1", "created_at": NOW}
    await db.write(lambda tx: tx.execute(insert(blocks), block) and None)
    query = select(posts.c.id).where(wanted(viewer=bindparam("viewer", type_=Id)))
    assert await db.read(lambda tx: list(tx.scalars(query, {"viewer": alice.id}))) == []
    assert await db.read(lambda tx: list(tx.scalars(query, {"viewer": None}))) == [found.id]
