"""Feeds, and the pages they come in: together they are all there is, each once."""

from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from federation.reading.page import Preview
from social import boosts, cards
from social.posts import receive
from store.ids import LARGEST
from tests.people import follow, remote, stored
from tests.social.said import note, private
from tests.web.site import Site

HOME, PUBLIC = "/api/v1/timelines/home", "/api/v1/timelines/public"


@pytest.mark.parametrize("asked", ["limit=x", "max_id=x", "min_id=-1", "since_id=1.5", "local=perhaps"])
async def test_what_cannot_be_a_page_is_refused(site: Site, asked):
    answer = await site.get(f"{PUBLIC}?{asked}")
    assert (answer.status, bool(answer.error)) == (422, True)


async def test_limits_are_held_within_reason(site: Site):
    alice, _ = await site.person("alice")
    for _ in range(3):
        await site.posted(alice)
    for limit, count in [("0", 1), ("-5", 1), ("2", 2), ("100000", 3), ("", 3)]:
        assert len((await site.get(f"{PUBLIC}?limit={limit}")).json) == count


async def test_an_empty_feed_has_no_links(site: Site):
    _, token = await site.person("alice")
    answer = await site.get(HOME, token)
    assert (answer.json, "Link" in answer.headers) == ([], False)


@pytest.mark.parametrize("path", ["timelines/home", "timelines/public", "timelines/tag/x", "accounts/{}/statuses"])
async def test_the_pages_of_a_feed_are_all_of_it_in_both_directions(site: Site, path):
    alice, token = await site.person("alice")
    everything = [str((await site.posted(alice, f"{n} #x")).id) for n in range(7)][::-1]
    start = f"/api/v1/{path.format(alice.id)}"
    assert (await site.get(start, token)).ids == everything
    for limit in (1, 3, 7, 8):
        seen, next_ = [], f"{start}?limit={limit}"
        while next_:
            answer = await site.get(next_, token)
            seen += answer.ids
            next_ = answer.link("next")
        assert seen == everything
        back, previous = [], f"{start}?limit={limit}&min_id=0"
        while previous:
            answer = await site.get(previous, token)
            back = answer.ids + back
            previous = answer.link("prev")
        assert back == everything


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(
    limit=st.integers(1, 50),
    max_id=st.integers(0, LARGEST) | st.integers(min_value=LARGEST) | st.none(),
    min_id=st.integers(0, LARGEST) | st.none(),
    since_id=st.integers(0, LARGEST) | st.none(),
)
async def test_any_numbers_give_a_page(site: Site, limit, max_id, min_id, since_id):
    asked = {"limit": limit, "max_id": max_id, "min_id": min_id, "since_id": since_id}
    query = "&".join(f"{name}={value}" for name, value in asked.items() if value is not None)
    assert (await site.get(f"{PUBLIC}?{query}")).status == 200


async def test_since_id_is_the_newest_page_and_min_id_the_nearest(site: Site):
    alice, _ = await site.person("alice")
    ids = [str((await site.posted(alice)).id) for _ in range(5)]
    assert (await site.get(f"{PUBLIC}?limit=2&since_id={ids[0]}")).ids == [ids[4], ids[3]]
    assert (await site.get(f"{PUBLIC}?limit=2&min_id={ids[0]}")).ids == [ids[2], ids[1]]
    assert (await site.get(f"{PUBLIC}?max_id={ids[1]}")).ids == [ids[0]]


async def test_links_keep_what_else_was_asked(site: Site):
    alice, token = await site.person("alice")
    await site.posted(alice)
    link = (await site.get(f"{PUBLIC}?limit=1&local=true&x[]=1&x[]=%26", token)).link("next") or ""
    for part in ("local=true", "x%5B%5D=1", "x%5B%5D=%26", "limit=1", "max_id="):
        assert part in link


async def test_the_home_feed_has_those_one_follows(site: Site):
    alice, token = await site.person("alice")
    bob, carol = remote("bob"), remote("carol")
    await stored(site.db, bob, carol)
    await site.db.write(follow, alice, bob)
    seen = await site.db.write(receive.receive, bob, note(bob), datetime.now(UTC))
    secret = await site.db.write(receive.receive, bob, note(bob, **private(bob)), datetime.now(UTC))
    await site.db.write(receive.receive, carol, note(carol), datetime.now(UTC))
    assert set((await site.get(HOME, token)).ids) == {str(seen.id), str(secret.id)}


async def test_public_feeds_are_public_and_local_ones_ours(site: Site):
    alice, token = await site.person("alice")
    bob = remote("bob")
    await stored(site.db, bob)
    ours = await site.posted(alice, "one #tag")
    theirs = await site.db.write(receive.receive, bob, note(bob), datetime.now(UTC))
    for visibility in ("unlisted", "private", "direct"):
        await site.posted(alice, "@alice #tag", visibility=visibility)
    for by in (None, token):
        assert set((await site.get(PUBLIC, by)).ids) == {str(ours.id), str(theirs.id)}
        assert (await site.get(f"{PUBLIC}?local=1", by)).ids == [str(ours.id)]
        assert (await site.get("/api/v1/timelines/tag/TAG?local=true", by)).ids == [str(ours.id)]
    assert (await site.get("/api/v1/timelines/tag/other")).json == []


async def test_an_account_s_posts_are_chosen_by_kind(site: Site):
    alice, _ = await site.person("alice")
    bob, _ = await site.person("bob")
    other = await site.posted(bob)
    root = await site.posted(alice)
    answer = await site.posted(alice, reply_to_id=other.id)
    boost = await site.db.write(boosts.boost, alice.id, other.id, datetime.now(UTC))
    here = f"/api/v1/accounts/{alice.id}/statuses"
    assert (await site.get(here)).ids == [str(boost.id), str(answer.id), str(root.id)]
    assert (await site.get(f"{here}?exclude_replies=true")).ids == [str(boost.id), str(root.id)]
    assert (await site.get(f"{here}?exclude_reblogs=1")).ids == [str(answer.id), str(root.id)]
    assert (await site.get(f"{here}?only_media=on")).json == []


async def test_answers_for_one_reader_are_kept_by_no_cache(site: Site):
    _, token = await site.person("alice")
    for path in (HOME, PUBLIC):
        assert (await site.get(path, token)).headers["Cache-Control"] == "private, no-store"


async def test_a_post_shows_what_its_link_leads_to(site: Site):
    alice, token = await site.person("alice")
    link = "/api/v1/timelines/link?url=https://site.test/a"
    assert (await site.get(link)).status == 404
    post = await site.posted(alice, "https://site.test/a")
    assert (await site.get(f"/api/v1/statuses/{post.id}")).json["card"] is None
    found = Preview(title="A page", author_name="Ann", image_url="https://site.test/p.png", width=8)
    await site.db.write(cards.fetched, post.card_id, found, datetime.now(UTC))
    [status] = (await site.get(link, token)).json
    card = status["card"]
    assert (card["url"], card["title"], card["type"], card["html"]) == ("https://site.test/a", "A page", "link", "")
    assert (card["width"], card["authors"]) == (8, [{"name": "Ann", "url": "", "account": None}])
    assert card["image"].startswith("https://")
    assert (await site.get("/api/v1/timelines/link?url[a]=1")).status == 422


async def test_who_wrote_a_page_is_told_to_all_and_that_he_did_not_agree_to_him_alone(both_sites: Site):
    site = both_sites
    alice, token = await site.person("alice")
    _, bob_s = await site.person("bob")
    post = await site.posted(alice, "https://site.test/a")
    here = f"/api/v1/statuses/{post.id}"
    known = Preview(title="A", creator="alice@ours.test", host="www.site.test:8443")
    await site.do(cards.fetched, post.card_id, known)
    await site.db.write(lambda tx: cards.credit(tx, cards.find(tx, post.card_id), alice))

    async def card(who=None):
        return (await site.get(here, who)).json["card"]

    assert [(await card(who))["missing_attribution"] for who in (token, bob_s, None)] == [True, False, False]
    assert (await card(bob_s))["authors"] == []
    change = {"attribution_domains": ["site.test"]}
    assert (await site.call("PATCH", "/api/v1/accounts/update_credentials", token, json=change)).status == 200
    for who in (token, bob_s, None):
        told = await card(who)
        assert (told["missing_attribution"], told["author_name"]) == (False, "")
        assert [(one["name"], one["url"], one["account"]["acct"]) for one in told["authors"]] == [("", "", "alice")]
    await site.call("PATCH", "/api/v1/accounts/update_credentials", token, json={"display_name": "Alice A."})
    assert (await card(bob_s))["authors"][0]["account"]["display_name"] == "Alice A."
    change = {"attribution_domains": ["other.site.test"]}
    await site.call("PATCH", "/api/v1/accounts/update_credentials", token, json=change)
    assert (await card(bob_s))["authors"] == []
