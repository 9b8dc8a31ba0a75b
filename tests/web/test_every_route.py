"""What holds for every route of the API, those of tomorrow too: who is refused, and how; and that nothing breaks it."""

import re

import pytest

from tests.web.site import Site
from web import auth
from web.api.routes import defined

ROUTES = [(route.method, route.path, auth.DECLARED[route.handler]) for route in defined()]
OF_PEOPLE = [(method, path, scopes) for method, path, scopes in ROUTES if not scopes.startswith(("public", "any"))]
STREAMS = "/api/v1/streaming"  # stay open: tests/web/test_streaming.py
NAME = re.compile(r"\{(\w+)[^}]*\}")
ODD = ("0", "x", "-1", "9223372036854775808", "%00", "%F0%9F%90%88", "a" * 300, "1.5")


def filled(path: str, value: str) -> str:
    return NAME.sub(value, path)


@pytest.fixture
async def quiet(server):
    async with server(RATE_LIMITS="false") as site:
        yield site


async def test_what_is_for_people_is_refused_to_whoever_is_not_signed_in(quiet: Site):
    for method, path, _ in OF_PEOPLE:
        for place in (filled(path, "114"), f"{filled(path, '114')}/"):
            answer = await quiet.call(method, place)
            assert (answer.status, bool(answer.error)) == (401, True), (method, place, answer.body)


async def test_a_token_that_is_wrong_or_revoked_is_refused_everywhere(quiet: Site):
    for method, path, scopes in ROUTES:
        if scopes != "public":
            for place in (filled(path, "114"), f"{filled(path, 'x')}?limit=x&max_id=x&local=x"):  # before all else
                answer = await quiet.call(method, place, "wrong")
                assert (answer.status, bool(answer.error)) == (401, True), (method, place, answer.body)


async def test_a_token_does_nothing_outside_its_scopes(quiet: Site):
    account, _ = await quiet.person("alice")
    for method, path, scopes in ROUTES:
        if scopes in ("public", "any token") or path.startswith(STREAMS):  # public streams need no scope
            continue
        other = "write:media" if "read" in scopes or "profile" in scopes else "read:search"
        if other in scopes:
            other = "push"
        answer = await quiet.call(method, filled(path, "114"), await quiet.token(account, other))
        assert (answer.status, bool(answer.error)) == (403, True), (method, path, other, answer.body)


async def test_a_program_alone_is_no_person(quiet: Site):
    token = await quiet.token(None)
    for method, path, scopes in OF_PEOPLE:
        answer = await quiet.call(method, filled(path, "114"), token)
        assert answer.status in (401, 403, 422), (method, path, scopes, answer.body)
        assert answer.error


async def test_browsers_may_ask_from_every_page(quiet: Site):
    for method, path, _ in ROUTES:
        asked = {"Origin": "https://client.test", "Access-Control-Request-Method": method}
        answer = await quiet.call("OPTIONS", filled(path, "114"), headers=asked)
        assert answer.status == 204, (method, path)
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert method in answer.headers["Access-Control-Allow-Methods"]


async def test_odd_names_of_things_break_nothing(quiet: Site):
    _, token = await quiet.person("alice")
    for method, path, _ in ROUTES:
        if "{" not in path or path.startswith(STREAMS):
            continue
        for odd in ODD:
            answer = await quiet.call(method, filled(path, odd), token)
            assert answer.status < 500, (method, path, odd, answer.body)
            if answer.status >= 400:
                assert answer.error


async def test_odd_bodies_break_nothing(quiet: Site):
    _, token = await quiet.person("alice")
    bodies = (b"", b"[]", b"{", b'{"id": {"id": []}}', b"\xff", b'"x"', b"null")
    for method, path, _ in ROUTES:
        if method in ("GET", "DELETE"):
            continue
        for body in bodies:
            for kind in ("application/json", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded"):
                answer = await quiet.call(method, filled(path, "114"), token, headers={"Content-Type": kind}, data=body)
                assert answer.status < 500, (method, path, kind, body, answer.body)
