"""Bodies and parameters that nobody wants, on both engines: a clear 4xx, never a 500, and the server goes on."""

import gzip
import re
from typing import Any

import orjson
import pytest
from aiohttp import FormData
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from store.ids import LARGEST
from store.tables import posts, users
from tests.social.said import rows
from tests.web.site import ALL, Site, basic
from web.api.routes import defined
from web.params import MOST

STATUSES = "/api/v1/statuses"
JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
MULTIPART = {"Content-Type": "multipart/form-data; boundary=b"}

BROKEN = {
    "half JSON": (JSON, b'{"status": "x"'),
    "a list": (JSON, b"[1]"),
    "a word": (JSON, b'"status"'),
    "twice": (JSON, b'{"status": "x", "status": "y"}'),
    "half a surrogate": (JSON, b'{"status": "\\ud800"}'),
    "not UTF-8": (JSON, b'{"status": "\xff"}'),
    "deep": (JSON, b'{"status":' * 100 + b"1" + b"}" * 100),
    "deeper": (JSON, b"[" * 200_000),
    "a huge number": (JSON, b'{"status": "x", "in_reply_to_id": 1e999}'),
    "a long number": (JSON, b'{"status": "x", "in_reply_to_id": ' + b"9" * 5000 + b"}"),
    "NUL in a name": (JSON, b'{"a\\u0000": 1}'),
    "an unknown charset": ({"Content-Type": "application/x-www-form-urlencoded; charset=x-none"}, b"status=x"),
    "a form that is not UTF-8": (FORM, b"status=\xff"),
    "no boundary": ({"Content-Type": "multipart/form-data"}, b"status=x"),
    "an empty boundary": ({"Content-Type": "multipart/form-data; boundary="}, b"x"),
    "another boundary": (MULTIPART, b'--c\r\nContent-Disposition: form-data; name="status"\r\n\r\nx\r\n--c--\r\n'),
    "no end": (MULTIPART, b'--b\r\nContent-Disposition: form-data; name="status"\r\n\r\nx'),
    "no name": (MULTIPART, b"--b\r\n\r\nx\r\n--b--\r\n"),
    "no header": (MULTIPART, b"--b\r\nx"),
    "a part in an unknown encoding": (
        MULTIPART,
        b'--b\r\nContent-Disposition: form-data; name="status"\r\nContent-Transfer-Encoding: x\r\n\r\nx\r\n--b--\r\n',
    ),
    "a part that is no base64": (
        MULTIPART,
        b'--b\r\nContent-Disposition: form-data; name="status"\r\nContent-Transfer-Encoding: base64\r\n\r\n!\r\n--b--',
    ),
    "a multipart in a multipart": (
        MULTIPART,
        b"--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\nx\r\n--c--\r\n--b--\r\n",
    ),
    "no gzip": ({**JSON, "Content-Encoding": "gzip"}, b"no gzip"),
    "half gzip": ({**JSON, "Content-Encoding": "gzip"}, gzip.compress(b'{"status":"x"}' * 100)[:-20]),
}


@pytest.mark.parametrize("case", BROKEN)
async def test_a_broken_body_is_a_clear_4xx(site: Site, case):
    _, token = await site.person("alice")
    headers, body = BROKEN[case]
    answer = await site.post(STATUSES, token, headers=headers, data=body)
    assert 400 <= answer.status < 500, answer.body
    assert answer.error
    assert await rows(site.db, posts) == []


async def test_too_large_bodies_are_not_read(site: Site):
    _, token = await site.person("alice")
    answer = await site.post(STATUSES, token, headers=FORM, data=b"status=" + b"x" * MOST)
    assert (answer.status, bool(answer.error)) == (413, True)
    bomb = gzip.compress(b'{"status": "' + b"x" * (8 << 20) + b'"}')
    answer = await site.post(STATUSES, token, headers={**JSON, "Content-Encoding": "gzip"}, data=bomb)
    assert (answer.status, bool(answer.error)) == (413, True)


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(
    kind=st.sampled_from([JSON, FORM, MULTIPART]),
    body=st.binary(max_size=300),
    start=st.sampled_from([b"", b"--b\r\n", b"{"]),
)
async def test_no_bytes_break_it(site: Site, kind, body, start):
    answer = await site.post("/api/v1/apps", headers=kind, data=start + body)
    assert 400 <= answer.status < 500, (answer.status, answer.body)


async def test_all_three_forms_mean_the_same(site: Site):
    _, token = await site.person("alice")
    multipart = FormData({"status": "hello", "spoiler_text": "cw", "sensitive": "on"})
    multipart.add_field("poll[options][]", "a", content_type="text/plain")
    multipart.add_field("poll[options][]", "b")
    multipart.add_field("poll[expires_in]", "600")
    said = {
        "status": "hello",
        "spoiler_text": "cw",
        "sensitive": True,
        "poll": {"options": ["a", "b"], "expires_in": 600},
    }
    form = "status=hello&spoiler_text=cw&sensitive=1&poll[options][]=a&poll[options][]=b&poll[expires_in]=600"
    for more in ({"json": said}, {"data": form, "headers": FORM}, {"data": multipart}, {"params": form}):
        path = STATUSES if "params" not in more else f"{STATUSES}?{more.pop('params')}"
        answer = await site.post(path, token, **more)
        assert answer.status == 200, answer.body
        status = answer.json
        shown = (
            status["content"],
            status["spoiler_text"],
            status["sensitive"],
            [o["title"] for o in status["poll"]["options"]],
        )
        assert shown == ("<p>hello</p>", "cw", True, ["a", "b"])


async def test_unknown_parameters_are_ignored(site: Site):
    _, token = await site.person("alice")
    answer = await site.post(
        f"{STATUSES}?x=1", token, json={"status": "hello", "nonsense": {"deep": [1]}, "media_ids": []}
    )
    assert answer.status == 200
    assert (await site.get("/api/v1/timelines/home?nonsense[]=1&x[y]=2", token)).status == 200


ODD: list[Any] = [
    None, True, 1, -1, 1.5, "", "x", "\x00", "a\x00b", [], [[]], ["x"], {}, {"x": {"y": 1}}, LARGEST, 2**64 - 1,
    "9" * 30, "é\ufffe",
]  # fmt: skip
FIELDS = [
    "status", "in_reply_to_id", "sensitive", "spoiler_text", "visibility", "language", "poll", "choices", "source",
    "client_name", "redirect_uris", "scopes", "scope", "website", "grant_type", "client_id", "client_secret", "token",
    "display_name", "note", "locked", "fields_attributes", "reblogs", "notify", "scheduled_at",
]  # fmt: skip


async def test_wrong_types_in_every_field_of_every_route_break_nothing(both_sites: Site):
    site = both_sites
    alice, token = await site.person("alice")
    post = await site.posted(alice)
    for route in defined():
        if route.method == "GET":
            continue
        for odd in ODD:
            path = route.path.replace("{id}", str(post.id if "status" in route.path else alice.id))
            if route.method == "DELETE":
                path = path.replace(str(post.id), "1")
            body = orjson.dumps(dict.fromkeys(FIELDS, odd))
            answer = await site.call(route.method, path, token, data=body, headers=JSON)
            assert answer.status < 500, (route.method, path, odd, answer.body)


HARMLESS = (
    "/dismiss",
    "/suggestions/{id}",
    "/accounts/{id}/lists",
    "/{group_key}/accounts",
    "/{emoji}",
    "/scheduled_statuses/{id}",
)
NAME = re.compile(r"\{\w+[^}]*\}")
IDS = [
    "0",
    "-1",
    "1.0",
    "x",
    "%00",
    "%20",
    "%ff",
    "%ed%a0%80",
    "9" * 19,
    "9" * 30,
    str(LARGEST),
    str(LARGEST + 1),
    "1%2F2",
    "%2e%2e",
    "'--",
    "1;",
    "%F0%9F%98%80",
]


async def test_no_id_in_a_path_breaks_anything(both_sites: Site):
    """What is not there is not there, or needs not be there for what is asked (HARMLESS)."""
    site = both_sites
    alice, _ = await site.person("alice")
    token = await site.token(alice, f"{ALL} admin:read admin:write")
    await site.db.write(lambda tx: tx.execute(update(users).values(role="owner")) and None)
    wrong = set()
    for route in defined():
        if "{" not in route.path or "/streaming" in route.path:
            continue
        for odd in IDS:
            path = NAME.sub(odd, route.path)
            said = {"status": "x", "choices": ["0"]} if route.method != "GET" else None
            status = (await site.call(route.method, path, token, json=said)).status
            harmless = "{name}" in route.path or route.path.endswith(HARMLESS)
            if status not in ((200, 404, 422) if harmless else (404,)):
                wrong.add(f"{route.method} {route.path} {status}")
    assert not wrong, sorted(wrong)


async def test_no_query_breaks_anything(both_sites: Site):
    site = both_sites
    _, token = await site.person("alice")
    names = [
        "max_id",
        "min_id",
        "since_id",
        "limit",
        "offset",
        "q",
        "acct",
        "id[]",
        "types[]",
        "local",
        "resolve",
        "type",
        "pinned",
    ]
    for path in (
        "timelines/home",
        "timelines/public",
        "notifications",
        "accounts/lookup",
        "accounts/relationships",
        "accounts/search",
        "follow_requests",
        "../v2/search",
    ):
        for odd in (*IDS, "", "true", "%", "%zz", "a%00b", "_%25_", "'", "a" * 3000):
            for name in names:
                answer = await site.get(f"/api/v1/{path}?{name}={odd}".replace("v1/../", ""), token)
                assert answer.status < 500, (path, name, odd, answer.body)


async def test_odd_headers_break_nothing(both_sites: Site):
    site = both_sites
    _, token = await site.person("alice")
    for key in ("\udcff\udcfe", "x" * 5000, "é", "'; drop table post"):
        answer = await site.post(STATUSES, token, json={"status": "once"}, headers={"Idempotency-Key": key})
        assert answer.status == 200, answer.body
    for said in (
        basic("\x00", "x"),
        basic("é%00%ff", "%ed%a0%80"),
        {"Authorization": "Basic é"},
        {"Authorization": "Basic !"},
    ):
        answer = await site.post("/oauth/token", headers=said, data={"grant_type": "client_credentials"})
        assert answer.status == 401, answer.body
