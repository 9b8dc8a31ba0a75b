"""What clients rely on besides single endpoints: pages by Link alone, bodies of every form, errors, CORS, features.

Walked for every list there is: with more rows than a page, in both directions, nothing twice and nothing missing.
"""

from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import FormData

from tests.web.site import Answer, Site

ORIGIN = {"Origin": "https://elk.test"}
MANY = 7
ACCOUNTS, STATUSES = "/api/v1/accounts", "/api/v1/statuses"


@pytest.fixture
async def free(server):
    async with server(RATE_LIMITS="false") as site:
        yield site


def names(answer: Answer) -> list[str]:
    """What an item is known by; hosts are texts themselves."""
    return [one if isinstance(one, str) else str(one.get("id") or one["name"]) for one in answer.json]


async def by_links(site: Site, path: str, token: str, first: str = "next") -> list[list[str]]:
    """The pages in one direction, until there is no link, or an empty page."""
    pages: list[list[str]] = []
    here: str | None = path
    while here is not None:
        answer = await site.get(here, token)
        assert answer.status == 200, (here, answer.body)
        if not answer.json:
            break
        pages.append(names(answer))
        here = answer.link(first)
        assert len(pages) <= 2 * MANY, f"{path} never ends"
    return pages


async def both_ways(site: Site, path: str, token: str) -> None:
    """Down to the last page by `next`, and up again from there by `prev`."""
    mark = "&" if "?" in path else "?"
    everything = [one for page in await by_links(site, f"{path}{mark}limit=80", token) for one in page]
    assert len(everything) == len(set(everything)) == MANY, path
    last, down, here = None, [], f"{path}{mark}limit=3"
    while here is not None:
        answer = await site.get(here, token)
        if not answer.json:
            break
        last = answer
        down += names(answer)
        assert len(answer.json) <= 3
        here = answer.link("next")
    assert down == everything, path
    assert last is not None
    up: list[str] = everything[6:]
    back = last.link("prev")
    for page in await by_links(site, str(back), token, "prev"):
        up = page + up
    assert up == everything, path


async def by_ids(site: Site, path: str, token: str) -> None:
    """Where the ids of the items cut the list: what each of the three means, exactly."""
    mark = "&" if "?" in path else "?"
    everything = names(await site.get(f"{path}{mark}limit=40", token))
    for asked, wanted in (
        (f"max_id={everything[1]}&limit=2", everything[2:4]),  # strictly older
        (f"since_id={everything[5]}&limit=2", everything[:2]),  # strictly newer, the newest of them
        (f"min_id={everything[5]}&limit=2", everything[3:5]),  # strictly newer, the nearest of them
        (f"since_id={everything[2]}", everything[:2]),
        (f"max_id={everything[1]}&since_id={everything[4]}", everything[2:4]),
        (f"max_id={everything[1]}&min_id={everything[5]}&limit=2", everything[3:5]),
        (f"max_id={everything[-1]}", []),
        (f"min_id={everything[0]}", []),
    ):
        answer = await site.get(f"{path}{mark}{asked}", token)
        assert names(answer) == wanted, (path, asked)


async def test_every_list_of_posts_is_walked_by_link_alone_in_both_directions(free: Site):
    site = free
    alice, token = await site.person("alice")
    _, other = await site.person("bob")
    for number in range(MANY):
        body = {"status": f"@bob {number} #tag", "visibility": "public"}
        post = (await site.post(STATUSES, token, json=body)).json["id"]
        for did in ("favourite", "bookmark", "reblog"):
            assert (await site.post(f"{STATUSES}/{post}/{did}", other)).status == 200
        later = (datetime.now(UTC) + timedelta(hours=number + 1)).isoformat()
        assert (await site.post(STATUSES, token, json={"status": "x", "scheduled_at": later})).status == 200
    for path, by in (
        ("/api/v1/timelines/public", token),
        ("/api/v1/timelines/home", token),
        ("/api/v1/timelines/tag/tag", token),
        (f"{ACCOUNTS}/{alice.id}/statuses", token),
        ("/api/v1/notifications?types[]=favourite", token),
        ("/api/v1/notifications?types[]=mention", other),
    ):
        await both_ways(site, path, by)
        await by_ids(site, path, by)
    for path, by in (
        ("/api/v1/favourites", other),
        ("/api/v1/bookmarks", other),
        ("/api/v1/scheduled_statuses", token),
    ):
        await both_ways(site, path, by)


async def test_every_list_of_people_and_names_is_walked_by_link_alone_in_both_directions(free: Site):
    site = free
    alice, token = await site.person("alice")
    locked, key = await site.person("locked", locked=True)
    post = (await site.post(STATUSES, token, json={"status": "hello"})).json["id"]
    listed = (await site.post("/api/v1/lists", token, json={"title": "all"})).json["id"]
    everybody = []
    for number in range(MANY):
        one, by = await site.person(f"person{number}")
        everybody.append(str(one.id))
        for path in (
            f"{ACCOUNTS}/{alice.id}/follow", f"{ACCOUNTS}/{locked.id}/follow", f"{STATUSES}/{post}/favourite",
            f"{STATUSES}/{post}/reblog",
        ):  # fmt: skip
            assert (await site.post(path, by)).status == 200
        body = {"status": f"@alice psst {number}", "visibility": "direct"}
        assert (await site.post(STATUSES, by, json=body)).status == 200
        for path in (f"{ACCOUNTS}/{one.id}/follow", f"/api/v1/tags/tag{number}/follow"):
            assert (await site.post(path, token)).status == 200
        for did in ("mute", "block"):
            assert (await site.post(f"{ACCOUNTS}/{one.id}/{did}", key)).status == 200
        assert (await site.post("/api/v1/domain_blocks", token, json={"domain": f"evil{number}.test"})).status == 200
    added = await site.post(f"/api/v1/lists/{listed}/accounts", token, json={"account_ids": everybody})
    assert added.status == 200, added.body
    for path, by in (
        (f"{ACCOUNTS}/{alice.id}/followers", token),
        (f"{ACCOUNTS}/{alice.id}/following", token),
        ("/api/v1/mutes", key),
        ("/api/v1/blocks", key),
        (f"{STATUSES}/{post}/favourited_by", token),
        (f"{STATUSES}/{post}/reblogged_by", token),
        ("/api/v1/followed_tags", token),
        ("/api/v1/domain_blocks", token),
        ("/api/v1/conversations", token),
        (f"/api/v1/lists/{listed}/accounts", token),
    ):
        await both_ways(site, path, by)


async def test_who_asks_to_follow_is_walked_by_link_alone_in_both_directions(free: Site):
    locked, key = await free.person("locked", locked=True)
    for number in range(MANY):
        _, by = await free.person(f"person{number}")
        await free.post(f"{ACCOUNTS}/{locked.id}/follow", by)
    await both_ways(free, "/api/v1/follow_requests", key)


async def test_cors_stands_on_every_kind_of_answer(free: Site):
    for method, path, status in (
        ("GET", "/.well-known/host-meta", 200),
        ("GET", "/.well-known/host-meta.json", 200),
        ("GET", "/.well-known/nodeinfo", 200),
        ("GET", "/nodeinfo/2.0", 200),
        ("GET", "/nodeinfo/2.1", 200),
        ("GET", "/media/none.png", 404),
        ("GET", "/media/none", 404),
        ("GET", "/proxy/none", 404),
        ("GET", "/oauth/userinfo", 401),
        ("POST", "/oauth/userinfo", 401),
        ("GET", "/api/v1/streaming", 401),
        ("GET", "/api/v1/streaming/user", 401),
        ("GET", "/api/v2/instance", 200),
    ):
        answer = await free.call(method, path, headers=ORIGIN)
        assert answer.status == status, (path, answer.body)
        assert answer.headers["Access-Control-Allow-Origin"] == "*", path
        assert "Link" in answer.headers["Access-Control-Expose-Headers"], path
        assert "Mastodon-Async-Refresh" in answer.headers["Access-Control-Expose-Headers"], path


FIELDS = [{"name": "web", "value": "https://a.test/"}, {"name": "city", "value": "Rome"}]
ALERTS = {"mention": True, "follow": False}
KEYS = {
    "p256dh": "BDd3_hVL9fZi9Ybo2UUzA284WG5FZR30_95YeZJsiApwXKpNcF1rRPF3foIiBHXRdJI2Qhumhf6_LFTeZaNndIo",
    "auth": "eH_C8rq2raXqlcBVDa1gLg",
}


def flat(value: object, name: str = "") -> list[tuple[str, str]]:
    """As Rails and its friends write it: `a[b]`, `a[]`, `a[][b]`."""
    if isinstance(value, dict):
        return [one for key, inner in value.items() for one in flat(inner, f"{name}[{key}]" if name else key)]
    if isinstance(value, list):
        return [one for inner in value for one in flat(inner, f"{name}[]")]
    return [(name, str(value).lower() if isinstance(value, bool) else str(value))]


@pytest.mark.parametrize("form", ["json", "urlencoded", "multipart"])
async def test_each_kind_of_bracket_is_understood_in_every_form(free: Site, form):
    site = free
    _, token = await site.person("alice")
    bob, _ = await site.person("bob")

    async def send(method, path, body):
        if form == "json":
            return await site.call(method, path, token, json=body)
        pairs = flat(body)
        data = FormData(pairs, quote_fields=False, default_to_multipart=form == "multipart")
        return await site.call(method, path, token, data=data)

    changed = (await send("PATCH", f"{ACCOUNTS}/update_credentials", {"fields_attributes": FIELDS})).json
    assert [(one["name"], one["value"]) for one in changed["source"]["fields"]] == [tuple(f.values()) for f in FIELDS]
    body = {"title": "films", "context": ["home"], "keywords_attributes": [{"keyword": "a", "whole_word": True}]}
    made = (await send("POST", "/api/v2/filters", body)).json
    assert [(one["keyword"], one["whole_word"]) for one in made["keywords"]] == [("a", True)]
    subscription = {"endpoint": "https://push.test/x", "keys": KEYS}
    pushed = await send(
        "POST", "/api/v1/push/subscription", {"subscription": subscription, "data": {"alerts": ALERTS, "policy": "all"}}
    )
    assert (pushed.status, pushed.json["alerts"]["mention"], pushed.json["alerts"]["follow"]) == (200, True, False)
    await site.post(f"{ACCOUNTS}/{bob.id}/follow", token)
    listed = (await send("POST", "/api/v1/lists", {"title": "all", "exclusive": True})).json
    assert listed["exclusive"] is True
    await send("POST", f"/api/v1/lists/{listed['id']}/accounts", {"account_ids": [str(bob.id)]})
    assert (await site.get(f"/api/v1/lists/{listed['id']}/accounts", token)).ids == [str(bob.id)]
    body = {"status": "well?", "poll": {"options": ["yes", "no"], "expires_in": 600, "multiple": True}}
    poll = (await send("POST", STATUSES, body)).json["poll"]
    assert ([one["title"] for one in poll["options"]], poll["multiple"]) == (["yes", "no"], True)


async def test_numbered_brackets_are_a_list_too(free: Site):
    _, token = await free.person("alice")
    pairs = [(f"fields_attributes[{n}][{k}]", v) for n, field in enumerate(FIELDS) for k, v in field.items()]
    changed = (await free.call("PATCH", f"{ACCOUNTS}/update_credentials", token, data=FormData(pairs))).json
    assert [one["name"] for one in changed["fields"]] == ["web", "city"]


@pytest.mark.parametrize(("said", "meant"), [("true", True), ("false", False), ("1", True), ("0", False), ("on", True)])
async def test_texts_are_flags_in_json_too(free: Site, said, meant):
    _, token = await free.person("alice")
    assert (await free.post(STATUSES, token, json={"status": "x", "sensitive": said})).json["sensitive"] is meant


async def test_errors_say_what_mastodon_says(free: Site):
    _, token = await free.person("alice")
    nobody = await free.token(None)
    for path, by, status, says in (
        ("/api/v1/timelines/home", None, 401, "The access token is invalid"),
        ("/api/v1/timelines/home", "wrong", 401, "The access token is invalid"),
        (f"{STATUSES}/1", token, 404, "Record not found"),
        ("/api/v1/push/subscription", token, 404, "Record not found"),
        ("/api/v1/none", token, 404, "Record not found"),
        ("/api/v1/timelines/home", nobody, 422, "This method requires an authenticated user"),
    ):
        answer = await free.get(path, by)
        assert (answer.status, answer.error) == (status, says), path


async def test_the_same_key_gives_the_same_post_also_for_later(free: Site):
    _, token = await free.person("alice")
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    for more in ({}, {"scheduled_at": later}):
        key = {"Idempotency-Key": f"once {bool(more)}"}
        twice = [await free.post(STATUSES, token, json={"status": "x", **more}, headers=key) for _ in range(2)]
        assert twice[0].json["id"] == twice[1].json["id"]


async def test_clients_find_out_what_there_is(free: Site):
    new, old = (await free.get("/api/v2/instance")).json, (await free.get("/api/v1/instance")).json
    assert new["version"] == old["version"]
    assert new["version"][0].isdigit()
    assert "compatible; ConnectMe" in new["version"]
    assert set(new["api_versions"]) >= {"mastodon"}
    told = new["configuration"]
    assert told["urls"]["streaming"].startswith("wss://")
    assert set(told["statuses"]) >= {"max_characters", "max_media_attachments", "characters_reserved_per_url"}
    assert set(told["polls"]) >= {"max_options", "max_characters_per_option", "min_expiration", "max_expiration"}
    assert set(told["media_attachments"]) >= {
        "supported_mime_types", "image_size_limit", "image_matrix_limit", "video_size_limit", "video_frame_rate_limit",
        "video_matrix_limit", "description_limit",
    }  # fmt: skip
    assert set(told["accounts"]) >= {"max_featured_tags", "max_pinned_statuses"}
    assert told["translation"]["enabled"] is False
    assert old["uri"] == "ours.test"


async def test_markers_are_whole_objects(free: Site):
    _, token = await free.person("alice")
    made = (await free.post("/api/v1/markers", token, json={"home": {"last_read_id": "5"}})).json
    assert set(made["home"]) == {"last_read_id", "version", "updated_at"}
    assert set((await free.get("/api/v1/markers?timeline[]=home&timeline[]=notifications", token)).json) >= {"home"}


async def test_odd_requests_are_answered_as_well(free: Site):
    _, token = await free.person("alice")
    for headers in (
        {"authorization": f"bearer {token}"},
        {"AUTHORIZATION": f"BEARER  {token}"},
        {"Authorization": f"Bearer {token}", "User-Agent": ""},
        {"Authorization": f"Bearer {token}", "Accept": "text/html"},
        {"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    ):
        for path in (f"{ACCOUNTS}/verify_credentials", f"{ACCOUNTS}/verify_credentials/"):
            answer = await free.get(path, headers=headers)
            assert (answer.status, answer.json["username"]) == (200, "alice"), headers


async def test_what_changes_something_is_asked_for_by_put_and_by_patch(free: Site):
    """Rails takes both; masto.js knows PUT alone, also where the documents say PATCH."""
    _, token = await free.person("alice")
    listed = (await free.post("/api/v1/lists", token, json={"title": "friends"})).json["id"]
    for method in ("PUT", "PATCH"):
        for path, change in (
            ("/api/v1/profile", {"display_name": method}),
            ("/api/v2/notifications/policy", {"for_bots": "filter"}),
            (f"/api/v1/lists/{listed}", {"title": method}),
        ):
            answer = await free.call(method, path, token, json=change)
            assert (answer.status, answer.json.items() >= change.items()) == (200, True), (method, path, answer.body)


async def test_ids_are_texts_that_sort_by_length_and_letter(free: Site):
    _, token = await free.person("alice")
    ids = [(await free.post(STATUSES, token, json={"status": str(n)})).json["id"] for n in range(5)]
    assert all(isinstance(one, str) for one in ids)
    assert ids == sorted(ids, key=lambda one: (len(one), one))


async def test_a_post_s_html_is_of_the_words_clients_style(free: Site):
    await free.person("bob")
    _, token = await free.person("alice")
    long = "https://site.test/a/very/long/way/to/somewhere/else/altogether"
    body = {"status": f"@bob hello\nthere #World {long}\n\n<b>no</b>"}
    html = (await free.post(STATUSES, token, json=body)).json["content"]
    assert html.startswith("<p>")
    assert "<br" in html
    assert "h-card" in html
    assert "u-url mention" in html or "mention u-url" in html
    assert "mention hashtag" in html
    assert 'class="invisible"' in html
    assert 'class="ellipsis"' in html
    assert "<b>" not in html
