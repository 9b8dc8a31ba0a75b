"""What stands around every answer: CORS, errors in JSON, limits, and who is asked."""

import asyncio
import re
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from tests.web.site import Answer, Site
from web import limits
from web.api.routes import defined

ORIGIN = {"Origin": "https://elk.test"}
PROGRAMS = [
    "/api/v1/instance",
    "/oauth/token",
    "/oauth/revoke",
    "/.well-known/webfinger",
    "/nodeinfo/2.0",
    "/api/v1/none",
]
EXPOSED = {"Link", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "Retry-After", "X-Request-Id",
           "Mastodon-Async-Refresh", "Deprecation", "Idempotency-Key"}  # fmt: skip


def check_cors(answer: Answer) -> None:
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert set(answer.headers["Access-Control-Expose-Headers"].split(", ")) >= EXPOSED
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", PROGRAMS)
async def test_browsers_may_ask_beforehand(site: Site, path):
    asked = {**ORIGIN, "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "authorization"}
    answer = await site.call("OPTIONS", path, headers=asked)
    assert answer.status == 204
    check_cors(answer)
    assert set(answer.headers["Access-Control-Allow-Methods"].split(", ")) >= {"GET", "POST", "PUT", "PATCH", "DELETE"}
    assert answer.headers["Access-Control-Allow-Headers"] == "authorization"
    assert int(answer.headers["Access-Control-Max-Age"]) >= 3600


@pytest.mark.parametrize("unusable", ["", "a b", "a\tb", ","])
async def test_browsers_are_told_the_usual_headers_where_they_ask_for_none(site: Site, unusable):
    answer = await site.call("OPTIONS", "/api/v1/statuses", headers={"Access-Control-Request-Headers": unusable})
    assert "Authorization" in answer.headers["Access-Control-Allow-Headers"].split(", ")


async def test_a_program_in_a_browser_may_send_any_header(site: Site):
    """As with Mastodon: some say in one who they are."""
    asked = "authorization,user-agent,x-requested-with"
    answer = await site.call("OPTIONS", "/api/v1/statuses", headers={"Access-Control-Request-Headers": asked})
    assert answer.headers["Access-Control-Allow-Headers"] == asked
    assert answer.headers["Vary"] == "Access-Control-Request-Headers"


async def test_who_needs_a_token_is_told_of_which_kind(site: Site):
    for token in (None, "wrong"):
        answer = await site.get("/api/v1/timelines/home", token)
        assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, "Bearer")


async def test_any_page_s_script_may_read_answers_and_errors(site: Site):
    _, token = await site.person("alice")
    for method, path, by, status, more in [
        ("GET", "/api/v1/timelines/public", None, 200, {}),
        ("GET", "/api/v1/timelines/home", token, 200, {}),
        ("GET", "/api/v1/timelines/home", None, 401, {}),
        ("GET", "/api/v1/timelines/home", await site.token(None), 422, {}),
        ("GET", "/api/v1/statuses/1", None, 404, {}),
        ("GET", "/api/v1/nonsense", None, 404, {}),
        ("POST", "/api/v1/statuses", token, 422, {"json": {}}),
        ("POST", "/api/v1/statuses", token, 413, {"data": b"x" * 300_000}),
        ("POST", "/oauth/token", None, 401, {"json": {"grant_type": "client_credentials"}}),
        ("POST", "/oauth/token", None, 400, {"json": {}}),
        ("POST", "/oauth/revoke", None, 403, {"json": {}}),
        ("GET", "/.well-known/nodeinfo", None, 200, {}),
        ("GET", "/.well-known/webfinger", None, 400, {}),
        ("GET", "/.well-known/oauth-authorization-server", None, 200, {}),
        ("GET", "/.well-known/nonsense", None, 404, {}),
        ("GET", "/nodeinfo/1.0", None, 404, {}),
    ]:
        answer = await site.call(method, path, by, headers=ORIGIN, **more)
        assert answer.status == status, (path, answer.body)
        check_cors(answer)
        assert isinstance(answer.json, dict | list)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1/nonsense"),
        ("POST", "/api/v9/statuses"),
        ("GET", "/api/"),
        ("DELETE", "/api/v1/timelines/home"),
        ("PATCH", "/api/v1/statuses"),
        ("PUT", "/oauth/token"),
        ("GET", "/oauth/token"),
        ("POST", "/.well-known/webfinger"),
        ("GET", "/api/v1/accounts/%2e%2e/%2e%2e"),
    ],
)
async def test_what_is_not_there_is_said_in_json(site: Site, method, path):
    answer = await site.call(method, path, headers={"Accept": "text/html"})
    assert (answer.status, bool(answer.error)) == (404, True)
    assert ("X-RateLimit-Remaining" in answer.headers) == path.startswith(("/api/", "/oauth/"))


async def test_nobody_is_told_what_the_server_is_made_of(site: Site):
    for path in ("/", "/livez", "/api/v1/none", "/static/none.css", "/inbox"):
        assert (await site.get(path)).headers["Server"] == "ConnectMe"
    reader, writer = await asyncio.open_connection(site.http.host, site.http.port)
    writer.write(b"GE(T / HTTP/1.1\r\n\r\n")
    answer = await reader.read()
    writer.close()
    assert answer.startswith(b"HTTP/1.0 400")
    assert b"\r\nServer: ConnectMe\r\n" in answer
    assert b"aiohttp" not in answer


@pytest.mark.parametrize(("expect", "status"), [(b"100-Continue", 100), (b"x", 417), (b"\xff", 417)])
async def test_what_is_expected_is_understood_or_refused(site: Site, expect, status):
    for path in (b"/", b"/api/v1/none", b"/livez", b"/users/nobody"):
        reader, writer = await asyncio.open_connection(site.http.host, site.http.port)
        writer.write(
            b"GET " + path + b" HTTP/1.1\r\nHost: ours.test\r\nConnection: close\r\nExpect: " + expect + b"\r\n\r\n"
        )
        assert int((await reader.read())[9:12]) == status
        writer.close()


async def test_every_route_says_how_much_is_left(site: Site):
    _, token = await site.person("alice")
    for route in defined():
        if "/streaming" in route.path:  # counted as connections
            continue
        path = re.sub(r"\{(\w+)[^}]*\}", lambda found: "2026-01-01" if found[1] == "date" else "1", route.path)
        answer = await site.call(route.method, path, token)
        assert "X-RateLimit-Limit" in answer.headers, (route.method, route.path, answer.status)
        left = [answer.headers[f"X-RateLimit-{name}"] for name in ("Limit", "Remaining", "Reset")]
        assert (int(left[0]), int(left[1]) < int(left[0])) == (300, True), route.path
        assert datetime.fromisoformat(left[2]) > datetime.now(UTC)


async def test_what_there_is_something_better_for_says_since_when(site: Site):
    """RFC 9745, as Mastodon has it since 4.4; on refusals too."""
    _, token = await site.person("alice")
    old = {f"/api/v1/{name}" for name in ("filters", "filters/{id}", "instance", "suggestions", "trends")}
    for route in defined():
        if route.path in old or route.path in ("/api/v2/instance", "/api/v2/filters", "/api/v1/trends/tags"):
            answer = await site.call(route.method, route.path.replace("{id}", "1"), token)
            said = answer.headers.get("Deprecation", "")
            assert said.startswith("@") == (route.path in old), (route.method, route.path, said)
    assert (await site.get("/api/v1/instance")).headers["Deprecation"] == "@1668384000"


async def test_who_asks_too_often_is_told_when_to_come_back(site: Site):
    _, token = await site.person("alice")
    _, other = await site.person("bob")
    for number in range(30):  # however the header is written
        said = {"Authorization": f"{('Bearer', 'bearer', 'BEARER')[number % 3]}{' ' * (number + 1)}{token}"}
        assert (await site.call("DELETE", "/api/v1/statuses/1", headers=said)).status == 404
    answer = await site.call("DELETE", "/api/v1/statuses/1", token)
    assert (answer.status, answer.error) == (429, "Too many requests")
    check_cors(answer)
    assert 1 <= int(answer.headers["Retry-After"]) <= 1800
    assert answer.headers["X-RateLimit-Remaining"] == "0"
    assert (await site.call("DELETE", "/api/v1/statuses/1", other)).status == 404
    assert (await site.get("/api/v1/timelines/home", token)).status == 200


async def test_each_person_and_each_place_has_a_limit_of_its_own(site: Site):
    _, token = await site.person("alice")
    path = "/api/v1/instance"
    for _ in range(limits.API.amount):
        site.http.app[limits.LIMITS].hit(limits.API, "127.0.0.1")
    assert (await site.get(path)).status == 429
    assert (await site.get(path, token)).status == 200
    elsewhere = {"X-Forwarded-For": "192.0.2.7"}
    assert (await site.get(path, headers=elsewhere)).status == 200
    for number in range(3):  # a neighbour in the same /64 is the same place
        answer = await site.get(path, headers={"X-Forwarded-For": f"2001:db8::{number}"})
        assert int(answer.headers["X-RateLimit-Remaining"]) == limits.API.amount - number - 1


async def test_new_tokens_do_not_make_a_place_larger(site: Site):
    for _ in range(limits.API_PLACE.amount):
        site.http.app[limits.LIMITS].hit(limits.API_PLACE, "127.0.0.1")
    assert (await site.get("/api/v1/timelines/home", "another token")).status == 429


async def test_limits_can_be_switched_off_for_measuring(server):
    async with server(RATE_LIMITS="false") as site:
        answers = [await site.call("DELETE", "/api/v1/statuses/1", "x") for _ in range(32)]
    assert {answer.status for answer in answers} == {401}
    assert "X-RateLimit-Limit" not in answers[0].headers


@pytest.mark.parametrize(
    "host", ["evil.test", "evil.test:443", "ours.test.evil.test", "localhost.evil.test", "[evil]", "a b", "@"]
)
async def test_under_another_name_there_is_nothing(site: Site, host):
    for path in (
        "/api/v1/instance",
        "/users/alice",
        "/.well-known/webfinger?resource=x",
        "/login",
        "/setup",
        "/nonsense",
    ):
        answer = await site.get(path, headers={"Host": host})
        assert answer.status == 421, path
        assert b"evil" not in answer.body


@pytest.mark.parametrize(
    "host", ["ours.test", "OURS.test", "ours.test:8000", "127.0.0.1:8000", "[::1]:8000", "localhost", "192.168.1.5"]
)
async def test_our_name_and_bare_addresses_are_answered(site: Site, host):
    assert (await site.get("/api/v1/instance", headers={"Host": host})).status == 200


async def test_probes_are_answered_under_any_name(site: Site):
    for path in ("/livez", "/readyz", "/health", "/metrics"):
        assert (await site.get(path, headers={"Host": "pod-17.cluster.local"})).status == 200


async def test_a_database_that_is_away_is_said_with_a_time_to_come_back(site: Site):
    await site.db.write(lambda tx: tx.execute(text("ALTER TABLE post RENAME TO gone")))
    answer = await site.get("/api/v1/timelines/public")  # OperationalError: SQLite has no such table
    assert (answer.status, answer.headers["Retry-After"]) == (503, "60")
    check_cors(answer)
    assert "gone" not in answer.error
    assert "post" not in answer.error
