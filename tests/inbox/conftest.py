"""A door on loopback, with a key ring that asks a stand-in for the network."""

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from federation.actors import Met
from federation.errors import Unreachable
from federation.keys import PublicKey
from federation.origin import Origin
from inbox import routes
from inbox.append import Appender
from inbox.counts import Counts
from inbox.keys import KeyRing
from inbox.receive import Receiver
from inbox.rules import HostRules
from store.database import Database
from store.tables import Account
from tests.inbox.letters import TYPE, envelope
from tests.inbox.world import BOB, CAROL, EVE, World
from tests.people import local, stored


@dataclass
class Elsewhere:
    """What fetching a key gives, by key id; everything else cannot be reached."""

    keys: dict[str, tuple[PublicKey, Met] | Exception] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def fetch(self, key_id: str) -> tuple[PublicKey, Met]:
        self.asked.append(key_id)
        found = self.keys.get(key_id, Unreachable("nowhere", "no answer"))
        if isinstance(found, Exception):
            raise found
        return found


@dataclass
class Door:
    """`post` sends a signed activity and gives the status and the body of the answer."""

    http: TestClient[Any, Any]
    receiver: Receiver
    rules: HostRules
    counts: Counts
    elsewhere: Elsewhere
    clock: list[float]  # seconds that the key ring's clock is ahead

    async def post(self, key: Any, document: Any, *, path: str = "/inbox", **more: Any) -> tuple[int, Any]:
        headers, body = envelope(key, document, url=f"https://ours.test{path}", **more)
        return await self.send(headers, body, path)

    async def send(self, headers: dict[str, str], body: bytes, path: str = "/inbox") -> tuple[int, Any]:
        async with self.http.post(path, headers={"Content-Type": TYPE, **headers}, data=BytesIO(body)) as answer:
            return answer.status, await answer.json() if answer.content_length else None


@pytest.fixture
async def door(sqlite_db: Database, spool: Database, origin: Origin) -> AsyncIterator[Door]:
    counts, rules, elsewhere, ahead = Counts(), HostRules(), Elsewhere(), [0.0]
    ring = KeyRing(sqlite_db, spool, elsewhere.fetch, clock=lambda: time.time() + ahead[0])
    receiver = Receiver(origin, ring, rules, Appender(spool, counts), counts)
    app = web.Application()
    app.add_routes(routes.routes)
    app[routes.RECEIVER] = receiver
    app[routes.RECIPIENTS] = routes.Recipients(sqlite_db)
    app[routes.SHUTS_OUT] = lambda request: request.headers.get("X-From") == "203.0.113.99"
    app[routes.IS_AWAY] = lambda: bool(sqlite_db.shut)
    app[routes.MISSED] = lambda: counts.add("missed")
    app[routes.ADDRESS] = lambda request: request.headers.get("X-From", "198.51.100.1")
    async with TestClient(TestServer(app)) as http:
        yield Door(http, receiver, rules, counts, elsewhere, ahead)


@pytest.fixture
async def world(db: Database, spool: Database) -> World:
    """It knows bob and carol of one server, and eve of another."""
    await stored(db, BOB, CAROL, EVE)
    return World(db, spool)


@pytest.fixture
async def alice(world: World) -> Account:
    return await local(world.db, "alice")
