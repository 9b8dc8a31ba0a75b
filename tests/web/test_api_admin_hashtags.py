"""What moderators do with hashtags and with sites that publish: refusals first, then what it comes to for others."""

from datetime import UTC, datetime

import pytest

from social import trends
from social.moderation import audit
from social.numbers import number_of
from tests.web.site import Site
from tests.web.test_api_admin import ADMIN, SCOPES, one_with
from tests.web.test_api_trends import busy

TAGS, SITES = f"{ADMIN}/tags", f"{ADMIN}/trends/links/publishers"
CATS, NEWS = number_of("cats"), number_of("news.test")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", TAGS),
        ("GET", f"{TAGS}/{CATS}"),
        ("PUT", f"{TAGS}/{CATS}"),
        ("GET", SITES),
        ("POST", f"{SITES}/{NEWS}/approve"),
        ("POST", f"{SITES}/{NEWS}/reject"),
    ],
)
async def test_who_may_not_is_refused(site: Site, method, path):
    account, _ = await site.person("member")
    assert (await site.call(method, path)).status == 401
    assert (await site.call(method, path, await site.token(account, SCOPES))).status == 403
    mod, _ = await one_with(site, "mod", "moderator")
    assert (await site.call(method, path, await site.token(mod, "read write admin:read:accounts"))).status == 403
    _, token = await one_with(site, "other", "moderator")
    if path not in (TAGS, SITES):
        assert (await site.call(method, path, token)).status == 404
        for number in ("x", "0", "-1", "9" * 19):
            wrong = path.replace(str(CATS), number).replace(str(NEWS), number)
            assert (await site.call(method, wrong, token)).status == 404


async def test_what_is_asked_wrongly_is_refused(site: Site):
    _, token = await one_with(site, "mod", "moderator")
    await site.posted((await site.person("alice"))[0], "#cats")
    for body in ({"usable": "perhaps"}, {"usable": []}, {"usable": False, "listable": {}}):
        assert (await site.call("PUT", f"{TAGS}/{CATS}", token, json=body)).status == 422
    for place in (TAGS, SITES):
        assert (await site.get(f"{place}?limit=x", token)).status == 422
    assert (await site.get(f"{TAGS}/{CATS}", token)).json["requires_review"] is True
    assert await site.db.read(audit.newest, 10) == []


async def test_hashtags_are_read_page_by_page(both_sites: Site):
    site = both_sites
    _, token = await one_with(site, "mod", "moderator")
    alice, _ = await site.person("alice")
    words = [f"tag{number}" for number in range(5)]
    await site.posted(alice, " ".join(f"#{word}" for word in words))
    await site.posted(alice, "#secret", visibility="direct")
    everything = sorted((str(number_of(word)) for word in words), key=int, reverse=True)
    first = await site.get(f"{TAGS}?limit=2", token)
    second = await site.get(first.link("next") or "", token)
    third = await site.get(second.link("next") or "", token)
    assert [first.ids, second.ids, third.ids] == [everything[:2], everything[2:4], everything[4:]]
    assert third.link("next") is None
    assert (await site.get(second.link("prev") or "", token)).ids == everything[:2]
    assert (await site.get(f"{TAGS}/{number_of('secret')}", token)).status == 404
    shown = (await site.get(f"{TAGS}/{everything[0]}", token)).json
    assert (shown["trendable"], shown["usable"], shown["listable"], shown["requires_review"]) == (True,) * 4
    assert (shown["history"][0]["uses"], shown["url"]) == ("1", f"https://ours.test/tags/{shown['name']}")


async def test_a_hashtag_that_may_not_be_used_or_found_is_neither(both_sites: Site):
    site = both_sites
    _, token = await one_with(site, "mod", "moderator")
    ((_, hers), *_), posts = await busy(site)
    here = f"{TAGS}/{CATS}"

    async def found():
        return [one["name"] for one in (await site.get("/api/v2/search?q=cats&type=hashtags")).json["hashtags"]]

    async def trending():
        return [one["name"] for one in (await site.get("/api/v1/trends/tags")).json]

    assert (await found(), await trending()) == (["cats"], ["cats", "Dogs"])
    changed = (await site.call("PUT", here, token, json={"listable": False, "trendable": True})).json
    assert (changed["listable"], changed["usable"], changed["requires_review"]) == (False, True, False)
    assert (await found(), await trending()) == ([], ["Dogs"])
    assert (await site.call("PUT", here, token, data={"usable": "0", "listable": "1"})).json["usable"] is False
    assert (await found(), await trending()) == (["cats"], ["Dogs"])
    refused = await site.post("/api/v1/statuses", hers, json={"status": "more #Cats, #birds"})
    assert (refused.status, refused.error) == (
        422, "Validation failed: Text contained a disallowed hashtag: cats"
    )  # fmt: skip
    own = f"/api/v1/statuses/{posts[0].id}"
    assert (await site.call("PUT", own, hers, json={"status": "still #cats"})).status == 422
    assert (await site.post("/api/v1/statuses", hers, json={"status": "#birds"})).status == 200
    assert (await site.call("PUT", here, token, data={"usable": "1"})).json["usable"] is True
    assert (await site.post("/api/v1/statuses", hers, json={"status": "#cats"})).status == 200
    assert await trending() == ["cats", "Dogs"]
    entries = await site.db.read(audit.newest, 2)
    assert [(one.action, one.kind, one.subject) for one in entries] == [
        ("approve", "usable hashtag", "cats"),
        ("reject", "usable hashtag", "cats"),
    ]


async def test_a_hashtag_is_written_as_its_first_author_did_or_as_moderators_want(both_sites: Site):
    site = both_sites
    _, token = await one_with(site, "mod", "moderator")
    alice, hers = await site.person("alice")
    await site.posted(alice, "#catsofMASTODON", visibility="private")
    first = await site.posted(alice, "nothing yet")
    await site.call("PUT", f"/api/v1/statuses/{first.id}", hers, json={"status": "#CatsOfMastodon"})
    await site.posted(alice, "#catsOFmastodon")
    here, tag = f"{TAGS}/{number_of('catsofmastodon')}", "/api/v1/tags/CATSOFMASTODON"

    async def names():
        searched = (await site.get("/api/v2/search?q=cats&type=hashtags", hers)).json["hashtags"]
        return {one["name"] for one in (*searched, (await site.get(tag)).json, (await site.get(TAGS, token)).json[0])}

    assert await names() == {"CatsOfMastodon"}
    for wrong in ("cats", "", "Cats Of Mastodon", "#", "CatsOfMastodon\n", ["x"], {}):
        refused = await site.call("PUT", here, token, json={"display_name": wrong, "usable": False})
        assert (refused.status, bool(refused.error)) == (422, True)
    assert (await names(), (await site.get(here, token)).json["usable"]) == ({"CatsOfMastodon"}, True)
    changed = await site.call("PUT", here, token, json={"display_name": "#CATSofMastodon"})
    assert (changed.json["name"], changed.json["url"]) == ("CATSofMastodon", "https://ours.test/tags/catsofmastodon")
    assert await names() == {"CATSofMastodon"}
    (entry,) = await site.db.read(audit.newest, 1)
    assert (entry.action, entry.kind, entry.subject) == ("change", "spelling of hashtag", "catsofmastodon")
    for post in (await site.get(f"/api/v1/accounts/{alice.id}/statuses", hers)).json:
        await site.call("DELETE", f"/api/v1/statuses/{post['id']}", hers)
    assert (await site.get(TAGS, token)).json == []  # nobody says it, and nobody judged it


async def test_whether_a_hashtag_may_trend_is_as_the_settings_have_it_until_somebody_says(server):
    async with server(TRENDS_REVIEW="true") as site:
        _, token = await one_with(site, "mod", "moderator")
        await site.posted((await site.person("alice"))[0], "#birds")
        here = f"{TAGS}/{number_of('birds')}"
        assert (await site.get(here, token)).json["trendable"] is False
        assert (await site.call("PUT", here, token, json={"trendable": True})).json["trendable"] is True
        assert (await site.post(f"{ADMIN}/trends/tags/{number_of('birds')}/reject", token)).json["trendable"] is False
        assert (await site.get(here, token)).json["requires_review"] is False


async def test_all_links_to_a_site_wait_for_a_moderator(server):
    async with server(TRENDS_REVIEW="true") as site:
        _, token = await one_with(site, "mod", "moderator")
        await busy(site)
        (it,) = (await site.get(SITES, token)).json
        assert it == {
            "id": str(NEWS), "domain": "news.test", "trendable": None, "reviewed_at": None,
            "requested_review_at": None, "requires_review": True,
        }  # fmt: skip
        assert (await site.get("/api/v1/trends/links")).json == []
        approved = (await site.post(f"{SITES}/{NEWS}/approve", token)).json
        assert (approved["trendable"], approved["requires_review"]) == (True, False)
        assert len((await site.get("/api/v1/trends/links")).json) == 1
        assert (await site.post(f"{SITES}/{NEWS}/reject", token)).json["trendable"] is False
        assert (await site.get("/api/v1/trends/links")).json == []
        await site.db.write(lambda tx: trends.compute(tx, datetime(2100, 1, 1, tzinfo=UTC)))
        assert (await site.get(SITES, token)).ids == [str(NEWS)]  # judged, although nothing of it trends any more
