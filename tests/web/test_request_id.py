"""X-Request-Id: on every answer, and in the lines of the log that belong to it."""

import logging
import re

import pytest

from connectme.logging import Place
from tests.web.site import DOCUMENT, PAGE, Site

HEADER = "X-Request-Id"
OURS = re.compile("[0-9a-f]{16}")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/instance", 200),
        ("GET", "/api/v1/timelines/home", 401),
        ("GET", "/api/v1/nonsense", 404),
        ("OPTIONS", "/api/v1/statuses", 204),
        ("POST", "/inbox", 415),
        ("GET", "/.well-known/webfinger", 400),
        ("GET", "/livez", 200),
        ("GET", "/about", 200),
        ("GET", "/nowhere", 404),
        ("GET", "/static/style.css", 200),
    ],
)
async def test_every_answer_has_a_name(site: Site, method, path, status):
    first, second = [await site.call(method, path, headers={"Accept": PAGE}) for _ in range(2)]
    assert first.status == status
    assert OURS.fullmatch(first.headers[HEADER])
    assert first.headers[HEADER] != second.headers[HEADER]


async def test_a_stream_has_one_as_well(site: Site):
    _, token = await site.person("alice")
    async with site.http.get(f"/api/v1/streaming/user?access_token={token}") as answer:
        assert OURS.fullmatch(answer.headers[HEADER])
    upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
    path = f"/api/v1/streaming?access_token={token}"
    async with site.http.get(path, headers={**upgrade, "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}) as answer:
        assert (answer.status, bool(OURS.fullmatch(answer.headers[HEADER]))) == (101, True)


@pytest.mark.parametrize("name", ["f3a9-11", "Root=1-67891233-abcdef012345678912345678", "x" * 128])
async def test_a_request_that_has_a_name_keeps_it(site: Site, name):
    assert (await site.get("/api/v1/instance", headers={HEADER: name})).headers[HEADER] == name
    assert (await site.call("POST", "/inbox", headers={HEADER: name, "Accept": DOCUMENT})).headers[HEADER] == name


@pytest.mark.parametrize("name", ["", "two words", "x" * 129, "a\tb", "caf\xe9", "<b>", "[req]", "a,b"])
async def test_what_is_no_name_is_not_repeated(site: Site, name):
    assert OURS.fullmatch((await site.get("/api/v1/instance", headers={HEADER: name})).headers[HEADER])


async def test_lines_of_the_log_say_to_which_request_they_belong(site: Site, caplog):
    caplog.set_level(logging.INFO, "web.errors")
    with caplog.filtering(Place("web 0")):
        for name in ("first", "second"):
            await site.get("/api/v1/timelines/home", headers={HEADER: name})
    assert [record.request for record in caplog.records if record.name == "web.errors"] == ["first", "second"]
