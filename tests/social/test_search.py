"""People are found by the words that they are called by."""

from datetime import timedelta

from social import accounts, search
from tests.conftest import NOW
from tests.people import follow, local, remote, stored
from tests.social.test_accounts import actor


async def test_people_are_found_by_what_they_are_called_now(db, origin):
    alice = await local(db, "alice")
    first = await db.write(accounts.remember, actor(name="Étienne 🦊 Ōkami"), "bob@far.test", NOW)
    other = remote("bobby", followers_count=7)
    await stored(db, other)

    async def found(typed, **more):
        return [one.id for one in await db.read(search.people, typed, 40, **more)]

    for typed in ("ÉTI", "okami", "ok eti", "bob@far.te", "@bob"):
        assert first.id in await found(typed), typed
    for typed in ("tienne", "eti x", "🦊", "%", "far.test", ""):
        assert await found(typed) == [], typed
    assert await found("bob") == [other.id, first.id]  # the most followed first
    assert await found("bob", following=True, reader_id=alice.id) == []
    await db.write(follow, alice, first)
    assert await found("bob", reader_id=alice.id) == [first.id, other.id]  # but before them whom the reader follows
    assert await found("bob", following=True, reader_id=alice.id) == [first.id]
    await db.write(accounts.remember, actor(name="Bob"), "bob@far.test", NOW + timedelta(1))
    assert await found("okami") == []


async def test_whom_the_reader_follows_is_found_among_very_many(db, origin, monkeypatch):
    monkeypatch.setattr(search, "_PEOPLE", [search._people(1, look=4)])
    alice, people = await local(db, "alice"), [remote(f"bob{number}") for number in range(9)]
    await stored(db, *people)
    for one in people[-2:]:
        await db.write(follow, alice, one)
    assert len(await db.read(search.people, "bob", 40)) == 2
    found = await db.read(search.people, "bob", 40, reader_id=alice.id)
    assert [one.id for one in found[:2]] == sorted(one.id for one in people[-2:])
