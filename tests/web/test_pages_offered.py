"""What the search page offers to whoever looks for nothing yet.  Refusals first."""

from datetime import UTC, datetime, timedelta

import pytest

from federation.reading.page import Preview
from social import blocks, cards, reactions, trends
from store.tables import accounts
from tests.people import follow
from tests.web import browsing
from tests.web.browsing import ORIGIN, person, say


@pytest.fixture
async def people(sqlite_db, aiohttp_client):
    return await browsing.two(sqlite_db, aiohttp_client)


async def busy(db):
    """Three who write the same."""
    some = [await person(db, ORIGIN, f"person{number}", display_name=f"Person {number}") for number in range(3)]
    posts = [await say(db, one, "#cats https://news.test/a") for one in some]
    now = datetime.now(UTC)
    for one in some:
        await db.write(reactions.like, one.id, posts[0].id, now)
    await db.write(reactions.like, (await person(db, ORIGIN, "fan")).id, posts[0].id, now)
    await db.write(cards.fetched, posts[0].card_id, Preview(kind="link", title="Good news"), now)
    await db.write(trends.compute, now + timedelta(seconds=1))
    return some


async def test_a_stranger_is_offered_nothing(sqlite_db, aiohttp_client):
    await busy(sqlite_db)
    browser = await browsing.opened(sqlite_db, aiohttp_client)
    await browser.get("/search")
    assert browser.location.startswith("/login?next=")
    await browser.post("/accounts/1/overlook", {"csrf": "wrong"})
    assert "/login" in browser.location


async def test_what_is_talked_about_is_shown_but_nobody_who_is_blocked_and_nothing_beside_a_search(sqlite_db, people):
    browser, alice, _ = people
    some = await busy(sqlite_db)
    await browser.get("/search")
    for said in ("Talked about now", "#cats", "3 people in a week", "Good news", "Posts that people like now"):
        assert said in browser.text, said
    await browser.get("/search?q=nothing")
    assert "Talked about now" not in browser.text
    await sqlite_db.write(blocks.block, alice.id, some[0].id, datetime.now(UTC))
    await browser.get("/search")
    assert ("#cats" in browser.text, "Posts that people like now" in browser.text) == (True, False)


async def test_where_there_are_no_trends_nothing_is_said_of_them(sqlite_db, aiohttp_client):
    await busy(sqlite_db)
    for config in ({"trends": False}, {"trends_review": True}):
        browser = await browsing.opened(sqlite_db, aiohttp_client, **config)
        await browser.sign_in("fan")
        await browser.get("/search")
        assert (browser.status, "Talked about now" in browser.text) == (200, False)


async def test_people_are_offered_and_no_more_when_one_does_not_want_them(sqlite_db, people):
    browser, alice, bob = people
    carol = await person(sqlite_db, ORIGIN, "carol")
    await sqlite_db.write(follow, alice, bob)
    await sqlite_db.write(follow, bob, carol)
    await sqlite_db.write(discoverable, carol.id)
    await browser.get("/search")
    assert "followed by people whom you follow" in browser.text
    await browser.send(f"/accounts/{carol.id}/overlook", back="/search")
    assert browser.location == "/search"
    await browser.get("/search")
    assert "carol" not in browser.text


def discoverable(tx, account_id):
    tx.execute(accounts.update().where(accounts.c.id == account_id).values(discoverable=True))
