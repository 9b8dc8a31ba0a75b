"""Polls, notifications, search, and what the server says of itself."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from social import accounts, blocks, fulltext, reactions
from social.posts import receive
from social.posts.drafts import PollDraft
from store.tables import follows as follow_table
from store.tables import polls as poll_table
from tests.people import follow, remote, stored
from tests.social.said import note, private
from tests.web.site import Site

POLLS, NOTIFICATIONS, SEARCH = "/api/v1/polls", "/api/v1/notifications", "/api/v2/search"
ASKED = PollDraft(("yes", "no"), datetime.now(UTC) + timedelta(hours=1))


@pytest.mark.parametrize(
    "choices", [[], ["x"], [-1], [2], ["0", "1"], [[0]], [None], "99999999999999999999", [0.5], [True]]
)
async def test_what_cannot_be_voted_is_refused(site: Site, choices):
    alice, _ = await site.person("alice")
    _, token = await site.person("bob")
    post = await site.posted(alice, "well?", poll=ASKED)
    answer = await site.post(f"{POLLS}/{post.id}/votes", token, json={"choices": choices})
    assert (answer.status, bool(answer.error)) == (422, True)
    assert (await site.get(f"{POLLS}/{post.id}")).json["votes_count"] == 0


async def test_one_votes_once_and_not_for_oneself_nor_too_late(site: Site):
    alice, own = await site.person("alice")
    _, token = await site.person("bob")
    post = await site.posted(alice, "well?", poll=ASKED)
    votes = f"{POLLS}/{post.id}/votes"
    poll = (
        await site.post(votes, token, data="choices[]=1", headers={"Content-Type": "application/x-www-form-urlencoded"})
    ).json
    assert (poll["voted"], poll["own_votes"], poll["votes_count"]) == (True, [1], 1)
    assert [option["votes_count"] for option in poll["options"]] == [0, 1]
    assert (await site.post(votes, token, json={"choices": [0]})).status == 422
    assert (await site.post(votes, own, json={"choices": [0]})).status == 422
    _, late = await site.person("carol")
    over = update(poll_table).values(expires_at=datetime.now(UTC) - timedelta(minutes=1))
    await site.db.write(lambda tx: tx.execute(over))
    assert (await site.post(votes, late, json={"choices": [0]})).status == 422
    assert (await site.get(f"{POLLS}/{post.id}", late)).json["expired"] is True


async def test_a_poll_says_to_each_what_concerns_him(site: Site):
    alice, own = await site.person("alice")
    _, token = await site.person("bob")
    post = await site.posted(alice, "well?", poll=ASKED)
    assert "voted" not in (await site.get(f"{POLLS}/{post.id}")).json
    assert (await site.get(f"{POLLS}/{post.id}", token)).json["voted"] is False
    assert (await site.get(f"/api/v1/statuses/{post.id}", own)).json["poll"]["voted"] is True
    assert (await site.get(f"{POLLS}/{(await site.posted(alice)).id}", token)).status == 404


async def test_a_hidden_poll_is_not_there(site: Site):
    alice, _ = await site.person("alice")
    _, token = await site.person("bob")
    post = await site.posted(alice, "well?", poll=ASKED, visibility="private")
    assert (await site.get(f"{POLLS}/{post.id}", token)).status == 404
    assert (await site.post(f"{POLLS}/{post.id}/votes", token, json={"choices": [0]})).status == 404


async def test_one_s_notifications_are_one_s_own(site: Site):
    alice, token = await site.person("alice")
    bob, other = await site.person("bob")
    await site.posted(bob, "@alice")
    (number,) = (await site.get(NOTIFICATIONS, token)).ids
    assert (await site.get(f"{NOTIFICATIONS}/{number}", other)).status == 404
    await site.post(f"{NOTIFICATIONS}/{number}/dismiss", other)
    await site.post(f"{NOTIFICATIONS}/clear", other)
    assert (await site.get(NOTIFICATIONS, token)).ids == [number]
    assert (await site.post(f"{NOTIFICATIONS}/{number}/dismiss", token)).json == {}
    assert (await site.get(NOTIFICATIONS, token)).json == []
    await site.posted(bob, "@alice again")
    assert (await site.post(f"{NOTIFICATIONS}/clear", token)).json == {}
    assert (await site.get(NOTIFICATIONS, token)).json == []
    assert alice.id != bob.id


async def test_notifications_are_chosen_by_kind(site: Site):
    alice, token = await site.person("alice")
    bob, bob_s = await site.person("bob")
    post = await site.posted(alice)
    await site.do(reactions.like, bob.id, post.id)
    await site.post(f"/api/v1/accounts/{alice.id}/follow", bob_s)
    await site.posted(bob, "@alice")
    kinds = [one["type"] for one in (await site.get(NOTIFICATIONS, token)).json]
    assert kinds == ["mention", "follow", "favourite"]
    for query, found in [
        ("types[]=mention&types[]=follow", ["mention", "follow"]),
        ("exclude_types[]=mention", ["follow", "favourite"]),
        ("types[]=nonsense", []),
    ]:
        assert [one["type"] for one in (await site.get(f"{NOTIFICATIONS}?{query}", token)).json] == found
    liked = (await site.get(f"{NOTIFICATIONS}?types[]=favourite", token)).json[0]
    assert (liked["account"]["acct"], liked["status"]["id"]) == ("bob", str(post.id))
    assert liked["group_key"].startswith(f"favourite-{post.id}-")
    told = (await site.get(f"{NOTIFICATIONS}?types[]=mention", token)).json[0]
    assert told["group_key"] == f"ungrouped-{told['id']}"


async def test_a_page_with_something_hidden_still_leads_on(site: Site):
    """Of a page of notifications some may be about posts that are hidden by now."""
    alice, token = await site.person("alice")
    await stored(site.db, bob := remote("bob"))
    await site.db.write(lambda tx: follow(tx, alice, bob, notify=True))
    for number in range(6):
        said = note(bob, published=datetime.now(UTC), **(private(bob) if number == 4 else {}))
        await site.db.write(receive.receive, bob, said, datetime.now(UTC))
    unfollowed = follow_table.delete()
    await site.db.write(lambda tx: tx.execute(unfollowed))
    seen: list[str] = []
    next_: str | None = f"{NOTIFICATIONS}?limit=2"
    while next_:
        answer = await site.get(next_, token)
        seen += answer.ids
        next_ = answer.link("next")
    assert len(seen) == len(set(seen)) == 5


async def test_search_tells_strangers_nothing_from_elsewhere(site: Site):
    site.remote.found["https://far.test/x"] = 1
    for by in (None, await site.token(None)):
        found = (await site.get(f"{SEARCH}?q=https://far.test/x&resolve=true", by)).json
        assert found == {"accounts": [], "statuses": [], "hashtags": [], "collections": []}
    assert site.remote.asked == []


async def test_search_shows_no_post_that_is_not_for_the_reader(site: Site):
    _, token = await site.person("alice")
    await stored(site.db, bob := remote("bob"))
    hidden = await site.db.write(receive.receive, bob, note(bob, **private(bob)), datetime.now(UTC))
    site.remote.found["https://far.test/x"] = hidden.id
    assert (await site.get(f"{SEARCH}?q=https://far.test/x&resolve=true", token)).json["statuses"] == []


async def test_search_brings_people_and_posts_from_elsewhere(site: Site):
    _, token = await site.person("alice")
    await stored(site.db, bob := remote("bob"))
    post = await site.db.write(receive.receive, bob, note(bob), datetime.now(UTC))
    site.remote.found |= {"@bob@far.test": bob, "https://far.test/p/1": post.id}
    found = (await site.get(f"{SEARCH}?q=@bob@far.test&resolve=true&limit=1", token)).json
    assert [one["id"] for one in found["accounts"]] == [str(bob.id)]
    found = (await site.get(f"{SEARCH}?q=https://far.test/p/1&resolve=true&type=statuses", token)).json
    assert [one["id"] for one in found["statuses"]] == [str(post.id)]
    assert (await site.get(f"{SEARCH}?q=https://far.test/p/1&resolve=true&type=accounts", token)).json["statuses"] == []
    assert (await site.get(f"{SEARCH}?q=https://far.test/none&resolve=true", token)).json["statuses"] == []


async def test_search_finds_who_is_known_by_a_part_of_his_name(site: Site):
    alice, token = await site.person("alice")
    await stored(site.db, bob := replace(remote("bob"), display_name="Robert 100%"), gone := remote("bobby"))
    await site.do(accounts.suspend, gone.id)
    there = ("bo", "@bob@far", "ROBERT", "100%25", "bo%25", "bo+rob")
    absent = ("_ob", "ob", "%25", "bo+x", "", "x" * 3000, "connectme")
    for query, found in (*((one, [bob]) for one in there), *((one, []) for one in absent)):
        for by in (None, token):
            shown = (await site.get(f"{SEARCH}?q={query}", by)).json["accounts"]
            assert [one["id"] for one in shown] == [str(one.id) for one in found], query
    await site.do(blocks.block, alice.id, bob.id)
    assert (await site.get(f"{SEARCH}?q=bob", token)).json["accounts"] != []  # else nobody could unblock him
    assert (await site.get(f"{SEARCH}?q=bob&offset=1", token)).json["accounts"] == []


async def test_search_finds_posts_by_their_words_for_who_is_signed_in(site: Site):
    alice, token = await site.person("alice")
    _, bob = await site.person("bob")
    posts = [await site.posted(alice, f"heron {number}") for number in range(3)]
    hidden = await site.posted(alice, "a heron", visibility="private")
    while await site.db.write(fulltext.work):
        pass

    async def ids(query: str, by: str | None = token) -> list[str]:
        return [one["id"] for one in (await site.get(f"{SEARCH}?{query}", by)).json["statuses"]]

    assert await ids("q=heron", None) == await ids("q=heron", bob) == []
    assert await ids("q=heron") == [str(hidden.id), *(str(post.id) for post in posts[::-1])]
    assert await ids("q=heron&type=accounts") == []
    assert await ids(f"q=heron&limit=1&offset=1&account_id={alice.id}") == [str(posts[2].id)]
    assert await ids(f"q=heron&max_id={posts[1].id}") == [str(posts[0].id)]
    assert (await site.get(f"{SEARCH}?q=heron&account_id=x", token)).status == 422


@pytest.mark.parametrize("path", ["/api/v1/instance", "/api/v2/instance"])
async def test_the_server_says_what_clients_need_to_know(site: Site, path):
    alice, _ = await site.person("alice")
    await site.posted(alice)
    await stored(site.db, remote("bob"))
    told = (await site.get(path)).json
    assert told["version"].startswith("4.")
    assert "ConnectMe" in told["version"]
    configuration = told["configuration"]
    assert configuration["statuses"] == {
        "max_characters": 5000,
        "max_media_attachments": 4,
        "characters_reserved_per_url": 23,
    }
    assert configuration["polls"]["max_options"] == 10
    assert told["rules"] == []
    if path.endswith("v1/instance"):
        assert (told["uri"], told["registrations"]) == ("ours.test", False)
        assert told["stats"] == {"user_count": 1, "status_count": 1, "domain_count": 1}
    else:
        assert (told["domain"], told["registrations"]["enabled"]) == ("ours.test", False)
        assert told["api_versions"] == {"mastodon": 10}
        assert {"urls", "vapid", "accounts", "media_attachments", "translation"} <= configuration.keys()


async def test_the_limits_that_are_told_are_those_that_hold(site: Site):
    _, token = await site.person("alice")
    polls = (await site.get("/api/v2/instance")).json["configuration"]["polls"]
    for options, seconds in [(polls["max_options"], polls["min_expiration"]), (2, polls["max_expiration"])]:
        asked = {"options": [f"{n}" * 2 for n in range(options)], "expires_in": seconds}
        answer = await site.post("/api/v1/statuses", token, json={"status": "x", "poll": asked})
        assert answer.status == 200, answer.body


async def test_peers_are_the_domains_we_know(site: Site):
    await stored(site.db, remote("bob"), remote("bob", "b.test"), remote("alice"))
    assert (await site.get("/api/v1/instance/peers")).json == ["b.test", "far.test"]


async def test_no_annual_reports_are_made_and_all_that_asks_hears_so(site: Site):
    alice, token = await site.person("alice")
    weak, here = await site.token(alice, "read:statuses"), "/api/v1/annual_reports"
    asked = [
        ("GET", "", 200),
        ("GET", "/2026", 404),
        ("GET", "/2026/state", 200),
        ("POST", "/2026/read", 404),
        ("POST", "/2026/generate", 200),
        ("GET", "/x/state", 404),
        ("POST", "/x/generate", 404),
    ]
    for method, path, status in asked:
        assert (await site.call(method, here + path, token)).status == status, path
        assert (await site.call(method, here + path)).status == 401
        assert (await site.call(method, here + path, weak)).status == 403
    assert (await site.get(here, token)).json == {"annual_reports": [], "accounts": [], "statuses": []}
    assert (await site.get(f"{here}/2026/state", token)).json == {"state": "ineligible"}
    told = (await site.get("/api/v2/instance")).json
    assert (told["wrapstodon"], told["configuration"]["urls"]["status"]) == (None, "https://ours.test/status")
    assert told["configuration"]["accounts"]["max_avatar_description_length"] == 1500
