"""Posts that wait for their moment are published once, whatever happens, and only by their authors."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import insert, update

from connectme.housekeeping import Housekeeping
from social import scheduled
from social.errors import Invalid, NotFound
from social.pages import Page
from social.posts import delete
from social.posts.drafts import Draft, PollDraft
from store.tables import accounts, blank_media, deliveries, media, polls, posts, scheduled_posts
from tests.conftest import NOW
from tests.people import follow, local, remote, stored
from tests.social.said import later, rows, say

SOON = NOW + timedelta(hours=1)
DRAFT = Draft("later", summary="cw", language="de", visibility="unlisted")


async def upload(db, account, number=7):
    row = blank_media(id=number, kind="image", url="https://ours.test/p.png", account_id=account.id, state="done")
    await db.write(lambda tx: tx.execute(insert(media), row) and None)


@pytest.mark.parametrize(
    ("draft", "minutes"),
    [
        (DRAFT, 4),
        (DRAFT, -60),
        (DRAFT, 60 * 24 * 4000),
        (replace(DRAFT, text="", summary=""), 60),
        (replace(DRAFT, visibility="x"), 60),
        (replace(DRAFT, media_ids=(114,)), 60),
    ],
)
async def test_what_cannot_be_posted_or_not_then_is_refused(db, draft, minutes):
    alice = await local(db, "alice")
    with pytest.raises(Invalid):
        await db.write(scheduled.schedule, alice.id, draft, later(minutes), NOW)
    with pytest.raises(NotFound):
        await db.write(scheduled.schedule, alice.id, replace(DRAFT, reply_to_id=114), SOON, NOW)
    assert await rows(db, scheduled_posts) == []


async def test_there_are_limits_for_a_day_and_in_all(db, monkeypatch):
    alice, bob = await local(db, "alice"), await local(db, "bob")
    monkeypatch.setattr(scheduled, "MOST_A_DAY", 2)
    monkeypatch.setattr(scheduled, "MOST", 3)
    for _ in range(2):
        made = await db.write(scheduled.schedule, alice.id, DRAFT, SOON, NOW)
    with pytest.raises(Invalid, match="that day"):
        await db.write(scheduled.schedule, alice.id, DRAFT, SOON, NOW)
    await db.write(scheduled.move, alice.id, made.id, SOON + timedelta(minutes=5), NOW)  # itself is no other
    await db.write(scheduled.schedule, alice.id, DRAFT, SOON + timedelta(days=1), NOW)
    with pytest.raises(Invalid, match="3 scheduled"):
        await db.write(scheduled.schedule, alice.id, DRAFT, SOON + timedelta(days=2), NOW)
    await db.write(scheduled.schedule, bob.id, DRAFT, SOON, NOW)


async def test_what_waits_is_its_authors_alone(db):
    alice, bob = await local(db, "alice"), await local(db, "bob")
    made = await db.write(scheduled.schedule, alice.id, DRAFT, SOON, NOW)
    with pytest.raises(NotFound):
        await db.read(scheduled.get, bob.id, made.id)
    with pytest.raises(NotFound):
        await db.write(scheduled.move, bob.id, made.id, later(90), NOW)
    with pytest.raises(NotFound):
        await db.write(scheduled.cancel, bob.id, made.id)
    assert await db.read(scheduled.page, bob.id, Page()) == []
    assert [view.row for view in await db.read(scheduled.page, alice.id, Page())] == [made]
    await db.write(scheduled.cancel, alice.id, made.id)
    assert await rows(db, scheduled_posts) == []


async def test_a_post_is_published_once_with_all_that_it_was_given(db, origin):
    alice, bob = await local(db, "alice"), remote("bob")
    await stored(db, bob)
    await db.write(follow, bob, alice)
    await upload(db, alice)
    parent = await say(db, origin, alice, "parent")
    draft = replace(DRAFT, media_ids=(7,), reply_to_id=parent.id)
    made = await db.write(scheduled.schedule, alice.id, draft, SOON, NOW, "key")
    assert await db.read(scheduled.due, later(59)) == []
    assert await db.write(scheduled.publish_due, origin, made.id, later(59)) is None
    before = len(await rows(db, deliveries))
    assert await db.read(scheduled.due, later(60)) == [made.id]
    both = await asyncio.gather(*(db.write(scheduled.publish_due, origin, made.id, later(60)) for _ in range(2)))
    [post] = [one for one in both if one is not None]
    assert (post.source, post.summary, post.language, post.visibility) == ("later", "cw", "de", "unlisted")
    assert (post.published, post.reply_to_id) == (later(60), parent.id)
    assert [row.post_id for row in await rows(db, media)] == [post.id]
    assert await rows(db, scheduled_posts) == []
    assert len(await rows(db, deliveries)) == before + 1


async def test_a_crash_leaves_the_row_or_the_post_never_both_or_none(db, origin):
    alice = await local(db, "alice")
    made = await db.write(scheduled.schedule, alice.id, DRAFT, SOON, NOW)

    def die(tx):
        scheduled.publish_due(tx, origin, made.id, SOON)
        raise RuntimeError("kill -9")

    with pytest.raises(RuntimeError):
        await db.write(die)
    assert (len(await rows(db, posts)), len(await rows(db, scheduled_posts))) == (0, 1)
    assert await db.write(scheduled.publish_due, origin, made.id, SOON)
    assert (len(await rows(db, posts)), len(await rows(db, scheduled_posts))) == (1, 0)


async def test_a_poll_is_open_from_the_moment_of_its_post(db, origin):
    alice = await local(db, "alice")
    asked = PollDraft(("a", "b"), NOW + timedelta(minutes=10), hide_totals=True)
    made = await db.write(scheduled.schedule, alice.id, replace(DRAFT, poll=asked), SOON, NOW)
    await db.write(scheduled.publish_due, origin, made.id, SOON)
    [poll] = await rows(db, polls)
    assert (poll.expires_at, poll.hide_totals) == (SOON + timedelta(minutes=10), True)


async def test_housekeeping_publishes_what_is_due_and_one_that_cannot_be_keeps_nothing_else(db, spool, origin):
    alice, bob = await local(db, "alice"), await local(db, "bob")
    await upload(db, alice)
    parent = await say(db, origin, bob, "parent")
    lost = await db.write(scheduled.schedule, alice.id, replace(DRAFT, media_ids=(7,)), SOON, NOW)
    orphan = replace(DRAFT, reply_to_id=parent.id)
    await db.write(scheduled.schedule, alice.id, orphan, SOON + timedelta(minutes=1), NOW)
    await db.write(scheduled.schedule, bob.id, DRAFT, SOON, NOW)
    await db.write(delete.delete, bob.id, parent.id, NOW)
    await db.write(lambda tx: tx.execute(media.delete()) and None)
    await db.write(lambda tx: tx.execute(update(accounts).values(suspended_at=NOW).where(accounts.c.id == bob.id)))
    await Housekeeping(db, spool, origin, clock=lambda: later(65)).round()
    [post] = await rows(db, posts)
    assert (post.author_id, post.reply_to_id, post.source) == (alice.id, None, "later")
    waiting = {row.account_id: row for row in await rows(db, scheduled_posts)}
    assert (waiting[alice.id].id, waiting[alice.id].scheduled_at) == (lost.id, later(65) + scheduled.LATER)
    assert bob.id in waiting


async def test_forty_are_loaded_as_cheaply_as_one(db, queries):
    alice = await local(db, "alice")
    await upload(db, alice)
    counts = []
    for number in range(21):
        await db.write(scheduled.schedule, alice.id, replace(DRAFT, media_ids=(7,)), later(60 * 24 * number + 60), NOW)
        if number in (0, 20):
            queries.clear()
            assert len(await db.read(scheduled.page, alice.id, Page(limit=40))) == number + 1
            counts.append(len(queries))
    assert counts[0] == counts[1]
