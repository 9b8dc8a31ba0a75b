"""Mentions of people of other servers whom nobody here knew: they are asked for, and no liar stops a post."""

import asyncio
import gc
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from connectme.gather import Gatherer
from store.tables import accounts
from tests.inbox.far import ACTIVITY, Far, lab_client
from tests.web.site import Answer, Site
from web import composing

JRD = "application/jrd+json"


@dataclass
class Poster:
    """alice, whose server may reach loopback."""

    site: Site
    token: str
    blocked: set[str]

    async def says(self, words: str) -> Answer:
        return await self.site.post("/api/v1/statuses", self.token, json={"status": words})

    async def mentioned(self, words: str) -> list[str]:
        answer = await self.says(words)
        assert answer.status == 200, answer.body
        assert (await self.site.get(f"/api/v1/statuses/{answer.json['id']}")).status == 200
        return [one["acct"] for one in answer.json["mentions"]]


@pytest.fixture
async def alice(site: Site, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Poster]:
    blocked: set[str] = set()
    client = lab_client()
    gatherer = Gatherer(site.db, client, site.origin, permits=lambda host: host not in blocked)
    monkeypatch.setattr(site.remote, "account", gatherer.account)
    yield Poster(site, (await site.person("alice"))[1], blocked)
    await client.close()


class Liar:
    """A server whose every answer is `answers(request)`."""

    def __init__(self) -> None:
        self.answers: Callable[[web.Request], Awaitable[web.StreamResponse]]
        self.asked: list[str] = []
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        self.server = TestServer(app, host="127.0.0.1")

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.server.port}"

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path)
        return await self.answers(request)


@pytest.fixture
async def liar() -> AsyncIterator[Liar]:
    made = Liar()
    await made.server.start_server()
    yield made
    await made.server.close()


def _links(subject: str, *actors: Any) -> dict[str, Any]:
    return {"subject": subject, "links": [{"rel": "self", "type": ACTIVITY, "href": actor} for actor in actors]}


# What it answers to WebFinger, given itself and an honest server on which there is a bob too.
LIES: dict[str, Callable[[Liar, Far], web.Response]] = {
    "nobody": lambda me, far: web.Response(status=404),
    "gone": lambda me, far: web.Response(status=410),
    "broken": lambda me, far: web.Response(status=500),
    "a page": lambda me, far: web.Response(text="<p>hello", content_type="text/html"),
    "no JSON": lambda me, far: web.Response(body=b'{"subject', content_type=JRD),
    "no text": lambda me, far: web.Response(body=b"\xff\xfe\x00", content_type=JRD),
    "a list": lambda me, far: web.json_response([]),
    "null": lambda me, far: web.json_response(None),
    "a number": lambda me, far: web.json_response({"subject": 1, "links": 1}),
    "deep": lambda me, far: web.Response(body=b"[" * 100_000, content_type=JRD),
    "huge": lambda me, far: web.Response(body=b'{"subject": "' + b"x" * (4 << 20) + b'"}', content_type=JRD),
    "no links": lambda me, far: web.json_response(_links(f"acct:bob@{me.host}")),
    "odd links": lambda me, far: web.json_response({"subject": f"acct:bob@{me.host}", "links": [None, 1, [], {}]}),
    "no address": lambda me, far: web.json_response(_links(f"acct:bob@{me.host}", None, [], {}, "javascript:alert(1)")),
    "private": lambda me, far: web.json_response(_links(f"acct:bob@{me.host}", "http://10.0.0.1/bob")),
    "metadata": lambda me, far: web.json_response(_links(f"acct:bob@{me.host}", "http://169.254.169.254/bob")),
    "somebody else": lambda me, far: web.json_response(_links(f"acct:eve@{far.host}", f"{far.base}/users/bob")),
    "another's actor": lambda me, far: web.json_response(_links(f"acct:bob@{me.host}", f"{far.base}/users/bob")),
    "one of ours": lambda me, far: web.json_response(_links("acct:alice@ours.test", "https://ours.test/users/alice")),
    "our actor": lambda me, far: web.json_response(_links(f"acct:bob@{me.host}", "https://ours.test/users/alice")),
    "in a circle": lambda me, far: web.Response(status=302, headers={"Location": "/.well-known/webfinger?resource=x"}),
    "sent to private": lambda me, far: web.Response(status=302, headers={"Location": "http://10.0.0.1/"}),
    "sent to a file": lambda me, far: web.Response(status=302, headers={"Location": "file:///etc/passwd"}),
    "sent nowhere": lambda me, far: web.Response(status=302),
}


@pytest.mark.parametrize("lie", LIES)
async def test_a_lie_costs_the_mention_alone(alice: Poster, liar: Liar, far: Far, caplog, lie):
    far.person("bob")
    far.person("carol")

    async def answers(request: web.Request) -> web.StreamResponse:
        return LIES[lie](liar, far)

    liar.answers = answers
    assert await alice.mentioned(f"@bob@{liar.host} and @carol@{far.host}, hello") == [f"carol@{far.host}"]
    assert 0 < len(liar.asked) <= 20
    assert "never retrieved" not in caplog.text
    assert not [one for one in caplog.records if one.levelno >= logging.ERROR]
    known = await alice.site.db.read(lambda tx: tx.execute(accounts.select()).all())
    assert not [one.handle for one in known if one.domain == liar.host]


async def test_who_is_of_a_blocked_server_is_not_asked_for(alice: Poster, far: Far, other: Far):
    far.person("bob")
    other.person("carol")
    alice.blocked.add(far.host)
    assert await alice.mentioned(f"@bob@{far.host} @carol@{other.host}") == [f"carol@{other.host}"]
    assert not far.asked


async def test_who_is_known_or_of_ours_is_not_asked_for(alice: Poster, far: Far):
    far.person("bob")
    assert await alice.mentioned(f"@bob@{far.host}") == [f"bob@{far.host}"]
    far.asked.clear()
    assert await alice.mentioned(f"@bob@{far.host} @alice@ours.test @nobody @none@ours.test") != []
    assert not far.asked


async def test_of_many_sixteen_are_asked_for_and_each_once(alice: Poster, far: Far):
    words = " ".join(f"@p{number}@{far.host} @P{number}@{far.host}" for number in range(20))
    assert await alice.mentioned(words) == []
    names = {name: times for name, times in far.asked.items() if "@" in name}  # and for its host-meta
    assert names == {f"p{number}@{far.host}": 1 for number in range(composing.MOST_MENTIONS)}


@pytest.mark.parametrize("end", ["it breaks", "it answers"])
async def test_a_server_that_takes_too_long_is_left_behind(
    alice: Poster, liar: Liar, far: Far, caplog, monkeypatch, end
):
    """What comes of the look-up later is nobody's error; who answers in the end is known to the next post."""
    monkeypatch.setattr(composing, "PATIENCE", 0.2)
    asked, go_on, done = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def answers(request: web.Request) -> web.StreamResponse:
        asked.set()
        await go_on.wait()
        done.set()
        if end == "it breaks":
            return web.Response(body=b"{", content_type=JRD)
        host, address = liar.host, f"http://{liar.host}/users/bob"
        if "webfinger" in request.path:
            return web.json_response(_links(f"acct:bob@{host}", address), content_type=JRD)
        document = {"id": address, "type": "Person", "preferredUsername": "bob", "inbox": f"{address}/inbox"}
        return web.json_response(document, content_type=ACTIVITY)

    liar.answers = answers
    assert await alice.mentioned(f"@bob@{liar.host}") == []
    await asked.wait()
    go_on.set()
    await done.wait()
    monkeypatch.setattr(composing, "PATIENCE", 60.0)
    found = await alice.mentioned(f"@bob@{liar.host}")
    assert found == ([] if end == "it breaks" else [f"bob@{liar.host}"])
    gc.collect()
    await asyncio.sleep(0)
    assert "never retrieved" not in caplog.text
    assert not [one for one in caplog.records if one.levelno >= logging.ERROR]


async def test_what_cannot_be_posted_asks_nobody(alice: Poster, far: Far):
    far.person("bob")
    for status, answer in (
        (401, await alice.site.post("/api/v1/statuses", json={"status": f"@bob@{far.host}"})),
        (422, await alice.says(f"@bob@{far.host} " + "x" * 100_000)),
    ):
        assert answer.status == status
    assert not far.asked


async def test_an_edit_that_mentions_somebody_new_asks_for_him(alice: Poster, far: Far):
    far.person("bob")
    first = (await alice.says("hello")).json["id"]
    edited = await alice.site.call("PUT", f"/api/v1/statuses/{first}", alice.token, json={"status": f"@bob@{far.host}"})
    assert [one["acct"] for one in edited.json["mentions"]] == [f"bob@{far.host}"]
