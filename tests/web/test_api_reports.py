"""Reports by programs: who may file one, about what; and reactions with an emoji."""

from datetime import UTC, datetime

import pytest

from social import accounts
from social.posts import receive
from social.site import add_rule
from store.tables import reports
from tests.people import remote, stored
from tests.social.mail import sent
from tests.social.said import note, private, rows
from tests.web.site import Site

REPORTS = "/api/v1/reports"


async def test_who_did_not_sign_in_or_may_not_reports_nobody(site: Site):
    alice, _ = await site.person("alice")
    said = {"account_id": str(alice.id)}
    assert (await site.post(REPORTS, json=said)).status == 401
    assert (await site.post(REPORTS, await site.token(alice, "read write:statuses"), json=said)).status == 403


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({}, 422),
        ({"account_id": "x"}, 422),
        ({"account_id": ["1"]}, 422),
        ({"account_id": "114"}, 404),
        ({"category": "boring"}, 422),
        ({"comment": "x" * 5001}, 422),
        ({"status_ids": ["114"]}, 404),
        ({"status_ids": ["x"]}, 404),
        ({"status_ids": [{"a": 1}]}, 422),
        ({"status_ids": [str(n) for n in range(1, 300)]}, 422),
        ({"rule_ids": ["x" * 101]}, 422),
        ({"rule_ids": ["114"]}, 422),
        ({"rule_ids": [""]}, 422),
        ({"forward": "perhaps"}, 422),
    ],
    ids=str,
)
async def test_what_cannot_be_reported_is_refused(site: Site, said, status):
    _, token = await site.person("alice")
    bob = remote("bob")
    await stored(site.db, bob)
    target = {} if not said or "account_id" in said else {"account_id": str(bob.id)}
    answer = await site.post(REPORTS, token, json={**target, **said})
    assert answer.status == status
    assert answer.error
    assert await rows(site.db, reports) == []


async def test_nobody_reports_posts_of_others_or_those_that_he_may_not_see(site: Site):
    alice, token = await site.person("alice")
    bob = remote("bob")
    await stored(site.db, bob)
    mine = await site.posted(alice)
    secret = await site.db.write(receive.receive, bob, note(bob, **private(bob)), datetime.now(UTC))
    for post in (mine, secret):
        said = {"account_id": str(bob.id), "status_ids": [str(post.id)], "forward": True}
        assert (await site.post(REPORTS, token, json=said)).status == 404
    assert await sent(site.db) == []


async def test_a_report_is_kept_and_its_forwarded_copy_names_nobody(site: Site):
    alice, token = await site.person("alice")
    bob = remote("bob")
    await stored(site.db, bob)
    bad = await site.db.write(receive.receive, bob, note(bob), datetime.now(UTC))
    rule = str((await site.db.write(add_rule, "Be kind")).id)
    said = {
        "account_id": str(bob.id),
        "status_ids": [str(bad.id)],
        "comment": "is rude",
        "category": "spam",
        "rule_ids": [rule, rule],
        "forward": True,
    }
    made = (await site.post(REPORTS, token, json=said)).json
    assert made.pop("id")
    assert made.pop("created_at")
    assert made.pop("target_account")["id"] == str(bob.id)
    assert made == {
        "action_taken": False,
        "action_taken_at": None,
        "category": "violation",
        "comment": "is rude",
        "forwarded": True,
        "status_ids": [str(bad.id)],
        "collection_ids": [],
        "rule_ids": [rule],
    }
    (flag,) = await sent(site.db)
    instance = await site.db.read(accounts.by_uri, "https://ours.test/actor")
    assert (flag.document["actor"], flag.document["object"]) == (instance.uri, [bob.uri, bad.uri])
    assert alice.uri not in str(flag.document)


REACTION = "/api/v1/pleroma/statuses/{}/reactions"


async def test_who_did_not_sign_in_may_not_react_and_nothing_but_an_emoji_is_one(site: Site):
    alice, token = await site.person("alice")
    post = await site.posted(alice)
    here = REACTION.format(post.id)
    assert (await site.call("PUT", f"{here}/%F0%9F%98%80")).status == 401
    assert (await site.call("PUT", f"{here}/%F0%9F%98%80", await site.token(alice, "read"))).status == 403
    for word, status in (("hello", 422), ("%3Ablobcat%3A", 422), ("%00", 422)):
        assert (await site.call("PUT", f"{here}/{word}", token)).status == status
    secret = await site.posted(alice, visibility="direct")
    _, other = await site.person("bob")
    for method in ("PUT", "DELETE"):
        assert (await site.call(method, f"{REACTION.format(secret.id)}/%F0%9F%98%80", other)).status == 404
    assert (await site.get(REACTION.format(secret.id), other)).status == 404
    assert (await site.get(here)).json == []


async def test_a_reaction_goes_out_is_shown_and_taken_back(site: Site):
    alice, token = await site.person("alice")
    bob = remote("bob")
    await stored(site.db, bob)
    post = await site.db.write(receive.receive, bob, note(bob), datetime.now(UTC))
    here = REACTION.format(post.id)
    assert (await site.call("PUT", f"{here}/%F0%9F%98%80", token)).json["id"] == str(post.id)
    (said,) = await sent(site.db)
    assert (said.type, said.document["content"], said.inboxes) == ("EmojiReact", "\U0001f600", {bob.inbox})
    (shown,) = (await site.get(here, token)).json
    assert (shown["name"], shown["count"], shown["me"], shown["url"]) == ("\U0001f600", 1, True, None)
    assert [one["id"] for one in shown["accounts"]] == [str(alice.id)]
    assert (await site.get(f"{here}/%F0%9F%98%80")).json[0]["me"] is False
    assert (await site.get(f"{here}/%F0%9F%98%A1")).json == []
    await site.call("DELETE", f"{here}/%F0%9F%98%80", token)
    assert (await site.get(here)).json == []
    assert [it.type for it in await sent(site.db)][-1] == "Undo"
