"""The directory, suggestions and hashtags that one could show, through the API; lists at a fixed cost."""

import pytest

from tests.people import follow, remote, stored
from tests.web.site import Site

TAGS = "/api/v1/featured_tags"


async def test_the_directory_refuses_what_it_does_not_know(site: Site):
    for query in ("order=loud", "limit=x", "offset=x", "local=perhaps"):
        answer = await site.get(f"/api/v1/directory?{query}")
        assert (answer.status, bool(answer.error)) == (422, True), query
    alice, _ = await site.person("alice")
    assert (await site.get("/api/v1/directory", await site.token(alice, "write"))).status == 403


async def test_the_directory_is_for_everybody(both_sites: Site):
    site = both_sites
    alice, token = await site.person("alice", discoverable=True)
    bob, _ = await site.person("bob", discoverable=True)
    await site.person("hides")
    await stored(site.db, far := remote("far", discoverable=True))
    await site.posted(bob)
    await site.posted(alice)
    assert (await site.get("/api/v1/directory")).ids == [str(alice.id), str(bob.id)]
    assert (await site.get("/api/v1/directory?limit=1&offset=1")).ids == [str(bob.id)]
    assert (await site.get("/api/v1/directory?order=new")).ids == [str(far.id), str(bob.id), str(alice.id)]
    assert (await site.get("/api/v1/directory?order=new&local=true", token)).ids == [str(bob.id), str(alice.id)]
    await site.post(f"/api/v1/accounts/{bob.id}/block", token)
    assert (await site.get("/api/v1/directory", token)).ids == [str(alice.id)]
    assert (await site.get("/api/v1/directory?limit=0&offset=99999999999")).ids == []


async def test_suggestions_say_why_and_go_when_they_are_dismissed(both_sites: Site):
    site = both_sites
    alice, token = await site.person("alice")
    bob, _ = await site.person("bob")
    carol, _ = await site.person("carol", discoverable=True)
    await site.db.write(follow, alice, bob)
    await site.db.write(follow, bob, carol)
    for path in ("/api/v1/suggestions", "/api/v2/suggestions"):
        assert (await site.get(path)).status == 401
        assert (await site.get(path, await site.token(alice, "write"))).status == 403
    (told,) = (await site.get("/api/v2/suggestions", token)).json
    assert (told["source"], told["sources"]) == ("past_interactions", ["friends_of_friends"])
    assert told["account"]["id"] == str(carol.id)
    assert (await site.get("/api/v1/suggestions", token)).ids == [str(carol.id)]
    for number in (carol.id, 4711, "x"):
        assert (await site.call("DELETE", f"/api/v1/suggestions/{number}", token)).json == {}
    assert (await site.get("/api/v2/suggestions", token)).json == []


async def test_hashtags_are_suggested_shown_and_taken_back(both_sites: Site):
    site = both_sites
    alice, token = await site.person("alice")
    for words in ("#cat #dog", "#Cat", "#fish"):
        await site.posted(alice, words)
    await site.posted(alice, "#secret", visibility="private")
    found = (await site.get(f"{TAGS}/suggestions", token)).json
    assert [one["name"] for one in found] == ["cat", "dog", "fish"]
    told = (await site.post("/api/v1/tags/Cat/feature", token)).json
    assert (told["name"], told["featuring"]) == ("cat", True)
    assert [one["name"] for one in (await site.get(f"{TAGS}/suggestions", token)).json] == ["dog", "fish"]
    document = (await site.document("/users/alice/collections/tags")).json
    assert (document["type"], document["totalItems"]) == ("Collection", 1)
    assert document["items"] == [{"type": "Hashtag", "href": "https://ours.test/tags/cat", "name": "#cat"}]
    assert (await site.document("/users/alice")).json[
        "featuredTags"
    ] == "https://ours.test/users/alice/collections/tags"
    assert (await site.post("/api/v1/tags/cat/unfeature", token)).json["featuring"] is False
    assert (await site.get(TAGS, token)).json == []
    for action in ("feature", "unfeature"):
        assert (await site.post(f"/api/v1/tags/cat/{action}")).status == 401
        assert (await site.post(f"/api/v1/tags/%20/{action}", token)).status == 404


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/directory?order=new&limit=40",
        "/api/v1/directory?order=active&limit=40",
        "/api/v2/suggestions?limit=40",
        "/api/v1/accounts/{}/followers?limit=40",
        "/api/v1/accounts/{}/following?limit=40",
        "/api/v1/accounts/search?q=x&limit=40",
        "/api/v1/mutes?limit=40",
        "/api/v1/blocks?limit=40",
    ],
)
async def test_forty_people_cost_as_many_queries_as_one(server, tmp_path, claimed, queries, path):
    costs = []
    for length in (1, 40):
        (tmp_path / "ours.db").write_bytes(claimed.read_bytes())
        for rest in ("ours.db-wal", "ours.db-shm"):
            (tmp_path / rest).unlink(missing_ok=True)
        async with server() as site:
            alice, token = await site.person("alice")
            friend, _ = await site.person("friend")
            if "suggestions" in path:
                await site.db.write(follow, alice, friend)
            await _crowd(site, friend, token, path, length)
            await site.get("/api/v1/preferences", token)  # now he was seen today
            queries.clear()
            answer = await site.get(path.format(friend.id), token)
            costs.append((len(queries), len(answer.json)))
    (few, one), (many, forty) = costs
    assert one >= 1
    assert forty == 40
    assert many == few


async def _crowd(site, friend, token, path, length):
    """As many people as make the list so long."""
    people = [remote(f"x{n}", discoverable=True) for n in range(length)]
    await stored(site.db, *people)
    for one in people:
        if "/followers" in path:
            await site.db.write(follow, one, friend)
        elif "mutes" in path or "blocks" in path:
            await site.post(f"/api/v1/accounts/{one.id}/{'mute' if 'mutes' in path else 'block'}", token)
        else:
            await site.db.write(follow, friend, one)
    if "active" in path:
        for n in range(length):
            await site.posted((await site.person(f"y{n}", discoverable=True))[0])
