"""Who may do what: each route says for whom it is, and keeps to it (security rows 41, 42 and 76)."""

import re
from datetime import UTC, datetime

import pytest
from aiohttp import web
from sqlalchemy import update

from social import accounts, sessions
from store.tables import accounts as account_table
from store.tables import posts
from store.tables import users as user_table
from tests.people import remote, stored
from tests.social.said import rows
from tests.web.site import ALL, Site
from web import auth
from web.api.routes import defined

STREAMS = "/api/v1/streaming"  # refuse as Mastodon's other server does: test_streaming.py
ROUTES = [
    (route.method, route.path, auth.DECLARED[route.handler])
    for route in defined()
    if not route.path.startswith(STREAMS)
]
FOR_PEOPLE = [(method, path, wanted) for method, path, wanted in ROUTES if ":" in wanted and "anybody" not in wanted]
FOR_ANYBODY = [(method, path, wanted) for method, path, wanted in ROUTES if "anybody" in wanted]


def address(path: str) -> str:
    """Such a path: ids are numbers, all else is a name."""
    return re.sub(r"\{(\w+)[^}]*\}", lambda part: "1" if part[1].endswith("id") else "x", path)


async def test_nobody_gets_what_is_for_people(site: Site):
    assert FOR_PEOPLE
    for method, path, _ in FOR_PEOPLE:
        answer = await site.call(method, address(path))
        assert (answer.status, answer.error) == (401, "The access token is invalid"), (method, path)


async def test_no_scope_opens_what_is_for_another(site: Site):
    alice, _ = await site.person("alice")
    for method, path, wanted in [*FOR_PEOPLE, *FOR_ANYBODY]:
        reading = "read:mutes" if "read:lists" in wanted else "read:lists"
        others = {f"{reading} push profile" if wanted.startswith("write") else f"write push {reading}"}
        if "profile" in wanted:
            others = {"push"}
        for scopes in others:
            answer = await site.call(method, address(path), await site.token(alice, scopes.replace("anybody, ", "")))
            seen = (answer.status, answer.error)
            assert seen == (403, "This action is outside the authorized scopes"), (method, path, scopes)


async def test_a_program_alone_is_nobody(site: Site):
    token = await site.token(None, f"{ALL} admin:read admin:write")
    for method, path, _ in FOR_PEOPLE:
        answer = await site.call(method, address(path), token)
        assert (answer.status, answer.error) == (422, "This method requires an authenticated user"), (method, path)


async def test_wrong_tokens_are_refused_also_where_none_is_needed(site: Site):
    for said in ("Bearer wrong", "Bearer", "Bearer ", "Basic YTpi", "x", "", "Bearer \xff"):
        for path in ("/api/v1/timelines/home", "/api/v1/timelines/public"):
            answer = await site.get(path, headers={"Authorization": said})
            assert (answer.status, answer.error) == (401, "The access token is invalid"), said


async def test_a_revoked_token_is_worth_nothing(site: Site):
    alice, token = await site.person("alice")
    assert (await site.get("/api/v1/timelines/home", token)).status == 200
    await site.db.write(sessions.revoke_all, alice.id, datetime.now(UTC))
    assert (await site.get("/api/v1/timelines/home", token)).status == 401


async def test_who_was_met_posts_only_as_long_as_he_may(site: Site):
    alice, token = await site.person("alice")
    bodies = [{"status": "x"}, {"status": "@bob@far.test"}, {"status": {"no": "text"}}, {"status": ""}]

    async def statuses(sent: str) -> list[int]:
        return [(await site.post("/api/v1/statuses", sent, json=body)).status for body in bodies]

    assert await statuses(token) == [200, 200, 422, 422]
    assert await statuses(await site.token(alice, "read")) == [403] * 4
    assert await statuses(await site.token(None, ALL)) == [422] * 4
    await site.db.write(sessions.revoke_all, alice.id, datetime.now(UTC))
    assert await statuses(token) == [401] * 4
    assert len(await rows(site.db, posts)) == 2


async def test_strangers_never_come_to_those_who_write(site: Site, monkeypatch):
    written = []
    monkeypatch.setattr(site.db, "write", lambda *asked: written.append(asked))
    for body in ({"status": "x"}, {"status": ""}):
        assert (await site.post("/api/v1/statuses", "wrong", json=body)).status == 401
    assert written == []


async def test_the_suspended_and_the_deleted_are_out_at_once(site: Site):
    alice, token = await site.person("alice")
    await site.do(accounts.suspend, alice.id)
    assert (await site.get("/api/v1/timelines/home", token)).status == 401
    bob, token = await site.person("bob")
    await site.do(accounts.delete_local, bob.id)
    assert (await site.get("/api/v1/timelines/home", token)).status == 401


@pytest.mark.parametrize("column", ["confirmed_at", "approved_at"])
async def test_who_is_not_confirmed_or_approved_waits_outside(site: Site, column):
    alice, token = await site.person("alice")
    await site.db.write(
        lambda tx: tx.execute(update(user_table).where(user_table.c.account_id == alice.id).values({column: None}))
    )
    answer = await site.get("/api/v1/accounts/verify_credentials", token)
    assert answer.status == 403
    assert answer.error.startswith("Your login is")


async def test_the_cookie_of_a_browser_opens_nothing_here(site: Site):
    alice, _ = await site.person("alice")
    await site.db.write(sessions.start_session, alice.id, auth.sha256("secret"), "csrf", "", datetime.now(UTC))
    for name in ("__Host-session", "session"):
        answer = await site.get("/api/v1/timelines/home", headers={"Cookie": f"{name}=secret"})
        assert answer.status == 401


async def test_old_and_broad_scopes_open_what_is_in_them(site: Site):
    alice, _ = await site.person("alice")
    for scopes, path, status in [
        ("read", "/api/v1/timelines/home", 200),
        ("read:statuses", "/api/v1/timelines/home", 200),
        ("profile", "/api/v1/accounts/verify_credentials", 200),
        ("follow", "/api/v1/follow_requests", 200),
        ("read:follows", "/api/v1/follow_requests", 200),
        ("follow", "/api/v1/timelines/home", 403),
        ("profile", "/api/v1/timelines/home", 403),
    ]:
        assert (await site.get(path, await site.token(alice, scopes))).status == status, (scopes, path)


async def test_who_uses_a_program_counts_as_active(site: Site):
    await site.person("bob")
    _, token = await site.person("alice")
    assert (await site.get("/api/v2/instance")).json["usage"]["users"]["active_month"] == 0
    await site.get("/api/v1/timelines/home", token)
    assert (await site.get("/api/v2/instance")).json["usage"]["users"]["active_month"] == 1


async def test_a_stranger_s_token_reaches_nothing_of_others(site: Site):
    alice, _ = await site.person("alice")
    bob = remote("bob")
    await stored(site.db, bob)
    _, strange = await site.person("mallory")
    for visibility in ("private", "direct"):
        post = await site.posted(alice, "for few @bob@far.test", visibility=visibility)
        before = await site.db.read(lambda tx: tx.execute(account_table.select()).all())
        for method, path, _ in ROUTES:
            if ("/statuses/{id}" in path or "/polls/{id}" in path) and "/admin/" not in path:
                answer = await site.call(
                    method, path.replace("{id}", str(post.id)), strange, json={"status": "mine", "choices": [0]}
                )
                assert answer.status == 404, (method, path, answer.body)
                assert b"for few" not in answer.body
        for path in ("timelines/public", "timelines/home", f"accounts/{alice.id}/statuses", "notifications"):
            assert (await site.get(f"/api/v1/{path}", strange)).json == []
        assert before == await site.db.read(lambda tx: tx.execute(account_table.select()).all())


def test_a_route_that_says_nothing_keeps_the_server_from_starting(monkeypatch):
    async def handler(request: web.Request) -> web.Response:
        return web.Response()

    table = web.RouteTableDef()
    table.get("/api/v1/open")(handler)
    from web.api import polls  # noqa: PLC0415  its table is replaced for this test alone

    monkeypatch.setattr(polls, "routes", table)
    with pytest.raises(LookupError, match="does not say for whom"):
        defined()
