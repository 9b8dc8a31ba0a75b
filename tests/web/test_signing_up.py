"""People make their accounts themselves: what is refused, then by page and by program, with letters and without."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from aiosmtpd.controller import UnthreadedController

from connectme.worker import Worker
from social import links, users
from social.accounts import find
from social.secrets import sha256
from tests.web.browsing import PASSWORD, Browser
from tests.web.site import Site, running
from web.limits import LIMITS

GOOD = {"username": "newbie", "email": "new@mail.test", "password": "long enough", "agreement": "true"}
VERIFY = "/api/v1/accounts/verify_credentials"
Server = Callable[..., AbstractAsyncContextManager[Site]]


class Mailbox:
    """What a real SMTP server got."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.to: list[str] = []

    async def handle_DATA(self, server: object, session: object, envelope: object) -> str:  # noqa: N802
        self.to += envelope.rcpt_tos
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"

    def link(self) -> str:
        """The path in the last letter."""
        [found] = re.findall(r"https://ours\.test(/auth/\S+)", self.mails[-1].get_content())
        return found


@pytest.fixture
async def mailbox() -> AsyncIterator[tuple[Mailbox, str]]:
    box = Mailbox()
    controller = UnthreadedController(box, hostname="127.0.0.1", port=0, loop=asyncio.get_running_loop())
    server = await controller._create_server()
    yield box, f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    server.close()
    await server.wait_closed()


@pytest.fixture
async def open_site(server: Server, mailbox) -> AsyncIterator[Site]:
    async with server(REGISTRATIONS="open", SMTP_URL=mailbox[1]) as site:
        yield site


async def _deliver(site: Site) -> None:
    await Worker(site.house).jobs.round()


async def test_nobody_signs_up_where_it_is_closed(site: Site):
    answer = await site.post("/api/v1/accounts", await site.token(None), data=GOOD)
    assert (answer.status, answer.error) == (403, "This action is not allowed")
    browser = Browser(site.http)
    assert "Nobody can make an account" in await browser.get("/signup")
    await browser.send("/signup", name="newbie", **GOOD)
    assert browser.status == 403


async def test_only_a_program_of_that_scope_signs_somebody_up(open_site: Site):
    site = open_site
    _, person = await site.person("alice")
    assert (await site.post("/api/v1/accounts", data=GOOD)).status == 401
    assert (await site.post("/api/v1/accounts", await site.token(None, "read"), data=GOOD)).status == 403
    assert (await site.post("/api/v1/accounts", person, data=GOOD)).status == 403


@pytest.mark.parametrize(
    ("wrong", "field", "code"),
    [
        ({"username": ""}, "username", "ERR_BLANK"),
        ({"username": "né"}, "username", "ERR_INVALID"),
        ({"username": "x" * 31}, "username", "ERR_TOO_LONG"),
        ({"username": "admin"}, "username", "ERR_RESERVED"),
        ({"username": "Alice"}, "username", "ERR_TAKEN"),
        ({"email": ""}, "email", "ERR_BLANK"),
        ({"email": '"a b"@mail.test'}, "email", "ERR_INVALID"),
        ({"email": "ALICE@mail.test"}, "email", "ERR_TAKEN"),
        ({"password": ""}, "password", "ERR_BLANK"),
        ({"password": "short"}, "password", "ERR_TOO_SHORT"),
        ({"password": "x" * 300}, "password", "ERR_TOO_LONG"),
        ({"agreement": "false"}, "agreement", "ERR_ACCEPTED"),
        ({"reason": "x" * 2000}, "reason", "ERR_TOO_LONG"),
    ],
    ids=str,
)
async def test_all_that_is_wrong_is_said_by_field(open_site: Site, wrong, field, code):
    await open_site.person("alice")
    answer = await open_site.post("/api/v1/accounts", await open_site.token(None), data={**GOOD, **wrong})
    assert answer.status == 422
    assert answer.error.startswith("Validation failed: ")
    assert [one["error"] for one in answer.json["details"][field]] == [code]
    assert list(answer.json["details"]) == [field]
    assert answer.json["details"][field][0]["description"]


async def test_five_from_one_place_in_half_an_hour(open_site: Site):
    token = await open_site.token(None)
    for number in range(6):
        more = {"username": f"new{number}", "email": f"new{number}@mail.test"}
        answer = await open_site.post("/api/v1/accounts", token, data={**GOOD, **more})
    assert answer.status == 429
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize("by", ["program", "page"])
async def test_nobody_finds_out_by_trying_which_addresses_are_known_here(open_site: Site, by):
    await open_site.person("alice")
    token, browser, heard = await open_site.token(None), Browser(open_site.http), []
    for _ in range(6):
        probe = {**GOOD, "email": "alice@mail.test", "agreement": "false"}  # never makes an account
        if by == "program":
            heard.append((await open_site.post("/api/v1/accounts", token, data=probe)).status)
        else:
            await browser.get("/signup")
            await browser.send("/signup", name="newbie", **probe)
            heard.append(browser.status)
    assert heard == [422] * 5 + [429]


async def test_by_a_program_with_a_letter(open_site: Site, mailbox):
    site, (box, _) = open_site, mailbox
    program = await site.token(None)
    token = (await site.post("/api/v1/accounts", program, json={**GOOD, "locale": "de"})).json["access_token"]
    assert (await site.get(VERIFY, token)).status == 403
    assert (await site.get("/api/v1/emails/check_confirmation", token)).json is False
    assert (await site.post("/api/v1/emails/confirmations", token, data={"email": "nonsense"})).status == 422
    await _deliver(site)
    first = box.link()
    answer = await site.post("/api/v1/emails/confirmations", token, data={"email": "other@mail.test"})
    assert (answer.status, answer.json) == (200, {})
    await _deliver(site)
    assert box.to == ["new@mail.test", "other@mail.test"]
    assert box.mails[0]["Auto-Submitted"] == "auto-generated"
    browser = Browser(site.http)
    await _confirm(browser, first)
    assert browser.status == 422  # it was sent to an address that is his no more
    await _confirm(browser, box.link())
    assert browser.status == 200
    assert (await site.get(VERIFY, token)).json["source"]["language"] == "de"
    assert (await site.get("/api/v1/emails/check_confirmation", token)).json is True
    assert (await site.post("/api/v1/emails/confirmations", token)).status == 403
    _, alice = await site.person("alice")
    assert (await site.post("/api/v1/emails/confirmations", alice)).status == 403
    await _confirm(browser, box.link())
    assert browser.status == 422  # once


async def _confirm(browser: Browser, path: str) -> None:
    page = await browser.get(path)
    assert browser.headers["Referrer-Policy"] == "no-referrer"
    token = re.findall(r'name="token" value="([^"]+)"', page)[0]
    await browser.send("/auth/confirm", token=token)


async def test_by_the_page_with_a_moderator(server: Server, mailbox):
    box, url = mailbox
    async with server(REGISTRATIONS="approval", SMTP_URL=url) as site:
        browser = Browser(site.http)
        await browser.get("/signup")
        await browser.send("/signup", name="Newbie", **GOOD)
        assert browser.status == 422
        assert "some words" in browser.text
        await browser.send("/signup", name="Newbie", **{**GOOD, "email": "nonsense"}, reason="please")
        assert "The e-mail address is invalid" in browser.text
        await browser.send("/signup", name="Newbie", **GOOD, reason="please")
        assert browser.location == "/signup/done"
        await browser.get(browser.location)
        await _deliver(site)
        assert "a moderator looks" in box.mails[0].get_content()
        await _confirm(browser, box.link())
        await browser.send("/login", login="newbie", password=GOOD["password"])
        assert "waits for a moderator" in browser.text
        await site.do(users.approve, (await site.db.read(find.local, "newbie")).id)
        await browser.sign_in("newbie", GOOD["password"])


async def test_a_new_password_by_letter(open_site: Site, mailbox):
    site, (box, _) = open_site, mailbox
    account, token = await site.person("alice")
    browser = Browser(site.http)
    for address in ("nobody@mail.test", "alice", "@", "alice@mail.test", "alice@mail.test"):
        await browser.send("/auth/password", email=address)
        assert (browser.status, "a letter is on its way" in browser.text) == (200, True)
    await browser.send("/auth/password", email="alice@mail.test")
    assert browser.status == 429
    await _deliver(site)
    assert box.to == ["alice@mail.test"]
    page = await browser.get(box.link())
    secret = re.findall(r'name="token" value="([^"]+)"', page)[0]
    later = datetime.now(UTC) + timedelta(hours=2)
    assert await site.db.read(links.find, sha256(secret), links.PASSWORD, later) is None
    site.http.app[LIMITS]._windows.clear()
    for wrong in ({"token": "x", "password": PASSWORD}, {"token": secret, "password": "short"}):
        await browser.send("/auth/password/new", **wrong)
        assert browser.status == 422
    await browser.send("/auth/password/new", token=secret, password=PASSWORD)
    assert browser.status == 200
    await browser.send("/auth/password/new", token=secret, password="another one")
    assert browser.status == 422
    assert (await site.get(VERIFY, token)).status == 401
    await browser.sign_in("alice")
    assert (await site.db.read(users.by_account, account.id)).confirmed_at


async def test_without_letters_the_administrator_confirms(both_sites: Site, url: str, tmp_path):
    async with running(url, tmp_path, REGISTRATIONS="open", RATE_LIMITS="false") as site:
        token = (await site.post("/api/v1/accounts", await site.token(None), data=GOOD)).json["access_token"]
        await _deliver(site)
        browser = Browser(site.http)
        assert "by hand" in await browser.get("/signup/done")
        await browser.send("/login", login="newbie", password=GOOD["password"])
        assert "confirm your e-mail address" in browser.text
        await site.do(users.confirm, (await site.db.read(find.local, "newbie")).id)
        assert (await site.get(VERIFY, token)).status == 200


async def test_keepers_of_passwords_find_the_page(site: Site):
    answer = await site.get("/.well-known/change-password")
    assert (answer.status, answer.headers["Location"]) == (302, "https://ours.test/settings/password")
