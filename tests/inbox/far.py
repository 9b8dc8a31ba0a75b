"""Another server on loopback, that serves what a test gives it, and counts what is asked for."""

from collections import Counter
from ipaddress import ip_network
from typing import Any

import orjson
from aiohttp import web
from aiohttp.test_utils import TestServer

from federation.client import Client
from federation.guard import Guard
from tests.people import rsa_pem

LOOPBACK = ip_network("127.0.0.0/8")
ACTIVITY = "application/activity+json"


class Far:
    """`documents`: path → JSON, or a status, or what makes it of the request.

    `names`: handle → (subject, actor's uri).
    """

    def __init__(self) -> None:
        self.documents: dict[str, Any] = {}
        self.names: dict[str, tuple[str, str]] = {}
        self.moved: dict[str, str] = {}
        self.asked: Counter[str] = Counter()
        app = web.Application()
        app.router.add_get("/.well-known/webfinger", self._finger)
        app.router.add_get("/{path:.*}", self._get)
        self._server = TestServer(app, host="127.0.0.1")

    async def __aenter__(self) -> "Far":
        await self._server.start_server()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._server.close()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self._server.port}"

    @property
    def base(self) -> str:
        return f"http://{self.host}"

    def person(self, name: str, /, *, handle: str | None = None, **more: Any) -> dict[str, Any]:
        """An actor who lives here; its document, which may still be changed."""
        uri = f"{self.base}/users/{name}"
        key = {"id": f"{uri}#main-key", "owner": uri, "publicKeyPem": rsa_pem(name)[1]}
        document = {
            "id": uri,
            "type": "Person",
            "preferredUsername": name,
            "inbox": f"{uri}/inbox",
            "outbox": f"{uri}/outbox",
            "followers": f"{uri}/followers",
            "publicKey": key,
            **more,
        }
        self.documents[f"/users/{name}"] = document
        self.names[f"{name}@{self.host}"] = (handle or f"{name}@{self.host}", uri)
        return document

    def note(self, author: dict[str, Any], number: int | str, /, **more: Any) -> dict[str, Any]:
        document = {
            "id": f"{self.base}/notes/{number}",
            "type": "Note",
            "attributedTo": author["id"],
            "content": f"<p>note {number}</p>",
            "published": "2026-11-01T11:00:00Z",
            "to": ["https://www.w3.org/ns/activitystreams#Public"],
            **more,
        }
        self.documents[f"/notes/{number}"] = document
        return document

    async def _get(self, request: web.Request) -> web.Response:
        path = request.path
        self.asked[path] += 1
        if path in self.moved:
            return web.Response(status=302, headers={"Location": self.moved[path]})
        found = self.documents.get(path, 404)
        if callable(found):
            found = found(request)
        if isinstance(found, int):
            return web.json_response({"error": "no"}, status=found)
        return web.Response(body=orjson.dumps(found), content_type=ACTIVITY)

    async def _finger(self, request: web.Request) -> web.Response:
        asked = request.query["resource"].removeprefix("acct:")
        self.asked[asked] += 1
        if asked not in self.names:
            return web.json_response({"error": "no"}, status=404)
        subject, uri = self.names[asked]
        links = [{"rel": "self", "type": ACTIVITY, "href": uri}]
        return web.json_response({"subject": f"acct:{subject}", "links": links}, content_type="application/jrd+json")


def lab_client(**more: Any) -> Client:
    """A client that may reach loopback."""
    return Client(guard=Guard((LOOPBACK,), allow_http=True), user_agent="test", **more)
