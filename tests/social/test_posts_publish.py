"""Posting: what is refused, and all that one post of ours sets in motion, in one transaction."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import insert, select

from outbox import parts
from outbox.parts import Written
from social import emojis, marks, views
from social.accounts import by_id
from social.errors import Invalid, NotFound
from social.posts import publish, receive
from social.posts.drafts import Draft, MediaDraft, PollDraft
from store.tables import (
    accounts,
    activities,
    apps,
    blocks,
    media,
    mentions,
    notifications,
    polls,
    post_tags,
    posts,
)
from tests.conftest import NOW
from tests.people import follow, local, remote, stored
from tests.social.mail import mailed
from tests.social.said import home, note, post, private, rows, say

DAY = NOW + timedelta(days=1)


@pytest.mark.parametrize(
    "draft",
    [
        Draft(""),
        Draft(" \x00\n "),
        Draft("x" * 5001),
        Draft("x" * 4000, summary="y" * 1001),
        Draft("x " * 50_000),
        Draft("x", visibility="everybody"),
        Draft("x", language="not a language"),
        Draft("x", poll=PollDraft(("one",), DAY)),
        Draft("x", poll=PollDraft(("one", "One"), DAY)),
        Draft("x", poll=PollDraft(("one", " "), DAY)),
        Draft("x", poll=PollDraft(("one", "y" * 101), DAY)),
        Draft("x", poll=PollDraft(tuple(str(n) for n in range(11)), DAY)),
        Draft("x", poll=PollDraft(("one", "two"), NOW)),
        Draft("x", poll=PollDraft(("one", "two"), NOW + timedelta(days=61))),
        Draft("x", media=(MediaDraft("javascript:x"),)),
        Draft("x", media=(MediaDraft("https://x.test/1", kind="program"),)),
        Draft("x", media=(MediaDraft("https://x.test/1", media_type="<b>"),)),
        Draft("x", media=(MediaDraft("https://x.test/1", description="x" * 1501),)),
        Draft("x", media=tuple(MediaDraft(f"https://x.test/{n}") for n in range(17))),
    ],
    ids=str,
)
async def test_what_cannot_be_posted_is_refused_with_words(sqlite_db, origin, draft):
    alice = await local(sqlite_db, "alice")
    with pytest.raises(Invalid):
        await sqlite_db.write(publish.publish, origin, alice.id, draft, NOW)
    assert await rows(sqlite_db, posts) == []


async def test_nobody_answers_what_he_may_not_see(db, origin):
    alice, bob = await local(db, "alice"), remote("bob")
    await stored(db, bob)
    hidden = await db.write(receive.receive, bob, note(bob, **private(bob)), NOW)
    seen = await db.write(receive.receive, bob, note(bob), NOW)
    block = {"account_id": bob.id, "target_id": alice.id, "id": 1, "uri": "x:1", "created_at": NOW}
    await db.write(lambda tx: tx.execute(insert(blocks), block) and None)
    for parent in (hidden.id, seen.id, 12345):
        with pytest.raises(NotFound):
            await say(db, origin, alice, reply_to_id=parent)


@pytest.mark.parametrize(
    "draft",
    [
        Draft("#two #one #Two <b> :sun: https://x.test/", summary="about", language="de", sensitive=True),
        Draft("@bob@far.test @Anna and @alice of #us", visibility="unlisted", quote_policy="nobody"),
        Draft("@anna alone", visibility="direct"),
        Draft("for few", visibility="private", local_only=True),
        Draft("with a program", app_id=7),
        Draft("?", poll=PollDraft(("one", "two"), DAY)),
        Draft("x", media=(MediaDraft("https://x.test/1"),)),
    ],
    ids=str,
)
@pytest.mark.parametrize("answers", [False, True])
async def test_what_is_made_is_what_would_be_loaded_and_seen(db, origin, draft, answers):
    alice, bob = await local(db, "alice"), remote("bob")
    await local(db, "anna")
    await stored(db, bob)
    await db.write(_program_and_emoji)
    if answers:
        parent = await db.write(receive.receive, bob, note(bob), NOW)
        draft = replace(draft, reply_to_id=parent.id)
        await db.write(marks.mute_thread, alice.id, parent.id, NOW)

    def made(tx):
        author = by_id(tx, alice.id)
        new = publish.whole(tx, origin, author, draft, NOW, Written("a program", None) if draft.app_id else None)
        return new, views.fresh(tx, new)

    new, view = await db.write(made)
    assert new == (await db.read(parts.load, [new.post.id]))[new.post.id]
    assert view == await db.read(views.post, new.post.id, alice.id)
    assert view.muted is answers


def _program_and_emoji(tx):
    app = {"id": 7, "client_id": "c", "secret_hash": b"", "name": "a program", "website": None}
    tx.execute(insert(apps), {**app, "redirect_uris": [], "scopes": "", "created_at": NOW})
    emojis.add(tx, "sun", "sun.png", None, None, NOW)


async def test_a_post_is_a_row_a_feed_entry_and_mail(db, origin):
    alice, anna, bob = await local(db, "alice"), await local(db, "anna"), remote("bob")
    await stored(db, bob)
    await db.write(follow, bob, alice)
    await db.write(follow, anna, alice)
    made = await say(db, origin, alice, "Hello <b> #Café https://x.test/", language="en")
    assert made == await post(db, made.id)
    assert made.uri == f"{alice.uri}/posts/{made.id}"
    assert made.url == f"{alice.url}/{made.id}"
    assert (made.local, made.listed, made.thread_id, made.version) == (True, True, made.id, 1)
    assert "&lt;b&gt;" in made.html
    assert 'href="https://ours.test/tags/caf%C3%A9"' in made.html
    assert await db.read(home, alice) == await db.read(home, anna) == [made.id]
    assert [(row.name, row.shown) for row in await rows(db, post_tags)] == [("café", "Café")]
    ((document, hosts),) = await mailed(db)
    assert hosts == {"far.test"}
    assert (document["type"], document["object"]["id"]) == ("Create", made.uri)
    (row,) = await rows(db, accounts, accounts.c.id == alice.id)
    assert (row.posts_count, row.last_post_at) == (1, NOW)


async def test_mentions_are_found_by_handle_in_any_spelling(db, origin):
    alice, anna, bob = await local(db, "alice"), await local(db, "anna"), remote("Bob")
    gone = remote("gone", deleted_at=NOW)
    await stored(db, bob, gone)
    made = await say(db, origin, alice, "@anna@ours.test @BOB@far.test @gone@far.test @nobody @alice hi")
    assert {row.account_id for row in await rows(db, mentions)} == {anna.id, bob.id}
    assert bob.url in made.html
    assert [(row.account_id, row.kind) for row in await rows(db, notifications)] == [(anna.id, "mention")]
    ((document, hosts),) = await mailed(db)
    assert hosts == {"far.test"}
    assert {tag["href"] for tag in document["object"]["tag"]} == {anna.uri, bob.uri}


async def test_who_blocks_me_hears_nothing(db, origin):
    alice, anna = await local(db, "alice"), await local(db, "anna")
    block = {"account_id": anna.id, "target_id": alice.id, "id": 1, "uri": "x:1", "created_at": NOW}
    await db.write(lambda tx: tx.execute(insert(blocks), block) and None)
    await say(db, origin, alice, "@anna hi")
    assert await rows(db, notifications) == []


async def test_each_visibility_goes_where_it_may_and_no_further(db, origin):
    """Security row 39."""
    alice = await local(db, "alice")
    follower, named, parent_author = remote("f", "f.test"), remote("n", "n.test"), remote("p", "p.test")
    await stored(db, follower, named, parent_author)
    await db.write(follow, follower, alice)
    parent = await db.write(receive.receive, parent_author, note(parent_author), NOW)
    expected = {
        "public": {"f.test", "n.test", "p.test"},
        "unlisted": {"f.test", "n.test", "p.test"},
        "private": {"f.test", "n.test"},
        "direct": {"n.test"},
    }
    for visibility, hosts in expected.items():
        made = await say(db, origin, alice, "@n@n.test hi", visibility=visibility, reply_to_id=parent.id)
        found = next(to for document, to in await mailed(db) if document["object"]["id"] == made.uri)
        assert found == hosts, visibility
    assert [row.synchronise for row in await rows(db, activities)] == [0, 0, 1, 0]


async def test_an_answer_is_never_seen_by_more_than_what_it_answers(db, origin):
    """Security row 37."""
    alice, bob = await local(db, "alice"), remote("bob")
    await stored(db, bob)
    for parent, asked, gets in (
        ("public", "public", "public"),
        ("unlisted", "public", "public"),
        ("private", "public", "private"),
        ("private", "direct", "direct"),
        ("direct", "public", "direct"),
        ("direct", "private", "direct"),
    ):
        above = await say(db, origin, alice, visibility=parent)
        below = await say(db, origin, alice, visibility=asked, reply_to_id=above.id)
        assert below.visibility == gets
        assert below.thread_id == above.id


async def test_an_answer_counts_and_is_told_to_who_is_answered(db, origin):
    alice, anna = await local(db, "alice"), await local(db, "anna")
    above = await say(db, origin, alice)
    below = await say(db, origin, anna, reply_to_id=above.id)
    await say(db, origin, alice, reply_to_id=below.id)
    assert (below.reply_to_uri, below.listed) == (above.uri, False)
    assert (await post(db, above.id)).replies_count == 1
    assert [(row.account_id, row.from_id) for row in await rows(db, notifications)] == [
        (alice.id, anna.id),
        (anna.id, alice.id),
    ]


async def test_a_direct_post_is_in_no_feed_but_told(db, origin):
    alice, anna = await local(db, "alice"), await local(db, "anna")
    await db.write(follow, anna, alice)
    made = await say(db, origin, alice, "@anna psst", visibility="direct")
    assert await db.read(home, anna) == await db.read(home, alice) == []
    assert [row.post_id for row in await rows(db, notifications)] == [made.id]
    assert await rows(db, activities) == []


async def test_polls_and_media_belong_to_the_post(db, origin):
    alice, bob = await local(db, "alice"), remote("bob")
    await stored(db, bob)
    await db.write(follow, bob, alice)
    made = await say(
        db,
        origin,
        alice,
        "",
        summary=" two\nlines ",
        poll=PollDraft(("yes", "no"), DAY, multiple=True),
        media=(MediaDraft("https://x.test/1.png", description="a cat"),),
    )
    assert (made.kind, made.summary, made.sensitive) == ("Question", "two lines", True)
    (poll,) = await rows(db, polls)
    assert (poll.options, poll.multiple, poll.expires_at) == (
        [{"title": "yes", "votes": 0}, {"title": "no", "votes": 0}],
        True,
        DAY,
    )
    assert [(row.url, row.description) for row in await rows(db, media)] == [("https://x.test/1.png", "a cat")]
    ((document, _),) = await mailed(db)
    assert [option["name"] for option in document["object"]["anyOf"]] == ["yes", "no"]


async def test_to_answer_a_boost_is_to_answer_what_it_boosts(db, origin):
    alice, bob = await local(db, "alice"), remote("bob")
    await stored(db, bob)
    original = await db.write(receive.receive, bob, note(bob), NOW)

    def boost(tx):
        row = dict(tx.execute(select(posts).where(posts.c.id == original.id)).mappings().one())
        tx.execute(insert(posts), {**row, "id": 5, "uri": "x:5", "author_id": alice.id, "boost_of_id": original.id})

    await db.write(boost)
    assert (await say(db, origin, alice, reply_to_id=5)).reply_to_id == original.id


async def test_a_post_of_ours_has_the_context_of_its_conversation(db, origin):
    alice, bob = await local(db, "alice"), remote("bob")
    await stored(db, bob)
    above = await db.write(receive.receive, bob, note(bob, context="https://far.test/c/1"), NOW)
    assert (await say(db, origin, alice, reply_to_id=above.id)).context == "https://far.test/c/1"
