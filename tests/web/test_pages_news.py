"""The pages of what the rules for news keep back, without scripts.  Refusals first."""

import re
from datetime import UTC, datetime

import pytest

from social import filtering, reactions
from social.posts.drafts import Draft
from social.posts.publish import publish
from tests.people import remote, stored
from tests.web import browsing

REQUESTS, NEWS = "/notifications/requests", "/notifications"


@pytest.fixture
async def browser(sqlite_db, origin, aiohttp_client):
    """alice keeps back what strangers do, and seven of them like her post."""
    browser = await browsing.opened(sqlite_db, aiohttp_client)
    alice = await browsing.person(sqlite_db, origin, "alice")
    await browsing.person(sqlite_db, origin, "bob")
    await sqlite_db.write(filtering.set_policy, alice.id, {"for_not_following": "filter"})
    post = await sqlite_db.write(publish, origin, alice.id, Draft("hello"), datetime.now(UTC))
    people = [remote(f"stranger{number}") for number in range(7)]
    await stored(sqlite_db, *people)
    for one in people:
        await sqlite_db.write(reactions.like, one.id, post.id, datetime.now(UTC))
    await browser.sign_in("alice")
    return browser


def offered(browser):
    return re.findall(rf'formaction="{REQUESTS}/(\d+)/accept"', browser.page)


async def test_only_their_owner_decides_and_once(browser):
    await browser.get(REQUESTS)
    one, *_ = offered(browser)
    await browser.post(f"{REQUESTS}/{one}/accept", {"csrf": "wrong"})
    assert browser.status == 403
    for path in (f"{REQUESTS}/1/accept", f"{REQUESTS}/{'9' * 30}/dismiss"):
        await browser.get(REQUESTS)
        await browser.send(path)
        assert browser.status == 404
    kept, browser.cookies = browser.cookies, {}
    await browser.get(REQUESTS)
    assert (browser.status, browser.location.startswith("/login")) == (303, True)
    await browser.sign_in("bob")
    await browser.get(REQUESTS)
    assert "Nothing is kept back" in browser.text
    await browser.send(f"{REQUESTS}/{one}/accept")
    assert browser.status == 404
    browser.cookies = kept
    await browser.get(REQUESTS)
    assert one in offered(browser)
    await browser.send(f"{REQUESTS}/{one}/dismiss")
    assert (browser.status, browser.location) == (303, REQUESTS)
    await browser.get(REQUESTS)
    assert one not in offered(browser)


async def test_what_is_kept_back_joins_the_news_or_goes(browser):
    await browser.get(NEWS)
    assert "likes your post" not in browser.text
    assert "All that is kept back" in browser.text
    first, second, *others = offered(browser)
    assert len(others) == 3
    await browser.send(f"{REQUESTS}/{first}/accept", back=NEWS)
    assert (browser.status, browser.location) == (303, NEWS)
    await browser.get(NEWS)
    assert browser.text.count("likes your post") == 1
    await browser.send(f"{REQUESTS}/{second}/dismiss", back=NEWS)
    await browser.get(NEWS)
    assert browser.text.count("likes your post") == 1
    assert "All that is kept back" not in browser.text
    await browser.get(f"{REQUESTS}?limit=3")
    assert len(offered(browser)) == 3
    older = re.search(r'href="([^"]*)" rel="next"', browser.page)
    assert older
    await browser.get(older[1].replace("&amp;", "&"))
    assert len(offered(browser)) == 2


async def test_the_page_costs_as_many_queries_for_many_as_for_one(browser, queries):
    costs = []
    for most in (1, 7):
        queries.clear()
        await browser.get(f"{REQUESTS}?limit={most}")
        assert len(offered(browser)) == most
        costs.append(len(queries))
    assert costs[0] == costs[1]


RULES = "/settings/news"


def chosen(browser):
    """What the form shows: rule → level."""
    rules = re.findall(r'<select id="(for_\w+)".*?</select>', browser.page)
    found = re.findall(r'<select id="for_\w+".*?<option value="(\w+)" selected>', browser.page)
    return dict(zip(rules, found, strict=True))


async def test_nobody_sets_rules_for_another(browser):
    await browser.get(RULES)
    before = chosen(browser)
    await browser.post(RULES, {"csrf": "wrong", "for_bots": "drop"})
    assert browser.status == 403
    await browser.get(RULES)
    await browser.send(RULES, for_bots="shout")
    assert browser.status == 422
    await browser.get(RULES)
    assert chosen(browser) == before
    browser.cookies = {}
    await browser.get(RULES)
    assert (browser.status, browser.location.startswith("/login")) == (303, True)


async def test_rules_for_news_are_chosen_on_a_page(browser):
    await browser.get(RULES)
    usual = {name: filtering.USUAL[name] for name in filtering.REASONS}
    assert chosen(browser) == {**usual, "for_not_following": "filter"}
    assert "7 people" in browser.page
    await browser.send(RULES, for_not_following="accept", for_private_mentions="filter", for_bots="drop")
    assert (browser.status, browser.location) == (303, f"{RULES}?saved=1")
    await browser.get(browser.location)
    assert chosen(browser) == {**usual, "for_private_mentions": "filter", "for_bots": "drop"}
    await browser.send(RULES, for_bots="accept")  # a form that knows fewer rules
    await browser.get(RULES)
    assert chosen(browser) == {**usual, "for_private_mentions": "filter"}
