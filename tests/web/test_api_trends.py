"""Trends and hashtags, as programs ask for them."""

from datetime import UTC, datetime, timedelta

import pytest

from federation.reading.page import Preview
from social import blocks, cards, reactions, trends
from tests.people import follow
from tests.web.site import Site

TRENDS = "/api/v1/trends"
SEARCH = "/api/v2/search"


async def busy(site: Site):
    """Three people who write the same; the token of the first."""
    people = [await site.person(f"person{number}", discoverable=True) for number in range(3)]
    posts = [await site.posted(account, "#cats #Dogs https://news.test/a") for account, _ in people]
    for account, _ in people:
        await site.do(reactions.like, account.id, posts[0].id)
    await site.do(reactions.like, (await site.person("fan"))[0].id, posts[0].id)
    await site.do(cards.fetched, posts[0].card_id, Preview(kind="link", title="News"))
    await site.db.write(trends.compute, datetime.now(UTC) + timedelta(seconds=1))
    return people, posts


@pytest.mark.parametrize("name", ["tags", "statuses", "links"])
async def test_what_is_asked_wrongly_is_refused(site: Site, name):
    account, _ = await site.person("alice")
    assert (await site.get(f"{TRENDS}/{name}?limit=x")).status == 422
    assert (await site.get(f"{TRENDS}/{name}?offset=x")).status == 422
    assert (await site.get(f"{TRENDS}/{name}", "wrong")).status == 401
    assert (await site.get(f"{TRENDS}/{name}", await site.token(account, "write"))).status == 403
    assert (await site.get(f"{TRENDS}/{name}?limit=-1&offset=-5")).json == []


async def test_trends_are_shown_to_everybody(both_sites: Site):
    site = both_sites
    people, posts = await busy(site)
    _, token = people[1]
    found = await site.get(f"{TRENDS}/tags?limit=1")
    (tag,) = found.json
    assert (tag["name"], tag["history"][0]["accounts"], len(tag["history"])) == ("cats", "3", 7)
    assert "following" not in tag
    assert found.link("next") == f"{TRENDS}/tags?limit=1&offset=1"
    (second,) = (await site.get(f"{TRENDS}?limit=1&offset=1", token)).json
    assert (second["name"], second["following"]) == ("Dogs", False)
    (link,) = (await site.get(f"{TRENDS}/links")).json
    assert (link["title"], link["url"], link["history"][0]["uses"]) == ("News", "https://news.test/a", "3")
    for by in (None, token):
        assert (await site.get(f"{TRENDS}/statuses", by)).ids == [str(posts[0].id)]
    await site.do(blocks.block, people[1][0].id, people[0][0].id)
    assert (await site.get(f"{TRENDS}/statuses", token)).json == []


@pytest.mark.parametrize("settings", [{"TRENDS": "false"}, {"TRENDS_REVIEW": "true"}], ids=str)
async def test_trends_may_be_off_or_wait_for_a_moderator(server, settings):
    async with server(**settings) as site:
        await busy(site)
        for name in ("tags", "statuses", "links"):
            assert (await site.get(f"{TRENDS}/{name}")).json == []


async def test_search_finds_hashtags(both_sites: Site):
    site = both_sites
    alice, token = await site.person("alice")
    await site.posted(alice, "#cat #cats #dog")
    await site.posted(alice, "#catnip", visibility="direct")
    for query, names in [
        ("cat", ["cat", "cats"]),
        ("%23Cat", ["cat", "cats"]),
        ("cat&limit=1", ["cat"]),
        ("cat&limit=1&offset=1", ["cats"]),
        ("cat&type=hashtags&exclude_unreviewed=1", ["cat", "cats"]),
        ("cat&type=accounts", []),
        ("a%20cat", []),
        ("@cat", []),
        ("%23", []),
        ("zebra", []),
    ]:
        for by in (None, token):
            found = (await site.get(f"{SEARCH}?q={query}", by)).json["hashtags"]
            assert [one["name"] for one in found] == names, query
    assert (await site.get("/api/v1/search?q=cat", token)).json["hashtags"] == ["cat", "cats"]


async def test_search_finds_only_whom_one_follows_if_that_is_asked(site: Site):
    alice, token = await site.person("alice")
    bob, _ = await site.person("bob")
    await site.person("bobby")
    await site.db.write(follow, alice, bob)
    for path in (f"{SEARCH}?q=bob&type=accounts", "/api/v1/search?q=bob&type=accounts"):
        assert len((await site.get(path, token)).json["accounts"]) == 2
        found = (await site.get(f"{path}&following=true", token)).json["accounts"]
        assert [one["id"] for one in found] == [str(bob.id)]
    assert (await site.get("/api/v1/accounts/search?q=bob&following=true", token)).ids == [str(bob.id)]
