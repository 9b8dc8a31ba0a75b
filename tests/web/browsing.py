"""The pages alone, as an application of their own, and a browser of sorts that fills in forms."""

import re
import shutil
import tempfile
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from html import unescape
from ipaddress import ip_network
from pathlib import Path
from typing import Any, TypeAlias

from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient, TestServer

from connectme.media.workshop import Workshop
from federation.keys import KeyPair
from federation.origin import Origin
from ops.modes import Board
from social import accounts, passwords
from social.accounts import NewAccount
from social.errors import NotFound
from social.posts import publish
from social.posts.drafts import Draft
from store.blobs import Folder
from store.database import Database
from store.tables import Account, Post
from tests import people
from tests.web.compiled import keep_compiled
from web import keys, limits, pages
from web.barred import BARRED, Barred
from web.errors import guarded
from web.told import Keeper

ORIGIN = Origin("ours.test", people.OURS)
PASSWORD = "correct horse"
HASH = passwords.hash_password(PASSWORD)
Client: TypeAlias = "TestClient[web.Request, web.Application]"
Make: TypeAlias = Callable[..., Awaitable[Client]]


class Elsewhere:
    """The network: knows what is put into `known`, by handle or address."""

    def __init__(self) -> None:
        self.known: dict[str, Account | int] = {}

    async def account(self, who: str, *, fresh: bool = False) -> Account:
        found = self.known.get(who)
        if not isinstance(found, Account):
            raise NotFound("No such account")
        return found

    async def post(self, uri: str) -> int:
        found = self.known.get(uri)
        if not isinstance(found, int):
            raise NotFound("No such post")
        return found

    async def resolve(self, query: str) -> Account | int | None:
        if query not in self.known:
            raise NotFound("There is nothing that can be shown")
        return self.known[query]


def app(
    db: Database, origin: Origin, remote: Elsewhere | None = None, keeper: Keeper | None = None, **config: Any
) -> web.Application:
    made = web.Application()
    if keeper:
        made[keys.KEEPER] = keeper
    made[keys.DATABASE], made[keys.ORIGIN], made[keys.REMOTE] = db, origin, remote or Elsewhere()
    usual: dict[str, Any] = {
        "version": "0.0.0",
        "title": "Ours",
        "description": "",
        "contact_email": "",
        "registrations": "closed",
        "authorized_fetch": False,
        "rate_limits": False,
        "trusted_proxies": [ip_network("127.0.0.0/8")],
        "metrics_token": "",
        "setup_token": "",
    }
    made[keys.BOARD] = Board(Path("/nonexistent"))
    made[keys.CONFIG] = keys.Config(**{**usual, **config})
    made[keys.POOL] = pool = ThreadPoolExecutor(1)
    made[limits.LIMITS], made[BARRED] = limits.Limits(), Barred()
    folder = Path(tempfile.mkdtemp())
    made[keys.WORKSHOP] = workshop = Workshop(folder / "incoming", Folder(folder / "media"))
    pages.prepare(made)
    keep_compiled(made)
    shared = [
        web.get("/collections/{id}", pages.collection),
        web.get("/@{name}", pages.profile),
        web.get("/@{name}/{id:[0-9]+}", pages.thread),
        web.route("*", "/{tail:.*}", pages.not_found),
    ]
    made.router.add_routes([*pages.routes(), *guarded(shared, pages.show_error)])

    async def close(_: web.Application) -> None:
        pool.shutdown()
        await workshop.close()
        shutil.rmtree(folder)

    made.on_cleanup.append(close)
    return made


async def opened(db: Database, make: Make, **more: Any) -> "Browser":
    return Browser(await make(TestServer(app(db, ORIGIN, **more))))


async def person(db: Database, origin: Origin, name: str, **more: Any) -> Account:
    """One of ours who can sign in with PASSWORD."""
    pairs = [KeyPair("rsa", *people.rsa_pem("pages")), KeyPair("ed25519", *people.ed25519_pem("pages"))]
    new = NewAccount(name, f"{name}@mail.test", HASH, **more)
    return await db.write(accounts.create_local, origin, new, pairs, datetime.now(UTC))


async def two(db: Database, make: Make) -> tuple["Browser", Account, Account]:
    """alice's browser, in which she is signed in; alice; bob."""
    browser = await opened(db, make)
    alice, bob = [await person(db, ORIGIN, name) for name in ("alice", "bob")]
    await browser.sign_in("alice")
    return browser, alice, bob


async def say(db: Database, who: Account, text: str, **more: Any) -> Post:
    """Now: the pages tell by the clock."""
    return await db.write(publish.publish, ORIGIN, who.id, Draft(text, **more), datetime.now(UTC))


class Browser:
    """Opens pages and sends forms with what is hidden in them, as a browser without scripts does."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.page = ""
        self.status = 0
        self.headers: Any = {}
        self.cookies: dict[str, str] = {}
        self.csrf = ""

    async def get(self, path: str, **headers: str) -> str:
        return await self._keep(await self.client.get(path, allow_redirects=False, headers=self._with(headers)))

    async def post(self, path: str, data: Any, **headers: str) -> str:
        """Raw: exactly `data`, exactly those headers."""
        answer = await self.client.post(path, data=data, allow_redirects=False, headers=self._with(headers))
        return await self._keep(answer)

    async def send(self, path: str, *more: tuple[str, str], **data: str) -> str:
        """With the token of the last page that had one, as its own browser sends it."""
        given = [("csrf", self.csrf), *data.items(), *more]
        return await self.post(path, given, Origin=people.OURS, Sec_Fetch_Site="same-origin")

    async def sign_in(self, name: str, password: str = PASSWORD) -> None:
        await self.get("/login")
        await self.send("/login", login=name, password=password)
        await self.get("/home")
        assert self.status == 200, self.page

    @property
    def location(self) -> str:
        return str(self.headers.get("Location", ""))

    @property
    def text(self) -> str:
        """What a reader sees."""
        unseen = re.compile(r"<svg.*?</svg>|<head>.*?</head>", re.DOTALL)
        return " ".join(unescape(re.sub(r"<[^>]*>", " ", unseen.sub(" ", self.page))).split())

    def _with(self, headers: dict[str, str]) -> dict[str, str]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        return {"Host": "ours.test", "Accept": "text/html", **({"Cookie": cookie} if cookie else {}), **named}

    async def _keep(self, answer: ClientResponse) -> str:
        # Ours say Secure, and this is plain http: so they are kept by hand.
        for name, morsel in answer.cookies.items():
            if morsel.value:
                self.cookies[name] = morsel.value
            else:
                self.cookies.pop(name, None)
        self.page, self.status, self.headers = await answer.text(), answer.status, answer.headers
        if hidden := re.search(r'name="csrf" value="([^"]*)"', self.page):
            self.csrf = hidden[1]
        return self.page
