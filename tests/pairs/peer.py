"""Other servers, played by the test: as many hosts as it names, each at a port of its own on 127.0.0.1.

    async with Town() as town:
        here = await town.moved(document, server)      # https://far.test/… → http://127.0.0.1:PORT/…
        town.serve(here)                               # answers at its id
        await town.deliver(server, activity)           # signed by its actor, whom the town makes up if need be

Whoever signs something, or is asked for by WebFinger, exists: his actor is served, with a key that is his.
"""

import asyncio
import json
import re
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from io import BytesIO
from typing import Any, Self

import orjson
from aiohttp import ClientSession, ClientTimeout, web
from yarl import URL

from connectme.demo import Instance
from federation.keys import KeyPair, PrivateKey, generate, load_private
from federation.signatures import NOTHING, Scheme, sign

ACTIVITY = "application/activity+json"
AS = "https://www.w3.org/ns/activitystreams"
PUBLIC = f"{AS}#Public"
ACTORS = {"Person", "Group", "Service", "Application", "Organization"}
# Names of vocabularies, which nobody fetches.
_WORDS = {"www.w3.org", "w3id.org", "join-lemmy.org", "purl.org", "schema.org", "docs.joinmastodon.org",
          "datatracker.ietf.org", "misskey-hub.net", "litepub.social", "ostatus.org", "joinmastodon.org",
          "gotosocial.org", "funkwhale.audio", "joinpeertube.org"}  # fmt: skip
_ADDRESS = re.compile(r"https?://([a-z0-9-]+(?:\.[a-z0-9-]+)+|lemmy-\w+)(?::\d+)?(?=[/\"?#<\s]|$)(/?)", re.IGNORECASE)
_HANDLE = re.compile(r"(?<=@)([a-z0-9-]+\.test)\b")

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]
JSON = dict[str, Any]


@cache
def pair(name: str = "everybody's") -> KeyPair:
    """One for each name and test run: making them is slow."""
    return generate("rsa")


class Town:
    """`documents`: uri → what is there: JSON, a status, or a function that answers.  `received`: what came to inboxes;
    `heads`: the headers of all requests.

    `names`: handle → actor's uri, where WebFinger should say something of its own.
    """

    def __init__(self, ours: str = "ours.test") -> None:
        self.documents: dict[str, JSON | int | Answer] = {}
        self.names: dict[str, str | JSON | Answer] = {}
        self.received: list[JSON] = []
        self.heads: list[Mapping[str, str]] = []
        self.asked: Counter[str] = Counter()
        self.session = ClientSession(timeout=ClientTimeout(total=60))
        self._ours = ours
        self._hosts: dict[str, str] = {}
        app = web.Application()
        app.router.add_get("/.well-known/webfinger", self._finger)
        app.router.add_get("/{path:.*}", self._get)
        app.router.add_post("/{path:.*}", self._inbox)
        app.on_response_prepare.append(self._note)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
        self._answering: set[asyncio.Task[None]] = set()
        self.server: Instance | None = None  # whose follows are accepted

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        return self

    async def __aexit__(self, *error: object) -> None:
        for task in self._answering:
            task.cancel()
        await self.session.close()
        await self._runner.cleanup()

    async def host(self, name: str) -> str:
        """The authority, such as 127.0.0.1:4711, that stands for `name`."""
        if name not in self._hosts:
            site = web.TCPSite(self._runner, "127.0.0.1", 0)
            await site.start()
            self._hosts[name] = f"127.0.0.1:{site._server.sockets[0].getsockname()[1]}"  # type: ignore[union-attr]
        return self._hosts[name]

    async def base(self, name: str) -> str:
        return f"http://{await self.host(name)}"

    async def moved(self, document: Any, server: Instance, ours: Mapping[str, str] = NOTHING) -> Any:
        """The same with the addresses of the town, and of `server` for its own.  ours: path there → the real one."""
        text = document if isinstance(document, str) else json.dumps(document, ensure_ascii=False)
        for name in {found[1] for found in _ADDRESS.finditer(text)} | {found[1] for found in _HANDLE.finditer(text)}:
            if name not in _WORDS and name != self._ours:
                await self.host(name)

        def address(found: re.Match[str]) -> str:
            if found[1] == self._ours:
                return root(server) + found[2]
            return f"http://{self._hosts[found[1]]}{found[2]}" if found[1] in self._hosts else found[0]

        text = _ADDRESS.sub(address, text)
        text = _HANDLE.sub(lambda found: server.domain if found[1] == self._ours else self._hosts[found[1]], text)
        for path, real in ours.items():
            text = re.sub(re.escape(root(server) + path) + r"(?![\w/])", real, text)
        return text if isinstance(document, str) else json.loads(text)

    # What it serves.

    def serve(self, document: JSON) -> JSON:
        """Actors get a key that is the town's."""
        document = dict(document)
        if ACTORS & set(_several(document.get("type"))) and ("inbox" in document or "publicKey" in document):
            document["publicKey"] = self._key_of(document)
        self.documents[document["id"]] = document
        return document

    def person(self, uri: str, name: str = "", /, **more: Any) -> JSON:
        """The actor at `uri`, made up unless there is one."""
        found = self.documents.get(uri)
        if isinstance(found, dict):
            return found
        name = name or re.sub(r"[^A-Za-z0-9_]+", "_", uri.split("://")[1].partition("/")[2].strip("/")) or "host"
        document = {
            "@context": [AS, "https://w3id.org/security/v1"],
            "id": uri,
            "type": "Person",
            "preferredUsername": name,
            "name": name.capitalize(),
            "inbox": f"{uri}/inbox",
            "outbox": f"{uri}/outbox",
            "followers": f"{uri}/followers",
            **more,
        }
        return self.serve(document)

    def _key_of(self, actor: JSON) -> JSON:
        given = actor.get("publicKey")
        key_id = given.get("id") if isinstance(given, dict) else None
        return {"id": key_id or f"{actor['id']}#main-key", "owner": actor["id"], "publicKeyPem": pair().public}

    def key(self, uri: str) -> PrivateKey:
        """With which `uri` signs; he is made up if need be."""
        return load_private(self.person(uri)["publicKey"]["id"], pair().private)

    # What it sends.

    async def deliver(self, server: Instance, document: JSON, **more: Any) -> tuple[int, str]:
        """Signed by its actor; the answer's status and text."""
        headers, body = self.signed(server, document, **more)
        return await self.post(server, headers, body)

    def signed(
        self,
        server: Instance,
        document: JSON | bytes,
        *,
        key: PrivateKey | None = None,
        path: str = "/inbox",
        scheme: Scheme = "cavage",
        now: float | None = None,
    ) -> tuple[dict[str, str], bytes]:
        body = document if isinstance(document, bytes) else orjson.dumps(document)
        if key is None:
            assert isinstance(document, dict)
            key = self.key(document["actor"])
        moment = time.time() if now is None else now
        url = root(server) + path
        return sign(scheme, "POST", url, key, moment, body, content_type=ACTIVITY), body

    async def post(
        self, server: Instance, headers: Mapping[str, str], body: bytes, path: str = "/inbox"
    ) -> tuple[int, str]:
        headers = {"Content-Type": ACTIVITY, **headers}
        data = BytesIO(body) if len(body) > 100_000 else body  # as the client wishes it
        async with self.session.post(server.base.join(URL(path, encoded=True)), data=data, headers=headers) as response:
            return response.status, await response.text()

    # How it answers.

    async def _note(self, request: web.Request, _: web.StreamResponse) -> None:
        self.heads.append(request.headers)

    async def _get(self, request: web.Request) -> web.StreamResponse:
        uri = f"http://{request.host}{request.raw_path}"
        self.asked[uri] += 1
        found = self._at(uri)
        if isinstance(found, int):
            return web.json_response({"error": "no"}, status=found)
        if not isinstance(found, dict):
            return await found(request)
        return web.Response(body=json.dumps(found).encode(), content_type=ACTIVITY)

    def _at(self, uri: str) -> JSON | int | Answer:
        """What is there; a key's address without a document of its own leads to its owner's."""
        if uri in self.documents:
            return self.documents[uri]
        for document in self.documents.values():
            if isinstance(document, dict) and _id(document.get("publicKey")) == uri:
                return document
        same = (document for known, document in self.documents.items() if known.rstrip("/") == uri.rstrip("/"))
        return next(same, 404)

    async def _finger(self, request: web.Request) -> web.StreamResponse:
        asked = request.query["resource"].removeprefix("acct:")
        self.asked[asked] += 1
        found = self.names.get(asked) or next(
            (
                document["id"]
                for document in self.documents.values()
                if isinstance(document, dict)
                and "inbox" in document
                and f"{document.get('preferredUsername')}@{document['id'].split('/')[2]}" == asked
            ),
            None,
        )
        if callable(found):
            return await found(request)
        if found is None:
            return web.json_response({"error": "no"}, status=404)
        if isinstance(found, dict):
            return web.json_response(found, content_type="application/jrd+json")
        links = [{"rel": "self", "type": ACTIVITY, "href": found}]
        return web.json_response({"subject": f"acct:{asked}", "links": links}, content_type="application/jrd+json")

    async def _inbox(self, request: web.Request) -> web.Response:
        document = json.loads(await request.read())
        self.received.append(document)
        if document.get("type") == "Follow" and self.server is not None:
            task = asyncio.create_task(self._accept(self.server, document))
            self._answering.add(task)
            task.add_done_callback(self._answering.discard)
        return web.Response(status=202)

    async def _accept(self, server: Instance, follow: JSON) -> None:
        who = follow["object"]
        await self.deliver(
            server, {"@context": AS, "id": f"{who}#accepts/1", "type": "Accept", "actor": who, "object": follow}
        )


def root(server: Instance) -> str:
    return f"http://{server.domain}"


def _several(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _id(value: Any) -> Any:
    return value.get("id") if isinstance(value, dict) else value
