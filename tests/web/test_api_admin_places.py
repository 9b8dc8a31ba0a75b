"""From where people come, and networks whose people are kept out."""

from datetime import UTC, datetime, timedelta

import pytest

from connectme.housekeeping import Housekeeping
from social import addresses, users
from social.moderation import audit, places
from tests.people import local
from tests.web.site import Site

BLOCKS, ACCOUNTS = "/api/v1/admin/ip_blocks", "/api/v1/admin/accounts"
PASSWORD = "correct horse"


async def one_with(site: Site, role: str) -> str:
    account, _ = await site.person(role)
    await site.do(users.set_role, account.id, role)
    return await site.token(account, "admin:read admin:write read")


def come_from(ip: str) -> dict[str, str]:
    return {"X-Forwarded-For": ip}


async def signs_up(site: Site, by: str, name: str, ip: str) -> int:
    new = {"username": name, "email": f"{name}@mail.test", "password": PASSWORD, "agreement": True}
    return (await site.post("/api/v1/accounts", by, json=new, headers=come_from(ip))).status


async def test_networks_are_for_admins(site: Site):
    for role, status in (("member", 403), ("moderator", 403), ("admin", 404)):
        token = await one_with(site, role)
        for method in ("GET", "PUT", "DELETE"):
            assert (await site.call(method, f"{BLOCKS}/1", token, json={})).status == status, (role, method)
    assert (await site.post(BLOCKS, await one_with(site, "owner"), json={})).status == 422
    assert (await site.get(BLOCKS)).status == 401
    assert await site.db.read(audit.newest, 10) == []


@pytest.mark.parametrize(
    "body",
    [
        {"ip": "nowhere", "severity": "no_access"},
        {"ip": "192.0.2.0/33", "severity": "no_access"},
        {"ip": ["192.0.2.1"], "severity": "no_access"},
        {"ip": "192.0.2.1", "severity": "kill"},
        {"ip": "192.0.2.1"},
        {"ip": "192.0.2.1", "severity": "no_access", "expires_in": -1},
        {"ip": "192.0.2.1", "severity": "no_access", "expires_in": 10**12},
        {"ip": "127.0.0.0/8", "severity": "no_access"},  # from where he comes himself
        {"ip": "\0", "severity": "no_access"},
    ],
)
async def test_what_is_no_block_is_refused(site: Site, body):
    token = await one_with(site, "admin")
    assert (await site.post(BLOCKS, token, json=body)).status == 422
    assert (await site.get(BLOCKS, token)).json == []


async def test_networks_are_blocked_changed_and_free_again(both_sites: Site):
    site = both_sites
    token = await one_with(site, "admin")
    made = (await site.post(BLOCKS, token, json={"ip": "192.0.2.9/24", "severity": "sign_up_block"})).json
    assert (made["ip"], made["severity"], made["comment"], made["expires_at"]) == (
        "192.0.2.0/24", "sign_up_block", "", None
    )  # fmt: skip
    assert (await site.post(BLOCKS, token, json={"ip": "192.0.2.0/24", "severity": "no_access"})).status == 422
    here = f"{BLOCKS}/{made['id']}"
    body = {"severity": "no_access", "comment": "floods", "expires_in": 3600}
    changed = (await site.call("PUT", here, token, json=body)).json
    assert (changed["severity"], changed["comment"], bool(changed["expires_at"])) == ("no_access", "floods", True)
    assert (await site.get(here, token)).json == changed
    other = (await site.post(BLOCKS, token, json={"ip": "2001:db8::/32", "severity": "no_access"})).json
    for ip, status in [("192.0.2.1", 403), ("192.0.3.1", 200), ("2001:db8:1::9", 403), ("::ffff:192.0.2.1", 403)]:
        answer = await site.get("/api/v1/instance/rules", headers=come_from(ip))
        assert answer.status == status, ip
        assert (await site.get("/about", headers=come_from(ip))).status == status, ip
        assert (await site.post("/inbox", headers=come_from(ip), data=b"")).status == (403 if status == 403 else 415)
    assert (await site.get("/livez", headers=come_from("192.0.2.1"))).status == 200
    assert (await site.get(f"{BLOCKS}?limit=1", token)).ids == [other["id"]]
    for number in (made["id"], other["id"]):
        assert (await site.call("DELETE", f"{BLOCKS}/{number}", token)).json == {}
    assert (await site.get("/api/v1/instance/rules", headers=come_from("192.0.2.1"))).status == 200
    assert [one.action for one in await site.db.read(audit.newest, 9)] == [
        "unblock", "unblock", "no_access", "no_access", "sign_up_block"
    ]  # fmt: skip


async def test_a_block_ends_when_it_says(db):
    now = datetime.now(UTC)
    assert await db.read(places.severities, "192.0.2.1", now) == frozenset()
    by = places.Staff(await local(db, "admin"), "admin")
    await db.write(places.block, by, "192.0.2.0/24", "sign_up_block", "", 60, "", now)
    await db.write(places.block, by, "::/0", "sign_up_requires_approval", "", None, "", now)
    assert await db.read(places.severities, "192.0.2.1", now) == {"sign_up_block"}
    assert await db.read(places.severities, "2001:db8::1", now) == {"sign_up_requires_approval"}
    assert await db.read(places.severities, "192.0.2.1", now + timedelta(minutes=2)) == frozenset()
    assert await db.write(places.forget_expired, now + timedelta(minutes=2)) == 1


async def test_a_block_is_lifted_by_its_network(db):
    now, by = datetime.now(UTC), places.Staff(await local(db, "admin"), "admin")
    await db.write(places.block, by, "192.0.2.0/24", "no_access", "", None, "", now)
    assert [one.network for one in await db.read(places.all_of)] == ["192.0.2.0/24"]
    assert not await db.write(places.lift, "192.0.2.0/25")
    assert await db.write(places.lift, "192.0.2.9/24")
    assert await db.read(places.all_of) == await db.read(places.shut) == []


async def test_who_signs_up_there_waits_or_is_refused(server):
    async with server(REGISTRATIONS="open", RATE_LIMITS="false") as site:
        token, by = await one_with(site, "admin"), await site.token(None)
        for ip, severity in (("192.0.2.0/24", "sign_up_block"), ("198.51.100.7", "sign_up_requires_approval")):
            assert (await site.post(BLOCKS, token, json={"ip": ip, "severity": severity})).status == 200
        assert await signs_up(site, by, "one", "192.0.2.7") == 403
        assert await signs_up(site, by, "two", "198.51.100.7") == 200
        assert await signs_up(site, by, "three", "203.0.113.7") == 200
        pending = (await site.get("/api/v2/admin/accounts?status=pending", token)).json
        assert [(one["username"], one["ip"]) for one in pending] == [("two", "198.51.100.7")]
        found = (await site.get("/api/v2/admin/accounts?ip=203.0.113.0/24", token)).json
        assert [one["username"] for one in found] == ["three"]
        assert (await site.get("/api/v2/admin/accounts?ip=x", token)).status == 422


async def test_staff_see_from_where_somebody_comes_and_nobody_else_does(both_sites: Site):
    site = both_sites
    token = await one_with(site, "moderator")
    alice, hers = await site.person("alice")
    now = datetime.now(UTC)
    await site.db.write(addresses.note, alice.id, "2001:db8::1", now - timedelta(days=3))
    await site.get("/api/v1/accounts/verify_credentials", hers, headers=come_from("192.0.2.7"))
    shown = (await site.get(f"{ACCOUNTS}/{alice.id}", token)).json
    assert (shown["ip"], [one["ip"] for one in shown["ips"]]) == ("192.0.2.7", ["192.0.2.7", "2001:db8::1"])
    for query, found in (
        ("192.0.2.7", ["alice"]),
        ("2001:db8::/64", ["alice"]),
        ("192.0.2.8", []),
        ("::/0", ["alice"]),
    ):
        answer = (await site.get(f"/api/v2/admin/accounts?ip={query}", token)).json
        assert ([one["username"] for one in answer if one["username"] == "alice"]) == found, query
    for by in (None, hers, token):
        assert "192.0.2.7" not in (await site.get(f"/api/v1/accounts/{alice.id}", by)).body.decode()
    spool = site.house.spool
    await Housekeeping(site.db, spool, site.origin, clock=lambda: now + timedelta(days=59)).round()
    assert (await site.get(f"{ACCOUNTS}/{alice.id}", token)).json["ips"] == shown["ips"][:1]
    await Housekeeping(site.db, spool, site.origin, clock=lambda: now, address_days=0).sweep(now + timedelta(hours=1))
    assert (await site.get(f"{ACCOUNTS}/{alice.id}", token)).json["ips"] == []


async def test_a_server_that_keeps_no_addresses_has_none(server):
    async with server(ADDRESS_DAYS="0") as site:
        token = await one_with(site, "moderator")
        alice, hers = await site.person("alice")
        await site.get("/api/v1/accounts/verify_credentials", hers)
        shown = (await site.get(f"{ACCOUNTS}/{alice.id}", token)).json
        assert (shown["ip"], shown["ips"]) == (None, [])
