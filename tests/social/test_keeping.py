"""What our people keep about others: mutes, unwanted domains, notes, endorsements; and languages of a follow."""

from datetime import UTC, datetime, timedelta

import pytest

from connectme.errands import _lose_followers
from social import domains, follows, keepsakes, mutes, notifications, timelines
from social.errors import Invalid, NotAllowed, NotFound
from social.pages import Page
from social.posts import receive
from store.tables import follows as follows_table
from tests.conftest import NOW
from tests.people import follow, local, remote, stored
from tests.social.mail import types
from tests.social.said import home, mention, note, rows


async def pair(db):
    """alice follows bob, who is elsewhere."""
    alice, bob = await local(db, "alice"), remote("bob")
    await stored(db, bob)
    await db.write(follow, alice, bob)
    return alice, bob


async def seen(db, reader):
    views = await db.read(timelines.home_page, reader.id, Page())
    public = await db.read(timelines.public_page, reader.id, Page())
    assert {v.parts.post.id for v in public} <= {v.parts.post.id for v in views}
    return [view.parts.post.id for view in views]


async def told(db, reader):
    found = await db.read(notifications.page, reader.id, Page())
    return [view.notification.kind for view in found]


async def test_some_mutes_cannot_be(db):
    alice = await local(db, "alice")
    with pytest.raises(Invalid):
        await db.write(mutes.mute, alice.id, alice.id, NOW)
    with pytest.raises(NotFound):
        await db.write(mutes.mute, alice.id, 4711, NOW)
    for seconds in (-1, 10**17):
        with pytest.raises(Invalid):
            await db.write(mutes.mute, alice.id, 4711, NOW, True, seconds)
    assert not await db.write(mutes.unmute, alice.id, 4711)


async def test_the_muted_is_not_heard_until_he_is_heard_again(db):
    alice, bob = await pair(db)
    said = await db.write(receive.receive, bob, note(bob, mentions=(mention(alice),)), NOW)
    assert await seen(db, alice) == [said.id]
    assert await told(db, alice) == ["mention"]
    await db.write(mutes.mute, alice.id, bob.id, NOW)
    assert await seen(db, alice) == []
    assert await told(db, alice) == []
    await db.write(receive.receive, bob, note(bob, mentions=(mention(alice),)), NOW)
    assert await db.write(mutes.unmute, alice.id, bob.id)
    assert len(await seen(db, alice)) == 2
    assert await told(db, alice) == ["mention"]  # what he said meanwhile is no news


async def test_a_mute_may_leave_notifications(db):
    alice, bob = await pair(db)
    await db.write(mutes.mute, alice.id, bob.id, NOW)
    await db.write(mutes.mute, alice.id, bob.id, NOW, False)
    await db.write(receive.receive, bob, note(bob, mentions=(mention(alice),)), NOW)
    assert await seen(db, alice) == []
    assert await told(db, alice) == ["mention"]
    relation = (await db.read(follows.relationship, alice.id, [bob.id]))[bob.id]
    assert (relation.muting, relation.muting_notifications, relation.muting_expires_at) == (True, False, None)


async def test_a_mute_that_expired_does_not_count_and_is_swept_away(db):
    alice, bob = await pair(db)
    said = await db.write(receive.receive, bob, note(bob), NOW)
    now = datetime.now(UTC)
    await db.write(mutes.mute, alice.id, bob.id, now, True, 3600)
    ((_, until),) = [(m.id, m.expires_at) for m in await db.read(mutes.page, alice.id, Page())]
    assert until == now + timedelta(hours=1)
    assert await seen(db, alice) == []
    await db.write(mutes.mute, alice.id, bob.id, now - timedelta(hours=2), True, 3600)
    assert await seen(db, alice) == [said.id]
    assert await db.read(mutes.page, alice.id, Page()) == []
    assert not (await db.read(follows.relationship, alice.id, [bob.id]))[bob.id].muting
    assert await db.write(mutes.forget_expired, now) == 1
    assert await db.write(mutes.forget_expired, now) == 0


async def test_an_unwanted_domain_is_not_heard_and_its_followers_go(db, origin):
    alice, bob = await pair(db)
    carl = remote("carl", host="other.test", username="bob")
    await stored(db, carl)
    await db.write(follow, bob, alice)
    await db.write(follow, carl, alice)
    await db.write(receive.receive, bob, note(bob, mentions=(mention(alice),)), NOW)
    for wrong in ("", " ", "a b", "ours.test", "x" * 300):
        with pytest.raises(Invalid):
            await db.write(domains.block, origin, alice.id, wrong, NOW)
    await db.write(domains.block, origin, alice.id, "FAR.test", NOW)
    await db.write(domains.block, origin, alice.id, "far.test", NOW)
    assert [domain for _, domain in await db.read(domains.page, alice.id, Page())] == ["far.test"]
    assert await seen(db, alice) == []
    assert await told(db, alice) == ["severed_relationships"]
    while await db.write(_lose_followers, alice.id, "far.test", NOW):
        pass
    assert await types(db) == ["Reject"]
    kept = await rows(db, follows_table)
    assert {(row.follower_id, row.target_id) for row in kept} == {(alice.id, bob.id), (carl.id, alice.id)}
    assert (await db.read(follows.relationship, alice.id, [bob.id, carl.id]))[bob.id].domain_blocking
    assert await db.write(domains.unblock, alice.id, "far.test")
    assert len(await seen(db, alice)) == 1


async def test_nobody_of_an_unwanted_domain_is_followed_or_follows(db, origin):
    alice, bob = await local(db, "alice"), remote("bob")
    await stored(db, bob)
    await db.write(domains.block, origin, alice.id, "far.test", NOW)
    with pytest.raises(NotAllowed):
        await db.write(follows.ask, alice.id, bob.id, NOW)
    await db.write(follows.receive, bob, alice, f"{bob.uri}/follow/1", NOW)
    assert await types(db) == ["Reject"]
    assert await rows(db, follows_table) == []


async def test_a_note_is_for_its_writer_alone(db):
    alice, bob = await local(db, "alice"), await local(db, "bob")
    with pytest.raises(Invalid):
        await db.write(keepsakes.note, alice.id, bob.id, NOW, "x" * 2001)
    for words, kept in (("tall", "tall"), (" old ", "old"), ("", "")):
        await db.write(keepsakes.note, alice.id, bob.id, NOW, words)
        assert (await db.read(follows.relationship, alice.id, [bob.id]))[bob.id].note == kept
    await db.write(keepsakes.note, alice.id, bob.id, NOW, "tall")
    assert (await db.read(follows.relationship, bob.id, [alice.id]))[alice.id].note == ""


async def test_only_the_followed_are_endorsed(db):
    alice, bob = await local(db, "alice"), await local(db, "bob")
    with pytest.raises(Invalid):
        await db.write(keepsakes.endorse, alice.id, bob.id, NOW)
    await db.write(follow, alice, bob)
    await db.write(keepsakes.endorse, alice.id, bob.id, NOW)
    await db.write(keepsakes.endorse, alice.id, bob.id, NOW)
    assert [one.account.id for one in await db.read(keepsakes.endorsed, alice.id, Page())] == [bob.id]
    assert (await db.read(follows.relationship, alice.id, [bob.id]))[bob.id].endorsed
    await db.write(follows.unfollow, alice.id, bob.id)
    assert await db.read(keepsakes.endorsed, alice.id, Page()) == []
    assert not (await db.read(follows.relationship, alice.id, [bob.id]))[bob.id].endorsed
    await db.write(keepsakes.unendorse, alice.id, bob.id)


async def test_a_follow_of_some_languages_brings_those_and_what_says_none(db):
    alice, eve = await local(db, "alice"), remote("eve")
    await stored(db, eve)
    await db.write(follow, alice, eve)
    await db.write(lambda tx: follows.ask(tx, alice.id, eve.id, NOW, languages=["de", "pt-BR"]) and None)
    found = [
        await db.write(receive.receive, eve, note(eve, language=spoken), NOW) for spoken in ("de", "en", None, "pt-BR")
    ]
    assert await db.read(home, alice) == [found[n].id for n in (3, 2, 0)]
    assert (await db.read(follows.relationship, alice.id, [eve.id]))[eve.id].languages == ("de", "pt-BR")


async def test_no_list_is_read_from_the_beginning_to_the_end(sqlite_db, queries):
    """SQLite tells how it goes about it."""
    alice = await local(sqlite_db, "alice")
    queries.clear()
    for page in (mutes.page, domains.page, keepsakes.endorsed, timelines.home_page):
        await sqlite_db.read(page, alice.id, Page())
    asked = [f"EXPLAIN QUERY PLAN {query.replace('?', '1')}" for query in queries]
    steps = await sqlite_db.read(lambda tx: [row[3] for query in asked for row in tx.exec_driver_sql(query)])
    assert len(asked) == 4
    assert [step for step in steps if step.startswith("SCAN") and "CONSTANT" not in step] == []
