"""What people and programs are told while the server is not wholly open."""

import pytest

from tests.web.site import PAGE, Site


@pytest.fixture
def shut(site: Site):
    site.house.board.found("maintenance", "test")
    return site


async def test_programs_get_503_with_json_and_when_to_come_back(shut: Site):
    for method, path in (("GET", "/api/v1/timelines/public"), ("POST", "/api/v1/statuses"), ("GET", "/api/v1/nowhere")):
        answer = await shut.call(method, path)
        assert answer.status == 503
        assert "worked on" in answer.error
        assert int(answer.headers["Retry-After"]) > 0


async def test_people_get_a_page_that_says_so_without_the_database(shut: Site):
    shut.db.shut = "away"
    for path in ("/", "/about", "/@nobody", "/login", "/no/such/page"):
        answer = await shut.get(path, headers={"Accept": PAGE, "Cookie": "session=x"})
        assert answer.status == 503
        assert answer.headers["Content-Type"].startswith("text/html")
        assert b"worked on" in answer.body
        assert int(answer.headers["Retry-After"]) > 0


async def test_who_runs_the_server_is_told_where_to_look_and_nobody_sees_facts(site: Site):
    """Without the database nobody's session can be checked."""
    site.house.board.found("emergency", "the file /srv/secret.db is gone")
    site.db.shut = "away"
    for path in ("/admin/health", "/admin/health?span=week"):
        answer = await site.get(path, headers={"Accept": PAGE, "Cookie": "session=x"})
        assert answer.status == 503
        assert int(answer.headers["Retry-After"]) > 0
        for words in (b"connectme doctor", b"connectme maintenance status", b'href="/status"'):
            assert words in answer.body
        assert b"secret" not in answer.body
    answer = await site.get("/home", headers={"Accept": PAGE})
    assert (b"connectme doctor" in answer.body, b'href="/status"' in answer.body) == (False, True)


async def test_health_and_what_never_needs_the_database_answer(shut: Site):
    for path in ("/livez", "/health", "/static/style.css", "/.well-known/nodeinfo", "/api/v1/streaming/health"):
        assert (await shut.get(path)).status == 200, path


async def test_read_only_serves_readers_and_refuses_writers(site: Site):
    alice, token = await site.person("alice")
    await site.posted(alice, "still here")
    site.house.board.found("read-only", "the disk is nearly full")
    answer = await site.get("/api/v1/timelines/public?local=true", token)
    assert len(answer.json) == 1
    answer = await site.post("/api/v1/statuses", token, json={"status": "no"})
    assert answer.status == 503
    assert "takes nothing new" in answer.error
    site.house.board.found("normal")
    assert (await site.post("/api/v1/statuses", token, json={"status": "yes"})).status == 200


async def test_what_a_shut_database_is_asked_fails_at_once(site: Site):
    site.house.board.found("emergency", "away")
    site.db.shut = "the database is away"
    answer = await site.get("/api/v1/timelines/public")
    assert answer.status == 503
    assert (await site.get("/readyz")).status == 503
