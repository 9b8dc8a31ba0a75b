"""Feeds of people and hashtags for feed readers: who is refused, what is never in them, what a reader gets."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from xml.etree import ElementTree as Xml

import pytest
from sqlalchemy import update

from social import accounts, boosts
from social.posts import publish
from social.posts.drafts import Draft, MediaDraft, PollDraft
from store.database import Database
from store.tables import accounts as account_rows
from store.tables import posts
from tests import people
from tests.web import browsing
from tests.web.browsing import Browser

MEDIA = "{http://search.yahoo.com/mrss/}"


@pytest.fixture
async def browser(sqlite_db: Database, aiohttp_client: browsing.Make) -> Browser:
    return await browsing.opened(sqlite_db, aiohttp_client)


async def _items(browser: Browser, path: str) -> list[Xml.Element]:
    await browser.get(path)
    assert (browser.status, browser.headers["Content-Type"]) == (200, "application/rss+xml; charset=utf-8")
    root = Xml.fromstring(browser.page)
    return root.findall("channel/item")


async def _said(browser: Browser, path: str) -> list[str]:
    return [item.findtext("description", "") for item in await _items(browser, path)]


async def test_there_is_no_feed_of_nobody_of_others_and_of_who_is_gone(sqlite_db: Database, browser: Browser) -> None:
    bob = await browsing.person(sqlite_db, browsing.ORIGIN, "bob")
    await people.stored(sqlite_db, people.remote("carol"))
    await browser.get("/@nobody.rss")
    assert browser.status == 404
    await browser.get("/@carol@far.test.rss")
    assert browser.status in (303, 404)
    await sqlite_db.write(accounts.suspend, bob.id, datetime.now(UTC))
    await browser.get("/@bob.rss")
    assert browser.status == 410
    for odd in ("/@.rss", "/@%00.rss", "/@bob%2Fx.rss"):
        await browser.get(odd)
        assert browser.status == 404, odd
    assert await _said(browser, "/tags/%00%F0%9F%90%88.rss") == []


async def test_a_feed_has_what_is_for_everyone_and_nothing_else(sqlite_db: Database, browser: Browser) -> None:
    alice, bob = [await browsing.person(sqlite_db, browsing.ORIGIN, name) for name in ("alice", "bob")]
    his = await browsing.say(sqlite_db, bob, "Of bob #cats")
    mine = await browsing.say(sqlite_db, alice, "First #cats")
    await browsing.say(sqlite_db, alice, "A thread", reply_to_id=mine.id)
    await browsing.say(sqlite_db, alice, "Kept out of lists #cats", visibility="unlisted")
    await browsing.say(sqlite_db, alice, "For followers #cats", visibility="private")
    await browsing.say(sqlite_db, alice, "@bob for you #cats", visibility="direct")
    await browsing.say(sqlite_db, alice, "For this server #cats", local_only=True)
    await browsing.say(sqlite_db, alice, "A comment on bob", reply_to_id=his.id)
    await sqlite_db.write(boosts.boost, alice.id, his.id, datetime.now(UTC))
    await browser.sign_in("alice")  # whoever reads: a feed is the same for all
    said = " ".join(await _said(browser, "/@alice.rss"))
    assert all(words in said for words in ("First", "A thread", "Kept out of lists"))
    assert not any(words in said for words in ("followers", "for you", "this server", "comment", "Of bob"))
    tagged = await _said(browser, "/tags/Cats.rss")
    assert [words in " ".join(tagged) for words in ("Of bob", "First", "Kept", "followers", "for you", "server")] == [
        True, True, False, False, False, False,
    ]  # fmt: skip
    silenced = update(account_rows).where(account_rows.c.id == bob.id).values(silenced_at=datetime.now(UTC))
    await sqlite_db.write(lambda tx: tx.execute(silenced))
    assert "Of bob" not in " ".join(await _said(browser, "/tags/cats.rss"))


async def test_an_item_says_all_that_a_reader_needs(sqlite_db: Database, browser: Browser) -> None:
    alice = await browsing.person(sqlite_db, browsing.ORIGIN, "alice", display_name="Alice <&>")
    picture = MediaDraft("https://far.test/cat.png?a=1&b=2", "image", "image/png", 'A "cat" & a box')
    poll = PollDraft(("Yes & no", "<No>"), datetime.now(UTC) + timedelta(hours=1))
    post = await browsing.say(sqlite_db, alice, "Tom & Jerry <3 #Cats", summary="Cats & mice", media=(picture,))
    await browsing.say(sqlite_db, alice, "Which?", poll=poll)
    asked, item = await _items(browser, "/@alice.rss")
    assert "<li>Yes &amp; no</li><li>&lt;No&gt;</li>" in asked.findtext("description", "")
    said = item.findtext("description", "")
    assert said.startswith("<p><strong>Content warning:</strong> Cats &amp; mice</p><hr>")
    assert "Tom &amp; Jerry &lt;3" in said
    assert (item.findtext("guid"), item.findtext("link")) == (post.uri, post.url)
    assert parsedate_to_datetime(item.findtext("pubDate", "")) == post.published.replace(microsecond=0)
    assert [one.text for one in item.findall("category")] == ["Cats"]
    (shown,) = item.findall(f"{MEDIA}content")
    assert (shown.get("type"), shown.get("medium")) == ("image/png", "image")
    assert shown.findtext(f"{MEDIA}description") == 'A "cat" & a box'
    assert shown.findtext(f"{MEDIA}rating") == "adult"
    assert Xml.fromstring(browser.page).findtext("channel/title") == "Alice <&> (@alice@ours.test)"


async def test_what_no_xml_can_have_is_left_out(sqlite_db: Database, browser: Browser) -> None:
    alice = await browsing.person(sqlite_db, browsing.ORIGIN, "alice")
    post = await browsing.say(sqlite_db, alice, "odd")
    odd = update(posts).where(posts.c.id == post.id).values(html="<p>a\x0bb\ufffe]]&gt;</p>")
    await sqlite_db.write(lambda tx: tx.execute(odd))
    assert await _said(browser, "/@alice.rss") == ["<p>ab]]&gt;</p>"]


async def test_who_has_it_already_is_told_so(sqlite_db: Database, browser: Browser) -> None:
    alice = await browsing.person(sqlite_db, browsing.ORIGIN, "alice")
    await browsing.say(sqlite_db, alice, "Hello")
    await browser.get("/@alice.rss")
    tag = browser.headers["ETag"]
    assert await browser.get("/@alice.rss", If_None_Match=tag) == ""
    assert browser.status == 304
    await sqlite_db.write(publish.publish, browsing.ORIGIN, alice.id, Draft("More"), datetime.now(UTC))
    await browser.get("/@alice.rss", If_None_Match=tag)
    assert browser.status == 200


async def test_pages_name_their_feed(sqlite_db: Database, browser: Browser) -> None:
    alice = await browsing.person(sqlite_db, browsing.ORIGIN, "alice")
    await browsing.say(sqlite_db, alice, "Hello #Cats")
    for page, feed in (("/@alice", "/@alice.rss"), ("/tags/cats", "/tags/cats.rss")):
        await browser.get(page)
        assert 'type="application/rss+xml"' in browser.page
        assert browser.page.count(f'href="{feed}"') == 2  # for programs, and for people
    await browser.get("/local")
    assert "rss" not in browser.page
