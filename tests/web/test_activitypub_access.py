"""Which documents go to whom: by signature, visibility, block and AUTHORIZED_FETCH (security rows 35, 40 and 44)."""

import time
from datetime import UTC, datetime

import pytest

from connectme.house import House
from social import accounts, blocks, moderation
from social.posts import delete
from tests.people import follow, remote, stored
from tests.web.site import DOCUMENT, Site, signature

PRIVATE, PUBLIC = "private, no-store", "public, max-age=60"


LISTS = ("outbox", "outbox?page=1", "followers", "following", "collections/featured", "followers_synchronization")


async def someone(site: Site, name: str = "bob", host: str = "far.test"):
    person = remote(name, host)
    await stored(site.db, person)
    return person


async def block_host(house: House, host: str) -> None:
    await house.db.write(moderation.set_policy, host, "block", "", datetime.now(UTC))
    await house.rules.read(house.db)


def addresses(number: int) -> list[str]:
    here = f"/users/alice/posts/{number}"
    parts = ("", "/activity", "/replies", "/replies?page=1", "/likes", "/shares")
    return [f"/@alice/{number}", *(here + part for part in parts)]


@pytest.mark.parametrize("scheme", ["cavage", "rfc9421"])
async def test_a_private_post_is_for_followers_who_sign(site: Site, scheme):
    alice, _ = await site.person("alice")
    bob, mallory = await someone(site), await someone(site, "mallory", "evil.test")
    await site.db.write(follow, bob, alice)
    post = await site.posted(alice, visibility="private")
    for path in addresses(post.id):
        assert (await site.document(path)).status == 404, path
        assert (await site.signed(path, mallory, scheme=scheme)).status == 404, path
        answer = await site.signed(path, bob, scheme=scheme)
        assert (answer.status, answer.headers["Cache-Control"]) == (200, PRIVATE), (path, answer.body)
        assert answer.headers["Vary"] == "Accept, Signature"


async def test_who_only_asked_to_follow_sees_nothing(site: Site):
    alice, _ = await site.person("alice", locked=True)
    bob = await someone(site)
    await site.db.write(lambda tx: follow(tx, bob, alice, accepted=False))
    post = await site.posted(alice, visibility="private")
    assert (await site.signed(f"/users/alice/posts/{post.id}", bob)).status == 404


async def test_a_direct_post_is_for_those_it_names(site: Site):
    alice, _ = await site.person("alice")
    bob, carol = await someone(site), await someone(site, "carol")
    await site.db.write(follow, carol, alice)
    post = await site.posted(alice, "@bob@far.test", visibility="direct")
    for path in addresses(post.id):
        assert (await site.document(path)).status == 404
        assert (await site.signed(path, carol)).status == 404
        assert (await site.signed(path, bob)).status == 200


async def test_the_outbox_has_private_posts_for_followers_alone(site: Site):
    alice, _ = await site.person("alice")
    bob, mallory = await someone(site), await someone(site, "mallory")
    await site.db.write(follow, bob, alice)
    public = await site.posted(alice)
    private = await site.posted(alice, visibility="private")

    def seen(answer) -> list[str]:
        return [item["object"]["id"] for item in answer.json["orderedItems"]]

    page = "/users/alice/outbox?page=1"
    assert seen(await site.document(page)) == [public.uri]
    assert seen(await site.signed(page, mallory)) == [public.uri]
    assert seen(await site.signed(page, bob)) == [private.uri, public.uri]


async def test_pinned_private_posts_are_for_followers_alone(site: Site):
    alice, token = await site.person("alice")
    bob = await someone(site)
    await site.db.write(follow, bob, alice)
    post = await site.posted(alice, visibility="private")
    assert (await site.post(f"/api/v1/statuses/{post.id}/pin", token)).status == 200
    featured = "/users/alice/collections/featured"
    assert (await site.document(featured)).json["totalItems"] == 0
    assert (await site.signed(featured, bob)).json["totalItems"] == 1


async def test_who_is_blocked_by_the_author_gets_none_of_his_posts(site: Site):
    alice, _ = await site.person("alice")
    bob = await someone(site)
    post = await site.posted(alice)
    await site.do(blocks.block, alice.id, bob.id)
    assert (await site.signed(f"/users/alice/posts/{post.id}", bob)).status == 404
    assert (await site.document(f"/users/alice/posts/{post.id}")).status == 200


async def test_a_blocked_server_gets_nothing_it_signs_for(site: Site):
    alice, _ = await site.person("alice")
    bob = await someone(site)
    post = await site.posted(alice)
    await block_host(site.house, "far.test")
    for path in ("/users/alice", *(f"/users/alice/{name}" for name in LISTS), *addresses(post.id)):
        answer = await site.signed(path, bob)
        assert (answer.status, bool(answer.error)) == (403, True), path


async def test_a_suspended_signer_gets_nothing(site: Site):
    await site.person("alice")
    bob = await someone(site)
    await site.do(accounts.suspend, bob.id)
    assert (await site.signed("/users/alice", bob)).status == 403


async def test_a_bad_signature_is_refused_where_none_is_needed(site: Site):
    await site.person("alice")
    bob, carol = await someone(site), await someone(site, "carol")
    path, now = "/users/alice", time.time()
    good = signature(path, bob)
    bad = {
        "another's key": signature(path, bob, key="carol"),
        "another path": signature("/users/carol", bob),
        "long ago": signature(path, bob, now=now - 7200),
        "in future": signature(path, bob, now=now + 7200),
        "another date": {**good, "Date": "Sun, 01 Nov 2026 00:00:00 GMT"},
        "no date": {name: value for name, value in good.items() if name != "Date"},
        "changed": {**good, "Signature": good["Signature"].replace('signature="', 'signature="AAAA')},
        "garbage": {"Signature": "x"},
        "empty": {"Signature": ""},
        "no web address": {**good, "Signature": good["Signature"].replace("https://far.test", "acct:far.test")},
    }
    assert carol.id
    for case, headers in bad.items():
        answer = await site.get(path, headers={**headers, "Accept": DOCUMENT})
        assert (answer.status, bool(answer.error)) == (401, True), (case, answer.body)
    assert (await site.get(path, headers={**good, "Accept": DOCUMENT})).status == 200


async def test_whose_key_is_not_to_be_had_gets_what_everybody_gets(site: Site, server):
    alice, _ = await site.person("alice")
    await someone(site)
    seen, hidden = await site.posted(alice), await site.posted(alice, visibility="private")

    async def asked(at: Site, path: str) -> tuple[int, str | None]:
        headers = signature(path, remote("nobody"))
        answer = await at.get(path, headers={**headers, "Accept": DOCUMENT})
        return answer.status, answer.headers.get("Cache-Control")

    for path in ("/users/alice", "/users/alice/outbox", *addresses(seen.id)):
        assert await asked(site, path) == (200, PUBLIC), path
    for path in (*addresses(hidden.id), "/users/alice/followers_synchronization"):
        assert (await asked(site, path))[0] == 401, path  # not 404: he may be one who may see it
    async with server(AUTHORIZED_FETCH="true") as strict:
        assert (await asked(strict, "/users/alice/outbox"))[0] == 401


async def test_the_list_for_synchronisation_is_for_the_server_whose_people_are_on_it(site: Site):
    alice, _ = await site.person("alice")
    bob, carol = await someone(site), await someone(site, "carol", "other.test")
    ours, _ = await site.person("dora")
    for one in (bob, carol, ours):
        await site.db.write(follow, one, alice)
    path = "/users/alice/followers_synchronization"
    assert (await site.document(path)).status == 401
    for one in (bob, carol):
        answer = await site.signed(path, one)
        assert (answer.json["orderedItems"], answer.headers["Cache-Control"]) == ([one.uri], PRIVATE)


async def test_what_is_deleted_is_gone_for_everybody(site: Site):
    alice, _ = await site.person("alice")
    bob = await someone(site)
    post = await site.posted(alice)
    await site.do(delete.delete, alice.id, post.id)
    for path in addresses(post.id):
        assert (await site.document(path)).status == 410
        assert (await site.signed(path, bob)).status == 410
    await site.do(accounts.delete_local, alice.id)
    for path in (
        "/users/alice",
        "/@alice",
        "/users/alice/outbox",
        "/users/alice/followers",
        f"/users/alice/posts/{post.id}",
    ):
        answer = await site.document(path)
        assert (answer.status, bool(answer.error)) == (410, True), path


async def test_the_suspended_are_gone_with_all_they_wrote(site: Site):
    alice, _ = await site.person("alice")
    post = await site.posted(alice)
    await site.do(accounts.suspend, alice.id)
    for path in ("/users/alice", *addresses(post.id)):
        assert (await site.document(path)).status == 410


async def test_with_authorized_fetch_only_signed_requests_are_answered(server):
    async with server(AUTHORIZED_FETCH="true") as site:
        alice, _ = await site.person("alice", display_name="Alice", note="<p>secret</p>")
        bob = await someone(site)
        post = await site.posted(alice)
        for path in (*(f"/users/alice/{name}" for name in LISTS), *addresses(post.id)):
            answer = await site.document(path)
            assert (answer.status, bool(answer.error)) == (401, True), path
            answer = await site.signed(path, bob)
            assert (answer.status, answer.headers["Cache-Control"]) == (200, PRIVATE), path


async def test_with_authorized_fetch_keys_are_there_for_all(server):
    """Else two servers that both demand signatures could never check one."""
    async with server(AUTHORIZED_FETCH="true") as site:
        alice, _ = await site.person("alice", display_name="Alice", note="<p>secret</p>")
        bob = await someone(site)
        for path in ("/users/alice", "/@alice"):
            answer = await site.document(path)
            stub = answer.json
            assert (answer.status, answer.headers["Cache-Control"]) == (200, PUBLIC)
            assert (stub["id"], stub["publicKey"]["owner"], stub["inbox"]) == (alice.uri, alice.uri, alice.inbox)
            assert stub.get("summary", "") == ""
            assert not {"followers", "following", "featured", "attachment", "icon"} & stub.keys()
            assert b"secret" not in answer.body
        whole = await site.signed("/users/alice", bob)
        assert (whole.json["name"], whole.json["summary"]) == ("Alice", "<p>secret</p>")
        assert whole.headers["Cache-Control"] == PRIVATE
        server_s = await site.document("/actor")
        assert (server_s.status, server_s.json["type"]) == (200, "Application")
        assert (await site.get("/@alice", headers={"Accept": "text/html"})).status == 200
