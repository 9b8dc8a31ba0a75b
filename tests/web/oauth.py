"""A program that connects to a person's account, and the browser of that person, against the whole application."""

import base64
import hashlib
import re
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from store.tables import Account
from tests.web import browsing
from tests.web.browsing import Browser
from tests.web.site import Answer, Site

BACK = "https://app.test/back?a=%2f"
OOB = "urn:ietf:wg:oauth:2.0:oob"
VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
PKCE = {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}


class Program:
    """What a program does; `found` is its application with its secret."""

    def __init__(self, site: Site, found: dict[str, Any]) -> None:
        self.site, self.found = site, found

    @property
    def secrets(self) -> dict[str, str]:
        return {name: self.found[name] for name in ("client_id", "client_secret")}

    def asks(self, **more: str | None) -> str:
        """The address that it opens; None leaves a parameter out."""
        given = {
            "response_type": "code",
            "client_id": self.found["client_id"],
            "redirect_uri": self.found["redirect_uris"][0],
            "scope": "read write",
            "state": "st/á&te",
            **more,
        }
        return "/oauth/authorize?" + urlencode({name: value for name, value in given.items() if value is not None})

    async def exchange(self, code: str | None, **more: str | None) -> Answer:
        given = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.found["redirect_uris"][0],
            **self.secrets,
            **more,
        }
        return await self.site.post("/oauth/token", data={k: v for k, v in given.items() if v is not None})


async def program(site: Site, **more: Any) -> Program:
    given = {"client_name": "Toot", "redirect_uris": BACK, "scopes": "read write follow push admin:read", **more}
    answer = await site.post("/api/v1/apps", json=given)
    assert answer.status == 200, answer.body
    return Program(site, answer.json)


async def signed_in(site: Site, name: str = "alice", **more: Any) -> tuple[Browser, Account]:
    account = await browsing.person(site.db, site.origin, name, **more)
    browser = Browser(site.http)
    await browser.sign_in(name)
    return browser, account


def fields(page: str) -> dict[str, str]:
    """What is hidden in the form for the decision."""
    form = page[page.index('action="/oauth/authorize"') :]
    found = re.findall(r'name="(\w+)" value="([^"]*)"', form)
    return {name: _plain(value) for name, value in found if name not in ("csrf", "decision")}


def _plain(text: str) -> str:
    return text.replace("&amp;", "&").replace("&#39;", "'").replace("&#34;", '"')


async def decide(browser: Browser, address: str, decision: str = "allow") -> dict[str, str]:
    """Opens the page, decides, and returns what the program hears."""
    page = await browser.get(address)
    assert browser.status == 200, browser.text
    await browser.send("/oauth/authorize", **fields(page), decision=decision)
    assert browser.status == 303, browser.text
    return heard(browser.location)


def heard(location: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(location).query))
