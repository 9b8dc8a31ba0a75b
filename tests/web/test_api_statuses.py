"""Posts, as programs write, read, change and delete them."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from social import boosts
from social.posts import receive
from store.tables import deliveries, idempotency, posts, users
from tests.people import follow, remote, stored
from tests.social.said import note, rows
from tests.web.site import Site

STATUSES = "/api/v1/statuses"


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({}, 422),
        ({"status": " \n "}, 422),
        ({"status": "x" * 5001}, 422),
        ({"status": "x", "visibility": "everybody"}, 422),
        ({"status": "x", "language": "<script>"}, 422),
        ({"status": "x", "in_reply_to_id": "x"}, 422),
        ({"status": "x", "in_reply_to_id": "9" * 30}, 422),
        ({"status": "x", "in_reply_to_id": "114"}, 404),
        ({"status": "x", "poll": {"options": ["a", "b"]}}, 422),
        ({"status": "x", "poll": {"options": ["a", "b"], "expires_in": 1}}, 422),
        ({"status": "x", "poll": {"options": ["a", "b"], "expires_in": 10**12}}, 422),
        ({"status": "x", "poll": {"options": ["a"], "expires_in": 600}}, 422),
        ({"status": "x", "poll": {"options": ["a", "A"], "expires_in": 600}}, 422),
        ({"status": "x", "poll": "a"}, 422),
        ({"status": "x", "scheduled_at": "2020-01-01T00:00:00Z"}, 422),
        ({"status": "x", "scheduled_at": "tomorrow"}, 422),
        ({"status": "x", "scheduled_at": "0001-01-01T00:00:00+23:59"}, 422),
        ({"status": "x", "scheduled_at": "9999-12-31T23:59:59-23:59"}, 422),
        ({"status": "x", "media_ids": ["114"]}, 422),
        ({"status": "x", "media_ids": ["x"]}, 422),
        ({"status": "x", "media_ids": {"a": {"b": 1}}}, 422),
        ({"status": "x", "media_ids": ["1"], "poll": {"options": ["a", "b"], "expires_in": 600}}, 422),
    ],
    ids=str,
)
async def test_what_cannot_be_posted_is_refused(site: Site, said, status):
    _, token = await site.person("alice")
    answer = await site.post(STATUSES, token, json=said)
    assert answer.status == status
    assert answer.error
    assert await rows(site.db, posts) == []


async def test_nobody_is_fetched_for_a_post_that_is_refused(site: Site):
    _, token = await site.person("alice")
    await site.post(STATUSES, token, json={"status": "@bob@far.test", "visibility": "everybody"})
    assert site.remote.asked == []


async def test_only_its_author_changes_deletes_pins_or_sees_the_source(site: Site):
    alice, token = await site.person("alice")
    _, other = await site.person("bob")
    post = await site.posted(alice)
    here = f"{STATUSES}/{post.id}"
    for method, path in [("PUT", here), ("DELETE", here), ("GET", f"{here}/source"), ("POST", f"{here}/pin")]:
        answer = await site.call(method, path, other, json={"status": "mine"} if method == "PUT" else None)
        assert answer.status == 404, (method, path)
    assert (await site.get(here)).json["content"] == "<p>hello</p>"
    assert (await site.get(f"{here}/source", token)).json == {"id": str(post.id), "text": "hello", "spoiler_text": ""}


async def test_a_private_post_is_for_followers(site: Site):
    alice, own = await site.person("alice")
    bob, follower = await site.person("bob")
    _, stranger = await site.person("carol")
    await site.db.write(follow, bob, alice)
    post = await site.posted(alice, visibility="private")
    for token, status in [(own, 200), (follower, 200), (stranger, 404), (None, 404)]:
        for what in ("", "/context"):
            assert (await site.get(f"{STATUSES}/{post.id}{what}", token)).status == status
    assert (await site.post(f"{STATUSES}/{post.id}/reblog", follower)).status == 403


async def test_a_post_says_all_that_clients_read(site: Site):
    alice, token = await site.person("alice")
    answer = await site.post(
        STATUSES,
        token,
        json={"status": "a #Tag\n\nb <i>", "spoiler_text": "cw", "visibility": "unlisted", "language": "de"},
    )
    status = answer.json
    assert status["id"].isdigit()
    assert status["uri"] == f"https://ours.test/users/alice/posts/{status['id']}"
    assert status["url"] == f"https://ours.test/@alice/{status['id']}"
    assert status["content"].endswith("</p><p>b &lt;i&gt;</p>")
    assert datetime.strptime(status["created_at"], "%Y-%m-%dT%H:%M:%S.%fZ")  # noqa: DTZ007  the Z is the zone
    shown = {
        name: status[name] for name in ("visibility", "spoiler_text", "sensitive", "language", "edited_at", "reblog")
    }
    assert shown == {
        "visibility": "unlisted",
        "spoiler_text": "cw",
        "sensitive": True,
        "language": "de",
        "edited_at": None,
        "reblog": None,
    }
    assert [tag["name"] for tag in status["tags"]] == ["Tag"]
    assert (status["account"]["id"], status["account"]["acct"]) == (str(alice.id), "alice")
    assert {"favourited", "reblogged", "muted", "bookmarked", "pinned"} <= status.keys()
    assert not {"favourited", "pinned"} & (await site.get(f"{STATUSES}/{status['id']}")).json.keys()


async def test_what_is_not_said_is_as_the_author_likes_it(site: Site):
    alice, token = await site.person("alice")
    mine = update(users).where(users.c.account_id == alice.id)
    liked = mine.values(default_visibility="private", default_sensitive=True, default_language="fr")
    await site.db.write(lambda tx: tx.execute(liked))
    status = (await site.post(STATUSES, token, json={"status": "x"})).json
    assert (status["visibility"], status["sensitive"], status["language"]) == ("private", True, "fr")
    status = (await site.post(STATUSES, token, json={"status": "x", "visibility": "public", "sensitive": "false"})).json
    assert (status["visibility"], status["sensitive"]) == ("public", False)


async def test_people_elsewhere_are_met_before_they_are_mentioned(site: Site):
    _, token = await site.person("alice")
    bob = remote("bob")
    await stored(site.db, bob)
    status = (
        await site.post(STATUSES, token, json={"status": "hi @bob@far.test @nobody@far.test @alice@ours.test"})
    ).json
    assert [one["acct"] for one in status["mentions"]] == ["bob@far.test"]
    assert site.remote.asked == ["nobody@far.test"]
    assert [row.inbox for row in await rows(site.db, deliveries)] == ["https://far.test/inbox"]


async def test_the_same_key_gives_the_same_post(both_sites: Site):
    site = both_sites
    _, token = await site.person("alice")
    _, other = await site.person("bob")

    async def say(by: str, key: str) -> str:
        answer = await site.post(STATUSES, by, json={"status": "once"}, headers={"Idempotency-Key": key})
        assert answer.status == 200, answer.body
        found: str = answer.json["id"]
        return found

    first = await asyncio.gather(*(say(token, "k") for _ in range(8)))
    assert len(set(first)) == 1
    assert len({first[0], await say(token, "k2"), await say(other, "k")}) == 3
    assert len(await rows(site.db, posts)) == 3
    long_ago = datetime.now(UTC) - timedelta(hours=2)
    await site.db.write(lambda tx: tx.execute(update(idempotency).values(at=long_ago)))
    assert await say(token, "k") != first[0]


async def test_a_refused_post_leaves_its_key_free(site: Site):
    _, token = await site.person("alice")
    key = {"Idempotency-Key": "k"}
    assert (await site.post(STATUSES, token, json={"status": "x", "in_reply_to_id": "114"}, headers=key)).status == 404
    assert (await site.post(STATUSES, token, json={"status": "x"}, headers=key)).status == 200


async def test_an_edit_changes_what_it_names_and_nothing_else(site: Site):
    alice, token = await site.person("alice")
    post = await site.posted(alice, "old", summary="cw", language="de", visibility="unlisted")
    here = f"{STATUSES}/{post.id}"
    edited = (await site.call("PUT", here, token, json={"status": "new", "spoiler_text": "cw"})).json
    assert (edited["content"], edited["spoiler_text"], edited["language"]) == ("<p>new</p>", "cw", "de")
    assert (edited["visibility"], edited["sensitive"]) == ("unlisted", True)
    assert edited["edited_at"] is not None
    edited = (await site.call("PUT", here, token, json={"spoiler_text": ""})).json
    assert (edited["content"], edited["spoiler_text"], edited["sensitive"]) == ("<p>new</p>", "", False)


async def test_words_that_come_without_a_warning_are_without(site: Site):
    """Phanpy leaves `spoiler_text` out when its writer takes the warning away, for Mastodon understands it so."""
    alice, token = await site.person("alice")
    for said, sensitive in (({}, False), ({"sensitive": False}, False), ({"sensitive": True}, True)):
        post = await site.posted(alice, "old", summary="cw")
        edited = (await site.call("PUT", f"{STATUSES}/{post.id}", token, json={"status": "new", **said})).json
        assert (edited["content"], edited["spoiler_text"], edited["sensitive"]) == ("<p>new</p>", "", sensitive)
    post = await site.posted(alice, "old", sensitive=True)
    edited = (await site.call("PUT", f"{STATUSES}/{post.id}", token, json={"status": "new"})).json
    assert edited["sensitive"] is True  # of its pictures nothing was said


async def test_a_deleted_post_comes_back_once_with_its_text(site: Site):
    alice, token = await site.person("alice")
    post = await site.posted(alice, "a #tag")
    here = f"{STATUSES}/{post.id}"
    answer = await site.call("DELETE", here, token)
    assert (answer.status, answer.json["text"]) == (200, "a #tag")
    assert (await site.call("DELETE", here, token)).status == 404
    assert (await site.get(here, token)).status == 404


async def test_a_boost_is_deleted_as_a_boost(site: Site):
    alice, _ = await site.person("alice")
    bob, token = await site.person("bob")
    post = await site.posted(alice)
    boost = await site.db.write(boosts.boost, bob.id, post.id, datetime.now(UTC))
    carol, other = await site.person("carol")
    await site.db.write(boosts.boost, carol.id, post.id, datetime.now(UTC))
    assert (await site.call("DELETE", f"{STATUSES}/{boost.id}", other)).status == 404
    assert (await site.get(f"{STATUSES}/{post.id}", other)).json["reblogs_count"] == 2
    assert (await site.call("DELETE", f"{STATUSES}/{boost.id}", token)).status == 200
    assert (await site.get(f"{STATUSES}/{post.id}", token)).json["reblogs_count"] == 1


async def test_likes_are_counted_once(site: Site):
    alice, _ = await site.person("alice")
    _, token = await site.person("bob")
    here = f"{STATUSES}/{(await site.posted(alice)).id}"
    for act, liked, count in [("favourite", True, 1), ("favourite", True, 1), ("unfavourite", False, 0)]:
        status = (await site.post(f"{here}/{act}", token)).json
        assert (status["favourited"], status["favourites_count"]) == (liked, count)


async def test_a_boost_is_answered_with_the_post_inside(site: Site):
    alice, _ = await site.person("alice")
    _, token = await site.person("bob")
    post = await site.posted(alice)
    here = f"{STATUSES}/{post.id}"
    first, again = [(await site.post(f"{here}/reblog", token)).json for _ in range(2)]
    assert first["id"] == again["id"] != str(post.id)
    assert (first["content"], first["reblog"]["id"]) == ("", str(post.id))
    assert (first["reblog"]["reblogged"], first["reblog"]["reblogs_count"]) == (True, 1)
    for _ in range(2):
        status = (await site.post(f"{here}/unreblog", token)).json
        assert (status["id"], status["reblogged"], status["reblogs_count"]) == (str(post.id), False, 0)
    boost = (await site.post(f"{here}/reblog", token)).json
    assert (await site.post(f"{STATUSES}/{boost['id']}/unreblog", token)).json["id"] == str(post.id)


async def test_pinned_posts_are_on_top_of_the_profile(site: Site):
    alice, token = await site.person("alice")
    first, second = await site.posted(alice), await site.posted(alice)
    assert (await site.post(f"{STATUSES}/{first.id}/pin", token)).json["pinned"]
    pinned = f"/api/v1/accounts/{alice.id}/statuses?pinned=true"
    assert (await site.get(pinned)).ids == [str(first.id)]
    assert (await site.post(f"{STATUSES}/{first.id}/unpin", token)).json["pinned"] is False
    assert (await site.get(pinned)).json == []
    direct = await site.posted(alice, "@alice", visibility="direct")
    assert (await site.post(f"{STATUSES}/{direct.id}/pin", token)).status == 422
    assert second.id > first.id


async def test_a_thread_is_shown_around_a_post(site: Site):
    alice, token = await site.person("alice")
    bob, bob_s = await site.person("bob")
    root = await site.posted(alice, "root")
    answer = await site.posted(bob, "answer", reply_to_id=root.id)
    comment = await site.posted(alice, "comment", reply_to_id=answer.id)
    hidden = await site.posted(alice, "hidden @alice", reply_to_id=answer.id, visibility="direct")
    context = (await site.get(f"{STATUSES}/{answer.id}/context", bob_s)).json
    assert [one["id"] for one in context["ancestors"]] == [str(root.id)]
    assert [one["id"] for one in context["descendants"]] == [str(comment.id)]
    own = (await site.get(f"{STATUSES}/{answer.id}/context", token)).json
    assert {one["id"] for one in own["descendants"]} == {str(comment.id), str(hidden.id)}
    shown = (await site.get(f"{STATUSES}/{comment.id}", bob_s)).json
    assert (shown["in_reply_to_id"], shown["in_reply_to_account_id"]) == (str(answer.id), str(bob.id))


async def test_remote_posts_are_answered_and_the_answer_goes_there(site: Site):
    _, token = await site.person("alice")
    bob = remote("bob")
    await stored(site.db, bob)
    there = await site.db.write(receive.receive, bob, note(bob), datetime.now(UTC))
    answer = await site.post(STATUSES, token, json={"status": "well", "in_reply_to_id": str(there.id)})
    assert answer.json["in_reply_to_account_id"] == str(bob.id)
    assert [row.host for row in await rows(site.db, deliveries)] == ["far.test"]


async def test_a_title_is_shown_as_text(site: Site):
    bob = remote("bob")
    await stored(site.db, bob)
    titled = note(bob, "<p>long</p>", kind="Article", title="A & B")
    there = await site.db.write(receive.receive, bob, titled, datetime.now(UTC))
    shown = (await site.get(f"{STATUSES}/{there.id}")).json["content"]
    assert shown == "<p><strong>A &amp; B</strong></p><p>long</p>"


async def test_who_is_blocked_sees_nothing_of_the_blocker(site: Site):
    alice, token = await site.person("alice")
    bob, bob_s = await site.person("bob")
    post = await site.posted(alice)
    await site.post(f"/api/v1/accounts/{bob.id}/block", token)
    assert (await site.get(f"{STATUSES}/{post.id}", bob_s)).status == 404
    assert (await site.get(f"/api/v1/accounts/{alice.id}/followers", bob_s)).json == []
    assert (await site.get(f"{STATUSES}/{post.id}")).status == 200
