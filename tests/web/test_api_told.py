"""What people are told of decisions on them: warnings, and follows that ended."""

from datetime import UTC, datetime

import pytest

from connectme.letters import post_office
from social import domains, letters, moderation, users
from social.moderation import sanctions
from store.tables import jobs, notifications, severances
from tests.people import follow, remote, stored
from tests.social.said import rows
from tests.web import browsing
from tests.web.site import Site

ACCOUNTS = "/api/v1/admin/accounts"
BOTH = ("/api/v1/notifications", "/api/v2/notifications")


async def moderator(site: Site) -> str:
    account, _ = await site.person("mod")
    await site.do(users.set_role, account.id, "moderator")
    return await site.token(account, "admin:read admin:write read write")


async def test_nobody_is_told_who_is_not_meant_to_be(site: Site):
    token = await moderator(site)
    alice, hers = await site.person("alice")
    await stored(site.db, bob := remote("bob"))
    for account, more in ((alice, {"send_email_notification": "false"}), (bob, {})):
        answer = await site.post(f"{ACCOUNTS}/{account.id}/action", token, data={"type": "none", "text": "x", **more})
        assert answer.status == 200
    assert await rows(site.db, notifications) == []
    assert (await site.get(BOTH[0], hers)).json == []


@pytest.mark.parametrize("kind", ["none", "sensitive", "silence"])
async def test_a_warning_is_told(both_sites: Site, kind):
    site = both_sites
    token = await moderator(site)
    alice, hers = await site.person("alice")
    _, his = await site.person("reporter")
    post = await site.posted(alice)
    await site.post("/api/v1/reports", his, data={"account_id": alice.id, "status_ids[]": post.id})
    [report] = (await site.get("/api/v1/admin/reports", token)).json
    body = {"type": kind, "text": "Please\nstop <b>", "report_id": report["id"]}
    assert (await site.post(f"{ACCOUNTS}/{alice.id}/action", token, json=body)).status == 200
    [told] = (await site.get(f"{BOTH[0]}?types[]=moderation_warning", hers)).json
    warning = told["moderation_warning"]
    assert (told["type"], told["account"]["id"]) == ("moderation_warning", str(alice.id))
    assert (warning["action"], warning["text"], warning["appeal"]) == (kind, "Please\nstop <b>", None)
    assert (warning["status_ids"], warning["target_account"]["acct"]) == ([str(post.id)], "alice")
    grouped = (await site.get(f"{BOTH[1]}?types[]=moderation_warning", hers)).json
    assert grouped["notification_groups"][0]["moderation_warning"] == warning
    assert (await site.get(f"/api/v1/notifications/{told['id']}", hers)).json == told
    assert (await site.get(f"/api/v1/notifications/{told['id']}", his)).status == 404
    assert (await site.get(BOTH[0], his)).json == []


async def test_follows_that_end_with_a_server_are_told(both_sites: Site):
    site = both_sites
    alice, hers = await site.person("alice")
    dora, doras = await site.person("dora")
    far = [remote("bob"), remote("carl"), remote("eve", "sub.far.test"), remote("zoe", "other.test")]
    await stored(site.db, *far)
    for one, other, more in [
        (far[0], alice, {}),
        (far[2], alice, {}),
        (alice, far[1], {}),
        (far[1], dora, {"accepted": False}),
        (far[3], dora, {}),
        (dora, alice, {}),
    ]:
        await site.db.write(follow, one, other, **more) if not more else await site.db.write(
            lambda tx, one=one, other=other: follow(tx, one, other, accepted=False)
        )
    await site.do(moderation.set_policies, [moderation.PolicyDraft(name, "block") for name in ("far.test", "no.test")])
    [told] = (await site.get(BOTH[0], hers)).json
    event = told["event"]
    assert (told["type"], event["type"], event["target_name"], event["purged"]) == (
        "severed_relationships", "domain_block", "far.test", False
    )  # fmt: skip
    assert (event["followers_count"], event["following_count"]) == (2, 1)
    assert (await site.get(BOTH[1], hers)).json["notification_groups"][0]["event"] == event
    assert (await site.get(BOTH[0], doras)).json == []
    await site.do(moderation.set_policy, "far.test", "block", "again")
    assert len((await site.get(BOTH[0], hers)).json) == 1


async def test_follows_that_end_with_an_account_or_a_domain_of_one_s_own_are_told(both_sites: Site):
    site = both_sites
    token = await moderator(site)
    alice, hers = await site.person("alice")
    await stored(site.db, bob := remote("bob"), eve := remote("eve", "other.test"))
    for one in (bob, eve):
        await site.db.write(follow, one, alice)
    await site.post(f"{ACCOUNTS}/{bob.id}/action", token, data={"type": "suspend"})
    await site.do(domains.block, site.origin, alice.id, "other.test")
    found = [it["event"] for it in (await site.get(BOTH[0], hers)).json]
    assert [(it["type"], it["target_name"], it["followers_count"], it["following_count"]) for it in found] == [
        ("user_domain_block", "other.test", 1, 0),
        ("account_suspension", "bob@far.test", 1, 0),
    ]
    assert len(await rows(site.db, severances)) == 2


async def test_the_page_of_news_says_it(sqlite_db, origin, aiohttp_client):
    browser = await browsing.opened(sqlite_db, aiohttp_client)
    alice = await browsing.person(sqlite_db, origin, "alice")
    mod = await browsing.person(sqlite_db, origin, "judy")
    action = sanctions.Action("none", "Please <b>stop")
    await sqlite_db.write(sanctions.act, sanctions.Staff(mod, "moderator"), alice.id, action, datetime.now(UTC))
    await stored(sqlite_db, bob := remote("bob"))
    await sqlite_db.write(follow, bob, alice)
    await sqlite_db.write(moderation.set_policy, "far.test", "block", "", datetime.now(UTC))
    await browser.sign_in("alice")
    await browser.get("/notifications")
    assert "A moderator wrote to you" in browser.text
    assert "Please &lt;b&gt;stop" in browser.page
    assert "1 who followed you, 0 whom you followed." in browser.text


async def test_who_asked_for_an_account_hears_whether_he_gets_it(server):
    async with server(REGISTRATIONS="approval", RATE_LIMITS="false", SMTP_URL="smtp://127.0.0.1:1") as site:
        token, by = await moderator(site), await site.token(None)
        for name in ("one", "two"):
            new = {"username": name, "email": f"{name}@mail.test", "password": "correct horse", "agreement": True}
            assert (await site.post("/api/v1/accounts", by, json=new)).status == 200
        two, one = (await site.get("/api/v2/admin/accounts?status=pending", token)).json
        await site.post(f"{ACCOUNTS}/{one['id']}/approve", token)
        await site.post(f"{ACCOUNTS}/{two['id']}/reject", token)
        waiting = {job.payload["purpose"]: job.payload for job in await rows(site.db, jobs) if job.kind == letters.JOB}
        ready = await site.db.read(letters.approved, site.origin, "Ours", int(one["id"]))
        assert (ready.to, "@one@ours.test is yours" in ready.text) == ("one@mail.test", True)
        refused = letters.rejected(site.origin, "Ours", waiting["rejected"]["to"], waiting["rejected"]["username"])
        assert (refused.to, "did not accept" in refused.text) == ("two@mail.test", True)
        assert "approved" in waiting
        assert letters.JOB in post_office(site.house)
    async with server(REGISTRATIONS="approval", RATE_LIMITS="false") as site:
        assert post_office(site.house) == {}
    async with server(SMTP_URL="smtp://mail.test", OUTGOING="false") as site:
        assert post_office(site.house) == {}
