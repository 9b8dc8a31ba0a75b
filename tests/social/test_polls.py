"""Polls: one vote each, counted from the votes, ended once."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import orjson
import pytest
from sqlalchemy import insert

from federation.reading import Note, Option, Poll
from social import polls as polling
from social.errors import Invalid, NotFound
from social.posts import publish, receive
from social.posts.drafts import Draft, PollDraft
from store.tables import activities, blocks, jobs, notifications, poll_votes, polls
from tests.conftest import NOW
from tests.people import follow, local, remote, stored
from tests.social.mail import mailed
from tests.social.said import later, note, post, rows

END = NOW + timedelta(hours=1)


async def ask(db, origin, author, *, multiple=False, **more):
    draft = Draft("?", poll=PollDraft(("yes", "no", "maybe"), END, multiple), **more)
    return await db.write(publish.publish, origin, author.id, draft, NOW)


def ballot(voter, uri, title, number=1):
    return Note(
        id=f"{voter.uri}/votes/{title}/{number}",
        kind="Note",
        author=voter.uri,
        authors=(voter.uri,),
        title=title,
        in_reply_to=uri,
        to=("https://ours.test/users/alice",),
    )


async def counted(db):
    (poll,) = await rows(db, polls)
    return [option["votes"] for option in poll.options], poll.voters_count


async def test_votes_that_cannot_be_are_refused(db, origin):
    alice, anna, bob = await local(db, "alice"), await local(db, "anna"), remote("bob")
    await stored(db, bob)
    poll = await ask(db, origin, alice)
    hidden = await ask(db, origin, alice, visibility="direct")
    plain = await db.write(publish.publish, origin, alice.id, Draft("x"), NOW)
    for voter, post_id, choices, now, error in (
        (anna, poll.id, [], NOW, Invalid),
        (anna, poll.id, [3], NOW, Invalid),
        (anna, poll.id, [-1], NOW, Invalid),
        (anna, poll.id, [0, 1], NOW, Invalid),
        (anna, poll.id, [0], END, Invalid),
        (alice, poll.id, [0], NOW, Invalid),
        (anna, hidden.id, [0], NOW, NotFound),
        (anna, plain.id, [0], NOW, NotFound),
    ):
        with pytest.raises(error):
            await db.write(polling.vote, voter.id, post_id, choices, now)
    assert await rows(db, poll_votes) == []


async def test_one_vote_each(db, origin):
    alice, anna = await local(db, "alice"), await local(db, "anna")
    poll = await ask(db, origin, alice)
    after = await db.write(polling.vote, anna.id, poll.id, [1], NOW)
    assert ([option["votes"] for option in after.options], after.voters_count) == ([0, 1, 0], 1)
    with pytest.raises(Invalid):
        await db.write(polling.vote, anna.id, poll.id, [0], NOW)
    assert await counted(db) == ([0, 1, 0], 1)
    assert (await post(db, poll.id)).version == 2


async def test_many_options_where_many_may_be_chosen(db, origin):
    alice, anna = await local(db, "alice"), await local(db, "anna")
    poll = await ask(db, origin, alice, multiple=True)
    await db.write(polling.vote, anna.id, poll.id, [2, 0, 2], NOW)
    assert await counted(db) == ([1, 0, 1], 1)


async def test_a_vote_for_a_remote_poll_goes_out(db):
    alice, bob = await local(db, "alice"), remote("bob")
    await stored(db, bob)
    asked = Poll(True, (Option("yes", 5), Option("no", 1)), END, None, 6)
    found = await db.write(receive.receive, bob, note(bob, kind="Question", poll=asked), NOW)
    await db.write(polling.vote, alice.id, found.id, [0, 1], NOW)
    assert await counted(db) == ([6, 2], 7)
    documents = [document["object"] for document, hosts in await mailed(db) if hosts == {"far.test"}]
    assert {one["name"] for one in documents} == {"yes", "no"}
    assert {(one["inReplyTo"], one["attributedTo"]) for one in documents} == {(found.uri, alice.uri)}
    # The origin counts; until then ours are added.
    refreshed = replace(asked, options=(Option("yes", 9), Option("no", 2)), voters=10)
    (row,) = await rows(db, polls)
    await db.write(polling.refresh, row, refreshed)
    assert await counted(db) == ([9, 2], 10)


async def test_remote_votes_count_once_whatever_is_tried(db, origin):
    """Security row 31."""
    alice, bob, eve, gone = await local(db, "alice"), remote("bob"), remote("eve"), remote("gone", suspended_at=NOW)
    await stored(db, bob, eve, gone)
    block = {"account_id": alice.id, "target_id": eve.id, "id": 1, "uri": "x:1", "created_at": NOW}
    await db.write(lambda tx: tx.execute(insert(blocks), block) and None)
    poll = await ask(db, origin, alice)
    for voter, vote, now, counts in (
        (bob, ballot(bob, poll.uri, "other"), NOW, False),
        (bob, ballot(bob, "https://ours.test/nothing", "yes"), NOW, False),
        (eve, ballot(eve, poll.uri, "yes"), NOW, False),
        (gone, ballot(gone, poll.uri, "yes"), NOW, False),
        (bob, ballot(bob, poll.uri, "yes"), END, False),
        (bob, ballot(bob, poll.uri, "yes"), NOW, True),
        (bob, ballot(bob, poll.uri, "yes"), NOW, False),
        (bob, ballot(bob, poll.uri, "yes", 2), NOW, False),
        (bob, ballot(bob, poll.uri, "no"), NOW, False),
    ):
        assert await db.write(polling.receive_vote, voter, vote, now) is counts
    assert await counted(db) == ([1, 0, 0], 1)


async def test_votes_on_polls_of_others_are_not_ours_to_count(db):
    bob, carl = remote("bob"), remote("carl")
    await stored(db, bob, carl)
    asked = Poll(False, (Option("yes", 0), Option("no", 0)), END)
    found = await db.write(receive.receive, bob, note(bob, kind="Question", poll=asked), NOW)
    assert not await db.write(polling.receive_vote, carl, ballot(carl, found.uri, "yes"), NOW)
    assert await counted(db) == ([0, 0], 0)


async def test_votes_for_two_options_at_the_same_moment_count_once(db, origin):
    alice, bob = await local(db, "alice"), remote("bob")
    await stored(db, bob)
    poll = await ask(db, origin, alice)
    both = [ballot(bob, poll.uri, "yes"), ballot(bob, poll.uri, "no")]
    counts = await asyncio.gather(*(db.write(polling.receive_vote, bob, vote, NOW) for vote in both))
    assert sorted(counts) == [False, True]
    assert (await counted(db))[1] == 1


async def test_new_results_are_told_once_for_many_votes(db, origin):
    alice, anna, bob = await local(db, "alice"), await local(db, "anna"), remote("bob")
    await stored(db, bob)
    await db.write(follow, bob, alice)
    poll = await ask(db, origin, alice)
    await db.write(polling.vote, anna.id, poll.id, [0], NOW)
    await db.write(polling.receive_vote, bob, ballot(bob, poll.uri, "yes"), NOW)
    (job,) = await rows(db, jobs)
    assert (job.kind, job.payload, job.due) == ("send_results", {"post_id": poll.id}, NOW + polling.RESULTS)
    await db.write(polling.send_results, poll.id, later(3))
    document, hosts = (await mailed(db))[-1]
    assert (document["type"], hosts) == ("Update", {"far.test"})
    assert document["object"]["oneOf"][0]["replies"]["totalItems"] == 2
    await db.write(polling.send_results, 12345, NOW)


async def test_a_poll_ends_once_and_its_voters_hear_of_it(db, origin):
    alice, anna, bob = await local(db, "alice"), await local(db, "anna"), remote("bob")
    await stored(db, bob)
    await db.write(follow, bob, alice)
    poll = await ask(db, origin, alice)
    await db.write(polling.vote, anna.id, poll.id, [0], NOW)
    await db.write(polling.receive_vote, bob, ballot(bob, poll.uri, "yes"), NOW)
    assert await db.write(polling.close_due, later(59)) == 0
    before = len(await rows(db, activities))
    assert await db.write(polling.close_due, later(61)) == 1
    assert await db.write(polling.close_due, later(62)) == 0
    told = {(row.account_id, row.kind, row.from_id) for row in await rows(db, notifications)}
    assert told == {(alice.id, "poll", alice.id), (anna.id, "poll", alice.id)}
    new = (await rows(db, activities))[before:]
    assert [orjson.loads(row.body)["object"]["closed"] for row in new] == ["2026-11-01T13:01:00Z"]


async def test_voters_hear_of_the_end_of_a_remote_poll(db):
    alice, anna, bob = await local(db, "alice"), await local(db, "anna"), remote("bob")
    await stored(db, bob)
    asked = Poll(False, (Option("yes", 0), Option("no", 0)), END)
    found = await db.write(receive.receive, bob, note(bob, kind="Question", poll=asked), NOW)
    await db.write(polling.vote, alice.id, found.id, [0], NOW)
    (row,) = await rows(db, polls)
    await db.write(polling.refresh, row, replace(asked, closed=later(10)))  # its author ended it early
    assert await db.write(polling.close_due, later(11)) == 1
    assert [(row.account_id, row.kind, row.from_id) for row in await rows(db, notifications)] == [
        (alice.id, "poll", bob.id)
    ]
    assert anna


async def test_a_poll_that_is_over_when_it_comes_is_no_news(db):
    bob = remote("bob")
    await stored(db, bob)
    asked = Poll(False, (Option("yes", 0), Option("no", 0)), later(-60))
    await db.write(receive.receive, bob, note(bob, kind="Question", poll=asked), NOW)
    assert await db.write(polling.close_due, NOW) == 0
