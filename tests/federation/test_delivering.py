import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path

import pytest
import trustme
from aiohttp.client_proto import ResponseHandler

from federation.client import Budget, Client, Limits
from federation.digest import digest_header
from federation.errors import Malformed, Unreachable
from federation.guard import Guard
from federation.peers import ONE_KNOCK, Peers
from federation.signatures import Message, parse, verify
from tests.federation.signing import NOW, public
from tests.federation.talking import (
    BODY,
    IMPATIENT,
    KEY,
    LAB,
    always,
    client,
    drip,
    endless,
    itself,
    resolving,
    silence,
    talking,
)
from tests.federation.wire import Request, Script, Wire, http, wire
from tests.ports import free_port

# Signatures


def check(there: Wire, request: Request) -> None:
    """That `request` is signed by KEY."""
    body = request.body or None
    message = Message(request.method, request.target, there.host, "http", request.headers, body)
    verify(message, parse(message), public(), NOW)


@pytest.mark.parametrize("scheme", ["cavage", "rfc9421"])
async def test_fetches_are_signed_each_hop_anew(scheme):
    def script(there, request):
        if request.scheme != scheme:
            return http(401)
        check(there, request)
        return itself(there, request) if request.target == "/b?c=%20d" else http(302, Location="/b?c=%20d")

    async with talking(script) as (ours, there):
        assert await ours.fetch_document(there.url("/a"), Budget(20))
        assert there.requests[-1].header("Accept") == (
            'application/activity+json, application/ld+json; profile="https://www.w3.org/ns/activitystreams"'
        )
        assert there.requests[-1].header("User-Agent") == "test"


@pytest.mark.parametrize("scheme", ["cavage", "rfc9421"])
async def test_deliveries_are_signed(scheme):
    def script(there, request):
        if request.scheme != scheme:
            return http(401)
        check(there, request)
        return http(202)

    async with talking(script) as (ours, there):
        headers = {"Collection-Synchronization": "x"}
        answer = await ours.post(there.url("/inbox?a=b"), BODY, KEY, scheme=scheme, headers=headers)
        assert (answer.status, answer.scheme, answer.reason) == (202, scheme, "")
        (request,) = there.requests
        assert request.body == BODY
        assert request.header("Content-Type") == "application/activity+json"
        assert request.header("Collection-Synchronization") == "x"
        assert request.header("Host") == there.host


async def test_a_digest_made_before_is_used():
    async with talking(always(http(202))) as (ours, there):
        await ours.post(there.url("/inbox"), BODY, KEY, digests={"cavage": digest_header(b"other")})
        assert there.requests[0].header("Digest") == digest_header(b"other")


async def test_unsigned_fetches_are_unsigned():
    async with talking(always(http(200, b"{}", "application/json"))) as (ours, there):
        assert (await ours.fetch_json(there.url("/a"), Budget(1), "application/json")).document == {}
        assert there.requests[0].scheme is None


def only(scheme: str, refusal: int = 401) -> Script:
    """A server that knows one scheme alone."""
    return lambda there, request: itself(there, request) if request.scheme == scheme else http(refusal)


@pytest.mark.parametrize("refusal", [401, 403])
async def test_the_other_scheme_is_tried_once_and_remembered(refusal):
    async with talking(only("rfc9421", refusal)) as (ours, there):
        for path in ("/a", "/b"):
            assert await ours.fetch_document(there.url(path), Budget(2))
        assert await ours.post(there.url("/inbox"), BODY, KEY)
        assert [request.scheme for request in there.requests] == ["cavage", "rfc9421", "rfc9421", "rfc9421"]


@pytest.mark.parametrize("refusal", [400, 401, 403])
async def test_a_delivery_knocks_twice_and_remembers(refusal):
    async with talking(only("cavage", refusal)) as (ours, there):
        first = await ours.post(there.url("/inbox"), BODY, KEY, scheme="rfc9421")
        second = await ours.post(there.url("/inbox"), BODY, KEY)
        assert (first.status, first.scheme) == (second.status, second.scheme) == (200, "cavage")
        assert [request.scheme for request in there.requests] == ["rfc9421", "cavage", "cavage"]


async def test_who_refuses_both_schemes_is_not_asked_twice_each_time():
    now = [NOW]
    async with talking(always(http(403, b"blocked")), clock=lambda: now[0]) as (ours, there):
        answers = [await ours.post(there.url("/inbox"), BODY, KEY) for _ in range(3)]
        assert {(answer.status, answer.reason, answer.scheme) for answer in answers} == {(403, "blocked", "cavage")}
        assert len(there.requests) == 4
        now[0] += ONE_KNOCK + 1
        await ours.post(there.url("/inbox"), BODY, KEY)
        assert len(there.requests) == 6


def test_what_is_remembered_of_hosts_is_bounded():
    peers = Peers(most=3)
    kept = peers.of("a")
    for host in ("b", "c", "a", "d", "e"):
        peers.of(host)
    assert len(peers) == 3
    assert peers.of("a") is kept
    assert peers.of("b").scheme is None


# Deliveries


@pytest.mark.parametrize("status", [200, 202, 301, 307, 404, 410, 413, 429, 500, 503])
async def test_any_status_is_an_answer_and_redirects_are_not_followed(status):
    async with talking(always(http(status, b"word", Location="/elsewhere"))) as (ours, there):
        assert (await ours.post(there.url("/inbox"), BODY, KEY)).status == status
        assert len(there.requests) == 1


async def test_a_connection_is_kept_for_the_next_delivery_whatever_the_answer():
    def script(there, request):
        return http((202, 404, 500)[len(there.requests) % 3], b"x" * 20_000)

    async with talking(script) as (ours, there):
        for _ in range(6):
            await ours.post(there.url("/inbox"), BODY, KEY)
        assert there.connections == 1


@pytest.mark.parametrize("script", [endless, partial(drip, start=b"HTTP/1.1 202 OK\r\nContent-Length: 9999\r\n\r\n")])
async def test_an_answer_without_end_is_an_answer(script):
    async with talking(script, limits=IMPATIENT) as (ours, there):
        assert (await ours.post(there.url("/inbox"), BODY, KEY)).status in (200, 202)


async def test_a_delivery_to_a_silent_host_is_given_up():
    async with talking(silence, limits=IMPATIENT) as (ours, there):
        with pytest.raises(Unreachable, match="too long"):
            await ours.post(there.url("/inbox"), BODY, KEY)


async def test_a_delivery_to_nobody_is_unreachable():
    async with client() as ours:
        with pytest.raises(Unreachable):
            await ours.post(f"http://127.0.0.1:{free_port()}/inbox", BODY, KEY)


async def test_a_kept_connection_that_ends_in_this_moment_is_no_failure():
    async def script(there, request):
        if len(there.requests) == 2:  # as if it had been closed while the request was on its way
            there.writer.close()
            return b""
        return http(202)

    async with talking(script) as (ours, there):
        for _ in range(2):
            assert (await ours.post(there.url("/inbox"), BODY, KEY)).status == 202
        assert len(there.requests) == 3


async def test_what_is_said_before_the_answer_is_not_the_answer():
    early = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"
    async with talking(always(early + http(202))) as (ours, there):
        for _ in range(2):
            assert (await ours.post(there.url("/inbox"), BODY, KEY)).status == 202
        assert there.connections == 1


async def test_what_was_said_before_we_asked_is_no_answer():
    answered = asyncio.Event()

    async def script(there, request):
        there.writer.write(http(500))  # as the first answer
        if there.connections == 1:
            await answered.wait()
            return http(202)
        return b""

    async with talking(script) as (ours, there):
        assert (await ours.post(there.url("/inbox"), BODY, KEY)).status == 500
        answered.set()
        async with asyncio.timeout(60):
            while not any(len(kept) for kept in _kept(ours)):
                await asyncio.sleep(0)
        assert (await ours.post(there.url("/inbox"), BODY, KEY)).status == 500
        assert there.connections == 2


def _kept(ours: Client) -> list[ResponseHandler]:
    connector = ours._transport._session.connector
    return [handler for kept in connector._conns.values() for handler, _ in kept]


async def test_an_answer_to_half_a_request_ends_the_connection():
    talks, answered = [], asyncio.Event()

    async def refuse(reader, writer):
        talks.append(asyncio.current_task())
        await reader.readuntil(b"\r\n\r\n")
        writer.write(http(413, b"too much"))
        await answered.wait()
        with suppress(ConnectionError):
            while await reader.read(1 << 20):  # what was on its way, and then the end
                pass
        writer.transport.abort()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/inbox"
        async with client() as ours:
            for _ in range(2):
                answer = await ours.post(url, b"x" * 20_000_000, KEY)
                assert (answer.status, answer.reason) == (413, "too much")
            assert len(talks) == 2
            answered.set()
            async with asyncio.timeout(60):
                await asyncio.gather(*talks)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: y\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 202 Accepted\r\nContent-Length: 5\r\n\r\nhello",
    ],
)
async def test_an_answer_in_any_form_keeps_the_connection(answer):
    async with talking(always(answer)) as (ours, there):
        for _ in range(3):
            assert 200 <= (await ours.post(there.url("/inbox"), BODY, KEY)).status < 300
        assert there.connections == 1


@pytest.mark.parametrize(
    "answer", [b"HTTP/1.0 202 Yes\r\n\r\nhello", b"HTTP/1.1 202 Yes\r\nConnection: close\r\n\r\nhello"]
)
async def test_an_answer_that_ends_with_its_connection_is_one(answer):
    async def script(there, request):
        there.writer.write(answer)
        await there.writer.drain()
        there.writer.close()
        return b""

    async with talking(script) as (ours, there):
        for _ in range(2):
            assert (await ours.post(there.url("/inbox"), BODY, KEY)).status == 202
        assert there.connections == 2


@pytest.mark.parametrize(
    "answer", [b"SSH-2.0\r\n\r\n", b"HTTP/1.1 202 Yes\r\nA: b\r\n c\0\r\n\r\n", b"HTTP/1.1 99999 X\r\n\r\n"]
)
async def test_what_is_no_http_is_unreachable_in_one_line(answer):
    async with talking(always(answer)) as (ours, there):
        with pytest.raises(Unreachable) as refusal:
            await ours.post(there.url("/inbox"), BODY, KEY)
        assert "\n" not in str(refusal.value)


async def test_a_header_cannot_bring_another():
    async with talking(always(http(202))) as (ours, there):
        for value in ("a\r\nb: c", "a\nb", "a\0b"):
            with pytest.raises(Malformed):
                await ours.push(there.url("/inbox"), BODY, {"X": value})
        assert not there.requests


async def test_connections_beyond_the_limit_are_not_kept():
    async with wire(always(http(202))) as first, wire(always(http(202))) as second:
        async with client(limits=Limits(connections=1)) as ours:
            for there in (first, second, first, second):
                await ours.post(there.url("/inbox"), BODY, KEY)
        assert [request.header("Connection") for request in first.requests] == [None, None]
        assert [request.header("Connection") for request in second.requests] == ["close", "close"]


async def test_a_cookie_is_not_kept():
    async with talking(always(http(202, Set_Cookie="a=b; Path=/")), lookup=resolving({"far.test": "127.0.0.1"})) as (
        ours,
        there,
    ):
        for _ in range(2):
            await ours.post(f"http://far.test:{there.port}/inbox", BODY, KEY)
        assert there.requests[1].header("Cookie") is None


# TLS


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> Iterator[str]:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    return str(tmp_path / "ca.pem")


@asynccontextmanager
async def tls(authority: trustme.CA, name: str) -> AsyncIterator[int]:
    """The port of a server for `name`, whose every answer is 202."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(name).configure_cert(context)

    async def serve(reader, writer):
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(http(202, Connection="close"))
            await writer.drain()
        writer.transport.abort()

    async with await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context) as server:
        yield server.sockets[0].getsockname()[1]


async def test_an_authority_of_the_operator_is_trusted_and_nobody_else(authority, ca_file):
    guard = Guard(private_networks=LAB.private_networks)
    lookup = resolving({"far.test": "127.0.0.1", "other.test": "127.0.0.1"})
    async with tls(authority, "far.test") as port:
        async with client(guard=guard, lookup=lookup) as ours:
            with pytest.raises(Unreachable, match="its certificate is not good: "):
                await ours.post(f"https://far.test:{port}/inbox", BODY, KEY)
        async with client(guard=guard, lookup=lookup, ca_file=ca_file) as ours:
            assert (await ours.post(f"https://far.test:{port}/inbox", BODY, KEY)).status == 202
            with pytest.raises(Unreachable, match="its certificate is not good: "):
                await ours.post(f"https://other.test:{port}/inbox", BODY, KEY)
