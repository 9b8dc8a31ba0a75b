"""Who may not sign up, on pages.  Refusals first."""

from datetime import UTC, datetime

import pytest

from social import users
from social.moderation import audit, emails, places
from social.pages import Page
from store.tables import EmailDomainBlock
from tests.web import browsing

HERE = "/admin/signups"


@pytest.fixture
async def browser(sqlite_db, aiohttp_client):
    """alice, an admin, looks."""
    found = await browsing.opened(sqlite_db, aiohttp_client)
    alice = await browsing.person(sqlite_db, browsing.ORIGIN, "alice")
    await sqlite_db.write(users.set_role, alice.id, "admin", datetime.now(UTC))
    await found.sign_in("alice")
    await found.get(HERE)
    return found


async def blocks(db):
    domains, networks = await db.read(emails.page, EmailDomainBlock, Page()), await db.read(places.all_of)
    return [one.domain for one in domains], [(one.network, one.severity) for one in networks]


async def test_members_do_none_of_it_and_moderators_block_no_network(sqlite_db, browser, aiohttp_client):
    posts = ("domains", "domains/7/remove", "addresses/block", "networks", "networks/7/remove")
    for path in posts:
        await browser.post(f"{HERE}/{path}", {"csrf": "wrong", "domain": "spam.test", "ip": "192.0.2.1"})
        assert browser.status == 403, path
    bob = await browsing.person(sqlite_db, browsing.ORIGIN, "bob")
    his = await browsing.opened(sqlite_db, aiohttp_client)
    await his.get(HERE)
    assert his.location.startswith("/login?next=")
    await his.sign_in("bob")
    await his.get(HERE)
    assert his.status == 403
    for path in posts:
        await his.send(f"{HERE}/{path}", domain="spam.test", email="x@y.test", ip="192.0.2.1")
        assert his.status == 403, path
    await sqlite_db.write(users.set_role, bob.id, "moderator", datetime.now(UTC))
    await his.sign_in("bob")
    assert "192.0.2.0/24" not in await his.get(HERE)
    for path in posts[3:]:
        await his.send(f"{HERE}/{path}", ip="192.0.2.1", severity="no_access")
        assert his.status == 403, path
    await his.send(f"{HERE}/domains", domain="spam.test")
    assert (his.location, await blocks(sqlite_db)) == (HERE, (["spam.test"], []))


async def test_what_cannot_be_blocked_is_refused(sqlite_db, browser):
    for path, given in (
        ("domains", {"domain": "<b>"}),
        ("addresses/block", {"email": "nobody"}),
        ("addresses/unblock", {"email": "free@mail.test"}),
        ("networks", {"ip": "<b>", "severity": "no_access"}),
        ("networks", {"ip": "192.0.2.0/24", "severity": "explode"}),
        ("networks", {"ip": "192.0.2.0/24", "severity": "no_access", "seconds": "x"}),
        ("networks", {"ip": "127.0.0.0/8", "severity": "no_access"}),
    ):
        await browser.send(f"{HERE}/{path}", **given)
        assert browser.status == 422, given
        assert "<b>" not in browser.page.replace("<b>@", "").partition('role="alert"')[2].partition("</p>")[0]
    for path in ("domains/7/remove", "networks/7/remove"):
        await browser.send(f"{HERE}/{path}")
        assert browser.status == 404
    assert (await blocks(sqlite_db), await sqlite_db.read(audit.newest, 9)) == (([], []), [])


async def test_domains_addresses_and_networks_are_blocked_and_freed(sqlite_db, browser):
    await browser.send(f"{HERE}/domains", domain="@Spam.test")
    await browser.send(f"{HERE}/domains", domain="spam.test")
    assert (browser.status, "it is blocked already" in browser.text) == (422, True)
    await browser.send(f"{HERE}/addresses/block", email="j.o+x@mail.test")
    assert await sqlite_db.read(emails.is_blocked, "jo@mail.test")
    await browser.send(f"{HERE}/networks", ip="192.0.2.7/24", severity="no_access", comment="<spam>", seconds="86400")
    assert (browser.location, (await blocks(sqlite_db))[1]) == (f"{HERE}#networks", [("192.0.2.0/24", "no_access")])
    await browser.get("/home", X_Forwarded_For="192.0.2.9")
    assert browser.status == 403
    await browser.get(HERE)
    assert all(words in browser.text for words in ("spam.test", "192.0.2.0/24", "<spam>", "until"))
    (network,) = await sqlite_db.read(places.all_of)
    await browser.send(f"{HERE}/networks/{network.id}/remove")
    await browser.get("/about", X_Forwarded_For="192.0.2.9")
    assert browser.status == 200
    await browser.get(HERE)
    (domain,) = await sqlite_db.read(emails.page, EmailDomainBlock, Page())
    await browser.send(f"{HERE}/domains/{domain.id}/remove")
    await browser.send(f"{HERE}/addresses/unblock", email="jo@mail.test")
    assert await blocks(sqlite_db) == ([], [])
    assert not await sqlite_db.read(emails.is_blocked, "jo@mail.test")
    assert len(await sqlite_db.read(audit.newest, 9)) == 6
