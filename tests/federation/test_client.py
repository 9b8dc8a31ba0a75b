import asyncio
import socket
from functools import partial

import orjson
import pytest

from federation import answers
from federation.client import REDIRECTS, Budget, Limits
from federation.errors import Gone, Refused, Unreachable
from federation.guard import Guard
from tests.federation.signing import NOW
from tests.federation.talking import (
    BODY,
    IMPATIENT,
    KEY,
    always,
    client,
    drip,
    itself,
    resolving,
    silence,
    talking,
)
from tests.federation.wire import ACTIVITY, http, wire

# Where it goes


@pytest.mark.parametrize("url", ["https://127.0.0.1/", "https://127.1/", "https://[::1]/", "https://2130706433/"])
async def test_a_private_address_is_not_asked(url):
    async with client(guard=Guard()) as ours:
        with pytest.raises(Refused):
            await ours.fetch_document(url, Budget(20))
        with pytest.raises(Refused):
            await ours.post(url, BODY, KEY)


async def test_a_name_that_leads_to_a_private_address_is_not_asked():
    async with wire(itself) as there:
        lookup = resolving({"evil.test": "127.0.0.1"})
        async with client(guard=Guard(allow_http=True), lookup=lookup) as ours:
            for _ in range(2):  # the second time from the memory of names, if there were any
                with pytest.raises(Refused, match="not a public address"):
                    await ours.fetch_document(f"http://evil.test:{there.port}/", Budget(20))
                with pytest.raises(Refused, match="not a public address"):
                    await ours.post(f"http://evil.test:{there.port}/inbox", BODY, KEY)
        assert there.connections == 0


async def test_a_name_that_leads_elsewhere_the_second_time_is_judged_by_where_it_leads():
    answers = iter(["8.8.8.8", "127.0.0.1"])

    class Rebinding(Guard):
        """Lets the resolver pass, whatever it found, as if the name had changed its mind in between."""

        def allows(self, address: str) -> bool:
            return next(answers) == "8.8.8.8" if address == "127.0.0.1" else super().allows(address)

    async with wire(itself) as there:
        lookup = resolving({"evil.test": "127.0.0.1"})
        async with client(guard=Rebinding(allow_http=True), lookup=lookup) as ours:
            with pytest.raises(Refused, match="not a public address"):
                await ours.fetch_document(f"http://evil.test:{there.port}/", Budget(20))
        assert there.connections == 0


async def test_a_name_with_several_private_addresses_is_refused_as_well():
    def lookup(host, port, *more):
        return socket.getaddrinfo("127.0.0.1", port, *more) + socket.getaddrinfo("127.0.0.2", port, *more)

    async with client(guard=Guard(allow_http=True), lookup=lookup) as ours:
        with pytest.raises(Refused):
            await ours.fetch_document("http://evil.test:8000/", Budget(20))


@pytest.mark.parametrize("place", ["http://10.0.0.1/", "http://169.254.169.254/latest", "//[::1]/", "http://0/"])
async def test_a_redirect_to_a_private_address_is_not_followed(place):
    async with talking(always(http(302, Location=place))) as (ours, there):
        with pytest.raises(Refused, match="not a public"):
            await ours.fetch_document(there.url("/a"), Budget(20))


@pytest.mark.parametrize(
    "place", ["ftp://far.test/", "http://u:p@far.test/", "http://a b/", "http://x:99999/", "http://["]
)
async def test_a_redirect_to_no_usable_address_is_not_followed(place):
    async with talking(always(http(302, Location=place))) as (ours, there):
        with pytest.raises(Refused):
            await ours.fetch_document(there.url("/a"), Budget(20))


async def test_a_name_that_nobody_knows_is_unreachable_and_asked_for_once():
    asked = []

    def lookup(host, *_):
        asked.append(host)
        raise socket.gaierror(socket.EAI_NONAME, "no such name")

    async with client(guard=Guard(), lookup=lookup) as ours:
        with pytest.raises(Unreachable, match="its name leads nowhere: no such name"):
            await ours.fetch_document("https://nowhere.test/", Budget(20))
        with pytest.raises(Unreachable, match="its name leads nowhere: no such name"):
            await ours.post("https://nowhere.test/inbox", BODY, KEY)
    assert len(asked) == 2


async def test_what_an_admin_reads_of_a_server_that_is_off_is_short():
    async with client() as ours:
        with pytest.raises(Unreachable) as refusal:
            await ours.post("http://127.0.0.1:9/inbox", BODY, KEY)
    assert refusal.value.reason == "Connection refused"


async def test_a_host_that_the_policy_refuses_is_not_asked_also_after_a_redirect():
    async with wire(itself) as blocked:
        policy = lambda host: host != blocked.host  # noqa: E731
        async with talking(always(http(301, Location=blocked.url("/x"))), policy=policy) as (ours, there):
            for url in (blocked.url("/x"), there.url("/a")):
                with pytest.raises(Refused, match="do not talk"):
                    await ours.fetch_document(url, Budget(20))
            with pytest.raises(Refused, match="do not talk"):
                await ours.post(blocked.url("/inbox"), BODY, KEY)
        assert blocked.requests == []


# How often


async def test_a_redirect_loop_ends():
    async with talking(always(http(302, Location="/again"))) as (ours, there):
        with pytest.raises(Refused, match="redirects"):
            await ours.fetch_document(there.url("/a"), Budget(20))
        assert len(there.requests) == REDIRECTS + 1


async def test_the_budget_counts_every_request():
    async with talking(always(http(302, Location="/again"))) as (ours, there):
        budget = Budget(2)
        with pytest.raises(Refused, match="budget"):
            await ours.fetch_document(there.url("/a"), budget)
        assert len(there.requests) == 2
        with pytest.raises(Refused, match="budget"):
            await ours.fetch_json(there.url("/a"), budget, "application/json")
        assert len(there.requests) == 2


# How long


@pytest.mark.parametrize(
    "script",
    [
        silence,
        partial(drip, start=b"HTTP/1.1 200 OK\r\nX: "),
        partial(
            drip, start=b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\nContent-Type: application/activity+json\r\n\r\n"
        ),
        partial(drip, start=b"HTTP/1.1 200 OK\r\nContent-Type: application/activity+json\r\n\r\n"),
    ],
    ids=["silent", "slow headers", "slow body", "slow body without end"],
)
async def test_a_slow_answer_is_given_up(script):
    async with talking(script, limits=IMPATIENT) as (ours, there):
        with pytest.raises(Unreachable, match="too long"):
            await ours.fetch_document(there.url("/a"), Budget(20))


async def test_a_body_may_take_longer_than_the_headers(leap, monkeypatch):
    begun, read = asyncio.Event(), answers.body_of

    async def body_of(*what, **more):
        begun.set()
        return await read(*what, **more)

    async def script(there, request):
        body = orjson.dumps({"id": there.url("/a")})
        whole = http(200, body, ACTIVITY)
        there.writer.write(whole[: -len(body)])
        await begun.wait()
        leap(60)
        await asyncio.sleep(0.01)  # in which a limit of 60 seconds would be found to be over
        return body

    monkeypatch.setattr(answers, "body_of", body_of)
    async with talking(script, limits=Limits(headers=60, total=3600)) as (ours, there):
        assert await ours.fetch_document(there.url("/a"), Budget(20))


async def test_slow_redirects_share_one_time_limit():
    async def slowly(there, request):
        await asyncio.sleep(0.11)
        return http(302, Location="/again")

    async with talking(slowly, limits=IMPATIENT) as (ours, there):
        with pytest.raises(Unreachable, match="too long"):
            await ours.fetch_document(there.url("/a"), Budget(20))


async def test_a_host_is_asked_a_few_things_at_a_time():
    here, most, together = 0, 0, asyncio.Event()

    async def script(there, request):
        nonlocal here, most
        here += 1
        most = max(here, most)
        if here == 2:
            together.set()
        await together.wait()
        await asyncio.sleep(0.01)  # in which a third would come
        here -= 1
        return http(202)

    async with talking(script, limits=Limits(per_host=2)) as (ours, there):
        await asyncio.gather(*(ours.post(there.url("/inbox"), BODY, KEY) for _ in range(8)))
        assert len(there.requests) == 8
        assert most == 2


# What they say


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (404, Gone),
        (410, Gone),
        (400, Refused),
        (401, Refused),
        (403, Refused),
        (406, Refused),
        (304, Refused),
        (300, Refused),
        (204, Refused),
        (408, Unreachable),
        (429, Unreachable),
        (500, Unreachable),
        (503, Unreachable),
    ],
)
async def test_what_a_status_means(status, error):
    async with talking(always(http(status, b"" if status in (204, 304) else b"because"))) as (ours, there):
        with pytest.raises(error):
            await ours.fetch_document(there.url("/a"), Budget(20))
        with pytest.raises(error):
            await ours.fetch_json(there.url("/a"), Budget(20), "application/json")


async def test_who_asks_for_quiet_gets_it():
    now = [NOW]

    def script(there, request):
        return http(429, Retry_After="30") if len(there.requests) == 1 else itself(there, request)

    async with talking(script, clock=lambda: now[0]) as (ours, there):
        for _ in range(3):
            with pytest.raises(Unreachable):
                await ours.fetch_document(there.url("/a"), Budget(20))
        assert len(there.requests) == 1
        now[0] += 31
        assert await ours.fetch_document(there.url("/a"), Budget(20))


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("120", 120),
        ("0", 0),
        ("9" * 50, 7 * 86400),
        ("Tue, 14 Nov 2023 22:14:20 GMT", 60),
        ("Tue, 14 Nov 2000 22:14:20 GMT", 0),
        ("-5", None),
        ("soon", None),
        ("²", None),
        ("Tue, 99 Nov 99999 22:14:20 GMT", None),
    ],
)
async def test_retry_after_is_understood(said, seconds):
    async with talking(always(http(429, Retry_After=said))) as (ours, there):
        assert (await ours.post(there.url("/inbox"), BODY, KEY)).retry_after == seconds


async def test_a_reason_is_one_line_for_people():
    body = b"<b>No\r\n\x1b[31m\xe2\x80\xaeway\xff" + b" why" * 2000
    async with talking(always(http(422, body, "text/html"))) as (ours, there):
        answer = await ours.post(there.url("/inbox"), BODY, KEY)
        assert answer.reason.startswith("<b>No [31m way\ufffd why why")
        assert len(answer.reason) <= 200
        assert answers.cleaned("a\u2066b\u0085c") == "a b c"
