"""Lists, hashtags, markers and what feeds are asked for: refusals first."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import delete, insert

from social import lists
from social.posts import receive
from store.ids import new_id
from store.tables import media, users
from tests.people import follow, remote, stored
from tests.social.said import note
from tests.web.site import Site

LISTS, MARKERS = "/api/v1/lists", "/api/v1/markers"


@pytest.mark.parametrize(
    "body",
    [{}, {"title": ""}, {"title": "x", "replies_policy": "all"}, {"title": ["x"]}, {"title": "x", "exclusive": "?"}],
)
async def test_what_can_be_no_list_is_refused(site: Site, body):
    _, token = await site.person("alice")
    answer = await site.post(LISTS, token, json=body)
    assert (answer.status, bool(answer.error)) == (422, True)
    assert (await site.get(LISTS, token)).json == []


async def test_who_left_since_he_was_recognised_has_no_list_and_breaks_nothing(both_sites: Site, monkeypatch):
    """On PostgreSQL the unit is tried again, and it stays so."""
    _, token = await both_sites.person("alice")
    create = lists.create

    def leave_and_create(tx, owner_id, *given):
        tx.execute(delete(users).where(users.c.account_id == owner_id))
        return create(tx, owner_id, *given)

    monkeypatch.setattr(lists, "create", leave_and_create)
    answer = await both_sites.post(LISTS, token, json={"title": "friends"})
    assert (answer.status, answer.error) == (404, "Record not found")


async def test_another_s_list_is_404(site: Site):
    alice, token = await site.person("alice")
    _, strange = await site.person("mallory")
    here = f"{LISTS}/{(await site.post(LISTS, token, json={'title': 'friends'})).json['id']}"
    for method, path in (
        ("GET", here),
        ("PUT", here),
        ("DELETE", here),
        ("GET", f"{here}/accounts"),
        ("POST", f"{here}/accounts"),
        ("DELETE", f"{here}/accounts"),
        ("GET", here.replace("/lists/", "/timelines/list/")),
    ):
        answer = await site.call(method, path, strange, json={"title": "mine", "account_ids": [str(alice.id)]})
        assert (answer.status, answer.error) == (404, "Record not found"), (method, path)
    assert (await site.get(here, token)).json["title"] == "friends"


async def test_a_list_is_made_changed_filled_read_and_deleted(site: Site):
    alice, token = await site.person("alice")
    bob = remote("bob")
    await stored(site.db, bob)
    made = await site.post(LISTS, token, data={"title": " friends "})
    here = f"{LISTS}/{made.json['id']}"
    assert made.json == {**made.json, "title": "friends", "replies_policy": "list", "exclusive": False}
    ids = {"account_ids[]": str(bob.id)}
    assert (await site.post(f"{here}/accounts", token, data=ids)).error == "Record not found"
    assert (await site.post(f"{here}/accounts", token, json={"account_ids": ["x"]})).status == 404
    await site.db.write(follow, alice, bob)
    post = await site.db.write(receive.receive, bob, note(bob), datetime.now(UTC))
    assert (await site.post(f"{here}/accounts", token, data=ids)).json == {}
    assert (await site.post(f"{here}/accounts", token, data=ids)).status == 422
    assert (await site.get(f"{here}/accounts?limit=0", token)).ids == [str(bob.id)]
    assert (await site.get(f"/api/v1/timelines/list/{made.json['id']}", token)).ids == [str(post.id)]
    assert (await site.get(f"/api/v1/accounts/{bob.id}/lists", token)).json == [made.json]
    changed = await site.call("PUT", here, token, json={"exclusive": True})
    assert changed.json == {**made.json, "exclusive": True}
    assert (await site.get("/api/v1/timelines/home", token)).json == []
    assert (await site.call("DELETE", f"{here}/accounts?account_ids[]={bob.id}", token)).json == {}
    assert (await site.get(f"{here}/accounts", token)).json == []
    assert (await site.call("DELETE", here, token)).json == {}
    assert (await site.get(here, token)).status == 404


async def test_members_come_in_pages(site: Site):
    alice, token = await site.person("alice")
    people = [remote(f"p{n}") for n in range(5)]
    await stored(site.db, *people)
    here = f"{LISTS}/{(await site.post(LISTS, token, json={'title': 'x'})).json['id']}/accounts"
    for one in people:
        await site.db.write(follow, alice, one)
        await site.post(here, token, json={"account_ids": [str(one.id)]})
    seen, next_ = [], f"{here}?limit=2"
    while next_:
        answer = await site.get(next_, token)
        seen += answer.ids
        next_ = answer.link("next")
    assert seen == [str(one.id) for one in people][::-1]


@pytest.mark.parametrize("name", ["a%20b", "a%2Fb", "%00", "x" * 501])
async def test_what_can_be_no_hashtag_is_404(site: Site, name):
    _, token = await site.person("alice")
    assert (await site.get(f"/api/v1/tags/{name}", token)).status == 404
    assert (await site.post(f"/api/v1/tags/{name}/follow", token)).status == 404


async def test_hashtags_are_followed_and_shown(site: Site):
    alice, token = await site.person("alice")
    await site.posted(alice, "#Cats")
    plain = (await site.get("/api/v1/tags/CATS")).json
    assert (plain["name"], plain["history"][0]["uses"], "following" in plain) == ("Cats", "1", False)
    for _ in range(2):
        followed = (await site.post("/api/v1/tags/Cats/follow", token)).json
    assert (followed["following"], followed["id"], followed["featuring"]) == (True, plain["id"], False)
    await site.post("/api/v1/tags/dogs/follow", token)
    answer = await site.get("/api/v1/followed_tags?limit=1", token)
    assert [tag["name"] for tag in answer.json] == ["dogs"]
    assert [tag["name"] for tag in (await site.get(answer.link("next") or "", token)).json] == ["Cats"]
    bob, _ = await site.person("bob")
    post = await site.posted(bob, "#cats")
    assert str(post.id) in (await site.get("/api/v1/timelines/home", token)).ids
    assert (await site.post("/api/v1/tags/cats/unfollow", token)).json["following"] is False


@pytest.mark.parametrize("body", [{"home": "1"}, {"home": {}}, {"home": {"last_read_id": "x"}}, {"notifications": []}])
async def test_what_can_be_no_marker_is_refused(site: Site, body):
    _, token = await site.person("alice")
    assert (await site.post(MARKERS, token, json=body)).status == 422


async def test_markers_are_whole_also_before_anything_was_read(site: Site):
    alice, token = await site.person("alice")
    both = f"{MARKERS}?timeline[]=home&timeline[]=notifications"
    assert (await site.get(MARKERS, token)).json == {}
    nothing = (await site.get(both, token)).json
    assert {name: (it["last_read_id"], it["version"]) for name, it in nothing.items()} == {
        "home": ("0", 0),
        "notifications": ("0", 0),
    }
    for version in (1, 2):
        said = await site.post(MARKERS, token, data={"home[last_read_id]": "123"})
        assert (list(said.json), said.json["home"]["version"]) == (["home"], version)
    await site.post(MARKERS, token, json={"notifications": {"last_read_id": "77"}})
    found = (await site.get(both, token)).json
    assert (found["home"]["last_read_id"], found["notifications"]["last_read_id"]) == ("123", "77")
    _, other = await site.person("bob")
    assert (await site.get(both, other)).json["home"]["last_read_id"] == "0"
    assert alice.id


async def test_public_feeds_are_asked_for_by_place_and_media(site: Site):
    alice, _ = await site.person("alice")
    bob = remote("bob")
    await stored(site.db, bob)
    ours = await site.posted(alice, "#x #y")
    theirs = await site.db.write(receive.receive, bob, note(bob, hashtags=("x", "z")), datetime.now(UTC))
    picture = {"post_id": theirs.id, "url": "https://far.test/a.png"}
    await site.db.write(add_media, picture)
    for path in ("/api/v1/timelines/public", "/api/v1/timelines/tag/x"):
        for asked, found in (
            ("", [ours, theirs]),
            ("local=true", [ours]),
            ("remote=true", [theirs]),
            ("only_media=1", [theirs]),
            ("only_media=1&local=1", []),
            ("local=1&remote=1", []),
        ):
            assert set((await site.get(f"{path}?{asked}")).ids) == {str(post.id) for post in found}, (path, asked)


def add_media(tx, values):
    usual = {column.name: None for column in media.c if column.nullable}
    tx.execute(insert(media), {**usual, "id": new_id(), "position": 0, "kind": "image", "description": "", **values})


async def test_hashtags_are_combined(both_sites: Site):
    site = both_sites
    alice, _ = await site.person("alice")
    said = ["#a", "#a #b", "#b", "#a #b #c", "#c", "#d"]
    a, ab, b, abc, c, _ = [str((await site.posted(alice, text)).id) for text in said]
    here = "/api/v1/timelines/tag/A"
    for asked, found in (
        ("", [a, ab, abc]),
        ("any[]=B", [a, ab, b, abc]),
        ("any[]=b&any[]=c", [a, ab, b, abc, c]),
        ("all[]=b", [ab, abc]),
        ("all[]=b&all[]=c&all[]=b", [abc]),
        ("none[]=c", [a, ab]),
        ("any[]=c&none[]=b", [a, c]),
    ):
        assert (await site.get(f"{here}?{asked}")).ids == found[::-1], asked
        pages, next_ = [], f"{here}?{asked}&limit=2"
        while next_:
            answer = await site.get(next_)
            pages += answer.ids
            next_ = answer.link("next")
        assert pages == found[::-1], asked
        assert (await site.get(f"{here}?{asked}&limit=1&min_id={a}")).ids == [x for x in found if x != a][:1]


async def test_the_old_feed_of_direct_posts_is_gone_as_it_is_on_mastodon(site: Site):
    _, token = await site.person("alice")
    assert (await site.get("/api/v1/timelines/direct", token)).status == 404
