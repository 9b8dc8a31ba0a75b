"""The other side of the inbound measurements: a server with many people, who have one key between them.

It answers WebFinger, actors and inboxes on 127.0.0.1, and makes signed deliveries ahead of time, so that the
measurement has nothing to do but send.
"""

import asyncio
import itertools
import json
import time
from collections.abc import Sequence
from email.utils import formatdate

import orjson
from aiohttp import web

from federation.digest import digest_header
from federation.keys import PrivateKey, generate, load_private
from federation.signatures import sign

TEXT = " ".join(f"word{n:03}" for n in range(360))  # a Create of about 4 KB
_numbers = itertools.count(1)


class Peer:
    """implements: what its software says to know (FEP-844e)."""

    def __init__(self, port: int, *, implements: Sequence[str] = ()) -> None:
        self.host = f"127.0.0.1:{port}"
        self.base = f"http://{self.host}"
        self._port = port
        self._implements = [{"href": one} for one in implements]
        self._pair = generate("rsa")
        self._runner: web.AppRunner | None = None
        self.received: list[str] = []

    async def start(self) -> None:
        app = web.Application()
        app.router.add_get("/.well-known/webfinger", self._webfinger)
        app.router.add_get("/users/{name}", self._actor)
        app.router.add_post("/{tail:.*}", self._inbox)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()

    async def stop(self) -> None:
        if self._runner:
            await self._runner.cleanup()

    def actor(self, name: str) -> str:
        return f"{self.base}/users/{name}"

    def key(self, name: str) -> PrivateKey:
        return load_private(f"{self.actor(name)}#main-key", self._pair.private)

    async def _webfinger(self, request: web.Request) -> web.Response:
        resource = request.query["resource"]
        name = resource.removeprefix("acct:").partition("@")[0].rpartition("/")[2]
        links = [{"rel": "self", "type": "application/activity+json", "href": self.actor(name)}]
        document = {"subject": f"acct:{name}@{self.host}", "links": links}
        return web.json_response(document, content_type="application/jrd+json")

    async def _actor(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        uri = self.actor(name)
        document = {
            "@context": ["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/v1"],
            "id": uri,
            "type": "Person",
            "preferredUsername": name,
            "name": name.capitalize(),
            "inbox": f"{uri}/inbox",
            "outbox": f"{uri}/outbox",
            "followers": f"{uri}/followers",
            "url": uri,
            "generator": {"type": "Application", "implements": self._implements},
            "endpoints": {"sharedInbox": f"{self.base}/inbox"},
            "publicKey": {"id": f"{uri}#main-key", "owner": uri, "publicKeyPem": self._pair.public},
        }
        return web.json_response(document, content_type="application/activity+json")

    async def _inbox(self, request: web.Request) -> web.Response:
        document = json.loads(await request.read())
        self.received.append(document["type"])
        return web.Response(status=202)

    # What it sends.

    def create(self, name: str, words: str = TEXT, answers: str | None = None) -> dict[str, object]:
        """A Create of a public Note, as Mastodon writes it."""
        uri, number = self.actor(name), next(_numbers)
        note = f"{uri}/statuses/{time.time_ns()}{number}"
        public, followers = "https://www.w3.org/ns/activitystreams#Public", f"{uri}/followers"
        published = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        return {
            "@context": ["https://www.w3.org/ns/activitystreams", {"ostatus": "http://ostatus.org#"}],
            "id": f"{note}/activity",
            "type": "Create",
            "actor": uri,
            "published": published,
            "to": [public],
            "cc": [followers],
            "object": {
                "id": note,
                "type": "Note",
                "summary": None,
                "inReplyTo": answers,
                "published": published,
                "url": f"{self.base}/@{name}/{number}",
                "attributedTo": uri,
                "to": [public],
                "cc": [followers],
                "sensitive": False,
                "conversation": f"tag:{self.host},2026:objectId={number}:objectType=Conversation",
                "content": f"<p>{number} {words}</p>",
                "contentMap": {"en": f"<p>{number} {words[:200]}</p>"},
                "attachment": [],
                "tag": [],
                "replies": f"{note}/replies",
            },
        }

    def follow(self, name: str, target: str) -> dict[str, object]:
        uri = self.actor(name)
        return {"@context": "https://www.w3.org/ns/activitystreams", "id": f"{uri}#follow/{next(_numbers)}",
                "type": "Follow", "actor": uri, "object": target}  # fmt: skip

    def delivery(self, key: PrivateKey, inbox: str, document: dict[str, object]) -> bytes:
        """A whole signed HTTP request, for a connection that stays open."""
        body = orjson.dumps(document)
        headers = sign("cavage", "POST", inbox, key, time.time(), body, digest=digest_header(body))
        headers.setdefault("Date", formatdate(usegmt=True))
        headers["Content-Type"] = "application/activity+json"
        headers["Content-Length"] = str(len(body))
        path = "/" + inbox.split("/", 3)[3]
        head = f"POST {path} HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in headers.items())
        return f"{head}\r\n".encode() + body


async def send(port: int, deliveries: Sequence[bytes], connections: int = 32) -> list[int]:
    """Sends all, over so many connections, one after the other on each; returns the statuses."""
    statuses: list[int] = []
    waiting = iter(deliveries)

    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for delivery in waiting:
            writer.write(delivery)
            head = await reader.readuntil(b"\r\n\r\n")
            statuses.append(int(head[9:12]))
            length = next(
                (int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
            )
            if length:
                await reader.readexactly(length)
        writer.close()

    await asyncio.gather(*(one() for _ in range(connections)))
    return statuses
