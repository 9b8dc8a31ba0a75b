"""Where somebody is signed in, what programs may do, and codes at sign-in: each page refuses first."""

import re
from datetime import UTC, datetime, timedelta

import pyotp
import pytest

from social import second_factor
from tests.web.browsing import PASSWORD, Browser
from tests.web.oauth import decide, program, signed_in
from tests.web.site import Site
from web.pages import codes

VERIFY = "/api/v1/accounts/verify_credentials"
PAGES = ("/settings/security", "/settings/codes")
ACTIONS = (
    "/settings/security/end",
    "/settings/security/programs/1/end",
    f"/settings/security/browsers/{'0' * 64}/end",
    "/settings/codes/on",
    "/settings/codes/off",
    "/settings/codes/renew",
)


async def test_nobody_but_the_owner_gets_there(site: Site):
    stranger = Browser(site.http)
    for path in (*PAGES, *ACTIONS):
        await (stranger.get(path) if path in PAGES else stranger.post(path, {}))
        assert stranger.location.startswith("/login"), path
    browser, _ = await signed_in(site)
    for path in ACTIONS:
        await browser.post(path, {"csrf": "wrong", "password": PASSWORD})
        assert browser.status == 403, path


async def test_browsers_are_listed_and_signed_out(site: Site):
    here, _ = await signed_in(site)
    there = Browser(site.http)
    await there.sign_in("alice")
    stranger, _ = await signed_in(site, "bob")
    page = await here.get("/settings/security")
    [end] = re.findall(r'action="(/settings/security/browsers/[0-9a-f]{64}/end)"', page)
    await stranger.get("/settings/security")
    await stranger.send(end)
    await there.get("/home")
    assert there.status == 200  # not his to end
    await here.send(end)
    await there.get("/home")
    assert there.location.startswith("/login")
    await here.get("/home")
    assert here.status == 200


async def test_programs_are_listed_and_ended(site: Site):
    browser, _ = await signed_in(site)
    app = await program(site, client_name="Toot <b>", website="https://toot.test/")
    token = (await app.exchange((await decide(browser, app.asks()))["code"])).json["access_token"]
    await site.get(VERIFY, token)
    page = await browser.get("/settings/security")
    assert "Toot <b>" not in page
    assert "Toot <b>" in browser.text
    assert "last used" in browser.text
    [end] = re.findall(r'action="(/settings/security/programs/\d+/end)"', page)
    stranger, _ = await signed_in(site, "bob")
    await stranger.get("/settings/security")
    await stranger.send(end)
    assert (await site.get(VERIFY, token)).status == 200
    await browser.send(end)
    assert (await site.get(VERIFY, token)).status == 401
    await browser.get("/settings/security")
    assert "Toot" not in browser.text


async def test_everything_else_ends_at_once(site: Site):
    browser, account = await signed_in(site)
    token, other = await site.token(account), Browser(site.http)
    await other.sign_in("alice")
    await browser.get("/settings/security")
    await browser.send("/settings/security/end")
    assert (await site.get(VERIFY, token)).status == 401
    await other.get("/home")
    assert other.status == 303
    await browser.get("/settings/security")
    assert browser.status == 200


@pytest.fixture
async def guarded(site: Site) -> tuple[Browser, pyotp.TOTP, list[str], str]:
    """Signed in, with codes asked for; the last is the code that turned it on."""
    browser, _ = await signed_in(site)
    page = await browser.get("/settings/codes")
    assert "<svg" in page.partition('class="qr"')[2]
    assert "no-store" in browser.headers["Cache-Control"]
    totp = pyotp.TOTP(re.findall(r'name="secret" value="(\w+)"', page)[0])
    for wrong in ({"password": "wrong", "code": totp.now()}, {"password": PASSWORD, "code": "x"}):
        await browser.send("/settings/codes/on", secret=totp.secret, **wrong)
        assert browser.status in (403, 422)
        assert totp.secret in browser.page  # the picture that was read stays good
    await browser.send("/settings/codes/on", secret="é" * 5000, password=PASSWORD, code="1")
    assert browser.status == 422
    used = totp.now()
    await browser.send("/settings/codes/on", secret=totp.secret, password=PASSWORD, code=used)
    assert browser.status == 200, browser.text
    recovery = re.findall(r"<li>(\w{5}-\w{5})</li>", browser.page)
    assert len(recovery) == second_factor.CODES
    return browser, totp, recovery, used


async def first_step(site: Site) -> tuple[Browser, str]:
    browser = Browser(site.http)
    await browser.get("/login")
    await browser.send("/login", login="alice", password=PASSWORD, next="/search")
    assert (browser.status, browser.cookies) == (200, {})
    return browser, re.findall(r'name="pending" value="([^"]+)"', browser.page)[0]


async def test_a_password_alone_opens_nothing_when_codes_are_asked_for(site: Site, guarded):
    _, _, recovery, used = guarded
    browser, pending = await first_step(site)
    for said in ({"pending": pending, "code": "000"}, {"pending": "x", "code": recovery[0]}, {"code": recovery[0]}):
        await browser.send("/login/code", **said)
        assert (browser.status, browser.cookies) == (403, {})
    await browser.send("/login/code", pending=pending, code=used)
    assert (browser.status, browser.cookies) == (403, {})  # it turned the thing on
    await browser.send("/login/code", pending=pending, code=recovery[0], next="/search")
    assert (browser.status, browser.location) == (303, "/search")
    await browser.get("/home")
    assert browser.status == 200
    other, _ = await first_step(site)
    await other.send("/login/code", pending=pending, code=recovery[1])
    assert other.status == 403  # the first step is good for one sign-in


async def test_a_fresh_code_opens_the_door(site: Site, guarded):
    _, totp, _, _ = guarded
    browser, pending = await first_step(site)
    soon = totp.at(datetime.now(UTC) + timedelta(seconds=30))
    await browser.send("/login/code", pending=pending, code=soon)
    assert browser.status == 303


async def test_guessing_codes_is_slow(site: Site, guarded):
    browser, pending = await first_step(site)
    for _ in range(11):
        await browser.send("/login/code", pending=pending, code="000000")
    assert browser.status == 429
    assert browser.headers["Retry-After"]


async def test_it_is_turned_off_with_the_password(site: Site, guarded):
    browser, _, recovery, _ = guarded
    await browser.get("/settings/codes")
    for path in ("/settings/codes/off", "/settings/codes/renew"):
        await browser.send(path, password="wrong")
        assert browser.status == 403
    await browser.send("/settings/codes/renew", password=PASSWORD)
    assert recovery[0] not in browser.page
    await browser.send("/settings/codes/off", password=PASSWORD)
    await Browser(site.http).sign_in("alice")


def test_the_picture_says_the_address():
    assert codes._picture("otpauth://totp/x").startswith("<svg ")
