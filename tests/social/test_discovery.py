"""Who is suggested and listed: nobody who hides, nobody whom the reader avoids, and at the cost of an index."""

from sqlalchemy import Connection, text
from sqlalchemy.dialects import sqlite

from federation.origin import Origin
from social import accounts, blocks, discovery, domains, mutes
from store.tables import blank_post, posts
from tests.conftest import NOW
from tests.people import follow, local, remote, stored

ORIGIN = Origin("ours.test", "https://ours.test")


def written(author, number, **more):
    values = {"visibility": "public", "listed": True, "published": NOW, "thread_id": number, **more}
    return blank_post(id=number, uri=f"{author.uri}/p/{number}", author_id=author.id, local=author.is_local, **values)


async def write(db, *authors):
    """One public post of each, the last one newest."""
    rows = [written(author, 1000 + number) for number, author in enumerate(authors)]
    await db.write(lambda tx: tx.execute(posts.insert(), rows))


async def names(db, *args, **more):
    return [one.username for one in await db.read(discovery.directory, *args, **more)]


async def test_the_directory_shows_who_wants_to_be_found(db):
    alice, bob = [await local(db, name, discoverable=True) for name in ("alice", "bob")]
    hides = await local(db, "hides")
    await stored(db, far := remote("far", discoverable=True), moved := remote("moved", discoverable=True, moved_to="x"))
    await stored(db, gone := remote("gone", discoverable=True))
    await db.write(accounts.suspend, gone.id, NOW)
    await write(db, bob, alice, hides, moved, gone, far, bob)
    assert await names(db, None, "active", 9) == ["bob", "far", "alice"]
    assert await names(db, None, "active", 1, 1) == ["far"]
    assert await names(db, None, "active", 9, local=True) == ["bob", "alice"]
    assert await names(db, None, "new", 9) == ["far", "bob", "alice"]
    assert await names(db, None, "new", 9, local=True) == ["bob", "alice"]


async def test_nobody_is_listed_whom_the_reader_avoids_or_who_avoids_him(db):
    alice = await local(db, "alice")
    whom = ("blocked", "muted", "shunned", "hates", "fine")
    people = [remote(name, f"{name}.test", discoverable=True) for name in whom]
    await stored(db, *people)
    blocked, muted, _, hates, _ = people
    await db.write(blocks.block, alice.id, blocked.id, NOW)
    await db.write(mutes.mute, alice.id, muted.id, NOW)
    await db.write(domains.block, ORIGIN, alice.id, "shunned.test", NOW)
    await db.write(blocks.receive_block, hates, alice, "https://hates.test/b/1", NOW)
    await write(db, *people)
    for order in discovery.ORDERS:
        assert await names(db, alice.id, order, 9) == ["fine"]
    assert [one.account.username for one in await db.read(discovery.suggestions, alice.id, 9)] == ["fine"]


async def test_friends_of_friends_come_before_those_whom_many_follow(db):
    alice, bob, carol = [await local(db, name, discoverable=True) for name in ("alice", "bob", "carol")]
    await stored(db, near := remote("near", discoverable=True), hides := remote("hides"))
    await stored(db, famous := remote("famous", discoverable=True, followers_count=9))
    await stored(db, silent := remote("silent", discoverable=True))
    for one, other in [(alice, bob), (bob, carol), (bob, near), (bob, hides), (bob, alice)]:
        await db.write(follow, one, other)
    await db.write(follow, bob, silent, accepted=False)
    await write(db, carol, famous, alice, bob)
    found = await db.read(discovery.suggestions, alice.id, 9)
    assert {one.account.username: one.why for one in found} == {
        "carol": ("friends_of_friends", "most_followed"),
        "near": ("friends_of_friends",),
        "famous": ("most_followed",),
    }
    assert [one.account.username for one in found][-1] == "famous"
    for _ in range(2):
        await db.write(discovery.dismiss, alice.id, near.id)
    await db.write(discovery.dismiss, alice.id, 4711)
    assert [one.account.username for one in await db.read(discovery.suggestions, alice.id, 1)] == ["carol"]
    assert len(await db.read(discovery.suggestions, alice.id, 9)) == 2


def plan(tx: Connection, query) -> list[str]:
    compiled = query.compile(dialect=sqlite.dialect(paramstyle="named"))
    return [row[3] for row in tx.execute(text(f"EXPLAIN QUERY PLAN {compiled}"), dict.fromkeys(compiled.params, 1))]


async def test_nothing_looks_at_all_accounts_or_all_posts(sqlite_db):
    queries = {**discovery._DIRECTORY, "friends": discovery._OF_FRIENDS, "followed": discovery._FOLLOWED}
    for name, query in queries.items():
        lines = await sqlite_db.read(plan, query)
        whole = [line for line in lines if line in ("SCAN account", "SCAN post", "SCAN follow")]
        if name == ("new", False):  # from the newest on, until the page is full
            assert (whole, [line for line in lines if "ORDER BY" in line]) == (["SCAN account"], [])
        else:
            assert whole == [], (name, lines)
