import asyncio
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.client import Budget
from federation.errors import FederationError, Forged, Gone, Malformed, Refused, Unreachable
from federation.handles import parse_handle
from federation.nodeinfo import Software, software
from federation.webfinger import Fingered, finger
from tests.federation.talking import client, talking
from tests.federation.wire import ACTIVITY, http, wire

SELF = {"rel": "self", "type": ACTIVITY, "href": "https://far.test/users/alice"}
PROFILED = {**SELF, "type": 'application/ld+json; profile="https://www.w3.org/ns/activitystreams"'}


def jrd(of: object, kind: str = "application/jrd+json") -> bytes:
    return http(200, orjson.dumps(of), kind)


# Handles


@pytest.mark.parametrize(
    ("text", "handle"),
    [
        ("alice@far.test", ("alice", "far.test")),
        ("@alice@far.test", ("alice", "far.test")),
        ("acct:alice@far.test", ("alice", "far.test")),
        (" @Alice@FAR.test ", ("Alice", "far.test")),
        ("a.b-c_d@far.test", ("a.b-c_d", "far.test")),
        ("alice@bücher.test", ("alice", "xn--bcher-kva.test")),
        ("alice@BÜCHER.test", ("alice", "xn--bcher-kva.test")),
        ("alice@xn--bcher-kva.test", ("alice", "xn--bcher-kva.test")),
        ("alice@localhost:8001", ("alice", "localhost:8001")),
        ("alice@127.0.0.1:8001", ("alice", "127.0.0.1:8001")),
    ],
)
def test_handles_are_read(text, handle):
    assert parse_handle(text) == handle


@pytest.mark.parametrize(
    "text",
    [
        "",
        "alice",
        "@alice",
        "@",
        "@@",
        "alice@",
        "@far.test",
        "@@alice@far.test",
        "alice@far.test@evil.test",
        "alice@far.test/x",
        "alice@far.test:",
        "alice@far.test:x",
        "alice@far.test:0",
        "alice@far.test:123456",
        "alice@far.test?x",
        "alice@far test",
        "alice@far..test",
        "alice@far.test.",
        "al ice@far.test",
        "al/ice@far.test",
        "alice@[::1]",
        "alice@xn--a.test",
        "https://far.test/@alice",
        "a" * 600 + "@far.test",
    ],
)
def test_what_is_no_handle_is_none(text):
    assert parse_handle(text) is None


@given(st.text(max_size=80) | st.text(max_size=40).map("a@{}".format))
def test_any_text_is_a_handle_or_none(text):
    if found := parse_handle(text):
        name, domain = found
        assert domain.isascii()
        assert domain == domain.lower()
        assert parse_handle(f"{name}@{domain}") == found


# Fingers


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"links": None},
        {"links": {}},
        {"links": [None, 1, [], {}]},
        {"links": [{**SELF, "rel": "me"}]},
        {"links": [{**SELF, "type": "text/html"}]},
        {"links": [{**SELF, "type": "application/ld+json"}]},
        {"links": [{**SELF, "type": [ACTIVITY]}]},
        {"links": [{**SELF, "href": None}]},
        {"subject": "acct:alice@far.test"},
    ],
)
async def test_an_answer_without_an_actor_is_malformed(document):
    async with talking(lambda there, request: jrd(document)) as (ours, there):
        with pytest.raises(Malformed):
            await finger(ours, f"alice@{there.host}", Budget(20))


@pytest.mark.parametrize(
    "href", ["https://10.0.0.1/users/root", "javascript:alert(1)", "https://u@far.test/", "/users/a"]
)
async def test_an_actor_at_no_public_address_is_refused(href):
    async with talking(lambda there, request: jrd({"links": [{**SELF, "href": href}]})) as (ours, there):
        with pytest.raises(Refused):
            await finger(ours, f"alice@{there.host}", Budget(20))


async def test_an_html_page_is_no_answer():
    async with talking(lambda there, request: jrd({"links": [SELF]}, "text/html")) as (ours, there):
        with pytest.raises(Malformed):
            await finger(ours, f"alice@{there.host}", Budget(20))


async def test_who_is_unknown_is_gone():
    async with talking(lambda there, request: http(404)) as (ours, there):
        with pytest.raises(Gone):
            await finger(ours, f"alice@{there.host}", Budget(20))


async def test_what_is_no_handle_is_not_asked():
    async with client() as ours:
        with pytest.raises(Malformed):
            await finger(ours, "alice", Budget(20))


@pytest.mark.parametrize("link", [SELF, PROFILED])
@pytest.mark.parametrize("subject", ["acct:Alice@{}", None, "https://far.test/@alice", 7])
async def test_a_handle_leads_to_its_actor(link, subject):
    def script(there, request):
        url = urlsplit(request.target)
        assert url.path == "/.well-known/webfinger"
        assert parse_qs(url.query) == {"resource": [f"acct:alice@{there.host}"]}
        text = subject.format(there.host) if isinstance(subject, str) else subject
        return jrd({"subject": text, "links": [{"rel": "me"}, link]})

    async with talking(script) as (ours, there):
        found = await finger(ours, f"@alice@{there.host}", Budget(20))
        name = "Alice" if subject == "acct:Alice@{}" else "alice"
        assert found == Fingered(f"{name}@{there.host}", "https://far.test/users/alice")


@asynccontextmanager
async def two(second):
    """A domain whose handles are said to be those of another one, which answers `second`."""
    async with wire(second) as home:

        def first(there, request):
            return jrd({"subject": f"acct:alice@{home.host}", "links": [SELF]})

        async with talking(first) as (ours, there):
            yield ours, there, home


async def test_a_subject_on_another_domain_is_confirmed_there():
    def second(there, request):
        return jrd({"subject": f"acct:Alice@{there.host}", "links": [PROFILED]})

    async with two(second) as (ours, there, home):
        found = await finger(ours, f"alice@{there.host}", Budget(20))
        assert found == Fingered(f"Alice@{home.host}", "https://far.test/users/alice")


@pytest.mark.parametrize("subject", ["acct:alice@{}", "acct:bob@{}", "acct:alice@third.test"])
async def test_a_subject_that_its_own_domain_does_not_confirm_is_forged(subject):
    def second(there, request):
        href = "https://far.test/users/bob" if subject == "acct:alice@{}" else SELF["href"]
        return jrd({"subject": subject.format(there.host), "links": [{**SELF, "href": href}]})

    async with two(second) as (ours, there, _):
        with pytest.raises(Forged):
            await finger(ours, f"alice@{there.host}", Budget(20))


async def test_a_subject_that_its_own_domain_does_not_know_is_not_believed():
    async with two(lambda there, request: http(404)) as (ours, there, _):
        with pytest.raises(Gone):
            await finger(ours, f"alice@{there.host}", Budget(20))


# What is a mere file on a static host, and domains that only say in host-meta where to ask (Pleroma, Akkoma).


@pytest.mark.parametrize("kind", ["application/octet-stream", "text/plain; charset=utf-8", "application/jrd+json"])
async def test_an_answer_may_be_a_file_of_any_type(kind):
    async with talking(lambda there, request: jrd({"links": [SELF]}, kind)) as (ours, there):
        assert (await finger(ours, f"alice@{there.host}", Budget(20))).actor_uri == SELF["href"]


HOST_META = """<?xml version="1.0" encoding="UTF-8"?><XRD xmlns="http://docs.oasis-open.org/ns/xri/xrd-1.0">
<Link rel="other" template="https://wrong.test/{uri}"/>
<Link rel='lrdd' type='application/xrd+xml' template='%s'/></XRD>"""


def naming(template, standard=404):
    """A domain whose host-meta has that template; `{}` stands for its host."""

    def script(there, request):
        if request.target.startswith("/.well-known/webfinger"):
            return http(200, b"<p>welcome", "text/html") if standard == 200 else http(standard)
        if request.target == "/.well-known/host-meta":
            return http(200, (HOST_META % template.replace("HOST", there.host)).encode(), "application/xrd+xml")
        there.found = request.target
        return jrd({"subject": f"acct:alice@{there.host}", "links": [SELF]})

    return script


@pytest.mark.parametrize("standard", [404, 410, 200])
async def test_host_meta_says_where_to_ask(standard):
    async with talking(naming("http://HOST/finger?a=b&amp;resource={uri}", standard)) as (ours, there):
        found = await finger(ours, f"alice@{there.host}", Budget(20))
        assert found == Fingered(f"alice@{there.host}", SELF["href"])
        asked = parse_qs(urlsplit(there.found).query)
        assert asked == {"a": ["b"], "resource": [f"acct:alice@{there.host}"]}


@pytest.mark.parametrize(
    "template",
    ["http://HOST/.well-known/webfinger?resource={uri}", "http://HOST/finger", "", "<", "https://10.0.0.1/{uri}"],
)
async def test_host_meta_that_leads_nowhere_changes_nothing(template):
    async with talking(naming(template)) as (ours, there):
        with pytest.raises((Gone, Refused)):
            await finger(ours, f"alice@{there.host}", Budget(20))
        assert not hasattr(there, "found")


async def test_a_domain_that_is_busy_is_not_asked_for_its_host_meta():
    async with talking(naming("http://HOST/finger?resource={uri}", 503)) as (ours, there):
        with pytest.raises(Unreachable):
            await finger(ours, f"alice@{there.host}", Budget(20))


@given(
    st.recursive(
        st.none() | st.integers(0, 9) | st.text(max_size=5),
        lambda x: st.lists(x) | st.dictionaries(st.sampled_from(["subject", "links", "rel", "type", "href"]), x),
        max_leaves=8,
    )
)
def test_no_answer_breaks_the_reader(value):
    async def ask():
        async with talking(lambda there, request: jrd({"links": value, "subject": value})) as (ours, there):
            await finger(ours, f"alice@{there.host}", Budget(20))

    with pytest.raises(FederationError):
        asyncio.run(ask())


# NodeInfo

SCHEMA = "http://nodeinfo.diaspora.software/ns/schema/"


def told(index, document):
    def script(there, request):
        if request.target != "/.well-known/nodeinfo":
            return http(200, orjson.dumps(document), "application/json")
        links = [{"rel": rel, "href": there.url(path)} for rel, path in index]
        return http(200, orjson.dumps({"links": links}), "application/json")

    return script


async def test_software_is_told():
    index = [(SCHEMA + "1.0", "/1.0"), (SCHEMA + "2.0", "/2.0"), (SCHEMA + "2.1", "/2.1"), ("https://x", "/x")]
    document = {"software": {"name": "Mast\u202eodon", "version": "4.5.0 \n" + "+" * 500}}
    async with talking(told(index, document)) as (ours, there):
        found = await software(ours, there.host, Budget(20))
        assert found == Software("mast odon", "4.5.0 " + "+" * 94)
        assert there.requests[-1].target == "/2.1"


@pytest.mark.parametrize(
    "document", [{}, {"software": None}, {"software": {}}, {"software": {"name": 1}}, {"software": {"name": "\u200b"}}]
)
async def test_software_that_is_not_told_is_none(document):
    async with talking(told([(SCHEMA + "2.0", "/2.0")], document)) as (ours, there):
        assert await software(ours, there.host, Budget(20)) is None


@pytest.mark.parametrize(
    "links", [None, {}, [], [None], [{"rel": SCHEMA + "2.0", "href": 1}], [{"rel": 1, "href": ""}]]
)
async def test_an_index_without_a_known_version_is_none(links):
    answer = http(200, orjson.dumps({"links": links}), "application/json")
    async with talking(lambda there, request: answer) as (ours, there):
        assert await software(ours, there.host, Budget(20)) is None


async def test_software_at_a_private_address_is_not_asked_for():
    links = [{"rel": SCHEMA + "2.0", "href": "http://10.0.0.1/nodeinfo"}]
    async with talking(lambda there, request: http(200, orjson.dumps({"links": links}), "application/json")) as (
        ours,
        there,
    ):
        assert await software(ours, there.host, Budget(20)) is None


async def test_a_server_that_is_down_does_not_say_that_it_has_no_software():
    async with talking(lambda there, request: http(503)) as (ours, there):
        with pytest.raises(Unreachable):
            await software(ours, there.host, Budget(20))
