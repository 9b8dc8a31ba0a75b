"""Collections of accounts as other servers and browsers see them."""

import pytest

from social import blocks
from tests.people import remote, stored
from tests.web.site import PAGE, Site
from tests.web.test_api_collections import made, open_person


@pytest.fixture
async def shown(site: Site):
    """(alice, bob, the collection of Alice in which Bob is)."""
    alice, token = await open_person(site, "alice")
    bob, _ = await open_person(site, "bob")
    return alice, bob, await made(site, token, bob)


async def test_what_is_not_there_is_not_served(site: Site, shown):
    alice, bob, it = shown
    eve = remote("eve")
    await stored(site.db, eve)
    stamp = f"/users/bob/feature_authorizations/{it['items'][0]['id']}"
    paths = ["/collections/1", "/collections/x", "/users/alice/featured_collections/1", stamp.replace("bob", "alice")]
    for path in [*paths, "/users/bob/feature_authorizations/x", "/users/nobody/featured_collections"]:
        assert (await site.document(path)).status == 404, path
    await site.do(blocks.block, alice.id, eve.id)
    for path in (f"/collections/{it['id']}", f"/users/alice/featured_collections/{it['id']}", stamp):
        assert (await site.signed(path, eve)).status == 404
        assert (await site.document(path)).status == 200
    assert (await site.signed("/users/alice/featured_collections", eve)).json["items"] == []
    await site.do(blocks.block, bob.id, alice.id)
    assert (await site.document(stamp)).status == 404


async def test_a_collection_is_a_document_at_both_addresses(site: Site, shown):
    alice, bob, it = shown
    document = (await site.document(f"/users/alice/featured_collections/{it['id']}")).json
    assert (await site.document(f"/collections/{it['id']}")).json == document
    assert document == {
        **document,
        "type": "FeaturedCollection",
        "id": it["uri"],
        "url": it["url"],
        "attributedTo": alice.uri,
        "name": "Nice people",
        "summaryMap": {"en": "Worth &lt;reading&gt; &amp; following"},
        "sensitive": False,
        "discoverable": True,
        "topic": {"type": "Hashtag", "href": "https://ours.test/tags/accounts", "name": "#Accounts"},
        "totalItems": 1,
    }
    (item,) = document["orderedItems"]
    assert (item["type"], item["featuredObject"], item["featuredObjectType"]) == ("FeaturedItem", bob.uri, "Person")
    stamp = (await site.document(item["featureAuthorization"].removeprefix("https://ours.test"))).json
    assert stamp == {
        "@context": stamp["@context"],
        "type": "FeatureAuthorization",
        "id": item["featureAuthorization"],
        "interactingObject": it["uri"],
        "interactionTarget": bob.uri,
    }


async def test_actors_say_where_their_collections_are_and_who_may_show_them(site: Site, shown):
    alice, _, it = shown
    await site.person("hidden")
    await open_person(site, "locked", locked=True)
    policies = {}
    for name in ("alice", "hidden", "locked"):
        actor = (await site.document(f"/users/{name}")).json
        policies[name] = actor["interactionPolicy"]["canFeature"]["automaticApproval"]
    assert policies == {
        "alice": ["https://www.w3.org/ns/activitystreams#Public"],
        "hidden": ["https://ours.test/users/hidden"],
        "locked": ["https://ours.test/users/locked/followers"],
    }
    place = (await site.document("/users/alice")).json["featuredCollections"]
    listed = (await site.document(place.removeprefix("https://ours.test"))).json
    assert [one["id"] for one in listed["items"]] == [it["uri"]]
    assert alice


async def test_browsers_get_pages(site: Site, shown):
    alice, bob, it = shown
    profile = (await site.get("/@alice", headers={"Accept": PAGE})).body.decode()
    assert f'<a href="/collections/{it["id"]}" dir="auto">Nice people</a>' in profile
    page = await site.get(f"/collections/{it['id']}", headers={"Accept": PAGE})
    assert page.status == 200
    for words in ("Nice people", "Worth &lt;reading&gt; &amp; following", "@bob", "/tags/"):
        assert words in page.body.decode(), words
    assert "Take me out" not in page.body.decode()
    moved = await site.get(f"/users/alice/featured_collections/{it['id']}", headers={"Accept": PAGE})
    assert (moved.status, moved.headers["Location"]) == (302, it["url"])
    for path in ("/collections/1", "/collections/x"):
        assert (await site.get(path, headers={"Accept": PAGE})).status == 404
    assert (await site.post(f"/collections/{it['id']}/items/{it['items'][0]['id']}/revoke")).status in (303, 401, 403)
    assert alice
    assert bob
