"""What readers do with posts, through the API: keeping, silencing, asking who likes them, looking back."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import insert

from social import boosts, reactions
from store.tables import media, users
from tests.web.site import Site

STATUSES = "/api/v1/statuses"
OWN = ["bookmark", "unbookmark", "mute", "unmute", "translate"]


@pytest.mark.parametrize("what", OWN)
async def test_marks_are_made_by_people_with_the_right_to_make_them(site: Site, what):
    alice, _ = await site.person("alice")
    bob, _ = await site.person("bob")
    post, secret = await site.posted(alice), await site.posted(alice, visibility="direct")
    assert (await site.post(f"{STATUSES}/{post.id}/{what}")).status == 401
    wrong = await site.token(bob, "push")
    assert (await site.post(f"{STATUSES}/{post.id}/{what}", wrong)).status == 403
    right = await site.token(bob)
    for unseen in (secret.id, 114, "x"):
        assert (await site.post(f"{STATUSES}/{unseen}/{what}", right)).status == 404


async def test_a_mark_shows_on_the_post_and_on_its_boost(site: Site):
    alice, _ = await site.person("alice")
    bob, token = await site.person("bob")
    post = await site.posted(alice)
    boost = await site.db.write(boosts.boost, bob.id, post.id, datetime.now(UTC))
    for act, undo, flag in (("bookmark", "unbookmark", "bookmarked"), ("mute", "unmute", "muted")):
        for path, is_set in ((f"{post.id}/{act}", True), (f"{boost.id}/{act}", True), (f"{boost.id}/{undo}", False)):
            answer = await site.post(f"{STATUSES}/{path}", token)
            assert (answer.status, answer.json["id"], answer.json[flag]) == (200, str(post.id), is_set)


@pytest.mark.parametrize(("path", "act"), [("bookmarks", "bookmark"), ("favourites", "favourite")])
async def test_what_one_keeps_is_a_list_of_his_own_and_cut_only_by_links(site: Site, path, act):
    alice, own = await site.person("alice")
    _, token = await site.person("bob")
    assert (await site.get(f"/api/v1/{path}")).status == 401
    assert (await site.get(f"/api/v1/{path}", await site.token(alice, "read:statuses"))).status == 403
    first, second = await site.posted(alice, "1"), await site.posted(alice, "2")
    for post in (second, first):
        assert (await site.post(f"{STATUSES}/{post.id}/{act}", token)).status == 200
    page = await site.get(f"/api/v1/{path}?limit=1", token)
    assert page.ids == [str(first.id)]
    assert str(first.id) not in (page.link("next") or "")
    rest = await site.get(page.link("next") or "", token)
    assert rest.ids == [str(second.id)]
    assert (await site.get(rest.link("prev") or "", token)).ids == [str(first.id)]
    assert (await site.get(f"/api/v1/{path}", own)).json == []


@pytest.mark.parametrize("path", ["favourited_by", "reblogged_by"])
async def test_who_likes_and_boosts_is_told_to_who_may_see_the_post(site: Site, path):
    alice, token = await site.person("alice")
    bob, _ = await site.person("bob")
    post, secret = await site.posted(alice), await site.posted(alice, visibility="private")
    await site.db.write(reactions.like, bob.id, post.id, datetime.now(UTC))
    await site.db.write(boosts.boost, bob.id, post.id, datetime.now(UTC))
    assert (await site.get(f"{STATUSES}/{post.id}/{path}")).ids == [str(bob.id)]
    assert (await site.get(f"{STATUSES}/{secret.id}/{path}")).status == 404
    assert (await site.get(f"{STATUSES}/{secret.id}/{path}", token)).json == []
    answer = await site.get(f"{STATUSES}/{post.id}/{path}?limit=1", token)
    assert answer.link("next")
    assert str(bob.id) not in (answer.link("next") or "")


async def test_several_posts_at_once(site: Site):
    alice, token = await site.person("alice")
    post, secret = await site.posted(alice), await site.posted(alice, visibility="direct")
    asked = f"{STATUSES}?id[]={secret.id}&id[]={post.id}&id[]={post.id}&id[]=114&id[]=x"
    assert (await site.get(asked)).ids == [str(post.id)]
    assert (await site.get(asked, token)).ids == [str(secret.id), str(post.id)]
    assert (await site.get(STATUSES)).json == []
    many = "&".join(f"id[]={n}" for n in range(21))
    assert (await site.get(f"{STATUSES}?{many}")).status == 422


async def test_the_history_of_a_post_is_for_who_may_see_it(site: Site):
    alice, token = await site.person("alice")
    post = await site.posted(alice, "old", visibility="private", summary="cw")
    picture = {"id": 7, "post_id": post.id, "position": 0, "kind": "image", "url": "https://ours.test/p.png"}
    await site.db.write(lambda tx: tx.execute(insert(media), {**picture, "description": "alt"}))
    here = f"{STATUSES}/{post.id}"
    assert (await site.get(f"{here}/history")).status == 404
    [now] = (await site.get(f"{here}/history", token)).json
    assert now["created_at"] == (await site.get(here, token)).json["created_at"]
    await site.call("PUT", here, token, json={"status": "new #tag", "poll": {"options": ["a", "b"], "expires_in": 600}})
    old, new = (await site.get(f"{here}/history", token)).json
    assert (old["content"], old["spoiler_text"], old["sensitive"], "poll" in old) == ("<p>old</p>", "cw", True, False)
    assert [one["description"] for one in old["media_attachments"]] == ["alt"]
    assert [one["title"] for one in new["poll"]["options"]] == ["a", "b"]
    assert new["created_at"] == (await site.get(here, token)).json["edited_at"]
    assert old["account"]["id"] == str(alice.id)


async def test_a_post_names_the_program_that_it_was_written_with(site: Site):
    _, token = await site.person("alice")
    status = (await site.post(STATUSES, token, json={"status": "x"})).json
    assert status["application"] == {"name": "a program", "website": None}
    assert (await site.get(f"{STATUSES}/{status['id']}")).json["application"] == status["application"]


async def test_a_boost_is_as_visible_as_is_asked_for(site: Site):
    alice, _ = await site.person("alice")
    bob, token = await site.person("bob")
    await site.db.write(lambda tx: tx.execute(users.update().values(default_visibility="private")))
    for said, shown in ((None, "private"), ("unlisted", "unlisted"), ("public", "public")):
        post = await site.posted(alice)
        boost = (await site.post(f"{STATUSES}/{post.id}/reblog", token, json={"visibility": said})).json
        assert boost["visibility"] == shown
    for wrong in ("direct", "everybody"):
        answer = await site.post(f"{STATUSES}/{post.id}/reblog", token, json={"visibility": wrong})
        assert answer.status == 422
    assert bob


async def test_without_a_service_nothing_is_translated(site: Site):
    alice, token = await site.person("alice")
    post, secret = await site.posted(alice), await site.posted(alice, visibility="private")
    assert (await site.post(f"{STATUSES}/{post.id}/translate", token)).status == 404
    assert (await site.post(f"{STATUSES}/{secret.id}/translate", token)).status == 403


async def test_a_post_that_stays_here_is_behind_every_door(site: Site):
    alice, token = await site.person("alice")
    _, other = await site.person("bob")
    said = {"status": "among us #tag", "local_only": True}
    status = (await site.post(STATUSES, token, json=said)).json
    assert (status["local_only"], status["visibility"]) == (True, "public")
    here = f"{STATUSES}/{status['id']}"
    assert (await site.get(here, other)).status == 200
    timelines = ["public", "tag/tag"]
    for path in timelines:
        assert (await site.get(f"/api/v1/timelines/{path}")).json == []
        assert (await site.get(f"/api/v1/timelines/{path}", other)).ids == [status["id"]]
    for what in ("", "/context", "/history", "/favourited_by", "/reblogged_by"):
        assert (await site.get(f"{here}{what}")).status == 404
    for path in (f"/users/alice/posts/{status['id']}", f"/users/alice/posts/{status['id']}/replies"):
        assert (await site.document(path)).status == 404
    assert (await site.get(f"/@alice/{status['id']}", headers={"Accept": "text/html"})).status == 404
    assert b"among us" not in (await site.get("/@alice", headers={"Accept": "text/html"})).body
    assert (await site.document("/users/alice/outbox?page=true")).json.get("orderedItems", []) == []
    assert alice


async def test_the_totals_of_a_poll_may_stay_secret_until_it_is_over(site: Site):
    alice, token = await site.person("alice")
    _, other = await site.person("bob")
    poll = {"options": ["a", "b"], "expires_in": 600, "hide_totals": "true"}
    status = (await site.post(STATUSES, token, json={"status": "?", "poll": poll})).json
    voted = (await site.post(f"/api/v1/polls/{status['poll']['id']}/votes", other, json={"choices": [0]})).json
    assert [option["votes_count"] for option in voted["options"]] == [None, None]
    assert (voted["voted"], voted["own_votes"], voted["votes_count"]) == (True, [0], 1)
    document = (await site.document(f"/users/alice/posts/{status['id']}")).json
    assert [option["replies"]["totalItems"] for option in document["oneOf"]] == [0, 0]
    assert alice
