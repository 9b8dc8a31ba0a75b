"""Notifications over the API: chosen, counted, dismissed; kept back and let in."""

import pytest

from social import filtering, reactions
from tests.web.site import Site

HERE, POLICY, REQUESTS = "/api/v1/notifications", "/api/v2/notifications/policy", "/api/v1/notifications/requests"
LEVELS = {
    "for_not_following": "accept",
    "for_not_followers": "accept",
    "for_new_accounts": "accept",
    "for_private_mentions": "accept",
    "for_limited_accounts": "filter",
    "for_bots": "accept",
}


async def mentioned(site: Site, often: int = 1):
    """alice's token, bob, his token; he mentioned her."""
    _, token = await site.person("alice")
    bob, bob_s = await site.person("bob")
    for _ in range(often):
        await site.posted(bob, "@alice")
    return token, bob, bob_s


@pytest.mark.parametrize("query", ["account_id=x", "limit=x", "include_filtered=perhaps", "types[a][b]=c"])
async def test_a_choice_that_cannot_be_is_refused(site: Site, query):
    _, token = await site.person("alice")
    for path in (HERE, f"{HERE}/unread_count"):
        assert (await site.get(f"{path}?{query}", token)).status == 422


@pytest.mark.parametrize("number", ["x", "1", "9" * 30])
async def test_what_is_not_there_is_not_found(site: Site, number):
    _, token = await site.person("alice")
    assert (await site.get(f"{HERE}/{number}", token)).status == 404
    for act in ("accept", "dismiss"):
        assert (await site.post(f"{REQUESTS}/{number}/{act}", token)).status == 404
    assert (await site.get(f"{REQUESTS}/{number}", token)).status == 404


async def test_pages_lead_to_their_neighbours(site: Site):
    token, *_ = await mentioned(site, 5)
    everything = (await site.get(HERE, token)).ids
    first = await site.get(f"{HERE}?limit=2&types[]=mention", token)
    second = await site.get(first.link("next") or "", token)
    assert (first.ids, second.ids) == (everything[:2], everything[2:4])
    assert (await site.get(second.link("prev") or "", token)).ids == first.ids
    assert (await site.get(f"{HERE}?limit=2&since_id={everything[4]}", token)).ids == everything[:2]
    assert (await site.get(f"{HERE}?limit=2&min_id={everything[4]}", token)).ids == everything[2:4]


async def test_unread_are_counted_from_the_newest_that_was_seen(site: Site):
    token, bob, _ = await mentioned(site, 3)
    assert (await site.get(f"{HERE}/unread_count", token)).json == {"count": 3}
    assert (await site.get(f"{HERE}/unread_count?limit=2", token)).json == {"count": 2}
    assert (await site.get(f"{HERE}/unread_count?exclude_types[]=mention", token)).json == {"count": 0}
    assert (await site.get(f"{HERE}/unread_count?account_id={bob.id}", token)).json == {"count": 3}
    assert (await site.get(f"{HERE}/unread_count?account_id=1", token)).json == {"count": 0}


async def test_the_old_way_to_dismiss(site: Site):
    token, _, bob_s = await mentioned(site)
    (number,) = (await site.get(HERE, token)).ids
    assert (await site.post(f"{HERE}/dismiss", token)).status == 404
    await site.post(f"{HERE}/dismiss", bob_s, json={"id": number})
    assert (await site.get(HERE, token)).ids == [number]
    assert (await site.post(f"{HERE}/dismiss", token, data={"id": number})).json == {}
    assert (await site.get(HERE, token)).ids == []


async def test_a_policy_is_read_and_changed_in_part(site: Site):
    _, token = await site.person("alice")
    nothing = {"pending_requests_count": 0, "pending_notifications_count": 0}
    assert (await site.get(POLICY, token)).json == {**LEVELS, "summary": nothing}
    for wrong in ({"for_bots": "maybe"}, {"for_bots": ["drop"]}, {"for_bots": True}):
        assert (await site.call("PATCH", POLICY, token, json=wrong)).status == 422
    changed = await site.call("PATCH", POLICY, token, data={"for_bots": "drop", "for_unknown": "x"})
    assert changed.json == (await site.get(POLICY, token)).json == {**LEVELS, "for_bots": "drop", "summary": nothing}


async def test_the_first_version_of_a_policy_knows_only_yes_and_no(site: Site):
    _, token = await site.person("alice")
    path = POLICY.replace("v2", "v1")
    await site.call("PATCH", POLICY, token, json={"for_not_following": "drop"})
    asked = {"filter_not_following": True, "filter_new_accounts": "true"}
    shown = (await site.call("PATCH", path, token, json=asked)).json
    assert [name for name, value in shown.items() if value is True] == list(asked)
    assert (await site.get(path, token)).json == shown
    now = (await site.get(POLICY, token)).json
    assert (now["for_not_following"], now["for_new_accounts"]) == ("drop", "filter")
    await site.call("PATCH", path, token, json=dict.fromkeys(asked, False))
    assert (await site.get(POLICY, token)).json["for_not_following"] == "accept"


async def test_what_is_kept_back_waits_as_a_request(site: Site):
    alice, token = await site.person("alice")
    bob, _ = await site.person("bob")
    await site.db.write(filtering.set_policy, alice.id, {"for_not_following": "filter"})
    post = await site.posted(bob, "@alice")
    (asked,) = (await site.get(REQUESTS, token)).json
    assert (asked["account"]["acct"], asked["notifications_count"]) == ("bob", "1")
    assert asked["last_status"]["id"] == str(post.id)
    assert (await site.get(f"{REQUESTS}/{asked['id']}", token)).json == asked
    waits = {"pending_requests_count": 1, "pending_notifications_count": 1}
    assert (await site.get(POLICY, token)).json["summary"] == waits
    assert (await site.get(HERE, token)).ids == []
    assert len((await site.get(f"{HERE}?include_filtered=true", token)).ids) == 1
    assert (await site.post(f"{REQUESTS}/{asked['id']}/accept", token)).json == {}
    assert (await site.get(f"{REQUESTS}/merged", token)).json == {"merged": True}
    assert len((await site.get(HERE, token)).ids) == 1
    assert (await site.get(REQUESTS, token)).json == []


async def test_requests_are_paged_by_link_and_answered_together(site: Site):
    alice, token = await site.person("alice")
    await site.db.write(filtering.set_policy, alice.id, {"for_not_followers": "filter"})
    for name in ("bob", "carl", "dora", "emil", "fred"):
        await site.posted((await site.person(name))[0], "@alice")
    everything = (await site.get(REQUESTS, token)).ids
    first = await site.get(f"{REQUESTS}?limit=2", token)
    second = await site.get(first.link("next") or "", token)
    assert (first.ids, second.ids) == (everything[:2], everything[2:4])
    assert (await site.get(second.link("prev") or "", token)).ids == first.ids
    assert (await site.post(f"{REQUESTS}/accept", token, data={"id[]": everything[0]})).json == {}
    assert (await site.post(f"{REQUESTS}/dismiss", token, json={"id": [*everything[1:3], "x"]})).json == {}
    assert (await site.get(REQUESTS, token)).ids == everything[3:]
    assert len((await site.get(f"{HERE}?include_filtered=1", token)).ids) == 3
    assert (await site.post(f"{REQUESTS}/accept", token, json={"id": ["1"] * 101})).status == 422


GROUPS = "/api/v2/notifications"


async def liked(site: Site, number: int = 10):
    """alice's token, and her post that many like."""
    alice, token = await site.person("alice")
    post = await site.posted(alice, "like this")
    for one in range(number):
        bob, _ = await site.person(f"bob{one}")
        await site.do(reactions.like, bob.id, post.id)
    await site.posted(bob, "@alice")
    return token, post


@pytest.mark.parametrize("query", ["expand_accounts=none", "limit=x", "account_id=x"])
async def test_groups_of_a_wrong_question(site: Site, query):
    _, token = await site.person("alice")
    assert (await site.get(f"{GROUPS}?{query}", token)).status == 422
    assert (await site.get(f"{GROUPS}/nothing", token)).status == 404


async def test_groups_with_what_they_are_about(site: Site):
    token, post = await liked(site)
    answer = await site.get(GROUPS, token)
    told, group = answer.json["notification_groups"]
    assert (told["type"], told["group_key"]) == ("mention", f"ungrouped-{told['most_recent_notification_id']}")
    assert (group["type"], group["notifications_count"], group["status_id"]) == ("favourite", 10, str(post.id))
    assert group["page_max_id"] == group["most_recent_notification_id"] > group["page_min_id"]
    assert len(group["sample_account_ids"]) == 8
    assert {one["id"] for one in answer.json["accounts"]} == set(group["sample_account_ids"])
    assert {one["id"] for one in answer.json["statuses"]} == {told["status_id"], group["status_id"]}
    assert "partial_accounts" not in answer.json
    assert (await site.get(answer.link("next") or "", token)).json["notification_groups"] == []
    assert (await site.get(f"{GROUPS}/unread_count", token)).json == {"count": 2}
    alone = (await site.get(f"{GROUPS}?grouped_types[]=follow", token)).json["notification_groups"]
    assert len(alone) == 11


async def test_most_accounts_come_in_part_when_a_program_wants_it(site: Site):
    token, _ = await liked(site)
    found = (await site.get(f"{GROUPS}?expand_accounts=partial_avatars", token)).json
    assert [one["acct"] for one in found["accounts"]] == ["bob9"]
    assert len(found["partial_accounts"]) == 7
    assert set(found["partial_accounts"][0]) == {
        "id", "acct", "url", "avatar", "avatar_static", "avatar_description", "locked", "bot",
    }  # fmt: skip


async def test_one_group_over_the_api(site: Site):
    token, _ = await liked(site)
    _, other = await site.person("anna")
    key = (await site.get(GROUPS, token)).json["notification_groups"][1]["group_key"]
    found = (await site.get(f"{GROUPS}/{key}", token)).json
    assert [group["group_key"] for group in found["notification_groups"]] == [key]
    assert "page_min_id" not in found["notification_groups"][0]
    assert len((await site.get(f"{GROUPS}/{key}/accounts", token)).json) == 10
    assert (await site.get(f"{GROUPS}/{key}", other)).status == 404
    await site.post(f"{GROUPS}/{key}/dismiss", other)
    assert (await site.get(f"{GROUPS}/unread_count", token)).json == {"count": 2}
    assert (await site.post(f"{GROUPS}/{key}/dismiss", token)).json == {}
    assert (await site.get(f"{GROUPS}/unread_count", token)).json == {"count": 1}
    assert (await site.post(f"{GROUPS}/clear", token)).json == {}
    assert (await site.get(GROUPS, token)).json["notification_groups"] == []
