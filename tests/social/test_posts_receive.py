"""Posts of other servers: stored once, in order, with all that follows from them; forged ones not at all."""

import asyncio
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine, insert

from federation.errors import Forged, Malformed
from federation.reading import PUBLIC, Attachment, Emoji, Event, Mention, Option, Poll, read_note
from social import moderation, views
from social.events import Posted
from social.posts import delete as deletion
from social.posts import edit, publish, receive
from social.posts.drafts import Draft
from store.ids import moment_ms
from store.tables import (
    accounts,
    blocks,
    jobs,
    media,
    mentions,
    metadata,
    notifications,
    polls,
    post_tags,
    posts,
)
from tests.conftest import NOW
from tests.people import add, follow, local, ours, remote, stored
from tests.social.said import direct, home, later, mention, note, post, private, rows


async def arrive(db, *pairs, now=NOW):
    return await db.write(receive.receive_many, pairs, now)


async def test_nobody_speaks_for_another(db):
    bob, eve, alice = remote("bob"), remote("eve", "far.test"), ours("alice")
    await stored(db, bob, eve, alice)
    for author, forged in (
        (eve, note(bob)),
        (bob, note(bob, id="https://elsewhere.test/1")),
        (bob, note(bob, id=f"{alice.uri}/posts/1")),
        (bob, note(bob, id="http://far.test/users/bob/1")),
        (alice, note(alice)),
    ):
        with pytest.raises(Forged):
            await arrive(db, (author, forged))
    assert await rows(db, posts) == []


async def test_a_second_copy_changes_nothing(db):
    alice, bob = await local(db, "alice"), remote("bob")
    await stored(db, bob)
    await db.write(follow, alice, bob)
    said = note(bob, mentions=(mention(alice),), hashtags=("Tag",))
    (first,) = await arrive(db, (bob, said))
    again = await arrive(db, (bob, replace(said, html="<p>other</p>")), (bob, said))
    assert [one.id for one in again] == [first.id, first.id]
    assert await post(db, first.id) == first
    assert await db.read(home, alice) == [first.id]
    assert len(await rows(db, notifications)) == 1
    (row,) = await rows(db, accounts, accounts.c.id == bob.id)
    assert (row.posts_count, row.last_post_at) == (1, said.published)


async def test_twice_in_one_batch_is_once(db):
    bob = remote("bob")
    await stored(db, bob)
    said = note(bob)
    one, other = await arrive(db, (bob, said), (bob, replace(said, html="x")))
    assert one == other
    assert len(await rows(db, posts)) == 1


async def test_what_was_deleted_before_it_came_stays_away_unless_somebody_else_said_so(db):
    bob, eve = remote("bob"), remote("eve")
    await stored(db, bob, eve)
    deleted, attacked = note(bob), note(bob)
    await db.write(deletion.receive_delete, bob, deleted.id, NOW)
    await db.write(deletion.receive_delete, eve, attacked.id, NOW)
    found = await arrive(db, (bob, deleted), (bob, attacked))
    assert found[0] is None
    assert found[1] is not None


async def test_from_the_suspended_comes_nothing(db):
    bob = remote("bob", suspended_at=NOW)
    await stored(db, bob)
    assert await arrive(db, (bob, note(bob))) == [None]


async def test_html_is_made_safe_and_warnings_are_text(db):
    bob = remote("bob")
    await stored(db, bob)
    (found,) = await arrive(
        db,
        (
            bob,
            note(
                bob,
                '<p onclick="x()">hi<script>alert(1)</script> <a href="javascript:x">y</a></p>',
                summary="<b>careful</b> &amp; slow",
                title="<i>T</i>",
            ),
        ),
    )
    assert "script" not in found.html
    assert "onclick" not in found.html
    assert "javascript" not in found.html
    assert found.summary == "careful & slow"
    assert found.title == "T"


async def test_an_article_shows_its_abstract_only_where_it_has_no_text(db):
    bob = remote("bob")
    await stored(db, bob)
    found = await arrive(
        db,
        (bob, note(bob, "<p>long</p>", kind="Article", title="T", summary="short")),
        (bob, note(bob, "", kind="Event", title="Party", summary="short", links=("https://x.test/?a=1&b",))),
    )
    assert (found[0].summary, found[0].html) == ("", "<p>long</p>")
    assert found[1].html.startswith("short")
    assert 'href="https://x.test/?a=1&amp;b"' in found[1].html


@pytest.mark.parametrize(
    ("audience", "visibility", "listed"),
    [
        ({}, "public", True),
        ({"to": (), "cc": (PUBLIC,)}, "unlisted", False),
        ({"to": ("https://far.test/users/bob/followers",), "cc": ()}, "private", False),
        ({"to": ("https://ours.test/users/alice/followers",), "cc": ()}, "direct", False),
        ({"to": (), "cc": ()}, "direct", False),
    ],
)
async def test_who_may_see_it(db, audience, visibility, listed):
    _, bob = await local(db, "alice"), remote("bob")
    await stored(db, bob)
    (found,) = await arrive(db, (bob, note(bob, **audience)))
    assert (found.visibility, found.listed) == (visibility, listed)


async def test_limited_hosts_and_those_below_them_are_not_listed(db):
    hosts = ("a.bad.test", "bad.test:8443", "worse-bad.test", "fine.bad.test")
    people = [remote("bob", host) for host in hosts]
    await stored(db, *people)
    await db.write(moderation.set_policy, "bad.test", "limit", "", NOW)
    await db.write(moderation.set_policy, "fine.bad.test", "allow", "", NOW)
    found = await arrive(db, *((one, note(one)) for one in people))
    assert [one.listed for one in found] == [False, False, True, True]


async def test_all_that_belongs_to_a_post_is_kept(db):
    alice, bob, carl = await local(db, "alice"), remote("bob"), remote("carl", "else.test")
    await stored(db, bob, carl)
    asked = Poll(False, (Option("yes", 3), Option("no", 1)), later(60), None, 4)
    said = note(
        bob,
        mentions=(mention(alice), mention(carl), mention(bob)),
        hashtags=("Café", "CAFÉ", "b"),
        emojis=(Emoji("cat", "https://far.test/cat.png"),),
        attachments=(Attachment("image", "https://far.test/1.png", description="a cat", focus_x=0.5),),
        kind="Question",
        poll=asked,
        language="de",
        url="https://far.test/@bob/1",
        context="https://far.test/contexts/1",
    )
    (found,) = await arrive(db, (bob, said))
    assert {(row.account_id, row.silent) for row in await rows(db, mentions)} == {(alice.id, False), (carl.id, False)}
    assert {(row.name, row.shown) for row in await rows(db, post_tags)} == {("café", "Café"), ("b", "b")}
    assert [(row.url, row.description, row.focus_x) for row in await rows(db, media)] == [
        ("https://far.test/1.png", "a cat", 0.5)
    ]
    (poll,) = await rows(db, polls)
    assert poll.options == [{"title": "yes", "votes": 3}, {"title": "no", "votes": 1}]
    assert (poll.voters_count, poll.expires_at, poll.closed_at) == (4, later(60), None)
    assert found.emojis == [{"shortcode": "cat", "url": "https://far.test/cat.png"}]
    assert (found.kind, found.language, found.url, found.context) == ("Question", "de", said.url, said.context)
    assert found == await post(db, found.id)


async def test_a_mention_is_told_once_and_not_by_the_blocked(db):
    alice, bob, eve = await local(db, "alice"), remote("bob"), remote("eve")
    await stored(db, bob, eve)
    block = {"account_id": alice.id, "target_id": eve.id, "id": 1, "uri": "x:1", "created_at": NOW}
    await db.write(lambda tx: tx.execute(insert(blocks), block) and None)
    await arrive(db, (bob, note(bob, mentions=(mention(alice),))), (eve, note(eve, mentions=(mention(alice),))))
    (told,) = await rows(db, notifications)
    assert (told.account_id, told.kind, told.from_id) == (alice.id, "mention", bob.id)


async def test_who_is_only_addressed_sees_it_and_hears_of_what_is_direct(db):
    alice, anna, bob = await local(db, "alice"), await local(db, "anna"), remote("bob")
    await stored(db, bob)
    (quiet, loud) = await arrive(
        db,
        (bob, note(bob, to=(PUBLIC, anna.uri))),
        (bob, note(bob, to=(alice.uri,), cc=())),
    )
    assert {(row.post_id, row.account_id, row.silent) for row in await rows(db, mentions)} == {
        (quiet.id, anna.id, True),
        (loud.id, alice.id, True),
    }
    assert [(row.account_id, row.post_id) for row in await rows(db, notifications)] == [(alice.id, loud.id)]


async def test_who_is_answered_hears_of_it_without_being_mentioned(db, origin):
    alice, bob = await local(db, "alice"), remote("bob")
    await stored(db, bob)
    mine = await db.write(publish.publish, origin, alice.id, Draft("hi"), NOW)
    answer, hidden = await arrive(
        db, (bob, note(bob, in_reply_to=mine.uri)), (bob, note(bob, in_reply_to=mine.uri, **private(bob)))
    )
    assert [(row.kind, row.post_id) for row in await rows(db, notifications)] == [("mention", answer.id)]
    assert (await post(db, mine.id)).replies_count == 1
    assert answer.thread_id == mine.thread_id == hidden.thread_id


async def test_old_posts_that_are_fetched_surprise_nobody(db):
    alice, bob = await local(db, "alice"), remote("bob")
    await stored(db, bob)
    await arrive(db, (bob, note(bob, mentions=(mention(alice),), published=NOW - timedelta(days=15))))
    assert await rows(db, notifications) == []


async def test_ids_sort_by_when_it_was_written_and_never_lie_in_the_future(db):
    bob = remote("bob")
    await stored(db, bob)
    moments = [
        NOW + timedelta(days=9),
        NOW - timedelta(days=2),
        NOW - timedelta(days=1, microseconds=1),
        datetime.min.replace(tzinfo=UTC),
        None,
    ]
    found = await arrive(db, *((bob, note(bob, published=moment)) for moment in moments))
    assert found[0].published == found[4].published == NOW
    assert found[3].published == datetime.fromtimestamp(0, UTC)
    assert found[3].id < found[1].id < found[2].id < found[0].id
    assert abs(moment_ms(found[1].id) - (NOW - timedelta(days=2)).timestamp() * 1000) < 1001


async def test_ids_that_are_taken_are_not_taken_twice(db, monkeypatch):
    """Posts of one second share 31 random bits."""
    numbers = iter([7])
    monkeypatch.setattr(receive, "_number", lambda moment: next(numbers))
    bob = remote("bob")
    await stored(db, bob)
    assert [one.id for one in await arrive(db, (bob, note(bob)))] == [7]
    numbers = iter([7, 8, 7, 8, 10])
    assert [one.id for one in await arrive(db, (bob, note(bob)), (bob, note(bob)))] == [8, 10]


async def test_a_batch_costs_the_same_statements_for_1_and_40(db, queries):
    alice, bob = await local(db, "alice"), remote("bob")
    people = [remote(f"p{n}") for n in range(10)]
    await stored(db, bob, *people)
    await db.write(follow, alice, bob)
    root = note(bob)
    await arrive(db, (bob, root))

    def batch(size):
        chance = random.Random(size)
        return [
            (
                author,
                note(
                    author,
                    mentions=(mention(alice),),
                    hashtags=("a", "b"),
                    in_reply_to=root.id,
                    attachments=(Attachment("image", "https://far.test/1.png"),),
                ),
            )
            for author in (chance.choice(people) for _ in range(size))
        ]

    counts = []
    for size in (1, 2, 40):
        queries.clear()
        await arrive(db, *batch(size))
        counts.append(len(queries))
    # Three of them came with what they are for: the feeds of lists, home feeds of those who follow a hashtag, and what
    # the full-text index has yet to read (social/fulltext.py).
    assert counts[0] == counts[1] == counts[2] <= 20


async def test_a_reply_asks_for_its_missing_parent_only_where_somebody_cares(db):
    alice, bob, carl = await local(db, "alice"), remote("bob"), remote("carl")
    await stored(db, bob, carl)
    await db.write(follow, alice, bob)
    parent = "https://else.test/1"
    await arrive(db, (carl, note(carl, in_reply_to="https://else.test/unwanted")))
    assert await rows(db, jobs) == []
    await arrive(db, (bob, note(bob, in_reply_to=parent)), (bob, note(bob, in_reply_to=parent)))
    await arrive(db, (carl, note(carl, in_reply_to="https://else.test/2", mentions=(mention(alice),))))
    await db.write(receive.receive, carl, note(carl, in_reply_to="https://else.test/3"), NOW, 4)
    await db.write(receive.receive, carl, note(carl, in_reply_to="https://else.test/4"), NOW, receive.DEEPEST)
    assert [(row.kind, row.payload) for row in await rows(db, jobs)] == [
        ("fetch_post", {"uri": parent, "depth": 1}),
        ("fetch_post", {"uri": "https://else.test/2", "depth": 1}),
        ("fetch_post", {"uri": "https://else.test/3", "depth": 5}),
    ]


async def test_where_something_happens_is_said_and_that_it_does_not(db):
    bob, begins = remote("bob"), datetime(2026, 12, 1, 17, tzinfo=UTC)
    await stored(db, bob)
    kind = {"kind": "Event", "title": "Talk"}
    on, off = Event(begins, None, "A & B, Lyon"), Event(None, None, "", cancelled=True)
    found = await arrive(
        db,
        (bob, note(bob, "", event=on, **kind)),
        (bob, note(bob, "", event=replace(on, cancelled=True), **kind)),
        (bob, note(bob, "", event=off, **kind)),
    )
    where = "2026-12-01 17:00 UTC · A &amp; B, Lyon"
    assert [post.html for post in found] == [
        f"<p>{where}</p>",
        f"<p><strong>Cancelled</strong> <del>{where}</del></p>",
        "<p><strong>Cancelled</strong></p>",
    ]


async def test_whoever_is_named_by_his_page_is_mentioned(db):
    """Bridgy Fed and others name the page; Mastodon and GoToSocial take both."""
    alice, bob, ed = await local(db, "alice"), remote("bob"), remote("ed", uri="https://far.test/@ed")
    await stored(db, bob, ed)
    named = tuple(Mention(address, "") for address in (alice.url, ed.uri, "https://ours.test/@nobody", bob.url))
    (found,) = await arrive(db, (bob, note(bob, mentions=named)))
    assert {row.account_id for row in await rows(db, mentions) if not row.silent} == {alice.id, ed.id}
    assert [(row.account_id, row.post_id) for row in await rows(db, notifications)] == [(alice.id, found.id)]


async def test_events_are_announced_for_what_is_new(db):
    bob = remote("bob")
    await stored(db, bob)
    heard = []
    db.listeners.append(heard.append)
    said = note(bob)
    (found,) = await arrive(db, (bob, said))
    await arrive(db, (bob, said))
    assert heard == [Posted(found.id, bob.id)]


async def test_a_direct_post_is_counted_nowhere(db):
    alice, bob = await local(db, "alice"), remote("bob")
    await stored(db, bob)
    await db.write(follow, alice, bob)
    await arrive(db, (bob, note(bob, **direct(alice))))
    (row,) = await rows(db, accounts, accounts.c.id == bob.id)
    assert row.posts_count == 0
    assert await db.read(home, alice) == []


async def test_followers_who_asked_hear_of_posts_but_not_of_answers_to_others(db):
    alice, bob, carl = await local(db, "alice"), remote("bob"), remote("carl")
    await stored(db, bob, carl)
    await db.write(follow, alice, bob, notify=True)
    other, mine = note(carl), note(bob)
    await arrive(db, (carl, other), (bob, mine))
    await arrive(db, (bob, note(bob, in_reply_to=other.id)), (bob, note(bob, in_reply_to=mine.id)))
    kinds = [(row.kind, row.from_id) for row in await rows(db, notifications)]
    assert kinds == [("status", bob.id), ("status", bob.id)]


async def test_a_note_that_answers_itself_answers_nothing(db):
    bob = remote("bob")
    await stored(db, bob)
    said = note(bob)
    (found,) = await arrive(db, (bob, replace(said, in_reply_to=said.id)))
    assert (found.reply_to_uri, found.listed) == (None, True)


async def test_1000_addressees_are_not_1000_lookups(db):
    bob = remote("bob")
    people = [remote(f"p{n}") for n in range(3)]
    await stored(db, bob, *people)
    crowd = tuple(f"https://far.test/users/x{n}" for n in range(1000))
    found = await arrive(db, *((bob, note(bob, to=(PUBLIC, *crowd))) for _ in range(100)))
    assert all(found)


async def test_the_same_posts_on_two_lanes_at_once_are_stored_once(db):
    alice, bob, carl = await local(db, "alice"), remote("bob"), remote("carl")
    await stored(db, bob, carl)
    await db.write(follow, alice, bob)
    batch = [(one, note(one, mentions=(mention(alice),), hashtags=("t",))) for _ in range(20) for one in (bob, carl)]
    found = await asyncio.gather(
        *(db.write(receive.receive_many, some, NOW) for some in (batch, batch[::-1], batch[10:], batch))
    )
    assert len(await rows(db, posts)) == len(batch)
    assert {one.id for some in found for one in some} == {row.id for row in await rows(db, posts)}
    assert {row.posts_count for row in await rows(db, accounts, accounts.c.host.is_not(None))} == {20}
    assert len(await rows(db, notifications)) == len(batch)
    assert len(await db.read(home, alice)) == 20


HOSTILE = st.sampled_from(
    [
        None, True, 0, -1, 2**53, 2**53 + 1, 10**30, 0.5, "", "x", "\u202e<b>&", "9999-12-31T23:59:59.999999Z",
        "0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00Z", [], {}, ["x", {}], "https://far.test/1", "as:Public",
        "https://ours.test/users/alice", {"type": "Collection", "totalItems": 2**53}, "<p>" * 2000, "x" * 6000,
    ]
)  # fmt: skip
FIELDS = [
    "content",
    "name",
    "summary",
    "sensitive",
    "published",
    "updated",
    "to",
    "cc",
    "inReplyTo",
    "context",
    "url",
    "tag",
    "attachment",
    "contentMap",
    "endTime",
    "closed",
    "votersCount",
    "conversation",
    "audience",
    "language",
    "source",
    "quote",
]


@given(
    fields=st.dictionaries(st.sampled_from(FIELDS), HOSTILE),
    options=st.lists(HOSTILE, max_size=3),
    things=st.lists(st.tuples(st.sampled_from(["Mention", "Hashtag", "Emoji", "Document", "Image"]), HOSTILE, HOSTILE)),
    kind=st.sampled_from(["Note", "Question", "Article", "Event", "Video"]),
)
def test_whatever_the_reader_lets_through_can_be_stored_and_read(tx, fields, options, things, kind):
    bob = remote("bob")
    tagged = [
        {"type": name, "href": one, "name": other, "url": one, "icon": {"url": one}, "width": other, "blurhash": other}
        for name, one, other in things
    ]
    document = {
        "id": f"{bob.uri}/1",
        "type": kind,
        "attributedTo": bob.uri,
        "tag": tagged,
        "attachment": tagged,
        "oneOf": [{"name": one, "replies": {"totalItems": one}} for one in options],
        **fields,
    }
    try:
        add(tx, bob)
        found = receive.receive(tx, bob, read_note(document), NOW)
        (view,) = views.posts(tx, [found.id], bob.id)
        assert view.parts.post == found
        edited = read_note({**document, "content": "<p>new</p>", "updated": (NOW - timedelta(1)).isoformat()})
        edit.receive_edit(tx, bob, edited, NOW)
        assert views.posts(tx, [found.id], bob.id)
    except Malformed:
        pass
    finally:
        tx.rollback()


@pytest.fixture(scope="module")
def tx():
    with create_engine("sqlite://").connect() as connection:
        metadata.create_all(connection)
        connection.commit()
        yield connection


async def test_numbers_and_moments_that_no_column_holds(db):
    bob = remote("bob")
    await stored(db, bob)
    moments = [datetime.max.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC)]
    for moment in moments:
        asked = Poll(False, (Option("yes", 2**53), Option("no", 0)), moment, None, 2**53)
        said = note(bob, kind="Question", poll=asked, published=moment, updated=moment)
        found = await db.write(receive.receive, bob, said, NOW)
        (view,) = await db.read(views.posts, [found.id], None)
        assert view.parts.poll.voters_count == 2**31 - 1
        await db.write(edit.receive_edit, bob, replace(said, poll=replace(asked, voters=2**52)), NOW)
        assert await db.read(views.posts, [found.id], None)
