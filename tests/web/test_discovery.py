"""How others find us: WebFinger, host-meta, NodeInfo."""

import shutil
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from federation.handles import parse_handle
from social import accounts
from tests.people import remote, stored
from tests.web.site import Site, running

FINGER = "/.well-known/webfinger"
NODEINFO = "http://nodeinfo.diaspora.software/ns/schema/"


async def test_who_asks_for_nothing_is_told_how_to_ask(site: Site):
    for path in (FINGER, f"{FINGER}?resource=", f"{FINGER}?rel=self"):
        answer = await site.get(path)
        assert (answer.status, "acct:name@ours.test" in answer.error) == (400, True)


@pytest.mark.parametrize(
    "resource",
    [
        "acct:nobody@ours.test",
        "acct:alice@far.test",
        "acct:bob@far.test",
        "acct:alice",
        "alice",
        "acct:",
        "acct:@",
        "acct:alice@ours.test@far.test",
        "acct:alice@ours.test:8443",
        "https://far.test/users/alice",
        "https://ours.test.evil.test/users/alice",
        "http://ours.test/users/alice",
        "https://ours.test/users/",
        "https://ours.test/users/alice/posts/1",
        "https://ours.test/about",
        "https://[",
        "javascript://ours.test/@alice",
        "%00",
        "acct:al%00ice@ours.test",
        "%ff%fe",
        "acct:" + "x" * 5000 + "@ours.test",
    ],
)
async def test_nobody_else_is_found_here(site: Site, resource):
    await site.person("alice")
    await stored(site.db, remote("bob"))
    answer = await site.get(f"{FINGER}?resource={resource}")
    assert (answer.status, bool(answer.error)) == (404, True)


@settings(max_examples=100, suppress_health_check=list(HealthCheck))
@given(st.text(max_size=30) | st.text(alphabet="act:@ours.test/%lie#?[]", max_size=40))
async def test_any_resource_gets_a_clear_answer(site: Site, resource):
    async with site.http.get(FINGER, params={"resource": resource}) as answer:
        assert answer.status in (200, 400, 404)


@pytest.mark.parametrize("gone", [accounts.suspend, accounts.delete_local])
async def test_who_left_is_gone(site: Site, gone):
    alice, _ = await site.person("alice")
    await site.do(gone, alice.id)
    answer = await site.get(f"{FINGER}?resource=acct:alice@ours.test")
    assert (answer.status, bool(answer.error)) == (410, True)


@pytest.mark.parametrize(
    "resource",
    [
        "acct:alice@ours.test",
        "acct%3Aalice%40ours.test",
        "acct:ALICE@OURS.test",
        "ACCT:alice@ours.test",
        "acct:@alice@ours.test",
        "alice@ours.test",
        "https://ours.test/@alice",
        "https://ours.test/@alice/",
        "https://ours.test/users/alice",
        "https://ours.test/users/alice%23main-key",
    ],
)
async def test_ours_are_found_by_handle_page_and_id(site: Site, resource):
    alice, _ = await site.person("alice")
    answer = await site.get(f"{FINGER}?resource={resource}")
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/jrd+json; charset=utf-8"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    found = answer.json
    assert parse_handle(found["subject"]) == ("alice", "ours.test")
    assert set(found["aliases"]) == {alice.uri, alice.url}
    links = {(link["rel"], link.get("type")): link for link in found["links"]}
    assert links["self", "application/activity+json"]["href"] == alice.uri
    assert links["http://webfinger.net/rel/profile-page", "text/html"]["href"] == alice.url
    assert "{uri}" in links["http://ostatus.org/schema/1.0/subscribe", None]["template"]


@pytest.mark.parametrize(
    "resource",
    ["https://ours.test", "https://ours.test/", "https://ours.test/actor", "acct:ours.test@ours.test",
     "acct:connectme.internal@ours.test"],
)  # fmt: skip
async def test_the_server_itself_is_found(site: Site, resource):
    found = (await site.get(f"{FINGER}?resource={resource}")).json
    assert found["subject"] == "acct:connectme.internal@ours.test"
    assert found["links"][0]["href"] == "https://ours.test/actor"
    document = (await site.document("/actor")).json
    assert document["webfinger"] == found["subject"].removeprefix("acct:")


async def test_only_the_relations_that_are_asked_for_are_told(site: Site):
    await site.person("alice", avatar_url="https://ours.test/alice.png")
    here = f"{FINGER}?resource=acct:alice@ours.test"
    assert {link["rel"] for link in (await site.get(f"{here}&rel=self")).json["links"]} == {"self"}
    both = f"{here}&rel=self&rel=http://webfinger.net/rel/avatar"
    assert [link["href"] for link in (await site.get(both)).json["links"]][-1] == "https://ours.test/alice.png"
    assert (await site.get(f"{here}&rel=nonsense")).json["links"] == []


async def test_handles_may_end_in_another_domain_than_the_server_s(sqlite_template, tmp_path):
    shutil.copy(sqlite_template, tmp_path / "split.db")
    async with running(f"sqlite:///{tmp_path}/split.db", tmp_path, DOMAIN="short.test") as site:
        alice, _ = await site.person("alice")
        for resource in ("acct:alice@short.test", "acct:alice@ours.test", "https://ours.test/@alice"):
            for host in ("ours.test", "short.test"):
                answer = await site.get(f"{FINGER}?resource={resource}", headers={"Host": host})
                assert answer.json["subject"] == "acct:alice@short.test"
                assert answer.json["links"][0]["href"] == alice.uri


async def test_host_meta_says_where_to_ask(site: Site):
    answer = await site.get("/.well-known/host-meta")
    assert answer.headers["Content-Type"] == "application/xrd+xml; charset=utf-8"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    (link,) = ElementTree.fromstring(answer.body)
    template = "https://ours.test/.well-known/webfinger?resource={uri}"
    assert (link.attrib["rel"], link.attrib["template"]) == ("lrdd", template)
    assert (await site.get("/.well-known/host-meta.json")).json["links"] == [{"rel": "lrdd", "template": template}]


async def test_nodeinfo_leads_to_both_versions_and_to_the_server_s_actor(site: Site):
    links = {link["rel"]: link["href"] for link in (await site.get("/.well-known/nodeinfo")).json["links"]}
    assert links.pop("https://www.w3.org/ns/activitystreams#Application") == "https://ours.test/actor"
    assert links == {NODEINFO + version: f"https://ours.test/nodeinfo/{version}" for version in ("2.0", "2.1")}


@pytest.mark.parametrize("version", ["2.0", "2.1"])
@pytest.mark.parametrize(("registrations", "open_"), [("open", True), ("approval", True), ("closed", False)])
async def test_nodeinfo_has_the_shape_of_its_schema(server, version, registrations, open_):
    async with server(REGISTRATIONS=registrations, TITLE="Ours", DESCRIPTION="A place") as site:
        alice, token = await site.person("alice")
        await site.posted(alice)
        await site.get("/api/v1/timelines/home", token)
        await stored(site.db, remote("bob"))
        answer = await site.get(f"/nodeinfo/{version}")
        assert answer.headers["Content-Type"] == f'application/json; profile="{NODEINFO}{version}#"; charset=utf-8'
        told = answer.json
        assert told["software"].pop("version")[0].isdigit()
        assert told == {
            "version": version,
            "software": {"name": "connectme"},
            "protocols": ["activitypub"],
            "services": {"inbound": [], "outbound": []},
            "openRegistrations": open_,
            "usage": {"users": {"total": 1, "activeMonth": 1, "activeHalfyear": 1}, "localPosts": 1},
            "metadata": {"nodeName": "Ours", "nodeDescription": "A place", "upstream": {"name": "mastodon"}},
        }
