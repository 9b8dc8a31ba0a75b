"""Ed25519 where a host says that it knows it, RSA for everybody else, and RSA again for who does not keep his word."""

import http_sf
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from multidict import CIMultiDict, CIMultiDictProxy

from federation import answers, keys, signatures
from federation.client import Budget
from federation.errors import Busy, Gone, Refused
from federation.peers import ONE_KNOCK, RSA_ONLY
from federation.signatures import ACCEPT_SIGNATURE, ACCEPT_SIGNATURE_OF_BODY, Message, parse, verify
from tests.federation.signing import NOW, OWNER, pair, public
from tests.federation.talking import BODY, KEY, always, client, itself, talking
from tests.federation.wire import Request, Script, Wire, http, wire

KEY_ID = f"{OWNER}#ed25519-key"
YOUNG = keys.load_private(KEY_ID, pair("ed25519").private)
KNOWN = {KEY_ID: keys.load_public(KEY_ID, OWNER, pair("ed25519").public), KEY.id: public()}
ASKS = {"Accept_Signature": ACCEPT_SIGNATURE_OF_BODY}


def signed_with(there: Wire, request: Request) -> str:
    """cavage, rfc9421 or ed25519; what is signed is verified."""
    message = Message(request.method, request.target, there.host, "http", request.headers, request.body or None)
    signature = parse(message)
    key = KNOWN[signature.key_id]
    verify(message, signature, key, signature.created or signature.date or NOW)
    return "ed25519" if key.kind == "ed25519" else signature.scheme


def manners(there: Wire) -> list[str]:
    return [signed_with(there, request) for request in there.requests]


def taking(*accepted: str, refusal: int = 401, **headers: str) -> Script:
    """A server that takes these alone.  `headers`: of all its answers."""
    return lambda there, request: http(202 if signed_with(there, request) in accepted else refusal, **headers)


async def post(ours, there, scheme=None, ed25519=YOUNG):
    return await ours.post(there.url("/inbox"), BODY, KEY, ed25519=ed25519, scheme=scheme)


def said(*values: str) -> CIMultiDictProxy[str]:
    return CIMultiDictProxy(CIMultiDict([("accept-signature", value) for value in values]))


# What they ask for


PIECES = [
    "sig1",
    "=",
    "(",
    ")",
    '"@method"',
    ";",
    "alg",
    '"',
    "ed25519",
    '"ed25519"',
    "created",
    "?1",
    ":YQ==:",
    ",",
    " ",
]


@given(st.lists(st.text(max_size=60) | st.lists(st.sampled_from(PIECES), max_size=30).map("".join), max_size=3))
@example(["é=ed25519"])
@example(['sig1=("@method";alg="ed25519")'])
@example(["ed25519", "(" * 2000])
@example(["\udcff ed25519"])
def test_whatever_stands_there_is_an_answer(values):
    assert answers.takes_ed25519(said(*values)) in (True, False)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "ed25519",
        "ed25519=1",
        'sig1="ed25519"',
        "sig1=()",
        'sig1=("@method");created;keyid="ed25519"',
        'sig1=("@method");alg="Ed25519"',
        'sig1=("@method");alg="rsa-v1_5-sha256";tag="ed25519"',
        'sig1=("@method";alg="ed25519")',
        'sig1=("@method");alg="ed25519" broken',
        'sig1=("@method");alg="ed25519"' + " " * answers.LONGEST_WISH,
    ],
)
def test_what_does_not_ask_for_ed25519(value):
    assert not answers.takes_ed25519(said(value))


@pytest.mark.parametrize(
    "values",
    [
        ['sig1=("@method" "@target-uri");alg="ed25519"'],
        ['a=();alg="rsa-v1_5-sha256", b=("@method");created;alg="ed25519";tag="x"'],
        ['a=();alg="rsa-v1_5-sha256"', 'b=();alg="ed25519"'],  # two headers are one list
        [ACCEPT_SIGNATURE],
        [ACCEPT_SIGNATURE_OF_BODY],
    ],
)
def test_what_asks_for_ed25519(values):
    assert answers.takes_ed25519(said(*values))


@pytest.mark.parametrize(("wish", "body"), [(ACCEPT_SIGNATURE, None), (ACCEPT_SIGNATURE_OF_BODY, BODY)])
@pytest.mark.parametrize("key", [KEY, YOUNG])
def test_we_ask_for_what_we_send(wish, body, key):
    method = "POST" if body else "GET"
    sent = signatures.sign("rfc9421", method, "https://far.test/inbox", key, NOW, body)["Signature-Input"]
    ((names, parameters),) = http_sf.parse(sent.encode(), tltype="dictionary").values()
    wanted = http_sf.parse(wish.encode(), tltype="dictionary")
    assert wanted[parameters["alg"]] == (names, {"created": True, "alg": parameters["alg"]})


# What they get


@pytest.mark.parametrize("refusal", [400, 401, 403])
@pytest.mark.parametrize("left", ["cavage", "rfc9421"])
async def test_who_refuses_it_gets_rsa_at_once_and_is_forgotten(refusal, left):
    now = [NOW]
    async with talking(taking(left, refusal=refusal), clock=lambda: now[0]) as (ours, there):
        first = await post(ours, there, "ed25519")
        assert (first.status, first.scheme) == (202, left)
        knocks = ["ed25519", "rfc9421", "cavage"]
        assert manners(there) == knocks[: knocks.index(left) + 1]
        del there.requests[:]
        assert (await post(ours, there, "ed25519")).scheme == left  # as another process may have learnt meanwhile
        assert manners(there) == [left]


async def test_who_says_that_he_knows_it_and_refuses_it_is_asked_again_after_a_while():
    now = [NOW]
    async with talking(taking("cavage", **ASKS), clock=lambda: now[0]) as (ours, there):
        for _ in range(3):
            assert (await post(ours, there, "cavage")).status == 202
        assert manners(there) == ["cavage", "ed25519", "cavage", "cavage"]
        now[0] += RSA_ONLY + 1
        await post(ours, there, "cavage")
        assert manners(there)[4:] == ["ed25519", "cavage"]


async def test_who_refuses_everything_is_not_asked_thrice_each_time():
    now = [NOW]
    async with talking(always(http(403, b"blocked", **ASKS)), clock=lambda: now[0]) as (ours, there):
        for _ in range(3):
            answer = await post(ours, there)
            assert (answer.status, answer.reason) == (403, "blocked")
        assert manners(there) == ["cavage", "ed25519", "rfc9421", "rfc9421", "rfc9421"]
        now[0] += ONE_KNOCK + 1
        await post(ours, there)
        assert len(there.requests) == 7


async def test_what_is_said_of_rsa_counts_when_both_are_refused():
    def script(there, request):
        return http(400, b"what?") if signed_with(there, request) == "ed25519" else http(401, b"no key")

    async with talking(script) as (ours, there):
        answer = await post(ours, there, "ed25519")
        assert (answer.status, answer.reason) == (401, "no key")


async def test_who_says_nothing_gets_rsa():
    async with talking(taking("cavage", "rfc9421", "ed25519")) as (ours, there):
        for scheme in (None, "rfc9421", "cavage"):
            answer = await post(ours, there, scheme)
            assert (answer.status, answer.scheme) == (202, scheme or "cavage")
        assert manners(there) == ["cavage", "rfc9421", "cavage"]


async def test_who_was_known_to_take_it_gets_it():
    async with talking(taking("ed25519")) as (ours, there):
        assert (await post(ours, there, "ed25519")).scheme == "ed25519"
        assert manners(there) == ["ed25519"]


async def test_who_asks_for_it_in_a_refusal_gets_it_at_once():
    async with talking(taking("ed25519", **ASKS)) as (ours, there):
        first, second = await post(ours, there), await post(ours, there)
        assert (first.status, first.scheme) == (second.status, second.scheme) == (202, "ed25519")
        assert manners(there) == ["cavage", "ed25519", "ed25519"]


@pytest.mark.parametrize("status", [202, 404, 410, 422, 500])
async def test_who_asks_for_it_in_any_answer_gets_it_next_time(status):
    async with talking(always(http(status, **ASKS))) as (ours, there):
        first = await post(ours, there)
        assert (first.status, first.scheme) == (status, "ed25519")
        await post(ours, there, "cavage")  # as the rows say that were written before
        assert manners(there) == ["cavage", "ed25519"]


async def test_what_a_host_said_to_a_fetch_counts_for_deliveries():
    def script(there, request):
        if request.method == "POST":
            return http(202)
        return itself(there, request) if request.scheme == "rfc9421" else http(401, Accept_Signature=ACCEPT_SIGNATURE)

    async with talking(script) as (ours, there):
        assert await ours.fetch_document(there.url("/a"), Budget(2))
        await post(ours, there)
        assert await ours.fetch_document(there.url("/b"), Budget(1))
        assert manners(there) == ["cavage", "rfc9421", "ed25519", "rfc9421"]


async def test_a_sender_without_such_a_key_does_not_make_us_forget():
    async with talking(taking("rfc9421", "ed25519")) as (ours, there):
        assert (await post(ours, there, "ed25519", ed25519=None)).scheme == "ed25519"
        assert (await post(ours, there, "ed25519")).scheme == "ed25519"
        assert manners(there) == ["rfc9421", "ed25519"]


async def test_a_digest_made_before_is_used_for_it_too():
    async with talking(always(http(202))) as (ours, there):
        made = {"rfc9421": "sha-256=:made:"}
        await ours.post(there.url("/inbox"), BODY, KEY, ed25519=YOUNG, digests=made, scheme="ed25519")
        assert there.requests[0].header("Content-Digest") == "sha-256=:made:"


@pytest.mark.parametrize("value", ['sig1=("@method";alg="ed25519', 'ed25519 \xff"', "ed25519," * 500])
async def test_hostile_wishes_are_no_trouble(value):
    async with talking(always(http(202, Accept_Signature=value))) as (ours, there):
        assert (await post(ours, there)).scheme == "cavage"


async def test_hosts_do_not_speak_for_each_other():
    async with wire(taking("cavage", **ASKS)) as loud, wire(taking("cavage")) as quiet, client() as ours:
        for there in (loud, quiet, loud, quiet):
            await post(ours, there)
        assert manners(quiet) == ["cavage", "cavage"]
        assert "ed25519" in manners(loud)


# Fetches


IMPLEMENTS = (signatures.RFC9421, signatures.ED25519)


def serving(*accepted: str, refusal: int = 401) -> Script:
    """A server whose documents are for who signs in one of these ways."""
    return lambda there, request: itself(there, request) if signed_with(there, request) in accepted else http(refusal)


async def fetch(ours, there, path):
    return await ours.fetch_document(there.url(path), Budget(3))


async def test_a_fetch_is_signed_with_rsa_until_a_document_says_that_ed25519_is_known():
    async with talking(serving("cavage", "ed25519"), ed25519=YOUNG) as (ours, there):
        await fetch(ours, there, "/a")
        ours.learn(there.host, (signatures.RFC9421,))
        await fetch(ours, there, "/b")
        ours.learn(there.host, IMPLEMENTS)
        ours.learn("other.test", ())
        await fetch(ours, there, "/c")
        assert manners(there) == ["cavage", "cavage", "ed25519"]


@pytest.mark.parametrize("refusal", [400, 401, 403, 500])
async def test_who_refuses_a_fetch_with_ed25519_gets_rsa_at_once_and_for_a_while(refusal):
    now = [NOW]
    async with talking(serving("rfc9421", refusal=refusal), ed25519=YOUNG, clock=lambda: now[0]) as (ours, there):
        ours.learn(there.host, IMPLEMENTS)
        await fetch(ours, there, "/a")
        ours.learn(there.host, IMPLEMENTS)  # as each of its actors says
        await fetch(ours, there, "/b")
        assert manners(there) == ["ed25519", "rfc9421", "rfc9421"]
        now[0] += RSA_ONLY + 1
        await fetch(ours, there, "/c")
        assert manners(there)[3:] == ["ed25519", "rfc9421"]


@pytest.mark.parametrize(("status", "error"), [(404, Gone), (410, Gone), (429, Busy), (503, Busy)])
async def test_what_is_not_about_the_key_is_not_asked_again(status, error):
    async with talking(always(http(status)), ed25519=YOUNG) as (ours, there):
        ours.learn(there.host, IMPLEMENTS)
        with pytest.raises(error):
            await fetch(ours, there, "/a")
        assert manners(there) == ["ed25519"]


async def test_who_refuses_every_fetch_is_not_asked_thrice_each_time():
    async with talking(always(http(403)), ed25519=YOUNG) as (ours, there):
        ours.learn(there.host, IMPLEMENTS)
        for _ in range(3):
            with pytest.raises(Refused):
                await fetch(ours, there, "/a")
        assert manners(there) == ["ed25519", "rfc9421", "cavage", "cavage", "cavage"]


async def test_without_such_a_key_fetches_are_signed_with_rsa():
    async with talking(serving("rfc9421")) as (ours, there):
        ours.learn(there.host, IMPLEMENTS)
        await fetch(ours, there, "/a")
        assert manners(there) == ["rfc9421"]
