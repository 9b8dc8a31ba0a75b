"""Previews of links: which link counts, how often it is asked for, what becomes of what is found."""

from datetime import timedelta

import pytest

from connectme.housekeeping import Housekeeping
from federation.reading.page import Preview
from social import cards, views
from social.errors import NotFound
from social.pages import Page
from social.posts import delete, edit, receive
from social.posts.drafts import Draft
from store.tables import cards as table
from store.tables import jobs
from tests.conftest import NOW
from tests.people import local, remote, stored
from tests.social.said import note, post, rows, say

URL = "https://site.test/a?b&c"


@pytest.mark.parametrize(
    ("html", "url"),
    [
        ("<p>nothing</p>", None),
        ('<p><a href="https://far.test/@a" class="u-url mention">@<span>a</span></a></p>', None),
        ('<a href="https://far.test/tags/b" class="mention hashtag">#<span>b</span></a>', None),
        ('<a href="https://far.test/tags/b">#b</a>', None),
        ('<a href="https://far.test/@a"><span>@a</span></a>', None),
        ('<a href="mailto:a@b.test">a</a>', None),
        ("<a >x</a>", None),
        ('<a href="https://site.test/a?b&amp;c" rel="x">site</a> <a href="https://b.test/">b</a>', URL),
        ('<a href="https://far.test/@a" class="mention">@a</a><a href="https://b.test/">b</a>', "https://b.test/"),
        ("<a " * 50_000, None),
    ],
)
def test_the_first_link_that_is_no_mention_counts(html, url):
    assert cards.first_link(html) == url


async def test_posts_of_ours_and_others_share_a_card_that_is_asked_for_once(db, origin):
    alice, bob = await local(db, "alice"), remote("bob")
    await stored(db, bob)
    mine = await say(db, origin, alice, f"look: {URL}")
    html = '<p><a href="https://site.test/a?b&amp;c">here</a></p>'
    theirs = await db.write(receive.receive, bob, note(bob, html), NOW)
    [card] = await rows(db, table)
    assert (card.url, card.kind, card.fetched_at) == (URL, "none", None)
    assert mine.card_id == theirs.card_id == (await post(db, theirs.id)).card_id == card.id
    [job] = await rows(db, jobs)
    assert (job.kind, job.payload) == (cards.FETCH, {"card_id": card.id})
    assert NOW <= job.due <= NOW + timedelta(minutes=1)
    assert (await db.read(views.post, mine.id, None)).parts.card is None
    before = (await post(db, mine.id)).version
    await db.write(cards.fetched, card.id, Preview(title="A page"), NOW)
    assert (await db.read(views.post, mine.id, None)).parts.card.title == "A page"
    assert (await post(db, mine.id)).version == before + 1


@pytest.mark.parametrize(
    ("found", "fresh"), [(Preview(title="A page"), timedelta(days=13)), (None, timedelta(hours=23))]
)
async def test_what_was_found_or_not_is_believed_for_a_while(db, origin, found, fresh):
    alice = await local(db, "alice")
    await say(db, origin, alice, URL)
    [card] = await rows(db, table)
    await db.write(lambda tx: tx.execute(jobs.delete()) and None)
    await db.write(cards.fetched, card.id, found, NOW - fresh)
    await say(db, origin, alice, URL)
    assert await rows(db, jobs) == []
    await db.write(cards.fetched, card.id, found, NOW - fresh - timedelta(days=1, hours=2))
    await say(db, origin, alice, URL)
    assert len(await rows(db, jobs)) == 1


async def test_what_a_direct_post_links_to_is_not_visited(db, origin):
    alice = await local(db, "alice")
    await say(db, origin, alice, URL, visibility="direct")
    assert await rows(db, table) == await rows(db, jobs) == []


async def test_an_edit_has_the_card_of_its_own_link_or_none(db, origin):
    alice = await local(db, "alice")
    first = await say(db, origin, alice, URL)
    other = await db.write(edit.edit, origin, alice.id, first.id, Draft("https://other.test/"), NOW)
    assert other.card_id not in (None, first.card_id)
    assert (await db.write(edit.edit, origin, alice.id, first.id, Draft("no link"), NOW)).card_id is None


async def test_the_timeline_of_a_link_has_public_posts_that_one_may_see(db, origin):
    alice = await local(db, "alice")
    with pytest.raises(NotFound):
        await db.read(cards.link_page, None, URL, Page())
    posts = {name: await say(db, origin, alice, URL, visibility=name) for name in ("public", "unlisted", "private")}
    with pytest.raises(NotFound):
        await db.read(cards.link_page, None, URL, Page())
    await say(db, origin, alice, URL, local_only=True)
    await db.write(cards.fetched, posts["public"].card_id, Preview(title="A page"), NOW)
    found = await db.read(cards.link_page, None, URL, Page())
    assert [view.parts.post.id for view in found] == [posts["public"].id]


async def test_a_card_that_no_post_has_any_more_is_forgotten(db, spool, origin):
    alice = await local(db, "alice")
    kept, lost = await say(db, origin, alice, URL), await say(db, origin, alice, "https://other.test/")
    for one in (kept, lost):
        await db.write(cards.fetched, one.card_id, Preview(title="A page"), NOW)
    await db.write(delete.delete, alice.id, lost.id, NOW)
    housekeeping = Housekeeping(db, spool, origin)
    await housekeeping.sweep(NOW + timedelta(days=29))
    assert len(await rows(db, table)) == 2
    await housekeeping.sweep(NOW + timedelta(days=31))
    assert [card.id for card in await rows(db, table)] == [kept.card_id]
