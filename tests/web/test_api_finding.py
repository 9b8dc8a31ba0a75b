"""Finding people, hashtags on profiles, and lists that somebody keeps for himself."""

import pytest

from social import accounts, users
from store.tables import INSTANCE_ACTOR_ID
from tests.people import follow, remote, stored
from tests.web.site import Site

ACCOUNTS = "/api/v1/accounts"
TAGS = "/api/v1/featured_tags"


async def test_several_are_asked_for_at_once(site: Site):
    alice, _ = await site.person("alice")
    bob, _ = await site.person("bob")
    gone, _ = await site.person("gone")
    await site.do(accounts.delete_local, gone.id)
    asked = "&".join(f"id[]={one}" for one in (bob.id, "x", 4711, gone.id, INSTANCE_ACTOR_ID, alice.id, bob.id))
    assert (await site.get(f"{ACCOUNTS}?{asked}")).ids == [str(bob.id), str(alice.id)]
    assert (await site.get(ACCOUNTS)).json == []


async def test_people_are_found_by_their_name_and_asked_for_elsewhere(site: Site):
    _, token = await site.person("alice")
    albert, _ = await site.person("albert")
    await site.post(f"{ACCOUNTS}/{albert.id}/block", token)
    await stored(site.db, bob := remote("bob"))
    site.remote.found["bob@far.test"] = bob
    for query, found in [("al", 2), ("albert", 1), ("", 0), ("x" * 3000, 0), ("%25", 0), ("al&limit=1", 1),
                         ("al&offset=1", 1), ("nobody@far.test&resolve=1", 0)]:  # fmt: skip
        assert len((await site.get(f"{ACCOUNTS}/search?q={query}", token)).json) == found, query
    assert site.remote.asked == ["nobody@far.test"]
    assert (await site.get(f"{ACCOUNTS}/search?q=bob@far.test&resolve=true", token)).ids == [str(bob.id)]
    assert (await site.get(f"{ACCOUNTS}/search?q=al&limit=x", token)).status == 422


async def test_familiar_are_those_whom_both_know(both_sites: Site):
    site = both_sites
    alice, token = await site.person("alice")
    bob, _ = await site.person("bob")
    carol, _ = await site.person("carol")
    dora, _ = await site.person("dora", hide_collections=True)
    for one, other in [(alice, bob), (bob, carol), (alice, dora), (dora, carol)]:
        await site.db.write(follow, one, other)
    (about,) = (await site.get(f"{ACCOUNTS}/familiar_followers?id[]={carol.id}&id[]=x", token)).json
    assert (about["id"], [one["id"] for one in about["accounts"]]) == (str(carol.id), [str(bob.id)])
    assert (await site.get(f"{ACCOUNTS}/familiar_followers", token)).json == []
    assert (await site.get(f"{ACCOUNTS}/{bob.id}/identity_proofs", token)).json == []


@pytest.mark.parametrize("which", ["followers", "following"])
async def test_who_hides_his_lists_sees_them_alone(site: Site, which):
    alice, token = await site.person("alice")
    bob, strange = await site.person("bob")
    await site.db.write(follow, alice, bob)
    await site.db.write(follow, bob, alice)
    changed = await site.call("PATCH", f"{ACCOUNTS}/update_credentials", token, json={"hide_collections": True})
    assert (changed.json["hide_collections"], changed.json["source"]["hide_collections"]) == (True, True)
    path = f"{ACCOUNTS}/{alice.id}/{which}"
    assert [(await site.get(path, by)).ids for by in (None, strange, token)] == [[], [], [str(bob.id)]]
    for page in ("", "?page=1"):
        document = (await site.document(f"/users/alice/{which}{page}")).json
        assert document["totalItems"] == 0  # nothing was counted by these rows
        assert "first" not in document
        assert "orderedItems" not in document


@pytest.mark.parametrize("name", ["", "#", "a b", "<b>", "12", {"x": 1}], ids=str)
async def test_what_is_no_hashtag_is_not_shown(site: Site, name):
    _, token = await site.person("alice")
    assert (await site.post(TAGS, token, json={"name": name})).status == 422
    assert (await site.get(TAGS, token)).json == []


async def test_hashtags_are_shown_with_what_was_written_under_them(both_sites: Site):
    site = both_sites
    alice, token = await site.person("alice")
    _, strange = await site.person("mallory")
    await site.posted(alice, "one #Cats")
    await site.posted(alice, "two #cats #dogs")
    await site.posted(alice, "three #cats", visibility="private")
    made = (await site.post(TAGS, token, data={"name": "#Cats"})).json
    assert (made["name"], made["statuses_count"], len(made["last_status_at"])) == ("Cats", "2", 10)
    assert (await site.post(TAGS, token, data={"name": "cats"})).json == made
    assert (await site.get(f"{ACCOUNTS}/{alice.id}/featured_tags")).json == [made]
    assert (await site.call("DELETE", f"{TAGS}/{made['id']}", strange)).status == 404
    assert (await site.call("DELETE", f"{TAGS}/{made['id']}", token)).json == {}
    assert (await site.get(TAGS, token)).json == []
    for number in range(10):
        assert (await site.post(TAGS, token, data={"name": f"t{number}"})).status == 200
    assert (await site.post(TAGS, token, data={"name": "t10"})).status == 422


async def test_preferences_are_what_new_posts_start_with(site: Site):
    _, token = await site.person("alice")
    said = {"source": {"privacy": "private", "sensitive": True, "language": "de"}}
    await site.call("PATCH", f"{ACCOUNTS}/update_credentials", token, json=said)
    found = (await site.get("/api/v1/preferences", token)).json
    assert [found[f"posting:default:{name}"] for name in ("visibility", "sensitive", "language")] == [
        "private", True, "de"
    ]  # fmt: skip
    assert found["reading:expand:media"] == "default"


async def test_the_owner_is_whom_to_ask(both_sites: Site):
    assert (await both_sites.get("/api/v2/instance")).json["contact"]["account"] is None
    alice, _ = await both_sites.person("alice")
    await both_sites.person("bob")
    await both_sites.do(users.set_role, alice.id, "owner")
    told = (await both_sites.get("/api/v2/instance")).json
    assert told["contact"]["account"]["acct"] == "alice"
    assert told["version"].startswith("4.6.0 (compatible; ConnectMe ")
    assert (await both_sites.get("/api/v1/instance")).json["contact_account"]["acct"] == "alice"
