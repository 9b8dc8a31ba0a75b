"""Quotes of one's posts, and who may quote them."""

from tests.web.site import DOCUMENT, Site

STATUSES = "/api/v1/statuses"


async def test_only_the_author_sees_and_ends_quotes(site: Site):
    alice, token = await site.person("alice")
    _, bob_s = await site.person("bob")
    quoted = await site.posted(alice)
    one = (await site.post(STATUSES, bob_s, json={"status": "look", "quoted_status_id": str(quoted.id)})).json
    assert (one["quote"]["state"], one["quote"]["quoted_status"]["id"]) == ("accepted", str(quoted.id))
    place = f"{STATUSES}/{quoted.id}"
    assert (await site.get(f"{place}/quotes")).status == 401
    assert (await site.get(f"{place}/quotes", bob_s)).status == 404
    assert (await site.get(f"{place}/quotes", token)).ids == [one["id"]]
    assert (await site.get(place, token)).json["quotes_count"] == 1
    assert (await site.post(f"{place}/quotes/{one['id']}/revoke", bob_s)).status == 404
    assert (await site.post(f"{place}/quotes/x/revoke", token)).status == 404
    assert (await site.post(f"{place}/quotes/{one['id']}/revoke", token)).json["quote"]["state"] == "revoked"
    assert (await site.get(f"{place}/quotes", token)).ids == []


async def test_what_may_not_be_quoted_or_is_not_there_is_refused(site: Site):
    _, token = await site.person("alice")
    _, bob_s = await site.person("bob")
    mine = (await site.post(STATUSES, token, json={"status": "mine", "quote_approval_policy": "nobody"})).json
    assert mine["quote_approval"] == {"automatic": [], "manual": [], "current_user": "automatic"}
    for quoted, status in ((mine["id"], 403), ("114", 404), ("x", 422)):
        answer = await site.post(STATUSES, bob_s, json={"status": "look", "quoted_status_id": quoted})
        assert (answer.status, bool(answer.error)) == (status, True)
    answer = await site.post(STATUSES, token, json={"status": "x", "quote_approval_policy": "everybody"})
    assert answer.status == 422


async def test_the_policy_of_a_post_can_be_changed(site: Site):
    alice, token = await site.person("alice")
    _, bob_s = await site.person("bob")
    post = await site.posted(alice)
    place = f"{STATUSES}/{post.id}/interaction_policy"
    assert (await site.call("PUT", place, bob_s, json={"quote_approval_policy": "nobody"})).status == 404
    assert (await site.call("PUT", place, token, json={"quote_approval_policy": "x"})).status == 422
    changed = await site.call("PUT", place, token, json={"quote_approval_policy": "followers"})
    assert changed.json["quote_approval"]["automatic"] == ["followers"]
    assert (await site.get(f"{STATUSES}/{post.id}", bob_s)).json["quote_approval"]["current_user"] == "denied"
    assert (await site.get(f"{STATUSES}/{post.id}")).json["quote_approval"]["current_user"] == "unknown"


async def test_an_edit_may_change_who_quotes_and_its_history_shows_what_is_quoted(both_sites: Site):
    site = both_sites
    alice, token = await site.person("alice")
    quoted = await site.posted(alice, "to be quoted")
    asked = {"status": "look", "quoted_status_id": str(quoted.id)}
    place = f"{STATUSES}/{(await site.post(STATUSES, token, json=asked)).json['id']}"
    wrong = await site.call("PUT", place, token, json={"status": "changed", "quote_approval_policy": "everybody"})
    assert (wrong.status, (await site.get(place, token)).json["edited_at"]) == (422, None)
    policies = []
    for change in ({"quote_approval_policy": "nobody"}, {}, {"quote_approval_policy": "followers"}):
        told = await site.call("PUT", place, token, json={"status": f"now {len(policies)}", **change})
        policies.append(told.json["quote_approval"]["automatic"])
    assert policies == [[], [], ["followers"]]
    for text in (await site.get(f"{place}/history", token)).json:
        assert text["quote"]["quoted_status"]["id"] == str(quoted.id)
    assert "quote" not in (await site.get(f"{STATUSES}/{quoted.id}/history", token)).json[0]


async def test_an_approval_is_served_until_it_is_taken_back(site: Site):
    alice, token = await site.person("alice")
    _, bob_s = await site.person("bob")
    quoted = await site.posted(alice)
    one = (await site.post(STATUSES, bob_s, json={"status": "look", "quoted_status_id": str(quoted.id)})).json
    said = (await site.get(f"/users/bob/posts/{one['id']}", headers={"Accept": DOCUMENT})).json
    assert said["quote"] == quoted.uri
    assert "quote-inline" in said["content"]
    path = said["quoteAuthorization"].removeprefix("https://ours.test")
    approval = (await site.document(path)).json
    assert approval["type"] == "QuoteAuthorization"
    assert (approval["attributedTo"], approval["interactingObject"]) == (alice.uri, said["id"])
    await site.post(f"{STATUSES}/{quoted.id}/quotes/{one['id']}/revoke", token)
    assert (await site.document(path)).status == 404
