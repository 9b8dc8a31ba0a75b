"""Accounts whole: roles, moves, what is limited; and one's own profile with its sources."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import update

from social import accounts, moderation, preferences, users
from social.posts import receive
from store.tables import accounts as account_table
from store.tables import follows
from store.tables import users as user_table
from tests.people import follow, remote, stored
from tests.social.said import note
from tests.web.site import Site

ACCOUNTS, PROFILE = "/api/v1/accounts", "/api/v1/profile"
UPDATE = f"{ACCOUNTS}/update_credentials"


@pytest.mark.parametrize(
    ("path", "said"),
    [
        (UPDATE, {"source": {"quote_policy": "friends"}}),
        (UPDATE, {"source": "x"}),
        (UPDATE, {"attribution_domains": ["no domain"]}),
        (UPDATE, {"attribution_domains": [f"a{n}.test" for n in range(101)]}),
        (UPDATE, {"attribution_domains": [{"x": 1}]}),
        (PROFILE, {"show_media": "perhaps"}),
        (PROFILE, {"display_name": "x" * 101}),
    ],
    ids=str,
)
async def test_what_cannot_be_leaves_all_as_it_was(site: Site, path, said):
    _, token = await site.person("alice")
    before = (await site.get(PROFILE, token)).json
    answer = await site.call("PATCH", path, token, json={"note": "new", **said})
    assert (answer.status, bool(answer.error)) == (422, True)
    assert (await site.get(PROFILE, token)).json == before


async def test_a_profile_is_one_s_own(site: Site):
    alice, _ = await site.person("alice")
    assert (await site.get(PROFILE)).status == (await site.call("PATCH", PROFILE)).status == 401
    assert (await site.call("PATCH", PROFILE, await site.token(alice, "read"), json={})).status == 403
    assert (await site.get(PROFILE, await site.token(alice, "write"))).status == 403
    assert (await site.get(PROFILE, await site.token(alice, "profile"))).json["id"] == str(alice.id)


async def test_a_profile_is_told_as_it_was_typed(both_sites: Site):
    site = both_sites
    _, token = await site.person("alice")
    changed = await site.call(
        "PATCH",
        PROFILE,
        token,
        json={
            "note": "I & #me",
            "fields_attributes": [{"name": "Web", "value": "https://x.test"}],
            "attribution_domains": ["X.test", "https://x.test/", "*.Bücher.test"],
            "show_media": False,
            "hide_collections": True,
        },
    )
    assert changed.json == (await site.get(PROFILE, token)).json
    told = changed.json
    assert (told["note"], told["avatar"], told["show_media"], told["show_featured"]) == ("I & #me", None, False, True)
    assert told["fields"] == [{"name": "Web", "value": "https://x.test", "verified_at": None}]
    assert (told["attribution_domains"], told["hide_collections"]) == (["x.test", "xn--bcher-kva.test"], True)


async def test_all_are_told_which_parts_of_a_profile_to_show(both_sites: Site):
    site = both_sites
    alice, token = await site.person("alice")
    post = await site.posted(alice)
    shown = {"show_media": True, "show_media_replies": True, "show_featured": True}
    for wish in ({}, {"show_media": False}, {"show_media_replies": "false", "show_featured": 0}, {"show_media": "1"}):
        shown.update({name: value in (True, "1") for name, value in wish.items()})
        assert (await site.call("PATCH", PROFILE, token, json=wish)).status == 200
        own = await site.get(f"{ACCOUNTS}/verify_credentials", token)
        beside = (await site.get(f"/api/v1/statuses/{post.id}")).json["account"]
        for told in ((await site.get(PROFILE, token)).json, own.json, beside):
            assert {name: told[name] for name in shown} == shown
        said = (await site.document(alice.uri.removeprefix("https://ours.test"))).json
        names = {"show_media": "showMedia", "show_media_replies": "showRepliesInMedia", "show_featured": "showFeatured"}
        assert {name: said.get(names[name], True) for name in names} == shown


async def test_who_may_quote_by_default_holds_for_new_posts(site: Site):
    _, token = await site.person("alice")
    changed = await site.call("PATCH", UPDATE, token, json={"source": {"quote_policy": "nobody"}})
    assert changed.json["source"]["quote_policy"] == "nobody"
    assert (await site.get("/api/v1/preferences", token)).json["posting:default:quote_policy"] == "nobody"
    for said, automatic in [({}, []), ({"quote_approval_policy": "followers"}, ["followers"])]:
        post = (await site.post("/api/v1/statuses", token, json={"status": "x", **said})).json
        assert post["quote_approval"]["automatic"] == automatic


async def test_roles_are_shown_with_what_they_may(site: Site):
    alice, _ = await site.person("alice")
    bob, other = await site.person("bob")
    await site.do(users.set_role, alice.id, "owner")
    token = await site.token(alice)
    owner = [{"id": "3", "name": "Owner", "color": ""}]
    assert (await site.get(f"{ACCOUNTS}/{alice.id}")).json["roles"] == owner
    assert (await site.get(f"{ACCOUNTS}/{bob.id}")).json["roles"] == []
    post = await site.posted(alice)
    assert (await site.get(f"/api/v1/statuses/{post.id}")).json["account"]["roles"] == owner
    await site.do(users.set_role, bob.id, "moderator")
    assert (await site.get(f"{ACCOUNTS}/{bob.id}")).json["roles"][0]["name"] == "Moderator"
    await site.do(users.set_role, bob.id, "member")
    assert (await site.get(f"{ACCOUNTS}/{bob.id}")).json["roles"] == []
    other = await site.token(bob)
    own = (await site.get(f"{ACCOUNTS}/verify_credentials", token)).json
    assert (own["role"]["permissions"], own["role"]["highlighted"]) == (str((1 << 20) - 1), True)
    role = (await site.get(f"{ACCOUNTS}/verify_credentials", other)).json["role"]
    assert role == {
        "id": "-99",
        "name": "",
        "permissions": "0",
        "color": "",
        "highlighted": False,
        "collection_limit": 10,
    }


async def test_who_moved_leads_on_and_who_is_limited_says_so(both_sites: Site):
    site = both_sites
    alice, token = await site.person("alice")
    await stored(site.db, new := remote("new"), old := remote("old", "old.test", moved_to=new.uri))
    await site.db.write(moderation.set_policy, "old.test", "limit", "", datetime.now(UTC))
    told = (await site.get(f"{ACCOUNTS}/{old.id}")).json
    assert (told["moved"]["id"], told["limited"]) == (str(new.id), True)
    assert not {"moved", "noindex"} & told["moved"].keys()
    assert not {"moved", "limited", "suspended", "noindex"} & (await site.get(f"{ACCOUNTS}/{new.id}")).json.keys()
    assert (await site.get(f"{ACCOUNTS}/{alice.id}")).json["noindex"] is True
    found = f"{ACCOUNTS}/search?q=old&following=true"
    for path in (f"{ACCOUNTS}?id[]={old.id}", f"{ACCOUNTS}/{alice.id}/following", found):
        await site.db.write(lambda tx, one=alice, other=old: _again(tx, one, other))
        assert (await site.get(path, token)).json[0]["moved"]["id"] == str(new.id)
    assert (await site.get("/api/v2/search?q=old", token)).json["accounts"][0]["limited"] is True


async def test_posts_of_a_limited_server_say_so_until_it_is_lifted(both_sites: Site):
    site = both_sites
    bob, good = remote("bob", "far.test:8443"), remote("good", "good.far.test")
    await stored(site.db, bob, good)
    said = {one.id: await site.do(receive.receive, one, note(one, published=datetime.now(UTC))) for one in (bob, good)}

    async def limited(one):
        return (await site.get(f"/api/v1/statuses/{said[one.id].id}")).json["account"].get("limited", False)

    assert not await limited(bob)
    await site.db.write(moderation.set_policy, "far.test", "limit", "", datetime.now(UTC))
    assert await limited(bob)
    assert await limited(good)
    await site.db.write(moderation.set_policy, "good.far.test", "allow", "", datetime.now(UTC))
    assert await limited(bob)
    assert not await limited(good)
    await site.db.write(moderation.unset_policy, "far.test")
    assert not await limited(bob)


async def test_a_post_tells_that_its_author_moved_or_died(both_sites: Site):
    site = both_sites
    await stored(site.db, new := remote("new"), old := remote("old", "old.test"))
    post = await site.do(receive.receive, old, note(old, published=datetime.now(UTC)))
    place = f"/api/v1/statuses/{post.id}"
    assert not {"moved", "memorial"} & (await site.get(place)).json["account"].keys()
    left = update(account_table).where(account_table.c.id == old.id).values(moved_to=new.uri, memorial=True)
    await site.db.write(lambda tx: tx.execute(left))
    told = (await site.get(place)).json["account"]
    assert (told["moved"]["id"], told["memorial"], "moved" in told["moved"]) == (str(new.id), True, False)
    renamed = update(account_table).where(account_table.c.id == new.id).values(display_name="New")
    await site.db.write(lambda tx: tx.execute(renamed))
    assert (await site.get(place)).json["account"]["moved"]["display_name"] == "New"
    assert (await site.get(f"{ACCOUNTS}/{old.id}")).json["memorial"] is True


def _again(tx, one, other):
    tx.execute(follows.delete())
    follow(tx, one, other)


async def test_who_waits_for_a_moderator_is_not_there_and_who_is_suspended_is_a_name(site: Site):
    alice, token = await site.person("alice")
    bob, _ = await site.person("bob", note="<p>hi</p>")
    waits = update(user_table).where(user_table.c.account_id == bob.id).values(approved_at=None)
    await site.db.write(lambda tx: tx.execute(waits))
    for path in ("", "/statuses", "/followers"):
        assert (await site.get(f"{ACCOUNTS}/{bob.id}{path}", token)).status == 404
    assert (await site.get(f"{ACCOUNTS}/lookup?acct=bob")).status == 404
    assert (await site.get(f"{ACCOUNTS}?id[]={bob.id}")).json == []
    await stored(site.db, carol := remote("carol", note="<p>hi</p>"), gone := remote("gone"))
    await site.do(accounts.suspend, carol.id)
    told = (await site.get(f"{ACCOUNTS}/{carol.id}")).json
    assert (told["suspended"], told["note"], told["display_name"]) == (True, "", "")
    assert (await site.get(f"{ACCOUNTS}/{carol.id}/statuses")).json == []
    ids = f"id[]={carol.id}&id[]={alice.id}"
    assert (await site.get(f"{ACCOUNTS}/relationships?{ids}", token)).ids == [str(alice.id)]
    assert (await site.get(f"{ACCOUNTS}/relationships?{ids}&with_suspended=true", token)).ids == [
        str(carol.id),
        str(alice.id),
    ]
    buried = update(account_table).where(account_table.c.id == gone.id).values(deleted_at=datetime.now(UTC))
    await site.db.write(lambda tx: tx.execute(buried))
    assert (await site.get(f"{ACCOUNTS}/{gone.id}", token)).status == 404


async def test_posts_of_an_account_by_hashtag_and_without_direct_ones(both_sites: Site):
    site = both_sites
    alice, token = await site.person("alice")
    tagged = await site.posted(alice, "a #Cat")
    plain = await site.posted(alice, "plain")
    direct = await site.posted(alice, "psst", visibility="direct")
    path = f"{ACCOUNTS}/{alice.id}/statuses"
    assert (await site.get(f"{path}?tagged=cAt", token)).ids == [str(tagged.id)]
    assert (await site.get(f"{path}?tagged=dog", token)).ids == []
    assert (await site.get(path, token)).ids == [str(direct.id), str(plain.id), str(tagged.id)]
    assert (await site.get(f"{path}?exclude_direct=true", token)).ids == [str(plain.id), str(tagged.id)]


async def test_how_one_reads_is_chosen_on_a_page_and_told_to_programs(site: Site):
    alice, token = await site.person("alice")
    before = (await site.get("/api/v1/preferences", token)).json
    assert (before["reading:expand:media"], before["reading:autoplay:gifs"]) == ("default", False)
    assert (await site.get("/settings/reading")).status == 303
    await site.db.write(preferences.change, alice.id, {"media": "hide_all", "expand": True, "autoplay": True})
    told = (await site.get("/api/v1/preferences", token)).json
    assert (told["reading:expand:media"], told["reading:expand:spoilers"]) == ("hide_all", True)
    assert told["reading:autoplay:gifs"] is True
