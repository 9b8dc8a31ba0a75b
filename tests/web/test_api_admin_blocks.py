"""Servers and addresses that moderators block."""

from dataclasses import replace
from datetime import timedelta

import pytest

from federation.reading import Attachment
from social import moderation, users
from social.moderation import audit
from social.posts import edit, receive
from store.tables import media
from tests.conftest import NOW
from tests.people import remote, stored
from tests.social.said import note, rows
from tests.web.site import Site

ADMIN = "/api/v1/admin"
DOMAINS, ALLOWS = f"{ADMIN}/domain_blocks", f"{ADMIN}/domain_allows"
PROVIDERS, EMAILS = f"{ADMIN}/email_domain_blocks", f"{ADMIN}/canonical_email_blocks"

PICTURE = {"attachments": (Attachment("image", "https://cdn.test/cat.jpg"),)}
LATER = NOW + timedelta(hours=1)


async def one_with(site: Site, role: str) -> str:
    account, _ = await site.person(role)
    await site.do(users.set_role, account.id, role)
    return await site.token(account, "admin:read admin:write read")


@pytest.mark.parametrize("place", [DOMAINS, ALLOWS, PROVIDERS, EMAILS])
async def test_who_may_not_is_refused_and_what_is_none_is_not_found(site: Site, place):
    member, admin = await one_with(site, "member"), await one_with(site, "admin")
    for method, path in (("GET", place), ("POST", place), ("GET", f"{place}/1"), ("DELETE", f"{place}/1")):
        assert (await site.call(method, path, member)).status == 403
    for method in ("GET", "DELETE"):
        assert (await site.call(method, f"{place}/1", admin)).status == 404
    assert (await site.post(place, admin, json={})).status == 422
    assert (await site.get(place, admin)).json == []
    assert await site.db.read(audit.newest, 10) == []


async def test_servers_are_for_admins(site: Site):
    token = await one_with(site, "moderator")
    assert (await site.get(DOMAINS, token)).status == 403
    assert (await site.get(PROVIDERS, token)).status == 200


async def test_servers_are_limited_and_blocked(both_sites: Site):
    site = both_sites
    token = await one_with(site, "admin")
    await stored(site.db, bob := remote("bob"))
    for body in (
        {"domain": "ours.test"},
        {"domain": "a b"},
        {"domain": "far.test", "severity": "kill"},
        {"domain": "far.test", "obfuscate": "x"},
    ):
        assert (await site.post(DOMAINS, token, json=body)).status == 422, body
    made = (await site.post(DOMAINS, token, json={"domain": "Far.test", "public_comment": "loud"})).json
    assert (made["domain"], made["severity"], made["public_comment"]) == ("far.test", "silence", "loud")
    assert (await site.post(DOMAINS, token, json={"domain": "far.test"})).status == 422
    here = f"{DOMAINS}/{made['id']}"
    assert (await site.call("PUT", here, token, json={"severity": "suspend"})).json["severity"] == "suspend"
    assert (await site.get(f"/api/v1/accounts/{bob.id}")).json["suspended"] is True
    assert [one.level for one in await site.db.read(moderation.policies)] == ["block"]
    assert (await site.get(f"{ALLOWS}/{made['id']}", token)).status == 404
    assert (await site.call("DELETE", here, token)).json == {}
    assert "suspended" not in (await site.get(f"/api/v1/accounts/{bob.id}")).json
    actions = [one.action for one in await site.db.read(audit.newest, 10)]
    assert actions == ["unset", "block", "limit"]


async def test_files_and_reports_of_a_server_are_refused_without_a_block(both_sites: Site):
    site = both_sites
    token = await one_with(site, "admin")
    alice, _ = await site.person("alice")
    await stored(site.db, bob := replace(remote("bob"), avatar_url="https://cdn.test/bob.png"))
    seen = await site.db.write(receive.receive, bob, note(bob, **PICTURE), NOW)
    shown = (await site.get(f"/api/v1/statuses/{seen.id}")).json
    assert len(shown["media_attachments"]) == 1
    body = {"domain": "far.test", "severity": "noop", "reject_media": True, "reject_reports": True,
            "private_comment": "for us", "public_comment": "for all", "obfuscate": True}  # fmt: skip
    made = (await site.post(DOMAINS, token, json=body)).json
    assert {key: made[key] for key in body} == body
    shown = (await site.get(f"/api/v1/statuses/{seen.id}")).json
    assert shown["media_attachments"] == []
    assert "cdn.test" not in str(shown["account"])
    await site.db.write(receive.receive_many, [(bob, note(bob, **PICTURE))], NOW)
    edited = await site.db.write(
        edit.receive_edit, bob, note(bob, "<p>new</p>", id=seen.uri, updated=LATER, **PICTURE), LATER
    )
    assert edited is not None
    assert await rows(site.db, media) == []
    complaint = (bob, [alice.uri], "bad", f"{bob.uri}/flags/1", NOW)
    assert await site.db.write(moderation.receive_flag, *complaint) is None
    here = f"{DOMAINS}/{made['id']}"
    less = (await site.call("PUT", here, token, json={"reject_reports": "false", "private_comment": ""})).json
    assert (less["reject_media"], less["reject_reports"], less["private_comment"]) == (True, False, None)
    assert await site.db.write(moderation.receive_flag, *complaint) is not None
    await site.call("DELETE", here, token)
    third = await site.db.write(receive.receive, bob, note(bob, **PICTURE), NOW)
    assert len((await site.get(f"/api/v1/statuses/{third.id}")).json["media_attachments"]) == 1


async def test_lists_of_servers_have_pages(site: Site):
    token = await one_with(site, "owner")
    for place in (DOMAINS, ALLOWS):
        made = {
            (await site.post(place, token, json={"domain": f"{place[-6:-4]}{n}.test"})).json["id"] for n in range(5)
        }
        seen, next_ = [], f"{place}?limit=2"
        while next_:
            answer = await site.get(next_, token)
            seen += answer.ids
            next_, back = answer.link("next"), answer.link("prev")
        assert sorted(seen) == sorted(made)
        assert (await site.get(back or "", token)).ids == seen[2:4]


async def test_nobody_signs_up_with_a_blocked_address(server):
    async with server(REGISTRATIONS="open", RATE_LIMITS="false") as site:
        token, by = await one_with(site, "moderator"), await site.token(None)

        async def signs_up(name: str, email: str) -> bool:
            new = {"username": name, "email": email, "password": "correct horse", "agreement": True}
            answer = await site.post("/api/v1/accounts", by, json=new)
            if answer.status != 200:
                assert answer.json["details"]["email"][0]["error"] == "ERR_BLOCKED"
            return answer.status == 200

        domain = (await site.post(PROVIDERS, token, json={"domain": "trash.test"})).json
        assert (await site.post(PROVIDERS, token, json={"domain": "trash.test"})).status == 422
        assert not await signs_up("one", "one@trash.test")
        assert not await signs_up("two", "two@a.trash.test")
        await site.call("DELETE", f"{PROVIDERS}/{domain['id']}", token)
        assert await signs_up("one", "one@trash.test")
        made = (await site.post(EMAILS, token, json={"email": "Jo.Doe+x@mail.test"})).json
        assert (await site.post(f"{EMAILS}/test", token, json={"email": "jodoe@mail.test"})).json == [made]
        assert (await site.post(f"{EMAILS}/test", token, json={"email": "x@mail.test"})).json == []
        assert (await site.post(EMAILS, token, json={"canonical_email_hash": "x"})).status == 422
        assert not await signs_up("three", "jodoe@mail.test")
        assert (await site.get(f"{EMAILS}/{made['id']}", token)).json == made
        await site.call("DELETE", f"{EMAILS}/{made['id']}", token)
        assert await signs_up("three", "jodoe@mail.test")
