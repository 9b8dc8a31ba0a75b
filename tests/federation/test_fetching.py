import gzip
import tracemalloc
import zlib
from collections.abc import Callable
from contextlib import suppress

import orjson
import pytest

from federation.answers import LARGEST, is_activity, is_json
from federation.client import Budget
from federation.errors import Forged, Malformed, Refused, Unreachable
from tests.federation.talking import BODY, KEY, always, client, endless, itself, talking
from tests.federation.wire import ACTIVITY, Script, document, http, wire

# How much


def packed(body: bytes, encoding: str = "gzip") -> bytes:
    return http(200, body, ACTIVITY, Content_Encoding=encoding)


BOMB = gzip.compress(b'{"id":"' + b" " * 50_000_000)


@pytest.mark.parametrize(
    "answer",
    [
        document({"id": "x" * LARGEST}),
        b"HTTP/1.1 200 OK\r\nContent-Type: application/activity+json\r\nContent-Length: 9999999999\r\n\r\n",
        http(200, b"{", ACTIVITY),
        http(200, b"[]", ACTIVITY),
        http(200, b"[" * 100_000, ACTIVITY),
        http(200, b'{"id":"a","id":"b"}', ACTIVITY),
        document({"type": "Note"}),
        document({"id": 1}),
        document({"id": ["https://far.test/"]}),
    ],
)
async def test_what_is_too_large_or_no_document_is_malformed(answer):
    async with talking(always(answer)) as (ours, there):
        with pytest.raises(Malformed):
            await ours.fetch_document(there.url("/a"), Budget(20))


def spoiled(how: Callable[[bytes], bytes], encoding: str = "gzip") -> Script:
    """Answers an honest document, but for how it is packed."""
    return lambda there, request: packed(how(orjson.dumps({"id": there.url("/a")})), encoding)


@pytest.mark.parametrize(
    "script",
    [
        always(packed(BOMB)),
        always(packed(gzip.compress(BOMB))),
        spoiled(lambda body: gzip.compress(body.ljust(900_000))),
        spoiled(lambda body: gzip.compress(body)[:-4]),
        spoiled(lambda body: gzip.compress(body) + gzip.compress(b" ")),
        spoiled(lambda body: b""),
        spoiled(lambda body: body),
        spoiled(zlib.compress, "deflate"),
        spoiled(lambda body: body, "br"),
        spoiled(lambda body: gzip.compress(gzip.compress(body)), "gzip, gzip"),
    ],
    ids=["bomb", "bomb twice", "ratio", "cut", "continued", "empty", "not packed", "deflate", "br", "packed twice"],
)
async def test_what_is_packed_otherwise_is_malformed(script):
    async with talking(script) as (ours, there):
        with pytest.raises(Malformed, match=r"body|Content-Encoding|JSON"):
            await ours.fetch_document(there.url("/a"), Budget(20))


async def test_a_bomb_is_never_unpacked():
    async with talking(always(packed(BOMB))) as (ours, there):
        tracemalloc.start()
        with pytest.raises(Malformed):
            await ours.fetch_document(there.url("/a"), Budget(20))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 8 * LARGEST


async def test_an_endless_answer_is_cut():
    async with talking(endless) as (ours, there):
        with pytest.raises(Malformed):
            await ours.fetch_document(there.url("/a"), Budget(20))


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/1.1 999999 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 100_000 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Type: application/activity+json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Type: application/activity+json\r\nContent-Length: 10\r\n\r\n{}",
    ],
)
async def test_what_is_no_http_is_unreachable(answer):
    async def cut(there, request):
        there.writer.write(answer)
        there.writer.close()
        return b""

    async with talking(cut) as (ours, there):
        with pytest.raises(Unreachable):
            await ours.fetch_document(there.url("/a"), Budget(20))
    async with talking(cut) as (ours, there):  # a delivery wants an answer, not its body
        with suppress(Unreachable):
            assert (await ours.post(there.url("/a"), BODY, KEY)).status == 200


async def test_compressed_documents_are_read():
    def script(there, request):
        assert request.header("Accept-Encoding") == "gzip"
        return packed(gzip.compress(orjson.dumps({"id": there.url("/a"), "x": "y" * 1000})))

    async with talking(script) as (ours, there):
        assert (await ours.fetch_document(there.url("/a"), Budget(20))).document["x"] == "y" * 1000


# What it is


@pytest.mark.parametrize(
    "kind",
    [
        None,
        "",
        "text/html",
        "application/json",
        "application/octet-stream",
        "image/png",
        "application/ld+json",
        'application/ld+json; profile="https://www.w3.org/ns/other"',
        'application/ld+json; profile="https://www.w3.org/ns/activitystreams-not"',
        'text/plain; x="application/activity+json"',
        "application/activity+json, text/html",
        "xapplication/activity+json",
    ],
)
async def test_a_document_of_another_type_is_refused(kind):
    def script(there, request):
        return document({"id": there.url("/a")}, kind)

    async with talking(script) as (ours, there):
        with pytest.raises(Malformed, match="Content-Type"):
            await ours.fetch_document(there.url("/a"), Budget(20))


async def test_a_type_said_twice_is_refused():
    def script(there, request):
        return document({"id": there.url("/a")}, f"{ACTIVITY}\r\nContent-Type: text/html")

    async with talking(script) as (ours, there):
        with pytest.raises(Malformed, match="Content-Type"):
            await ours.fetch_document(there.url("/a"), Budget(20))


@pytest.mark.parametrize(
    "kind",
    [
        "application/activity+json",
        "Application/Activity+JSON; charset=utf-8",
        'application/ld+json; profile="https://www.w3.org/ns/activitystreams"',
        "application/ld+json;profile=https://www.w3.org/ns/activitystreams",
        'application/ld+json; charset=utf-8; Profile="https://example.test https://www.w3.org/ns/activitystreams"',
    ],
)
def test_the_types_of_activitypub_are_known(kind):
    assert is_activity(kind)


def test_json_types_are_known():
    assert is_json("application/json")
    assert is_json("application/jrd+json; charset=utf-8")
    assert is_json(ACTIVITY)
    assert not is_json("text/json")
    assert not is_json("application/jsonp")
    assert not is_json("")


async def test_a_document_that_says_to_be_another_is_believed_only_where_that_one_is():
    def script(there, request):
        if request.target == "/@alice":
            return document({"id": there.url("/users/alice"), "name": "not to be believed"})
        return document({"id": there.url("/users/alice"), "name": "Alice"})

    async with talking(script) as (ours, there):
        found = await ours.fetch_document(there.url("/@alice"), Budget(20))
        assert found.url == there.url("/users/alice")
        assert found.document["name"] == "Alice"


async def test_a_document_of_another_host_is_asked_for_there():
    async with wire(itself) as honest:

        def lie(there, request):
            return document({"id": honest.url("/users/bob"), "type": "Person"})

        async with talking(lie) as (ours, there):
            found = await ours.fetch_document(there.url("/users/eve"), Budget(20))
            assert found.document == {"id": honest.url("/users/bob"), "type": "Note"}
            assert [request.target for request in honest.requests] == ["/users/bob"]


async def test_a_document_whose_id_is_elsewhere_twice_is_forged():
    def script(there, request):
        return document({"id": there.url(request.target + "x")})

    async with talking(script) as (ours, there):
        with pytest.raises(Forged):
            await ours.fetch_document(there.url("/a"), Budget(20))
        assert len(there.requests) == 2


async def test_an_honest_host_that_redirects_to_a_forger_is_not_the_author():
    async with wire(lambda there, request: document({"id": honest.url("/users/bob")})) as forger:
        script = always(http(302, Location=forger.url("/forged")))
        async with wire(script) as honest, client() as ours:
            with pytest.raises(Forged):
                await ours.fetch_document(honest.url("/users/bob"), Budget(20))


async def test_an_id_at_a_private_address_is_not_asked_for():
    async with talking(always(document({"id": "http://10.0.0.1/users/root"}))) as (ours, there):
        with pytest.raises(Refused, match="not a public"):
            await ours.fetch_document(there.url("/a"), Budget(20))


@pytest.mark.parametrize(
    ("asked", "claimed"), [("/a#main-key", "/a"), ("/a", "/a#main-key"), ("/é", "/%C3%A9"), ("/%C3%A9", "/é")]
)
async def test_fragments_and_spellings_make_no_other_document(asked, claimed):
    def script(there, request):
        return document({"id": there.url(claimed)})

    async with talking(script) as (ours, there):
        assert (await ours.fetch_document(there.url(asked), Budget(20))).document
        assert len(there.requests) == 1


async def test_a_redirect_leads_to_the_document():
    def script(there, request):
        return itself(there, request) if request.target == "/b" else http(301, Location="b#fragment")

    async with talking(script) as (ours, there):
        found = await ours.fetch_document(there.url("/a"), Budget(20))
        assert found.url == there.url("/b")
