"""Edits: only by the author, the newer wins, and nothing of what was said is lost."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import insert, select

from federation.errors import Forged
from federation.reading import Attachment, Option, Poll
from social import polls as polling
from social import undone
from social.errors import Invalid, NotFound
from social.events import Edited
from social.posts import delete, edit, receive
from social.posts.drafts import Draft, MediaDraft, PollDraft
from store.tables import edits, media, mentions, notifications, poll_votes, polls, post_tags, posts
from tests.conftest import NOW
from tests.people import follow, local, remote, stored
from tests.postgresql import meanwhile
from tests.social.mail import mailed
from tests.social.said import later, mention, note, post, private, rows, say

HOUR = NOW + timedelta(hours=1)


async def change(db, origin, author, post_id, text, now=HOUR, **more):
    return await db.write(edit.edit, origin, author.id, post_id, Draft(text, **more), now)


async def arrive(db, author, said, now=NOW):
    return await db.write(receive.receive, author, said, now)


async def update(db, author, said, now=HOUR):
    return await db.write(edit.receive_edit, author, said, now)


async def test_nobody_edits_the_posts_of_others(db, origin):
    """Security row 20."""
    alice, anna, bob, eve = await local(db, "alice"), await local(db, "anna"), remote("bob"), remote("eve")
    await stored(db, bob, eve)
    made, said = await say(db, origin, alice), note(bob)
    await arrive(db, bob, said)
    with pytest.raises(NotFound):
        await change(db, origin, anna, made.id, "mine now")
    with pytest.raises(Forged):
        await update(db, eve, replace(said, html="x", author=eve.uri, authors=(eve.uri,), updated=HOUR))
    with pytest.raises(Forged):
        await update(db, eve, replace(said, html="x", updated=HOUR))
    with pytest.raises(Forged):
        await update(db, bob, note(bob, id=made.uri, updated=HOUR))
    assert await post(db, made.id) == made
    assert await rows(db, edits) == []


async def test_an_edit_that_cannot_be_posted_changes_nothing(db, origin):
    alice = await local(db, "alice")
    made = await say(db, origin, alice)
    with pytest.raises(Invalid):
        await change(db, origin, alice, made.id, "")
    assert await post(db, made.id) == made


async def test_an_edit_keeps_the_old_words_and_goes_out(db, origin):
    alice, anna, bob = await local(db, "alice"), await local(db, "anna"), remote("bob")
    await stored(db, bob)
    await db.write(follow, bob, alice)
    made = await say(db, origin, alice, "one #a")
    heard = []
    db.listeners.append(heard.append)
    new = await change(db, origin, alice, made.id, "two #b @anna", summary="careful")
    assert Edited(made.id, alice.id) in heard
    assert new == await post(db, made.id)
    assert (new.edited_at, new.version, new.source, new.summary) == (HOUR, 2, "two #b @anna", "careful")
    assert [row.name for row in await rows(db, post_tags)] == ["b"]
    assert [(row.account_id, row.kind) for row in await rows(db, notifications)] == [(anna.id, "mention")]
    past = await db.read(edit.history, made.id, None)
    assert [(one.html, one.at) for one in past] == [(made.html, NOW), (new.html, HOUR)]
    document, hosts = (await mailed(db))[-1]
    assert (document["type"], document["object"]["content"], hosts) == ("Update", new.html, {"far.test"})


async def test_the_same_words_again_are_no_edit(db, origin):
    alice = await local(db, "alice")
    made = await say(db, origin, alice, "one")
    assert await change(db, origin, alice, made.id, "one") == made
    assert await rows(db, edits) == []


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
async def test_an_edit_gives_way_to_a_deletion_that_comes_to_pass_meanwhile(db, url, origin):
    """Once it found the post, and then its parts were gone: KeyError, and its author's messages waited."""
    alice, bob = await local(db, "alice"), remote("bob")
    await stored(db, bob)
    made, taken, said = await say(db, origin, alice), await say(db, origin, alice), note(bob)
    theirs = await arrive(db, bob, said)
    await db.write(undone.bury, said.id, bob.uri, HOUR)
    for post_id, unit, given, error in (
        (theirs.id, edit.receive_edit, (bob, replace(said, html="x", updated=HOUR), HOUR), None),
        (made.id, edit.edit, (origin, alice.id, made.id, Draft("x"), HOUR), NotFound),
        (taken.id, delete.delete, (alice.id, taken.id, HOUR), NotFound),
    ):
        async with meanwhile(url, "DELETE FROM post WHERE id = $1", post_id) as waited:
            ours = asyncio.gather(db.write(unit, *given), return_exceptions=True)
            await waited()
        (ended,) = await ours
        assert ended is None if error is None else isinstance(ended, error)
    assert await mailed(db) == []


async def test_who_was_mentioned_may_still_see_it(db, origin):
    alice, anna = await local(db, "alice"), await local(db, "anna")
    made = await say(db, origin, alice, "@anna psst", visibility="direct")
    await change(db, origin, alice, made.id, "nobody")
    assert [(row.account_id, row.silent) for row in await rows(db, mentions)] == [(anna.id, True)]
    await change(db, origin, alice, made.id, "@anna again", now=HOUR + timedelta(1))
    assert [(row.account_id, row.silent) for row in await rows(db, mentions)] == [(anna.id, False)]


async def test_an_edit_of_a_direct_post_goes_to_nobody_else(db, origin):
    alice, bob, carl = await local(db, "alice"), remote("bob", "b.test"), remote("carl", "c.test")
    await stored(db, bob, carl)
    await db.write(follow, carl, alice)
    parent = await arrive(db, carl, note(carl))
    made = await say(db, origin, alice, "@bob@b.test one", visibility="direct", reply_to_id=parent.id)
    await change(db, origin, alice, made.id, "@bob@b.test two")
    assert [hosts for _, hosts in await mailed(db)] == [{"b.test"}, {"b.test"}]


async def test_media_and_poll_stay_unless_the_draft_has_others(db, origin):
    alice, anna = await local(db, "alice"), await local(db, "anna")
    asked = PollDraft(("yes", "no"), NOW + timedelta(days=1))
    made = await say(db, origin, alice, "x", poll=asked, media=(MediaDraft("https://x.test/1.png"),))
    await db.write(polling.vote, anna.id, made.id, [0], NOW)
    kept = await change(db, origin, alice, made.id, "", poll=asked)
    assert (kept.kind, kept.html) == ("Question", "")
    assert len(await rows(db, media)) == len(await rows(db, poll_votes)) == 1
    new = PollDraft(("yes", "maybe"), NOW + timedelta(days=1))
    await change(db, origin, alice, made.id, "y", poll=new, media=(MediaDraft("https://x.test/2.png"),))
    assert [row.url for row in await rows(db, media)] == ["https://x.test/2.png"]
    assert await rows(db, poll_votes) == []
    assert [row.options[1] for row in await rows(db, polls)] == [{"title": "maybe", "votes": 0}]


async def test_of_remote_edits_the_newest_wins_in_any_order(db):
    bob = remote("bob")
    await stored(db, bob)
    said = note(bob, "<p>0</p>")
    versions = [replace(said, html=f"<p>{n}</p>", updated=later(n)) for n in (1, 2, 3)]
    found = await arrive(db, bob, said)
    for version in (versions[1], versions[0], versions[2], versions[1]):
        await update(db, bob, version)
    now = await post(db, found.id)
    assert (now.html, now.edited_at) == ("<p>3</p>", later(3))
    assert [one.html for one in await db.read(edit.history, found.id, None)] == ["<p>0</p>", "<p>2</p>", "<p>3</p>"]


async def test_an_update_before_the_create_is_the_post(db):
    bob = remote("bob")
    await stored(db, bob)
    said = note(bob, "<p>old</p>")
    found = await update(db, bob, replace(said, html="<p>new</p>", updated=later(1)))
    assert (found.html, found.edited_at) == ("<p>new</p>", later(1))
    await arrive(db, bob, said, HOUR)
    assert (await post(db, found.id)).html == "<p>new</p>"


async def test_an_update_of_what_was_deleted_brings_nothing_back(db):
    bob = remote("bob")
    await stored(db, bob)
    said = note(bob)
    await arrive(db, bob, said)
    await db.write(delete.receive_delete, bob, said.id, NOW)
    assert await update(db, bob, replace(said, updated=HOUR)) is None
    assert await rows(db, posts) == []


async def test_an_update_from_the_future_does_not_lock_out_later_ones(db):
    bob = remote("bob")
    await stored(db, bob)
    said = note(bob)
    found = await arrive(db, bob, said)
    await update(db, bob, replace(said, html="<p>1</p>", updated=NOW + timedelta(days=999)))
    await update(db, bob, replace(said, html="<p>2</p>", updated=HOUR + timedelta(1)), HOUR + timedelta(2))
    assert (await post(db, found.id)).html == "<p>2</p>"


async def test_a_remote_edit_does_not_change_who_may_see_it(db):
    bob = remote("bob")
    await stored(db, bob)
    said = note(bob, **private(bob))
    found = await arrive(db, bob, said)
    await update(db, bob, replace(note(bob), id=said.id, html="<p>all</p>", updated=later(1)))
    assert (await post(db, found.id)).visibility == "private"


async def test_a_remote_edit_replaces_what_belongs_to_it_and_tells_whom_it_concerns(db):
    alice, anna, bob = await local(db, "alice"), await local(db, "anna"), remote("bob")
    await stored(db, bob)
    said = note(bob, hashtags=("a",), attachments=(Attachment("image", "https://far.test/1.png"),))
    found = await arrive(db, bob, said)

    def boost(tx):
        row = dict(tx.execute(select(posts).where(posts.c.id == found.id)).mappings().one())
        tx.execute(insert(posts), {**row, "id": 5, "uri": "x:5", "author_id": anna.id, "boost_of_id": found.id})

    await db.write(boost)
    await update(
        db, bob, replace(said, html="<p>x</p>", updated=later(1), hashtags=("b",), attachments=(),
                         mentions=(mention(alice),)),
    )  # fmt: skip
    assert [row.name for row in await rows(db, post_tags)] == ["b"]
    assert await rows(db, media) == []
    assert {(row.account_id, row.kind) for row in await rows(db, notifications)} == {
        (alice.id, "mention"),
        (anna.id, "update"),
    }


async def test_new_results_of_a_poll_are_no_edit(db):
    bob = remote("bob")
    await stored(db, bob)
    asked = Poll(False, (Option("yes", 0), Option("no", 0)), later(90))
    said = note(bob, kind="Question", poll=asked)
    found = await arrive(db, bob, said)
    counted = replace(asked, options=(Option("yes", 2), Option("no", 1)), voters=3)
    for updated in (None, said.published, later(1)):
        await update(db, bob, replace(said, poll=counted, updated=updated))
    (poll,) = await rows(db, polls)
    assert ([option["votes"] for option in poll.options], poll.voters_count) == ([2, 1], 3)
    now = await post(db, found.id)
    assert (now.edited_at, now.version) == (None, 2)
    assert await rows(db, edits) == []


async def test_a_question_that_became_a_note_asks_nothing(db, origin):
    """One whose options cannot be read is a question still."""
    alice, bob = await local(db, "alice"), remote("bob")
    await stored(db, bob)
    asked = Poll(False, (Option("yes", 1), Option("no", 0)), later(90))
    said = note(bob, kind="Question", poll=asked)
    found = await arrive(db, bob, said)
    await db.write(polling.vote, alice.id, found.id, [0], NOW)
    await update(db, bob, replace(said, poll=None, updated=later(1)))
    assert len(await rows(db, polls)) == 1
    await update(db, bob, replace(said, kind="Note", poll=None, updated=later(2)))
    assert (await rows(db, polls), await rows(db, poll_votes)) == ([], [])
    assert (await post(db, found.id)).kind == "Note"


async def test_other_options_throw_the_votes_away(db, origin):
    """Otherwise one could turn "yes" into something else after the vote."""
    alice, bob = await local(db, "alice"), remote("bob")
    await stored(db, bob)
    asked = Poll(False, (Option("yes", 1), Option("no", 0)), later(90))
    said = note(bob, kind="Question", poll=asked)
    found = await arrive(db, bob, said)
    await db.write(polling.vote, alice.id, found.id, [0], NOW)
    swapped = replace(asked, options=(Option("no", 0), Option("yes", 1)))
    await update(db, bob, replace(said, poll=swapped, updated=later(1)))
    assert await rows(db, poll_votes) == []
    (poll,) = await rows(db, polls)
    assert [option["title"] for option in poll.options] == ["no", "yes"]


async def test_history_is_bounded(db, monkeypatch):
    monkeypatch.setattr("social.posts.rewriting.MOST_EDITS", 3)
    bob = remote("bob")
    await stored(db, bob)
    said = note(bob)
    found = await arrive(db, bob, said)
    for n in range(1, 6):
        await update(db, bob, replace(said, html=f"<p>{n}</p>", updated=later(n)))
    assert len(await db.read(edit.history, found.id, None)) == 4
    assert (await post(db, found.id)).html == "<p>5</p>"
