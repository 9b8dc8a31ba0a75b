"""The overview and the list of accounts.  Refusals first."""

import re
from datetime import UTC, datetime

import pytest

from social import accounts, users
from social.moderation import audit
from social.moderation.people import several
from tests.people import remote, stored
from tests.web import browsing


@pytest.fixture
async def people(sqlite_db, aiohttp_client):
    """alice, an admin who looks; bob; carol."""
    browser = await browsing.opened(sqlite_db, aiohttp_client)
    found = [await browsing.person(sqlite_db, browsing.ORIGIN, name) for name in ("alice", "bob", "carol")]
    await sqlite_db.write(users.set_role, found[0].id, "admin", datetime.now(UTC))
    await browser.sign_in("alice")
    return browser, *found


async def role(db, account):
    return (await db.read(several, [account.id]))[0].user.role


async def test_members_and_strangers_see_nothing_of_it(sqlite_db, people, aiohttp_client):
    _, _, bob, _ = people
    stranger, member = [await browsing.opened(sqlite_db, aiohttp_client) for _ in range(2)]
    await member.sign_in("bob")
    for path in ("/admin", "/admin/accounts", "/admin/accounts?email=carol"):
        await stranger.get(path)
        assert stranger.location.startswith("/login?next=")
        await member.get(path)
        assert (member.status, "carol@mail" in member.text) == (403, False), path
    assert 'href="/admin' not in await member.get("/home")
    await member.send(f"/admin/accounts/{bob.id}/role", role="owner")
    assert (member.status, await role(sqlite_db, bob)) == (403, "member")


async def test_a_role_is_given_only_below_ones_own(sqlite_db, people):
    browser, alice, bob, carol = people
    await sqlite_db.write(users.set_role, carol.id, "owner", datetime.now(UTC))
    await browser.get("/admin")
    for who, wanted, status in ((bob, "admin", 403), (bob, "owner", 403), (bob, "x", 403), (alice, "owner", 403),
                                (carol, "member", 403)):  # fmt: skip
        await browser.send(f"/admin/accounts/{who.id}/role", role=wanted)
        assert browser.status == status, (who.username, wanted)
    for number in (7, remote("x").id):
        await browser.send(f"/admin/accounts/{number}/role", role="member")
        assert browser.status == 404
    await browser.post(f"/admin/accounts/{bob.id}/role", {"csrf": "wrong", "role": "moderator"})
    assert (browser.status, await role(sqlite_db, bob), await role(sqlite_db, carol)) == (403, "member", "owner")
    assert await sqlite_db.read(audit.newest, 9) == []


async def test_somebody_is_made_a_moderator_and_signs_in_anew(sqlite_db, people, aiohttp_client):
    browser, _, bob, _ = people
    his = await browsing.opened(sqlite_db, aiohttp_client)
    await his.sign_in("bob")
    here = f"/admin/accounts/{bob.id}"
    await browser.get(here)
    assert "What bob may do here" in browser.text
    await browser.send(f"{here}/role", role="moderator")
    assert (browser.location, await role(sqlite_db, bob)) == (here, "moderator")
    (noted,) = await sqlite_db.read(audit.newest, 9)
    assert (noted.who, noted.action, noted.kind, noted.subject) == ("alice", "role", "moderator", "bob")
    await his.get("/home")
    assert his.location.startswith("/login")
    await his.sign_in("bob")
    assert "What carol may do" not in await his.get(f"/admin/accounts/{bob.id}")


async def test_only_who_is_suspended_is_deleted_and_only_by_who_runs_the_server(sqlite_db, people, aiohttp_client):
    browser, alice, bob, carol = people
    far = remote("mallory")
    await stored(sqlite_db, far)
    await sqlite_db.write(users.set_role, carol.id, "moderator", datetime.now(UTC))
    await browser.get("/admin")
    for who in (bob, far, alice):
        await browser.send(f"/admin/accounts/{who.id}/delete", sure="1")
        assert browser.status == 403, who.username
    assert "Delete it for good" not in await browser.get(f"/admin/accounts/{bob.id}")
    for who in (bob, far):
        await sqlite_db.write(accounts.suspend, who.id, datetime.now(UTC))
    await browser.send("/admin/accounts/7/delete", sure="1")
    assert browser.status == 404
    her = await browsing.opened(sqlite_db, aiohttp_client)
    await her.sign_in("carol")
    assert "Delete it for good" not in await her.get(f"/admin/accounts/{bob.id}")
    await her.send(f"/admin/accounts/{bob.id}/delete", sure="1")
    assert her.status == 403
    assert "Delete it for good" in await browser.get(f"/admin/accounts/{bob.id}")
    await browser.send(f"/admin/accounts/{bob.id}/delete")
    assert (browser.status, "Tick the box" in browser.text) == (422, True)
    assert await sqlite_db.read(audit.newest, 9) == []
    for who in (bob, far):
        await browser.send(f"/admin/accounts/{who.id}/delete", sure="1")
        assert browser.location == "/admin/accounts"
        assert (await sqlite_db.read(accounts.by_id, who.id)).deleted_at is not None
        await browser.get(f"/admin/accounts/{who.id}")
        assert browser.status == 404
    assert {f"{one.action} {one.subject}" for one in await sqlite_db.read(audit.newest, 9)} == {
        "delete bob", "delete mallory@far.test",
    }  # fmt: skip


async def test_accounts_are_found_by_what_is_known_of_them(sqlite_db, people):
    browser, alice, bob, _ = people
    far = remote("dora")
    await stored(sqlite_db, far)
    await browsing.person(sqlite_db, browsing.ORIGIN, "emil", approved=False)
    for query, names in (
        ("", {"alice", "bob", "carol", "emil"}),
        ("origin=remote", {"dora"}),
        ("origin=all&username=@D", {"dora"}),
        ("origin=all&domain=far.test", {"dora"}),
        ("status=pending", {"emil"}),
        ("status=suspended", set()),
        ("role=admin", {"alice"}),
        ("email=BOB@", {"bob"}),
        ("ip=127.0.0.0/8", {"alice"}),
        ("status=x&role=x&origin=x", {"alice", "bob", "carol", "emil"}),
        (f"max_id={bob.id}", {"alice"}),
    ):
        await browser.get(f"/admin/accounts?{query}")
        assert browser.status == 200
        found = browser.text.partition("Anew")[2]
        assert set(re.findall(r" @(\w+)", found)) == names, query
    await browser.get("/admin/accounts?ip=nowhere")
    assert (browser.status, "is no address" in browser.text) == (422, True)
    await browser.get(f"/admin/accounts/{alice.id}")
    assert "127.0.0.1" in browser.text


async def test_the_overview_says_what_waits(sqlite_db, people):
    browser, *_ = people
    await browser.get("/admin")
    assert all(words in browser.text for words in ("No open report", "3 accounts here", "0 suspended", "There is none"))
    await browsing.person(sqlite_db, browsing.ORIGIN, "emil", approved=False)
    await browser.get("/admin")
    assert "1 person wants to join" in browser.text
