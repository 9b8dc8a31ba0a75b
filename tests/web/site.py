"""The whole application on loopback, as connectme.app makes it; only the network beyond it is a stand-in."""

import base64
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import orjson
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import Connection
from yarl import URL

from connectme.app import make_app
from connectme.house import House, opened
from connectme.settings import Settings
from federation.keys import load_private
from federation.origin import Origin
from federation.signatures import sign
from inbox.append import Appender
from social.apps import create_app, issue_token
from social.errors import NotFound
from social.posts.drafts import Draft
from social.posts.publish import publish
from social.secrets import sha256
from store.database import Database
from store.ids import new_id
from store.tables import Account, Post
from tests.people import OURS, local, rsa_pem
from tests.web.compiled import keep_compiled
from web import keys

ALL = "read write follow push"
DOCUMENT = "application/activity+json"
PAGE = "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"
BOTH_PLACES = {"DOMAIN": "ours.test", "BASE_URL": OURS}


@dataclass
class Elsewhere:
    """A social.remote.Remote that knows what a test tells it."""

    found: dict[str, Account | int] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def account(self, who: str, *, fresh: bool = False) -> Account:
        found = await self.resolve(who)
        assert isinstance(found, Account)
        return found

    async def post(self, uri: str) -> int:
        found = await self.resolve(uri)
        assert isinstance(found, int)
        return found

    async def resolve(self, query: str) -> Account | int | None:
        self.asked.append(query)
        if query not in self.found:
            raise NotFound("nobody")
        return self.found[query]


@dataclass
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)

    @property
    def ids(self) -> list[str]:
        return [one["id"] for one in self.json]

    @property
    def error(self) -> str:
        """What an error says; and it is JSON that any page's script may read, whatever happened."""
        assert self.headers["Content-Type"].startswith("application/json"), self.body
        assert self.headers["Access-Control-Allow-Origin"] == "*"
        assert "Traceback" not in self.body.decode()
        error: str = self.json["error"]
        return error

    def link(self, relation: str) -> str | None:
        """Path and query of a Link; its origin is ours."""
        for part in self.headers.get("Link", "").split(", "):
            if part.endswith(f'rel="{relation}"'):
                address = part[1 : part.index(">")]
                assert address.startswith(f"{OURS}/")
                return address.removeprefix(OURS)
        return None


class Site:
    def __init__(self, house: House, http: TestClient[Any, Any], remote: Elsewhere) -> None:
        self.house = house
        self.http = http
        self.remote = remote
        self.db: Database = house.db
        self.origin: Origin = house.origin

    async def call(
        self, method: str, path: str, by: str | None = None, headers: Mapping[str, str] | None = None, **more: Any
    ) -> Answer:
        """by: a token.  `path` is sent as it is."""
        said = {"Host": "ours.test", **({"Authorization": f"Bearer {by}"} if by else {}), **(headers or {})}
        url = URL(path, encoded=True)
        async with self.http.request(method, url, headers=said, allow_redirects=False, **more) as got:
            return Answer(got.status, got.headers, await got.read())

    async def get(self, path: str, by: str | None = None, **more: Any) -> Answer:
        return await self.call("GET", path, by, **more)

    async def post(self, path: str, by: str | None = None, **more: Any) -> Answer:
        return await self.call("POST", path, by, **more)

    async def signed(self, path: str, by: Account, *, scheme: Literal["cavage", "rfc9421"] = "cavage") -> Answer:
        """A document, asked for as `by`."""
        return await self.get(path, headers={**signature(path, by, scheme=scheme), "Accept": DOCUMENT})

    async def document(self, path: str) -> Answer:
        """A document, asked for by nobody in particular."""
        return await self.get(path, headers={"Accept": DOCUMENT})

    async def token(self, account: Account | None, scopes: str = ALL) -> str:
        """A token, in the name of `account` or only of a program."""
        return await self.db.write(_token, account, scopes)

    async def person(self, name: str, **more: Any) -> tuple[Account, str]:
        """One of ours, and a token that may do anything in his name."""
        account = await local(self.db, name, **more)
        return account, await self.token(account)

    async def posted(self, author: Account, text: str = "hello", **more: Any) -> Post:
        return await self.db.write(publish, self.origin, author.id, Draft(text, **more), datetime.now(UTC))

    async def do(self, unit: Any, *args: Any) -> Any:
        """A write, now."""
        return await self.db.write(unit, *args, datetime.now(UTC))


def signature(path: str, by: Account, *, key: str | None = None, scheme: Any = "cavage", **more: Any) -> dict[str, str]:
    """Headers that sign a GET.  key: of whom the key is, by default of `by`."""
    private = load_private(f"{by.uri}#main-key", rsa_pem(key or by.username)[0])
    return sign(scheme, "GET", OURS + path, private, more.pop("now", time.time()), **more)


def basic(name: str, secret: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()}


def _token(tx: Connection, account: Account | None, scopes: str) -> str:
    now, secret = datetime.now(UTC), f"token-{new_id()}"
    app = create_app(tx, "a program", f"client-{new_id()}", sha256("x"), ["https://app.test/"], ALL, now)
    issue_token(tx, app.id, account.id if account else None, scopes, sha256(secret), now)
    return secret


@asynccontextmanager
async def running(url: str, folder: Path, **settings: str) -> AsyncIterator[Site]:
    """settings: by their names in capitals."""
    named = {**BOTH_PLACES, "DATA_DIR": str(folder), "DATABASE_URL": url, **settings}
    environ = {"CONNECTME_CONFIG": "/dev/null", **{f"CONNECTME_{name}": value for name, value in named.items()}}
    async with opened(Settings.load(environ=environ)) as house:
        appender, remote = Appender(house.spool, house.counts), Elsewhere()
        app = make_app(house, appender)
        keep_compiled(app)
        app[keys.REMOTE] = remote
        async with TestClient(TestServer(app)) as http:
            yield Site(house, http, remote)
        await appender.flush()
