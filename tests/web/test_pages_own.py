"""What somebody keeps about others on pages: notes, whom he shows, how he follows, who may quote him."""

from datetime import UTC, datetime

import pytest

from outbox import queue
from social import follows, keepsakes, quotes, views
from social.pages import Page
from social.posts.drafts import Draft
from social.posts.publish import publish
from tests.people import follow, remote, stored
from tests.web import browsing
from tests.web.browsing import ORIGIN, say


@pytest.fixture
async def people(sqlite_db, aiohttp_client):
    return await browsing.two(sqlite_db, aiohttp_client)


async def stands(db, who, other):
    return (await db.read(follows.relationship, who.id, [other.id]))[other.id]


async def test_nobody_is_shown_or_heard_in_another_way_who_is_not_followed(sqlite_db, people):
    browser, alice, bob = people
    for action, status in (("endorse", 422), ("bell", 404), ("no-boosts", 404)):
        await browser.send(f"/accounts/{bob.id}/{action}")
        assert browser.status == status, action
    for path in (f"/accounts/{bob.id}/note", f"/accounts/{bob.id}/endorse"):
        await browser.post(path, {"csrf": "wrong", "note": "x"})
        assert browser.status == 403
        await browser.get("/home")
    await browser.send(f"/accounts/{bob.id}/note", note="x" * 2_001)
    assert browser.status == 422
    await browser.send("/accounts/1/note", note="x")
    assert browser.status == 404
    assert (await stands(sqlite_db, alice, bob)).note == ""


async def test_a_note_is_seen_by_its_writer_alone(sqlite_db, people):
    browser, alice, bob = people
    await browser.get("/@bob")
    assert "Write a note" in browser.text
    await browser.send(f"/accounts/{bob.id}/note", note="met in <Prague>", back="/@bob")
    assert browser.location == "/@bob"
    await browser.get("/@bob")
    assert "met in &lt;Prague&gt;" in browser.page
    await browser.sign_in("bob")
    await browser.get("/@bob")
    assert "Prague" not in browser.page
    await browser.sign_in("alice")
    await browser.send(f"/accounts/{bob.id}/note", note="")
    assert (await stands(sqlite_db, alice, bob)).note == ""


async def test_how_one_follows_and_whom_one_shows(sqlite_db, people):
    browser, alice, bob = people
    await sqlite_db.write(follows.ask, alice.id, bob.id, datetime.now(UTC), languages=["fr"])
    await browser.get("/@bob")
    for action, label in (("endorse", "Show on my profile"), ("bell", "Tell me of each post"),
                          ("no-boosts", "Do not show me boosts")):  # fmt: skip
        assert label in await browser.get("/@bob")
        await browser.send(f"/accounts/{bob.id}/{action}", back="/@bob")
    his = await stands(sqlite_db, alice, bob)
    assert (his.endorsed, his.notify, his.show_boosts, his.languages) == (True, True, False, ("fr",))
    await browser.get("/@alice")
    assert ("Featured" in browser.text, "@bob" in browser.text) == (True, True)
    await browser.get("/@bob")
    for action, label in (("unendorse", "No longer show on my profile"), ("no-bell", "Do not tell me of each post"),
                          ("boosts", "Show me boosts")):  # fmt: skip
        assert label in await browser.get("/@bob")
        await browser.send(f"/accounts/{bob.id}/{action}", back="/@bob")
    his = await stands(sqlite_db, alice, bob)
    assert (his.endorsed, his.notify, his.show_boosts, his.languages) == (False, False, True, ("fr",))
    assert await sqlite_db.read(keepsakes.endorsed, alice.id, Page()) == []


async def test_nobody_decides_who_quotes_another(sqlite_db, people):
    browser, alice, bob = people
    his, mine = await say(sqlite_db, bob, "his words"), await say(sqlite_db, alice, "my words")
    for number in (his.id, 1 << 80, 7):
        await browser.get(f"/posts/{number}/quoting")
        assert (browser.status, "his words" in browser.page) == (404, False)
        await browser.get("/home")
        await browser.send(f"/posts/{number}/quoting", quotes="nobody")
        assert browser.status == 404
    await browser.get("/home")
    await browser.send(f"/posts/{mine.id}/quoting", quotes="everyone")
    assert browser.status == 422
    await browser.send(f"/posts/{mine.id}/quoting/{his.id}/revoke")
    assert browser.status == 404


async def test_who_may_quote_is_changed_later_and_a_quote_is_taken_back(sqlite_db, people):
    browser, alice, bob = people
    mine = await say(sqlite_db, alice, "my words")
    await sqlite_db.write(publish, ORIGIN, bob.id, Draft("look at this", quoted_id=mine.id), datetime.now(UTC))
    await browser.get(f"/@alice/{mine.id}")
    assert "Who may quote it" in browser.text
    await browser.get(f"/posts/{mine.id}/quoting")
    assert ('value="public" checked' in browser.page, "look at this" in browser.text) == (True, True)
    await browser.send(f"/posts/{mine.id}/quoting", quotes="nobody")
    assert browser.location == f"/posts/{mine.id}/quoting"
    await browser.get(browser.location)
    assert 'value="nobody" checked' in browser.page
    [quoting] = await sqlite_db.read(quotes.page, alice.id, mine.id, Page())
    await browser.send(f"/posts/{mine.id}/quoting/{quoting}/revoke")
    view = await sqlite_db.read(views.post, quoting, bob.id)
    assert view.quote.state == "revoked"
    await browser.get(f"/posts/{mine.id}/quoting")
    assert "No post quotes it yet" in browser.text


async def test_whether_a_post_arrived_is_for_its_author(sqlite_db, people):
    browser, alice, bob = people
    here, there = remote("carol", "there.test"), remote("dan", "<b>.test")
    await stored(sqlite_db, here, there)
    await sqlite_db.write(follow, here, alice)
    mine = await say(sqlite_db, alice, "to all")
    await sqlite_db.write(follow, there, bob)
    his = await say(sqlite_db, bob, "to mine")
    for number in (his.id, 1):
        await browser.get(f"/posts/{number}/arrival")
        assert browser.status == 404
    await browser.get(f"/posts/{mine.id}/arrival")
    assert "0 of 1 inbox of other servers have it" in browser.text
    assert "there.test" in browser.text
    assert "on its way" in browser.text
    await sqlite_db.write(queue.drop, None)
    await browser.get(f"/posts/{mine.id}/arrival")
    assert "Not taken" in browser.text
    assert "dropped by who runs this server" in browser.text
    await browser.sign_in("bob")
    await browser.get(f"/posts/{mine.id}/arrival")
    assert browser.status == 404
    await browser.get(f"/posts/{his.id}/arrival")
    assert "<b>.test" not in browser.page
