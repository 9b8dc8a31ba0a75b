"""Collections of accounts: refusals first."""

from datetime import UTC, datetime

import pytest

from federation.reading.featured import FeaturedCollection
from social import accounts, blocks
from social.collections import theirs
from tests.people import follow, remote, stored
from tests.web.site import Site

HERE = "/api/v1/collections"
BODY = {"name": "Nice people", "description": "Worth <reading> & following", "tag_name": "#Accounts", "language": "en"}


async def made(site: Site, token: str, *people, **more) -> dict:
    ids = [str(one.id) for one in people]
    answer = await site.post(HERE, token, json={**BODY, "account_ids": ids, **more})
    assert answer.status == 200, answer.body
    return answer.json["collection"]


async def open_person(site: Site, name: str, **more):
    return await site.person(name, discoverable=True, **more)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": "  "}, "name"),
        ({"name": "x" * 41}, "name"),
        ({"name": "x", "description": "x" * 101}, "description"),
        ({"name": "x", "language": "no language"}, "language"),
        ({"name": "x", "tag_name": "two words"}, "tag_name"),
        ({"name": "x", "tag_name": "2026"}, "tag_name"),
    ],
)
async def test_what_can_be_no_collection_is_refused_field_by_field(site: Site, body, field):
    alice, token = await site.person("alice")
    answer = await site.post(HERE, token, json=body)
    assert (answer.status, list(answer.json["details"])) == (422, [field])
    assert answer.error.startswith("Validation failed: ")
    assert (await site.get(f"/api/v1/accounts/{alice.id}/collections", token)).json == {"collections": []}


@pytest.mark.parametrize(
    "body",
    [{"name": ["x"]}, {"name": "x", "sensitive": "?"}, {"name": "x", "account_ids": ["0"]},
     {"name": "x", "account_ids": ["x"]}, {"name": "x", "account_ids": [{}]}, {"name": "x", "account_ids": ["1"] * 26}],
)  # fmt: skip
async def test_wrong_types_are_refused(site: Site, body):
    _, token = await site.person("alice")
    assert (await site.post(HERE, token, json=body)).status == 422


async def test_another_s_collection_can_be_read_and_no_more(site: Site):
    bob, _ = await open_person(site, "bob")
    _, token = await site.person("alice")
    mallory, strange = await open_person(site, "mallory")
    collection = await made(site, token, bob)
    here, item = f"{HERE}/{collection['id']}", collection["items"][0]["id"]
    assert (await site.get(here, strange)).status == 200
    for method, path in (
        ("PATCH", here),
        ("DELETE", here),
        ("POST", f"{here}/items"),
        ("DELETE", f"{here}/items/{item}"),
        ("POST", f"{here}/items/{item}/revoke"),
    ):
        answer = await site.call(method, path, strange, json={"name": "mine", "account_id": str(mallory.id)})
        assert (answer.status, answer.error) == (403, "This action is not allowed"), (method, path)
    other = await made(site, strange)
    for path in (f"{HERE}/{other['id']}/items/{item}", f"{here}/items/7"):
        mine = strange if other["id"] in path else token
        assert (await site.call("DELETE", path, mine)).status == 404
    assert (await site.get(here, token)).json["collection"] == collection


async def test_who_is_blocked_sees_none_of_it_by_any_door(both_sites: Site):
    site = both_sites
    bob, _ = await open_person(site, "bob")
    alice, token = await site.person("alice")
    mallory, strange = await open_person(site, "mallory")
    collection = await made(site, token, bob)
    here, of_alice = f"{HERE}/{collection['id']}", f"/api/v1/accounts/{alice.id}/collections"
    await site.do(blocks.block, alice.id, mallory.id)
    assert (await site.get(here, strange)).status == 404
    assert (await site.get(of_alice, strange)).json == {"collections": []}
    assert (await site.call("PATCH", here, strange, json={"name": "x"})).status == 404
    assert (await site.post(f"{here}/items/{collection['items'][0]['id']}/revoke", strange)).status == 404
    assert (await site.get(here)).status == 200  # it is public
    await site.db.write(accounts.suspend, alice.id, datetime.now(UTC))
    assert (await site.get(here)).status == 404
    assert (await site.get(of_alice)).json == {"collections": []}


async def test_only_who_agrees_can_be_shown(site: Site):
    alice, token = await site.person("alice")
    hidden, _ = await site.person("hidden")
    locked, _ = await open_person(site, "locked", locked=True)
    foe, _ = await open_person(site, "foe")
    strange = remote("strange")
    await stored(site.db, strange)
    await site.do(blocks.block, foe.id, alice.id)
    collection = await made(site, token)
    here = f"{HERE}/{collection['id']}/items"
    assert (await site.post(here, token)).error == "`account_id` parameter is missing"
    for one in (hidden, locked, foe, strange):
        answer = await site.post(here, token, json={"account_id": str(one.id)})
        assert (answer.status, answer.error) == (422, "This account cannot be added to collections"), one.handle
        assert (await site.post(HERE, token, json={**BODY, "account_ids": [str(one.id)]})).status == 422
    await site.db.write(follow, alice, locked)
    added = await site.post(here, token, data={"account_id": str(locked.id)})
    assert added.json["collection_item"]["state"] == "accepted"
    assert (await site.post(here, token, json={"account_id": str(locked.id)})).status == 422  # is in it already
    assert [one["account_id"] for one in (await site.get(here[:-6], token)).json["collection"]["items"]] == [
        str(locked.id)
    ]


async def test_accounts_say_whether_one_may_show_them(site: Site):
    alice, token = await open_person(site, "alice")
    hidden, _ = await site.person("hidden")
    locked, _ = await open_person(site, "locked", locked=True)
    policy = {"automatic": ["following"], "manual": ["unsupported_policy"]}
    far, silent = remote("far", feature_policy=policy), remote("silent")
    await stored(site.db, far, silent)

    async def told(one, by=token) -> tuple:
        said = (await site.get(f"/api/v1/accounts/{one.id}", by)).json["feature_approval"]
        return said["automatic"], said["manual"], said["current_user"]

    assert await told(alice, None) == (["public"], [], "denied")  # nobody in particular
    assert await told(alice) == (["public"], [], "automatic")
    assert await told(hidden) == ([], [], "denied")
    assert await told(locked) == (["followers"], [], "denied")
    assert await told(silent) == ([], [], "missing")
    assert await told(far) == (["following"], ["unsupported_policy"], "unknown")
    await site.db.write(follow, far, alice)
    await site.db.write(follow, alice, locked)
    assert (await told(far))[2] == (await told(locked))[2] == "automatic"
    found = (await site.get("/api/v1/accounts/search?q=locked", token)).json
    assert found[0]["feature_approval"]["current_user"] == "automatic"
    assert (await site.get("/api/v1/accounts/lookup?acct=locked", token)).json == found[0]


def approvals(found) -> list[tuple[str, str]]:
    """All accounts within an answer, and whether the reader may show them."""
    if isinstance(found, list):
        return [it for one in found for it in approvals(one)]
    if not isinstance(found, dict):
        return []
    here = [(found["acct"], found["feature_approval"]["current_user"])] if "followers_count" in found else []
    return here + [it for one in found.values() for it in approvals(one)]


async def test_accounts_within_others_say_it_to_each_reader(both_sites: Site):
    """Authors, boosters, senders of news, members of lists, who talks with one: as the reader stands to each."""
    site = both_sites
    alice, token = await open_person(site, "alice")
    strange, by_strange = await open_person(site, "strange")
    locked, by_locked = await open_person(site, "locked", locked=True)
    far = remote("far", feature_policy={"automatic": ["following"], "manual": []})
    await stored(site.db, far)
    post = (await site.post("/api/v1/statuses", token, json={"status": "hello"})).json["id"]
    for one in (alice, strange):
        await site.db.write(follow, one, far)
    await site.db.write(follow, alice, locked)
    await site.db.write(follow, far, alice)
    said = {"status": "hello @alice @strange", "visibility": "direct"}
    private = (await site.post("/api/v1/statuses", by_locked, json=said)).json["id"]
    open_ = (await site.post("/api/v1/statuses", by_locked, json={"status": "to all"})).json["id"]
    for act in ("favourite", "reblog"):
        await site.post(f"/api/v1/statuses/{post}/{act}", by_locked)
    listed = (await site.post("/api/v1/lists", token, json={"title": "both"})).json["id"]
    ids = [str(locked.id), str(far.id)]
    assert (await site.post(f"/api/v1/lists/{listed}/accounts", token, json={"account_ids": ids})).status == 200
    may, others = {"alice": "automatic", "locked": "automatic"}, {"alice": "automatic", "locked": "denied"}
    told = []
    for path in (
        f"/api/v1/statuses/{private}",
        f"/api/v1/statuses/{open_}",
        f"/api/v1/statuses/{open_}/history",
        f"/api/v1/statuses/{post}/reblogged_by",
        f"/api/v1/statuses/{post}/favourited_by",
        f"/api/v1/statuses/{post}/context",
        f"/api/v1/accounts/{locked.id}/statuses",
        f"/api/v1/accounts/familiar_followers?id={far.id}",
        "/api/v1/conversations",
        "/api/v1/notifications",
        "/api/v2/notifications",
        "/api/v1/timelines/public",
        "/api/v1/timelines/home",
    ):
        mine, theirs = [approvals((await site.get(path, it)).json) for it in (token, by_strange)]
        assert {(name, may[name]) for name, _ in mine if name in may} == {it for it in mine if it[0] in may}, path
        wrong = [it for it in theirs if it[0] in others and it != (it[0], others[it[0]])]
        assert not wrong, path
        told += mine
    members = approvals((await site.get(f"/api/v1/lists/{listed}/accounts", token)).json)
    assert sorted(members) == [("far@far.test", "automatic"), ("locked", "automatic")]
    assert ("locked", "automatic") in told
    for path in ("/api/v1/timelines/public", f"/api/v1/statuses/{open_}"):
        assert {verdict for _, verdict in approvals((await site.get(path)).json)} == {"denied"}


async def test_a_collection_is_made_read_changed_and_deleted(both_sites: Site):
    site = both_sites
    alice, token = await site.person("alice")
    (bob, bob_s), (carol, _) = await open_person(site, "bob"), await open_person(site, "carol")
    collection = await made(site, token, bob, carol)
    assert collection == {
        **collection,
        "account_id": str(alice.id),
        "uri": f"{alice.uri}/featured_collections/{collection['id']}",
        "url": f"https://ours.test/collections/{collection['id']}",
        "name": "Nice people",
        "description": "Worth &lt;reading&gt; &amp; following",
        "language": "en",
        "local": True,
        "sensitive": False,
        "discoverable": True,
        "tag": {"name": "Accounts", "url": "https://ours.test/tags/accounts"},
        "item_count": 2,
    }
    here = f"{HERE}/{collection['id']}"
    shown = (await site.get(here, bob_s)).json
    assert [one["id"] for one in shown["accounts"]] == [str(one.id) for one in (alice, bob, carol)]
    assert shown["collection"] == collection
    changed = (await site.call("PATCH", here, token, json={"name": "New", "tag_name": "", "sensitive": "true"})).json
    assert changed["collection"] == {
        **collection,
        "name": "New",
        "tag": None,
        "sensitive": True,
        "updated_at": changed["collection"]["updated_at"],
    }
    assert (await site.call("DELETE", f"{here}/items/{collection['items'][0]['id']}", token)).json == {}
    left = (await site.get(here)).json["collection"]
    assert (left["item_count"], left["items"]) == (1, collection["items"][1:])
    # Who blocks one that is in it does not see him.
    await site.do(blocks.block, carol.id, bob.id)
    await site.post(f"{here}/items", token, json={"account_id": str(bob.id)})
    seen = (await site.get(here, bob_s)).json["collection"]["items"]
    assert [one["account_id"] for one in seen] == [str(bob.id)]
    assert (await site.get(here)).json["collection"]["item_count"] == 2
    assert (await site.call("DELETE", here, token)).json == {}
    assert (await site.get(here, token)).status == 404


async def test_whoever_takes_himself_out_stays_out(both_sites: Site):
    site = both_sites
    _, token = await site.person("alice")
    bob, bob_s = await open_person(site, "bob")
    collection = await made(site, token, bob)
    here, item = f"{HERE}/{collection['id']}", collection["items"][0]["id"]
    of_bob = f"/api/v1/accounts/{bob.id}/in_collections"
    assert (await site.get(of_bob, token)).status == 403  # that is his to know
    assert [one["id"] for one in (await site.get(of_bob, bob_s)).json["collections"]] == [collection["id"]]
    for _again in range(2):
        assert (await site.post(f"{here}/items/{item}/revoke", bob_s)).json == {}
    assert (await site.get(of_bob, bob_s)).json == {"collections": []}
    assert (await site.get(here, token)).json["collection"]["items"] == []
    assert (await site.call("DELETE", f"{here}/items/{item}", token)).status == 404
    assert (await site.post(f"{here}/items", token, json={"account_id": str(bob.id)})).status == 422


async def test_who_blocks_is_no_longer_shown(site: Site):
    alice, token = await site.person("alice")
    bob, bob_s = await open_person(site, "bob")
    here = f"{HERE}/{(await made(site, token, bob))['id']}"
    await site.do(blocks.block, bob.id, alice.id)
    assert (await site.get(here)).json["collection"]["items"] == []
    assert (await site.get("/api/v1/notifications", bob_s)).json == []


async def test_what_is_not_discoverable_is_for_who_has_its_address(site: Site):
    alice, token = await site.person("alice")
    _, other = await site.person("other")
    await made(site, token)
    hidden = await made(site, token, discoverable=False)
    path = f"/api/v1/accounts/{alice.id}/collections"
    assert len((await site.get(path, token)).json["collections"]) == 2
    for by in (other, None):
        assert hidden["id"] not in [one["id"] for one in (await site.get(path, by)).json["collections"]]
        assert (await site.get(f"{HERE}/{hidden['id']}", by)).status == 200


async def test_collections_come_in_parts_and_there_are_ten_at_most(site: Site):
    alice, token = await site.person("alice")
    ids = [(await made(site, token, name=f"number {n}"))["id"] for n in range(10)]
    answer = await site.post(HERE, token, json=BODY)
    assert (answer.status, answer.error) == (422, "Validation failed: at most 10 collections")
    seen, next_ = [], f"/api/v1/accounts/{alice.id}/collections?limit=5"
    while next_:
        part = await site.get(next_)
        seen += [one["id"] for one in part.json["collections"]]
        next_ = part.link("next")
    assert seen == ids[::-1]
    assert part.link("prev") is not None
    limit = (await site.get("/api/v1/accounts/verify_credentials", token)).json["role"]["collection_limit"]
    assert limit == 10


async def test_there_are_25_accounts_in_one_at_most(site: Site):
    _, token = await site.person("alice")
    people = [(await open_person(site, f"p{n}"))[0] for n in range(26)]
    collection = await made(site, token, *people[:25])
    answer = await site.post(f"{HERE}/{collection['id']}/items", token, json={"account_id": str(people[25].id)})
    assert (answer.status, answer.error) == (422, "Validation failed: at most 25 accounts")


async def test_who_is_shown_is_told_and_of_changes_too(both_sites: Site):
    site = both_sites
    alice, token = await site.person("alice")
    bob, bob_s = await open_person(site, "bob")
    collection = await made(site, token, bob)
    here = f"{HERE}/{collection['id']}"
    (news,) = (await site.get("/api/v1/notifications", bob_s)).json
    assert (news["type"], news["account"]["id"]) == ("added_to_collection", str(alice.id))
    assert news["collection"] == collection
    assert "fallback" not in news
    await site.call("PATCH", here, token, json={"sensitive": True})  # nothing to tell
    for name in ("one", "two"):
        await site.call("PATCH", here, token, json={"name": name})
    path = "/api/v2/notifications?supported_types[]=mention"
    groups = (await site.get(path, bob_s)).json["notification_groups"]
    assert [group["type"] for group in groups] == ["collection_update", "added_to_collection"]
    assert {group["collection"]["name"] for group in groups} == {"two"}
    assert groups[0]["fallback"]["title"] == "alice changed a collection that you are in"
    assert 'href="https://ours.test/notifications"' in groups[0]["fallback"]["summary"]
    known = await site.get("/api/v1/notifications?supported_types[]=collection_update", bob_s)
    assert ["fallback" in one for one in known.json] == [False, True]
    await site.call("DELETE", here, token)
    assert (await site.get("/api/v1/notifications", bob_s)).json == []
    assert (await site.get("/api/v1/notifications/unread_count", bob_s)).json == {"count": 0}


async def test_a_collection_is_reported(site: Site):
    alice, token = await site.person("alice")
    bob, bob_s = await open_person(site, "bob")
    collection, other = await made(site, token, bob), await made(site, bob_s)
    said = {"account_id": str(alice.id), "collection_ids": [collection["id"]]}
    for wrong in ([other["id"]], ["x"], ["7"]):
        assert (await site.post("/api/v1/reports", bob_s, json={**said, "collection_ids": wrong})).status == 404
    report = (await site.post("/api/v1/reports", bob_s, json=said)).json
    assert (report["collection_ids"], report["status_ids"]) == ([collection["id"]], [])


async def test_the_collections_of_who_leaves_are_gone(both_sites: Site):
    site = both_sites
    _, token = await site.person("alice")
    bob, bob_s = await open_person(site, "bob")
    mine, his = await made(site, token, bob), await made(site, bob_s)
    await site.db.write(accounts.delete_local, bob.id, datetime.now(UTC))
    assert (await site.get(f"{HERE}/{his['id']}")).status == 404
    assert (await site.get(f"{HERE}/{mine['id']}")).json["collection"]["items"] == []


@pytest.mark.parametrize("path", ["accounts/{alice}/collections", "accounts/{bob}/in_collections", "collections/{id}"])
async def test_many_cost_as_many_queries_as_one(site: Site, queries, path):
    alice, token = await site.person("alice")
    bob, bob_s = await open_person(site, "bob")
    costs = []
    for people, number in (([bob], 1), ([bob, *[(await open_person(site, f"p{n}"))[0] for n in range(20)]], 9)):
        for _ in range(number):
            collection = await made(site, token, *people)
        place = f"/api/v1/{path.format(alice=alice.id, bob=bob.id, id=collection['id'])}"
        await site.get(place, bob_s)
        queries.clear()
        assert (await site.get(place, bob_s)).status == 200
        costs.append(len(queries))
    assert costs[1] <= costs[0] <= 6  # that he was here today is noted once


async def linked(site: Site, post_id: str, token: str | None = None) -> list[dict]:
    """The collections that a post is shown with, alone and on a page."""
    shown = (await site.get(f"/api/v1/statuses/{post_id}", token)).json["tagged_collections"]
    page = await site.get("/api/v1/timelines/public", token)
    assert [one["tagged_collections"] for one in page.json if one["id"] == post_id] in ([], [shown])
    return shown


async def test_a_post_says_to_which_collections_it_links(both_sites: Site):
    site = both_sites
    bob, bob_s = await open_person(site, "bob")
    carol, carol_s = await open_person(site, "carol")
    alice, token = await site.person("alice")
    one, other = await made(site, token, bob, carol), await made(site, token, bob, discoverable=False)
    text = f"Look at {one['url']} https://site.test/ and {other['uri']}, not at {one['url']}/x"
    told = (await site.post("/api/v1/statuses", bob_s, json={"status": text})).json
    post = told["id"]
    assert told["tagged_collections"] == await linked(site, post) == await linked(site, post, bob_s)
    assert [it["id"] for it in told["tagged_collections"]] == [one["id"], other["id"]]
    assert (await site.get(f"{HERE}/{one['id']}")).json["collection"] == (await linked(site, post))[0]
    boost = (await site.post(f"/api/v1/statuses/{post}/reblog", carol_s)).json
    assert (boost["tagged_collections"], len(boost["reblog"]["tagged_collections"])) == ([], 2)
    await site.do(blocks.block, bob.id, carol.id)
    assert [len(it["items"]) for it in await linked(site, post, bob_s)] == [1, 1]
    assert [len(it["items"]) for it in await linked(site, post, token)] == [2, 1]
    await site.do(blocks.block, alice.id, carol.id)
    await site.do(blocks.unblock, bob.id, carol.id)
    assert await linked(site, post, carol_s) == []
    assert (await site.call("DELETE", f"{HERE}/{other['id']}", token)).status == 200
    assert [it["id"] for it in await linked(site, post, bob_s)] == [one["id"]]
    await site.call("PATCH", f"{HERE}/{one['id']}", token, json={"name": "Other"})
    assert [it["name"] for it in await linked(site, post)] == ["Other"]
    await site.call("PUT", f"/api/v1/statuses/{post}", bob_s, json={"status": "no more"})
    assert await linked(site, post) == []


async def test_a_collection_is_also_known_in_a_letter(site: Site):
    _, token = await site.person("alice")
    one = await made(site, token)
    letter = {"status": one["url"], "visibility": "direct"}
    told = (await site.post("/api/v1/statuses", token, json=letter)).json
    assert [it["id"] for it in told["tagged_collections"]] == [one["id"]]


async def test_a_collection_that_comes_to_be_known_is_found_in_earlier_posts(both_sites: Site):
    site = both_sites
    _, token = await site.person("alice")
    carl = remote("carl")
    await stored(site.db, carl)
    address, page = f"{carl.uri}/collections/1", "https://far.test/collections/1"
    first = (await site.post("/api/v1/statuses", token, json={"status": f"Look: {page}"})).json
    assert first["tagged_collections"] == await linked(site, first["id"]) == []
    await site.do(theirs.store, carl, FeaturedCollection(address, owner=carl.uri, name="Birds", url=page))
    assert [it["name"] for it in await linked(site, first["id"])] == ["Birds"]
    second = (await site.post("/api/v1/statuses", token, json={"status": f"Look: {address}"})).json
    assert [it["name"] for it in second["tagged_collections"]] == ["Birds"]
