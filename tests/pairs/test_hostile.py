"""A running server and the worst of peers: it refuses what it must, says why with a 4xx, and goes on.

After each test: the server is ready, an honest post arrives, nothing waits to be tried again, the log tells no secret
and no surprise, and its processes hold less than twice the memory of before.
"""

import asyncio
import gzip
import json
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from itertools import count
from typing import Any

import orjson
import pytest
from aiohttp import ClientTimeout, web
from sqlalchemy import create_engine

from connectme.demo import Instance, until
from inbox import routes as inbox_routes
from store import jobs
from tests.pairs.conftest import a_postgresql
from tests.pairs.hostile import create, drained, exchange, filled, memory, mutants, statuses, valid
from tests.pairs.peer import ACTIVITY, AS, JSON, PUBLIC, Town, root
from tests.ports import free_port
from web import routes as web_routes

pytestmark = [pytest.mark.pairs, pytest.mark.slow]

_numbers = count(1)
SECRET = "MARKER-of-a-private-word"
GROWTH = 2.0


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    more = {} if request.param == "sqlite" else {"DATABASE_URL": a_postgresql(request)}
    server = Instance(
        tmp_path_factory.mktemp("hostile"),
        free_port(),
        RATE_LIMITS="false",
        LOG_LEVEL="debug",
        ALLOWED_PRIVATE_NETWORKS="127.0.0.1/32",
        **more,
    )
    server.person("alice")
    server.start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def once(request: pytest.FixtureRequest) -> None:
    """For tests to which the database does not matter."""
    if "postgresql" in request.node.name:
        pytest.skip("it was tried with SQLite")


@pytest.fixture(scope="module")
def before(running: Instance) -> dict[str, int]:
    """How large the server was before the first test."""
    return {}


@pytest.fixture
async def server(running: Instance) -> AsyncIterator[Instance]:
    await running.ready()
    yield running
    await running.close()


@pytest.fixture
async def town(server: Instance, before: dict[str, int]) -> AsyncIterator[Town]:
    log_size = (server.folder / "log").stat().st_size
    async with Town() as town:
        town.server = server
        bob = await honest(town)
        await server.follow("alice", bob)
        if "rss" not in before:
            for number in range(200):  # what a working server needs
                await town.deliver(server, create(bob, f"w{number}"))
            await drained(server)
            before["rss"] = memory(server) or 0
        yield town
        await unharmed(town, server, bob, log_size)
    assert (memory(server) or 0) <= GROWTH * before["rss"]


async def honest(town: Town) -> str:
    uri = f"{await town.base('honest.test')}/users/bob{next(_numbers)}"
    town.person(uri)
    return uri


async def unharmed(town: Town, server: Instance, bob: str, log_size: int) -> None:
    """It is ready, and somebody honest is heard."""
    async with town.session.get(server.base / "readyz") as response:
        assert response.status == 200
    words = f"honest {next(_numbers)}"
    assert (await town.deliver(server, create(bob, next(_numbers), content=words)))[0] == 202
    await until(lambda: server.seen("alice", words), "the honest post is seen")
    await drained(server)
    lines = (server.folder / "log").read_text()[log_size:].splitlines()
    log = "\n".join(line for line in lines if "alert opened signatures" not in line)  # rightly: so many were forged
    for bad in ("Traceback", " ERROR ", SECRET, server.tokens["alice"], "PRIVATE KEY"):
        assert bad not in log, log[max(0, log.index(bad) - 600) :][:4000]


async def our_post(server: Instance, words: str = "Ours") -> JSON:
    post: JSON = await server.api("alice", "POST", "/api/v1/statuses", status=words, visibility="public")
    return post


async def look(server: Instance, uri: str) -> JSON | None:
    found = await server.api("alice", "GET", "/api/v2/search", q=uri, resolve="false", type="statuses")
    posts = [post for post in (*found["statuses"], *await server.home("alice")) if post["uri"] == uri]
    return posts[0] if posts else None


# At the door.


@pytest.mark.usefixtures("once")
async def test_forgeries_are_refused_at_the_door(town: Town, server: Instance) -> None:
    base = await town.base("evil.test")
    eve, bob = f"{base}/users/eve", f"{base}/users/bob"
    town.person(bob)
    message = create(eve, "forged")
    headers, body = town.signed(server, message)
    now = time.time()

    def other(**changed: str) -> dict[str, str]:
        return {**headers, **changed}

    elsewhere = f"{await town.base('elsewhere.test')}/users/eve"
    cases: dict[str, tuple[dict[str, str], bytes]] = {
        "unsigned": ({name: headers[name] for name in headers if name != "Signature"}, body),
        "no digest": ({name: headers[name] for name in headers if name != "Digest"}, body),
        "another body": (headers, body + b" "),
        "another date": (other(Date="Mon, 01 Jan 2024 00:00:00 GMT"), body),
        "garbled": (other(Signature=headers["Signature"][:-20] + 'AAAAAAAAAAAAAAAAAA"'), body),
        "no base64": (other(Signature=headers["Signature"][:-20] + '!!!"'), body),
        "no parameters": (other(Signature="x" * 5000), body),
        "stale": town.signed(server, message, now=now - 13 * 3600),
        "early": town.signed(server, message, now=now + 2 * 3600),
        "another path": (town.signed(server, message, path="/users/alice/inbox")[0], body),
        "nobody's key": town.signed(server, {**message, "actor": elsewhere}, key=_renamed(town, eve, f"{base}/none#k")),
        "a key that is no address": town.signed(server, message, key=_renamed(town, eve, "acct:eve@evil.test")),
        "a key at a private address": town.signed(server, message, key=_renamed(town, eve, "http://10.0.0.1/k")),
        "a key of ours": town.signed(server, message, key=_renamed(town, eve, f"{root(server)}/users/alice#main-key")),
    }
    for name, (each, sent) in cases.items():
        status, says = await town.post(server, each, sent)
        assert status == 401, (name, status, says)
        assert "error" in json.loads(says), name
    assert await look(server, message["object"]["id"]) is None


def _renamed(town: Town, owner: str, key_id: str) -> Any:
    key = town.key(owner)
    return type(key)(key_id, key.kind, key.key)


@pytest.mark.usefixtures("once")
async def test_what_cannot_be_read_is_refused_at_the_door(town: Town, server: Instance) -> None:
    eve = f"{await town.base('evil.test')}/users/eve"
    key = town.key(eve)
    good = orjson.dumps(create(eve, 1))
    for name, body in {
        "empty": b"",
        "no JSON": b"{",
        "no object": b"[1]",
        "a text": b'"x"',
        "NaN": b'{"a": NaN}',
        "no UTF-8": b'{"id": "\xff"}',
        "UTF-16": json.dumps(create(eve, 1)).encode("utf-16"),
        "half a pair": good[:-1] + b', "x": "\\ud800"}',
        "NUL in a name": good[:-1] + b', "x\\u0000": 1}',
        "deep": good[:-1] + b', "x": ' + b"[" * 5_000 + b"]" * 5_000 + b"}",
        "very deep": b'{"x":' * 100_000 + b"1" + b"}" * 100_000,
        "wide": good[:-1] + b', "x": [' + b"{}," * 200_000 + b"{}]}",
        "a number of 100,000 digits": good[:-1] + b', "x": ' + b"9" * 100_000 + b"}",
        "a member twice": good[:-1] + b', "id": "https://other.test/"}',
        "a member twice, inside": b'{"object": {"id": 1, "id": 2},' + good[1:],
        "no id": orjson.dumps({**create(eve, 1), "id": None}),
        "no actor": orjson.dumps({**create(eve, 1), "actor": []}),
    }.items():
        headers, _ = town.signed(server, body, key=key)
        status, says = await town.post(server, headers, body)
        assert status == 400, (name, status, says)
    headers, body = town.signed(server, good, key=key)
    for kind in ("application/json", "text/html", "", "application/activity+json\0x", "a" * 3000):
        assert (await exchange(server, _raw(server, {**headers, "Content-Type": kind}, body)))[9:10] == b"4", kind


def _raw(server: Instance, headers: dict[str, str], body: bytes, path: str = "/inbox") -> bytes:
    fields = {"Host": server.domain, "Content-Length": str(len(body)), "Connection": "close", **headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"POST {path} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + body


@pytest.mark.usefixtures("once")
async def test_bombs_are_refused_at_the_door(town: Town, server: Instance) -> None:
    eve = f"{await town.base('evil.test')}/users/eve"
    key = town.key(eve)
    large = orjson.dumps({**create(eve, 1), "x": "y" * (1 << 20)})
    headers, _ = town.signed(server, large, key=key)
    headers["Content-Type"] = ACTIVITY
    assert (await town.post(server, headers, large))[0] == 413
    # Declared, and never sent.
    assert statuses(await exchange(server, _raw(server, {**headers, "Content-Length": "9999999999"}, b"{"))) == [413]
    for absurd in ("9" * 400, "-1", "+5", "0x10", "1, 1", ""):
        found = statuses(await exchange(server, _raw(server, {**headers, "Content-Length": absurd}, b"{")))
        assert found in ([400], [413]), (absurd, found)

    async def drip() -> AsyncIterator[bytes]:
        for _ in range(64):
            yield b"x" * (1 << 16)

    # Not declared: in chunks.  It may be answered, and the connection ended, before all is sent.
    with suppress(OSError):
        async with town.session.post(server.base / "inbox", data=drip(), headers=headers) as response:
            assert response.status == 413
    bomb = gzip.compress(b"[" * (50 << 20))
    headers, _ = town.signed(server, bomb, key=key)
    for encoding in ("gzip", "deflate", "br", "zstd", "gzip, gzip", "x"):
        status, says = await town.post(server, {**headers, "Content-Encoding": encoding}, bomb)
        assert status in (400, 413, 415), (encoding, status, says)


async def test_a_replay_does_nothing(town: Town, server: Instance) -> None:
    eve = f"{await town.base('evil.test')}/users/eve"
    post = await our_post(server)
    like = {"@context": AS, "id": f"{eve}/likes/1", "type": "Like", "actor": eve, "object": post["uri"]}
    undo = {"@context": AS, "id": f"{eve}/undoes/1", "type": "Undo", "actor": eve, "object": like}
    headers, body = town.signed(server, like)
    assert (await town.post(server, headers, body))[0] == 202
    assert (await town.deliver(server, undo))[0] == 202
    for _ in range(20):
        assert (await town.post(server, headers, body))[0] == 202
    await drained(server)
    found = await server.api("alice", "GET", f"/api/v1/statuses/{post['id']}")
    assert found["favourites_count"] == 0


@pytest.mark.usefixtures("once")
async def test_a_forger_does_not_use_up_the_share_of_whom_he_imitates(town: Town, server: Instance) -> None:
    """Keys of one host are fetched only so often; who is far from it and names many of them must not silence it."""
    base = await town.base("victim.test")
    eve = f"{base}/users/eve"
    sent = []
    for number in range(700):
        uri = f"{base}/users/made_up_{number}"
        forged = town.signed(server, create(uri, 1), key=_renamed(town, eve, f"{uri}#main-key"))
        sent.append(({**forged[0], "X-Forwarded-For": "203.0.113.5"}, forged[1]))
    assert set(await _deliver_all(town, server, sent)) == {401, 503}  # the keys are not there; too many, later (ADR 24)
    headers, body = town.signed(server, create(f"{base}/users/real", 1))
    status, says = await town.post(server, {**headers, "X-Forwarded-For": "198.51.100.7"}, body)
    assert status == 202, says


# Behind it: well signed, and hostile.


async def test_wrong_types_in_every_field_are_refused_or_ignored(town: Town, server: Instance) -> None:
    post = await our_post(server, f"{SECRET} is not in here"[len(SECRET) :])
    good = valid(town, server, await town.base("evil.test"), post["uri"])
    sent: list[tuple[dict[str, str], bytes]] = []
    for document in good.values():
        key = town.key(document["actor"])
        for number, mutant in enumerate(mutants(document)):
            if mutant.get("id") == document["id"]:
                mutant["id"] += str(number)
            if isinstance(inner := mutant.get("object"), dict) and number % 2 and inner.get("id"):
                inner["id"] = f"{inner['id']}{number}" if isinstance(inner["id"], str) else inner["id"]
            sent.append(town.signed(server, json.dumps(mutant).encode(), key=key))
    assert len(sent) > 500
    answers = await _deliver_all(town, server, sent)
    assert set(answers) <= {202, 400, 401, 403, 404, 413}, answers
    assert answers.count(202) > len(sent) / 2
    await drained(server)
    found = await server.api("alice", "GET", f"/api/v1/statuses/{post['id']}")
    assert found["content"] == post["content"]


async def _deliver_all(town: Town, server: Instance, sent: list[tuple[dict[str, str], bytes]]) -> list[int]:
    waiting, answers = iter(sent), []

    async def lane() -> None:
        for headers, body in waiting:
            answers.append((await town.post(server, headers, body))[0])

    await asyncio.gather(*(lane() for _ in range(8)))
    return answers


async def test_nobody_speaks_for_others(town: Town, server: Instance) -> None:
    evil, far = await town.base("evil.test"), await town.base("far.test")
    eve, neighbour, bob = f"{evil}/users/eve", f"{evil}/users/neighbour", f"{far}/users/bob"
    town.person(neighbour)
    alice = f"{root(server)}/users/alice"
    post = await our_post(server, "Untouched")
    assert (await town.deliver(server, create(neighbour, "his")))[0] == 202
    await server.follow("alice", neighbour)
    key = town.key(eve)

    def act(kind: str, what: Any, actor: str = eve, **more: Any) -> JSON:
        number = next(_numbers)
        return {"@context": AS, "id": f"{actor}/acts/{number}", "type": kind, "actor": actor, "object": what, **more}

    def note(uri: str, author: str, words: str = "forged") -> JSON:
        return {"id": uri, "type": "Note", "attributedTo": author, "content": words, "to": [PUBLIC]}

    theirs = create(neighbour, "his")["object"]["id"]
    town.documents[theirs] = create(neighbour, "his")["object"]
    follow = {"id": f"{eve}#f", "type": "Follow", "actor": bob, "object": alice}
    messages = [
        act("Create", note(f"{far}/notes/forged", eve)),
        act("Create", note(f"{far}/notes/forged2", bob)),
        act("Create", note(f"{root(server)}/users/alice/posts/1", alice)),
        act("Create", note(post["uri"], eve)),
        act("Create", note(theirs, eve)),
        act("Create", note(f"{evil}/notes/forged3", neighbour)),
        act("Create", note(f"{evil}/notes/forged4", alice)),
        act("Create", note(f"{evil}/notes/forged", neighbour), actor=neighbour),
        act("Create", note(f"{evil}/notes/forged5", alice), actor=alice),
        *(act("Update", note(uri, author)) for uri in (post["uri"], theirs) for author in (eve, alice, neighbour)),
        *(act("Delete", uri) for uri in (post["uri"], theirs, alice, bob, neighbour)),
        act("Delete", neighbour, actor=neighbour),
        act("Delete", alice, actor=alice),
        act("Undo", follow),
        act("Undo", act("Follow", alice, actor=neighbour)),
        act("Accept", {"id": f"{alice}#follows/1", "type": "Follow", "actor": alice, "object": neighbour}),
        act("Move", neighbour, target=eve),
        act("Add", post["uri"], target=f"{alice}/collections/featured"),
        act("Remove", post["uri"], target=f"{alice}/collections/featured"),
        act("Follow", alice, actor=alice),
        act("Update", dict(town.person(neighbour), name="Forged")),
        act("Announce", act("Delete", theirs, actor=neighbour)),
    ]
    for message in messages:
        status, says = await town.post(server, *town.signed(server, message, key=key))
        assert status in (202, 400, 401, 403), (message, says)
    await drained(server)
    again = await server.api("alice", "GET", f"/api/v1/statuses/{post['id']}")
    assert (again["content"], again["edited_at"]) == (post["content"], None)
    home = await server.home("alice")
    assert not [one for one in home if "forged" in one["content"]]
    found = await server.api("alice", "GET", "/api/v2/search", q=neighbour, resolve="true", type="accounts")
    assert found["accounts"][0]["display_name"] == "Users_neighbour"
    kept = await server.api("alice", "GET", f"/api/v1/accounts/{found['accounts'][0]['id']}/statuses")
    assert [one["content"] for one in kept] == ["note his"]


async def test_private_words_are_not_in_the_log(town: Town, server: Instance) -> None:
    """Whatever becomes of the messages that hold them.  `unharmed` reads the log."""
    eve = f"{await town.base('evil.test')}/users/eve"
    alice = f"{root(server)}/users/alice"
    await server.api("alice", "POST", "/api/v1/statuses", status=f"{SECRET} 1", visibility="direct")
    await server.api("alice", "POST", "/api/v1/statuses", status=f"{SECRET} 2", visibility="private")
    for number, more in enumerate(
        (
            {"to": [alice]}, {"to": [f"{eve}/followers"]}, {"to": [alice], "id": 5}, {"to": [alice], "id": "x"},
            {"to": [alice], "attributedTo": alice}, {"to": [alice], "type": []}, {"to": [alice], "content": [SECRET]},
            {"to": [alice], "name": SECRET, "published": SECRET, "url": SECRET, "inReplyTo": SECRET},
            {"to": [alice], "tag": SECRET, "attachment": [{"url": SECRET}], "updated": {"x": SECRET}},
        )
    ):  # fmt: skip
        message = create(eve, f"secret{number}", **{"content": f"{SECRET} {number}", **more})
        for kind in ("Create", "Update", "Like", "Announce", "Flag", "Undo", "Accept", "Add", "Unheard"):
            status, _ = await town.deliver(server, {**message, "type": kind, "id": f"{message['id']}/{kind}"})
            assert status in (202, 400)
    words = {"content": SECRET, "type": "Note", "to": [alice]}
    for number, what in enumerate((words, [words], [[SECRET]], {"id": words}, {**words, "id": {"x": SECRET}})):
        for kind in ("Create", "Update", "Like", "EmojiReact", "Announce", "Follow", "Delete", "Flag", "Move", "Add"):
            said = {"@context": AS, "id": f"{eve}/says/{kind}{number}", "type": kind, "actor": eve, "object": what}
            for more in ({}, {"content": f"{SECRET}, he said"}):
                assert (await town.deliver(server, {**said, **more}))[0] == 202
    headers, body = town.signed(server, create(eve, "x", content=SECRET))
    await town.post(server, headers, body + b" ")
    await town.post(server, headers, body[:-1])
    for token in (server.tokens["alice"], server.tokens["alice"][::-1]):
        for path in ("/api/v1/statuses/1", "/nothing", f"/api/v1/timelines/home?access_token={token}"):
            async with town.session.get(root(server) + path, headers={"Authorization": f"Bearer {token}"}) as response:
                assert response.status < 500
    await drained(server)


# What it fetches.


@pytest.mark.usefixtures("once")
async def test_nothing_is_fetched_from_private_addresses(town: Town, server: Instance) -> None:
    try:
        trap = await asyncio.start_server(lambda *_: caught.append(1), "127.0.0.2", 0)
    except OSError:
        pytest.skip("this system has one loopback address only")
    caught: list[int] = []
    port = trap.sockets[0].getsockname()[1]
    base = await town.base("evil.test")
    places = [
        f"http://127.0.0.2:{port}/", f"http://2130706434:{port}/", f"http://0x7f.0.0.2:{port}/", f"http://127.2:{port}/",
        f"http://[::ffff:127.0.0.2]:{port}/", f"http://[::1]:{port}/", "http://10.0.0.1/", "http://169.254.169.254/x",
        f"http://0.0.0.0:{port}/", "file:///etc/passwd", "gopher://127.0.0.2/", "http://", "//127.0.0.2/", "\\\\x",
        f"http://user:pass@127.0.0.2:{port}/", f"{root(server)}/users/alice", f"{root(server)}/inbox",
    ]  # fmt: skip
    for number, place in enumerate(places):
        town.documents[f"{base}/users/r{number}"] = _redirect(place)
        message = create(f"{base}/users/r{number}", 1)
        key = _renamed(town, f"{base}/users/signer", f"{base}/users/r{number}#main-key")
        status, says = await town.post(server, *town.signed(server, message, key=key))
        assert status == 401, (place, status, says)
        # … and as something to be looked at, by somebody who is known.
        boost = {"@context": AS, "id": f"{base}/boosts/{number}", "type": "Announce", "actor": f"{base}/users/known"}
        for what in (place, f"{base}/users/r{number}"):
            assert (await town.deliver(server, {**boost, "object": what}))[0] in (202, 400)
    await drained(server)
    trap.close()
    assert not caught


def _redirect(place: str) -> Any:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": place})

    return answer


@pytest.mark.usefixtures("once")
async def test_what_has_no_end_is_left(town: Town, server: Instance) -> None:
    """Parents of parents, pages after pages, redirects after redirects."""
    base = await town.base("endless.test")
    eve = f"{base}/users/eve"
    town.person(eve, "eve", featured=f"{base}/pages/0")
    eve_here = await server.follow("alice", eve)
    await until(lambda: server.is_following("alice", eve_here), "alice follows eve")
    asked: dict[str, int] = {"parents": 0, "pages": 0, "hops": 0}

    def parent(number: int) -> None:
        async def answer(request: web.Request) -> web.Response:
            asked["parents"] += 1
            parent(number + 1)
            found = {**create(eve, number)["object"], "id": f"{base}/chain/{number}",
                     "inReplyTo": f"{base}/chain/{number + 1}"}  # fmt: skip
            return web.json_response(found, content_type=ACTIVITY)

        town.documents[f"{base}/chain/{number}"] = answer

    def page(number: int) -> None:
        async def answer(request: web.Request) -> web.Response:
            asked["pages"] += 1
            page(number + 1)
            found = {"id": f"{base}/pages/{number}", "type": "OrderedCollectionPage", "totalItems": 10**18,
                     "orderedItems": [f"{base}/gone/{number}-{n}" for n in range(3)],
                     "next": f"{base}/pages/{number + 1}", "partOf": f"{base}/pages/0"}  # fmt: skip
            return web.json_response(found, content_type=ACTIVITY)

        town.documents[f"{base}/pages/{number}"] = answer

    def hop(number: int) -> None:
        async def answer(request: web.Request) -> web.Response:
            asked["hops"] += 1
            hop(number + 1)
            return web.Response(status=302, headers={"Location": f"{base}/hops/{number + 1}"})

        town.documents[f"{base}/hops/{number}"] = answer

    parent(0)
    page(0)
    hop(0)
    top = f"{base}/notes/top"
    note = {**create(eve, "top")["object"], "id": top, "inReplyTo": f"{base}/chain/0", "replies": f"{base}/pages/0"}
    town.documents[top] = note
    assert (await town.deliver(server, {**create(eve, "top"), "object": note}))[0] == 202
    boost = {"@context": AS, "id": f"{eve}/boosts/1", "type": "Announce", "actor": eve, "object": f"{base}/hops/0"}
    assert (await town.deliver(server, boost))[0] == 202
    _ask(server, "fetch_replies", {"uri": top})

    async def enough() -> bool:
        return asked["parents"] >= 10 and asked["pages"] >= 4 and asked["hops"] >= 4

    with suppress(TimeoutError):
        await until(enough, "it looks")
    assert await enough(), asked
    await _no_jobs(server)
    assert asked["parents"] <= 12
    assert asked["pages"] <= 8  # of the comments, and of what she pinned
    assert asked["hops"] <= 8


def _ask(server: Instance, kind: str, payload: JSON) -> None:
    """As a unit would."""
    engine = create_engine(f"sqlite:///{server.folder / 'connectme.db'}")
    with engine.begin() as tx:
        jobs.ask(tx, kind, payload["uri"], payload, datetime.now(UTC))
    engine.dispose()


async def _no_jobs(server: Instance) -> None:
    """Until each was done, or tried in vain: it then waits, and says why."""

    async def none() -> bool:
        with sqlite3.connect(f"file:{server.folder / 'connectme.db'}?mode=ro", uri=True) as database:
            return not database.execute("SELECT key FROM job WHERE error IS NULL").fetchall()

    await until(none, "no job is left")


async def test_hostile_words_in_actors_cost_only_themselves(town: Town, server: Instance) -> None:
    base = await town.base("actors.test")
    good = {
        **town.person(f"{base}/users/model", "model"),
        "summary": "<p>bio</p>",
        "url": f"{base}/@model",
        "icon": {"type": "Image", "url": f"{base}/i.png"},
        "image": {"type": "Image", "url": f"{base}/h.png"},
        "attachment": [{"type": "PropertyValue", "name": "a", "value": "b"}],
        "tag": [{"type": "Emoji", "name": ":a:", "icon": {"url": f"{base}/e.png"}}],
        "endpoints": {"sharedInbox": f"{base}/inbox"},
        "featured": f"{base}/f",
        "alsoKnownAs": [f"{base}/other"],
        "movedTo": f"{base}/other",
        "webfinger": f"model@{base.split('//')[1]}",
        "published": "2026-01-01T00:00:00Z",
        "assertionMethod": [{"id": f"{base}/k", "type": "Multikey", "controller": base, "publicKeyMultibase": "z6Mk"}],
        "generator": {"implements": [{"href": "https://x.test"}]},
        "manuallyApprovesFollowers": False,
    }
    sent = []
    for number, mutant in enumerate(mutants(good)):
        uri = f"{base}/users/m{number}"
        text = json.dumps(mutant).replace("/users/model", f"/users/m{number}").replace('"model', f'"m{number}')
        town.documents[uri] = json.loads(text)
        key = _renamed(town, f"{base}/users/model", f"{uri}#main-key")
        sent.append(town.signed(server, create(uri, 1), key=key))
    answers = await _deliver_all(town, server, sent)
    assert set(answers) <= {202, 401}
    assert answers.count(202) > len(sent) / 2
    await drained(server)


@pytest.mark.usefixtures("once")
async def test_webfinger_that_names_others_names_nobody(town: Town, server: Instance) -> None:
    base = await town.base("evil.test")
    host, links = base.split("//")[1], [{"rel": "self", "type": ACTIVITY, "href": f"{root(server)}/users/alice"}]

    def answering(body: bytes, status: int = 200, kind: str = "application/jrd+json") -> Any:
        async def answer(request: web.Request) -> web.Response:
            return web.Response(body=body, status=status, headers={"Content-Type": kind})

        return answer

    mine = [{"rel": "self", "type": ACTIVITY, "href": f"{base}/users/MINE"}]
    fingers: list[Callable[[str], Any]] = [
        lambda uri: f"{root(server)}/users/alice",
        lambda uri: f"{base}/users/other",
        lambda uri: {"subject": f"acct:alice@{server.domain}", "links": links},
        lambda uri: {"subject": f"acct:alice@{server.domain}", "links": [{**mine[0], "href": uri}]},
        lambda uri: {"subject": "acct:alice@localhost", "links": [{**mine[0], "href": uri}]},
        lambda uri: {"subject": "acct:x@10.0.0.1", "links": [{**mine[0], "href": uri}]},
        lambda uri: {"subject": f"acct:<b>@{host}", "links": [{**mine[0], "href": uri}]},
        lambda uri: {"subject": ["x"], "links": [{**mine[0], "href": uri}]},
        lambda uri: {"subject": None, "links": "x"},
        lambda uri: {"subject": f"acct:x@{host}", "links": [{"rel": [], "type": {}, "href": 5}, None, 7]},
        lambda uri: answering(b"<html>", kind="text/html"),
        lambda uri: answering(b"[" * 100_000),
        lambda uri: answering(b"{" + b" " * (2 << 20)),
        lambda uri: answering(gzip.compress(b" " * (100 << 20))),
        lambda uri: answering(b"", 500),
        lambda uri: answering(b'{"subject": "a", "subject": "b"}'),
        lambda uri: _redirect("http://10.0.0.1/"),
    ]  # fmt: skip
    for number, finger in enumerate(fingers):
        uri = f"{base}/users/w{number}"
        town.person(uri, f"w{number}")
        town.names[f"w{number}@{host}"] = finger(uri)
        status, says = await town.deliver(server, create(uri, 1))
        assert status in (202, 401), (number, says)
    for name in ("alice", f"alice@{server.domain}"):
        found = await server.api("alice", "GET", "/api/v1/accounts/lookup", acct=name)
        assert found["uri"] == f"{root(server)}/users/alice"
    for number in range(len(fingers)):
        with suppress(RuntimeError):
            found = await server.api("alice", "GET", "/api/v1/accounts/lookup", acct=f"w{number}@{host}")
            assert found["acct"] == f"w{number}@{host}"


@pytest.mark.usefixtures("once")
async def test_slow_peers_and_half_open_requests_stop_nobody(town: Town, server: Instance) -> None:
    base = await town.base("slow.test")

    async def silent(request: web.Request) -> web.Response:
        await asyncio.sleep(60)
        return web.Response()

    async def trickling(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": ACTIVITY})
        await response.prepare(request)
        for _ in range(600):
            await response.write(b" ")
            await asyncio.sleep(0.1)
        return response

    town.session._timeout = ClientTimeout(total=60)
    slow = []
    for number in range(24):
        uri = f"{base}/users/s{number}"
        key = _renamed(town, f"{base}/users/signer", f"{uri}#main-key")
        if number % 3 == 2:
            town.person(uri, f"s{number}")
            town.names[f"s{number}@{base.split('//')[1]}"] = trickling if number % 2 else silent
        else:
            town.documents[uri] = trickling if number % 3 else silent
        slow.append(asyncio.create_task(town.post(server, *town.signed(server, create(uri, 1), key=key))))
    half = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(50)]
    for number, (_, writer) in enumerate(half):
        writer.write(
            (b"POST /inbox HTTP/1.1\r\nHost: x\r\n", b"GET / HT", b"\r", b"", _raw(server, {}, b"", "/inbox")[:60])[
                number % 5
            ]
        )
    honests = [await honest(town) for _ in range(4)]
    for number in range(40):
        assert (await town.deliver(server, create(honests[number % 4], f"meanwhile{number}")))[0] == 202
    await drained(server)
    assert not all(task.done() for task in slow)  # they were slow, and nobody waited for them
    answers = await asyncio.gather(*slow)
    assert {status for status, _ in answers} <= {202, 401}
    for _, writer in half:
        writer.close()


# The HTTP of it.


@pytest.mark.usefixtures("once")
async def test_http_that_is_ambiguous_or_too_large_is_refused(town: Town, server: Instance) -> None:
    host = f"Host: {server.domain}\r\n".encode()
    inside = b"GET /smuggled HTTP/1.1\r\n" + host + b"\r\n"
    post, get = b"POST /inbox HTTP/1.1\r\n" + host, b"GET / HTTP/1.1\r\n" + host
    chunked = b"Transfer-Encoding: chunked\r\n"
    zero = b"0\r\n\r\n"
    shapes = {
        "length and chunks": post + b"Content-Length: 5\r\n" + chunked + b"\r\n" + zero + inside,
        "chunks and length": post + chunked + b"Content-Length: 5\r\n\r\n" + zero + inside,
        "two lengths": post + b"Content-Length: 0\r\nContent-Length: %d\r\n\r\n" % len(inside) + inside,
        "a list of lengths": post + b"Content-Length: 0, %d\r\n\r\n" % len(inside) + inside,
        "odd chunks": post + b"Transfer-Encoding: xchunked\r\n\r\n" + zero + inside,
        "chunks twice": post + b"Transfer-Encoding: chunked, chunked\r\n\r\n" + zero + inside,
        "chunks not last": post + b"Transfer-Encoding: chunked, identity\r\n\r\n" + zero + inside,
        "chunks with a tab": post + b"Transfer-Encoding:\x0bchunked\r\n\r\n" + zero + inside,
        "a space before the colon": post + b"Content-Length : 5\r\n\r\n" + inside,
        "folded": post + b"X: a\r\n Content-Length: 5\r\n\r\n" + inside,
        "bare line feeds": b"GET / HTTP/1.1\nHost: x\n\n",
        "bare carriage returns": b"GET / HTTP/1.1\rHost: x\r\r",
        "NUL": get + b"X: a\0b\r\n\r\n",
        "NUL in the target": b"GET /\0 HTTP/1.1\r\n" + host + b"\r\n",
        "raw bytes in the target": b"GET /\xff\xfe HTTP/1.1\r\n" + host + b"\r\n",
        "a chunk of no size": post + chunked + b"\r\nxyz\r\n",
        "a chunk of negative size": post + chunked + b"\r\n-5\r\nabc\r\n0\r\n\r\n",
        "a chunk of giant size": post + chunked + b"\r\nFFFFFFFFFFFFFFFFF\r\nabc",
        "long chunk extensions": post + chunked + b"\r\n5;" + b"x" * 100_000 + b"\r\nhello\r\n0\r\n\r\n",
        "no version": b"GET /\r\n\r\n",
        "version 9": b"GET / HTTP/9.9\r\n" + host + b"\r\n",
        "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\xaa" * 300 + b"\r\n\r\n",
        "a long target": b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n" + host + b"\r\n",
        "a long header": get + b"X: " + b"a" * 100_000 + b"\r\n\r\n",
        "a long name": get + b"X" * 100_000 + b": a\r\n\r\n",
        "many headers": get + b"".join(b"X-%d: y\r\n" % n for n in range(5_000)) + b"\r\n",
        "a method that is none": b"GE(T / HTTP/1.1\r\n" + host + b"\r\n",
        "a long method": b"G" * 10_000 + b" / HTTP/1.1\r\n" + host + b"\r\n",
        "two hosts": get + b"Host: evil.test\r\n\r\n",
        "no host": b"GET / HTTP/1.1\r\n\r\n",
        "another host": b"GET / HTTP/1.1\r\nHost: evil.test\r\n\r\n",
        "an odd host": b"GET / HTTP/1.1\r\nHost: [::1\r\n\r\n",
        "a whole address": b"GET http://evil.test/ HTTP/1.1\r\nHost: evil.test\r\n\r\n",
        "an odd address": b"GET http://[ HTTP/1.1\r\n" + host + b"\r\n",
        "CONNECT": b"CONNECT evil.test:443 HTTP/1.1\r\nHost: evil.test:443\r\n\r\n",
        "OPTIONS *": b"OPTIONS * HTTP/1.1\r\n" + host + b"\r\n",
        "TRACE": b"TRACE / HTTP/1.1\r\n" + host + b"\r\n",
        "websocket": get + b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: x\r\n\r\n",
        "h2c": get + b"Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: x\r\n\r\n",
        "expect": post + b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\n{}x",
        "expect more": post + b"Expect: the-impossible\r\nContent-Length: 3\r\n\r\n{}x",
        "odd cookies": get + b"Cookie: " + b"session=\xff\xfe;;;=;a" * 50 + b"\r\n\r\n",
        "odd credentials": get + b"Authorization: Bearer \xff\xfe\r\n\r\n",
        "odd signature": get + b"Accept: application/activity+json\r\nSignature: keyId=\"\xff\",\"\r\n\r\n",
        "odd types": post + b"Content-Type: application/activity+json;;;=\xff\r\nContent-Length: 2\r\n\r\n{}",
        "an odd address in front": get + b"X-Forwarded-For: x, ,\xff, 999.1.1.1\r\nForwarded: for=\"[\r\n\r\n",
    }  # fmt: skip
    for name, shape in shapes.items():
        answer = await exchange(server, shape)
        found = statuses(answer)
        assert found, (name, answer[:200])  # never just cut
        assert max(found) < 500, (name, answer[:300])
        if inside in shape:
            assert found[0] in (400, 413, 415), (name, answer[:300])
            assert len(found) == 1, (name, answer[:600])


# Parts of paths, and questions.
PARTS = (
    "%00", "a%00b", "9" * 400, "-1", "9223372036854775808", "%ff%fe", "%C0%AE", "..", "%2e%2e%2f%2e%2e", "%2F",
    "x" * 5_000, "%F0%9F%92%A9", "'%22%3Cscript%3E", "@", "a@b@c", "%25", "%ZZ", "%0d%0aX:%20y", "1e5", "%D9%A3",
)  # fmt: skip
QUESTIONS = (
    "limit=-1&max_id=x&since_id=%00&min_id=" + "9" * 400, "limit=" + "9" * 5000, "max_id=9223372036854775808",
    "q=%ff%00&resolve=%00&type=%ff&offset=-5", "resource=%00", "resource=acct:%ff@%00", "resource=http://[",
    "resource=acct:a@b@c", "uri=%00&acct=%ff&id[]=%00&id[]=x&id=%00", "page=%00&page=true&min_id=%ff", "&&&=&=%",
    "types[]=%00&exclude_types[]=x&limit=1e9", "local=%ff&only_media=%00&tagged=%00&pinned=x", "a[b][c]=1&a=2",
    "token=%00&return=//evil.test&next=http://evil.test", "acct=alice@" + "x" * 4000, "x=" * 1500,
)  # fmt: skip


def addresses() -> Iterator[tuple[str, str]]:
    """Method and target, for every route of the server."""
    app = web.Application()
    app.router.add_routes(inbox_routes.routes)
    web_routes.add(app)
    routes = {(route.method, route.resource.canonical) for route in app.router.routes() if route.resource}
    for method, path in sorted(routes):
        if method == "HEAD" or (path.endswith("/") and path != "/"):
            continue
        if "{" in path:
            yield from (("DELETE" if method == "*" else method, filled(path, part)) for part in PARTS)
        if "{name}" in path and path.count("{") > 1:
            yield from ((method, filled(path, part, "alice")) for part in PARTS)
        if method == "GET":
            yield from (("GET", f"{filled(path, '1', 'alice')}?{question}") for question in QUESTIONS)


async def test_no_address_breaks_a_door(town: Town, server: Instance) -> None:
    """Every route, with hostile parts and questions: signed out, and signed in where it only reads."""
    kinds, requests = ["text/html", "application/activity+json"], []
    for number, (method, target) in enumerate(addresses()):
        head = f"{method} {target} HTTP/1.1\r\nHost: {server.domain}\r\nConnection: close\r\nContent-Length: 0\r\n"
        requests.append(f"{head}Accept: {kinds[number % 2]}\r\n\r\n")
        if method == "GET":
            requests.append(f"{head}Authorization: Bearer {server.tokens['alice']}\r\n\r\n")
    assert len(requests) > 2000
    waiting = iter(requests)

    async def lane() -> None:
        for request in waiting:
            found = statuses(await exchange(server, request.encode()))
            assert len(found) == 1, (request[:300], found)
            assert found[0] < 500, (request[:300], found)

    await asyncio.gather(*(lane() for _ in range(8)))
