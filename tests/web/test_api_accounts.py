"""People: profiles, following, blocking, requests."""

from dataclasses import replace

import pytest

from social import accounts
from store.tables import INSTANCE_ACTOR_ID, deliveries
from tests.people import follow, remote, stored
from tests.social.said import rows
from tests.web.site import Site

ACCOUNTS = "/api/v1/accounts"
UPDATE = f"{ACCOUNTS}/update_credentials"
BOOLEANS = {
    "following", "showing_reblogs", "notifying", "followed_by", "blocking", "blocked_by", "muting",
    "muting_notifications", "requested", "requested_by", "domain_blocking", "endorsed",
}  # fmt: skip


@pytest.mark.parametrize(
    "said",
    [
        {"display_name": "x" * 101},
        {"note": "x" * 2001},
        {"locked": "perhaps"},
        {"fields_attributes": "x"},
        {"fields_attributes": [{"name": str(n), "value": "x"} for n in range(9)]},
        {"fields_attributes": [{"name": {"x": 1}, "value": "x"}]},
        {"source": "x"},
        {"source": {"privacy": "everybody"}},
        {"source": {"language": "<script>"}},
        {"source": {"sensitive": "perhaps"}},
    ],
    ids=str,
)
async def test_a_profile_that_cannot_be_changes_nothing(site: Site, said):
    _, token = await site.person("alice")
    before = (await site.get(f"{ACCOUNTS}/verify_credentials", token)).json
    answer = await site.call(
        "PATCH", UPDATE, token, json={"display_name": "Alice", "source": {"privacy": "private"}, **said}
    )
    assert (answer.status, bool(answer.error)) == (422, True)
    assert (await site.get(f"{ACCOUNTS}/verify_credentials", token)).json == before


async def test_a_profile_is_changed_and_its_source_given_back(site: Site):
    alice, token = await site.person("alice")
    await stored(site.db, bob := remote("bob"))
    await site.db.write(follow, bob, alice)
    link = "https://alice.test/a-long-path-that-is-cut-when-shown?x=1&y=2"
    form = {
        "display_name": "Alice",
        "note": "I am #Alice",
        "locked": "true",
        "bot": "1",
        "fields_attributes[0][name]": "web",
        "fields_attributes[0][value]": link,
        "source[privacy]": "unlisted",
        "source[language]": "de",
    }
    account = (await site.call("PATCH", UPDATE, token, data=form)).json
    assert (account["display_name"], account["locked"], account["bot"]) == ("Alice", True, True)
    assert "<a " in account["note"]
    assert f'href="{link.replace("&", "&amp;")}"' in account["fields"][0]["value"]
    source = account["source"]
    assert (source["note"], source["privacy"], source["language"]) == ("I am #Alice", "unlisted", "de")
    assert source["fields"] == [{"name": "web", "value": link, "verified_at": None}]
    assert [row.host for row in await rows(site.db, deliveries)] == ["far.test"]
    again = (await site.call("PATCH", UPDATE, token, json={"fields_attributes": source["fields"]})).json
    assert again["fields"] == account["fields"]
    assert len(await rows(site.db, deliveries)) == 1


async def test_who_i_am(site: Site):
    alice, token = await site.person("alice", locked=True)
    bob, _ = await site.person("bob")
    await site.db.write(lambda tx: follow(tx, bob, alice, accepted=False))
    account = (await site.get(f"{ACCOUNTS}/verify_credentials", token)).json
    assert (account["id"], account["acct"], account["source"]["follow_requests_count"]) == (str(alice.id), "alice", 1)
    assert account["role"]["permissions"] == "0"
    assert account["created_at"].endswith("T00:00:00.000Z")
    assert account["avatar"].startswith("https://ours.test/static/")


@pytest.mark.parametrize("acct", ["", "nobody", "@", "bob@nowhere.test", "a@b@c", "connectme.internal", "%ff"])
async def test_lookup_finds_nobody_of_that_name(site: Site, acct):
    await site.person("alice")
    answer = await site.get(f"{ACCOUNTS}/lookup?acct={acct}")
    assert (answer.status, answer.error) == (404, "Record not found")
    assert site.remote.asked == []


@pytest.mark.parametrize(
    "acct", ["alice", "@alice", "ALICE", "alice@ours.test", "@Alice@OURS.test", "acct:alice@ours.test"]
)
async def test_lookup_finds_ours_by_any_spelling(site: Site, acct):
    alice, _ = await site.person("alice")
    assert (await site.get(f"{ACCOUNTS}/lookup?acct={acct}")).json["id"] == str(alice.id)


async def test_lookup_finds_those_elsewhere_who_are_known(site: Site):
    await stored(site.db, bob := remote("Bob"))
    found = (await site.get(f"{ACCOUNTS}/lookup?acct=bob@far.test")).json
    assert (found["id"], found["acct"], found["url"]) == (str(bob.id), "Bob@far.test", bob.url)


async def test_the_suspended_are_shown_by_name_alone_and_the_deleted_not_at_all(site: Site):
    told = replace(remote("bob"), display_name="Buy", note="<p>buy</p>", avatar_url="https://far.test/buy.png",
                   fields=[{"name": "buy", "value": "buy"}])  # fmt: skip
    await stored(site.db, told)
    await site.do(accounts.suspend, told.id)
    answer = await site.get(f"{ACCOUNTS}/{told.id}")
    assert answer.json["suspended"] is True
    assert b"uy" not in answer.body
    assert (await site.get(f"{ACCOUNTS}/{told.id}/followers")).json == []
    await site.do(accounts.forget, told)
    assert (await site.get(f"{ACCOUNTS}/{told.id}")).status == 404


async def test_the_server_s_own_actor_is_nobody_to_look_at(site: Site):
    _, token = await site.person("alice")
    for path in ("", "/statuses", "/followers"):
        assert (await site.get(f"{ACCOUNTS}/{INSTANCE_ACTOR_ID}{path}")).status == 404
    assert (await site.post(f"{ACCOUNTS}/{INSTANCE_ACTOR_ID}/follow", token)).status == 404


@pytest.mark.parametrize("which", ["followers", "following"])
async def test_lists_of_people_are_paged_by_links_alone(site: Site, which):
    alice, _ = await site.person("alice")
    people = [remote(f"p{n}") for n in range(5)]
    for one in people:
        one_key = replace(one, username="bob")  # one key for all: making them is slow
        await stored(site.db, one_key)
        await site.db.write(follow, *((one, alice) if which == "followers" else (alice, one)))
    seen: list[str] = []
    next_: str | None = f"{ACCOUNTS}/{alice.id}/{which}?limit=2"
    while next_:
        answer = await site.get(next_)
        seen += answer.ids
        next_ = answer.link("next")
    assert seen == [str(one.id) for one in reversed(people)]


async def test_following_one_of_ours_is_at_once(site: Site):
    _, token = await site.person("alice")
    bob, bob_s = await site.person("bob")
    relation = (await site.post(f"{ACCOUNTS}/{bob.id}/follow", token)).json
    assert (relation["following"], relation["requested"], relation["showing_reblogs"]) == (True, False, True)
    assert {name for name, value in relation.items() if isinstance(value, bool)} == BOOLEANS
    assert {"languages", "note"} <= relation.keys()
    assert [one["type"] for one in (await site.get("/api/v1/notifications", bob_s)).json] == ["follow"]
    relation = (await site.post(f"{ACCOUNTS}/{bob.id}/unfollow", token)).json
    assert relation["following"] is False


async def test_following_again_changes_only_what_is_said(site: Site):
    _, token = await site.person("alice")
    bob, _ = await site.person("bob")
    here = f"{ACCOUNTS}/{bob.id}/follow"
    for said, boosts, notify in [
        ({"reblogs": False}, False, False),
        ({"notify": "true"}, False, True),
        ({}, False, True),
        ({"reblogs": 1, "notify": 0}, True, False),
    ]:
        relation = (await site.post(here, token, json=said)).json
        assert (relation["showing_reblogs"], relation["notifying"]) == (boosts, notify), said


async def test_following_somebody_elsewhere_is_asked_first(site: Site):
    _, token = await site.person("alice")
    await stored(site.db, bob := remote("bob"))
    relation = (await site.post(f"{ACCOUNTS}/{bob.id}/follow", token)).json
    assert (relation["following"], relation["requested"]) == (False, True)
    assert [row.inbox for row in await rows(site.db, deliveries)] == [bob.inbox]


async def test_nobody_follows_himself_or_whom_he_blocks(site: Site):
    alice, token = await site.person("alice")
    bob, bob_s = await site.person("bob")
    assert (await site.post(f"{ACCOUNTS}/{alice.id}/follow", token)).status == 422
    assert (await site.post(f"{ACCOUNTS}/{alice.id}/block", token)).status == 422
    assert (await site.post(f"{ACCOUNTS}/{bob.id}/block", token)).json["blocking"] is True
    assert (await site.post(f"{ACCOUNTS}/{alice.id}/follow", bob_s)).status == 403


async def test_a_block_ends_following_both_ways(site: Site):
    alice, token = await site.person("alice")
    bob, _ = await site.person("bob")
    await site.db.write(follow, bob, alice)
    await site.db.write(follow, alice, bob)
    relation = (await site.post(f"{ACCOUNTS}/{bob.id}/block", token)).json
    assert (relation["blocking"], relation["following"], relation["followed_by"]) == (True, False, False)
    assert (await site.post(f"{ACCOUNTS}/{bob.id}/unblock", token)).json["blocking"] is False


async def test_requests_are_answered_by_who_is_asked(site: Site):
    carol, token = await site.person("carol", locked=True)
    alice, asking = await site.person("alice")
    bob, _ = await site.person("bob")
    assert (await site.post(f"{ACCOUNTS}/{carol.id}/follow", asking)).json["requested"] is True
    await site.db.write(lambda tx: follow(tx, bob, carol, accepted=False))
    requests = "/api/v1/follow_requests"
    assert set((await site.get(requests, token)).ids) == {str(alice.id), str(bob.id)}
    assert (await site.get(requests, asking)).json == []
    assert (await site.post(f"{requests}/{alice.id}/authorize", asking)).status == 404
    assert (await site.post(f"{requests}/{alice.id}/authorize", token)).json["followed_by"] is True
    assert (await site.post(f"{requests}/{bob.id}/reject", token)).json["followed_by"] is False
    assert (await site.post(f"{requests}/{bob.id}/authorize", token)).status == 404
    assert (await site.get(requests, token)).json == []
    relation = (await site.post(f"{ACCOUNTS}/{alice.id}/remove_from_followers", token)).json
    assert relation["followed_by"] is False


async def test_relationships_are_of_those_there_are(site: Site):
    alice, token = await site.person("alice")
    bob, _ = await site.person("bob")
    asked = f"id[]={bob.id}&id[]=x&id[]=114&id[]={bob.id}&id[]={alice.id}"
    found = (await site.get(f"{ACCOUNTS}/relationships?{asked}", token)).json
    assert [one["id"] for one in found] == [str(bob.id), str(alice.id)]
    assert [one["id"] for one in (await site.get(f"{ACCOUNTS}/relationships?id={bob.id}", token)).json] == [str(bob.id)]
    assert (await site.get(f"{ACCOUNTS}/relationships", token)).json == []


async def test_a_form_too_can_ask_for_posts_in_all_languages_again(site: Site):
    _, token = await site.person("alice")
    bob, _ = await site.person("bob")
    here = f"/api/v1/accounts/{bob.id}/follow"
    for said, meant in (("xx-nothing-at-all-", 422), ("de", ["de"]), ("", None)):
        answer = await site.post(here, token, data=[("languages[]", said)])
        assert answer.status == 422 if meant == 422 else answer.json["languages"] == meant
