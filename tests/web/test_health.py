"""Is it alive, is it fit, and its numbers; and for whom those are."""

import os

import pytest
from prometheus_client.parser import text_string_to_metric_families

from ops.change import progress
from tests.web.site import Site


async def test_the_living_say_so(site: Site):
    assert (await site.get("/livez")).body == b"ok\n"
    assert (await site.get("/health")).json == {"status": "UP"}


async def test_who_is_fit_says_it_of_every_part(site: Site):
    answer = await site.get("/readyz")
    assert (answer.status, answer.json["status"]) == (200, "ready")
    assert {name: part["ok"] for name, part in answer.json["parts"].items()} == {
        "database": True,
        "database_writes": True,
        "spool": True,
        "queue": True,
        "disk": True,
        "media": True,
    }
    assert answer.json["mode"] == "normal"
    assert answer.headers["Cache-Control"] == "no-store"


async def test_who_has_started_says_so_and_who_waits_says_for_what(site: Site, tmp_path):
    assert (await site.get("/startupz")).json == {"status": "ready"}
    progress.tell(tmp_path, progress.begun("upgrade", "migrating", step=2, of=5, migration="0042"))
    site.house.board.found("maintenance", "the database is being changed")
    answer = await site.get("/startupz")
    assert (answer.status, answer.json["status"], answer.json["progress"]["step"]) == (503, "migrating", 2)


@pytest.mark.parametrize(("file", "part"), [("ours.db", "database"), ("spool.db", "spool")])
async def test_who_lost_a_file_is_not_fit_but_alive(site: Site, tmp_path, file, part):
    for name in (file, f"{file}-wal"):
        if (tmp_path / name).exists():
            size = (tmp_path / name).stat().st_size
            with (tmp_path / name).open("r+b") as opened:
                opened.write(os.urandom(size))
    answer = await site.get("/readyz")
    assert (answer.status, answer.json["parts"][part]["ok"]) == (503, False), answer.body
    assert int(answer.headers["Retry-After"]) > 0
    assert str(tmp_path) not in answer.body.decode()
    assert (await site.get("/livez")).status == 200
    if part == "database":
        for path in ("/api/v1/timelines/public", "/.well-known/webfinger?resource=acct:a@ours.test", "/users/alice"):
            answer = await site.document(path)
            assert (answer.status, answer.headers["Retry-After"]) == (503, "60")
            assert str(tmp_path) not in answer.error


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-For": "192.0.2.1"},
        {"X-Forwarded-For": "127.0.0.1"},
        {"Forwarded": "for=127.0.0.1"},
        {"X-Real-IP": "127.0.0.1"},
        {"Via": "1.1 proxy"},
        {"X-Forwarded-For": "192.0.2.1", "Authorization": "Bearer wrong"},
        {"X-Forwarded-For": "192.0.2.1", "Authorization": "Bearer "},
        {"X-Forwarded-For": "192.0.2.1", "Authorization": "Basic secret"},
        {"X-Forwarded-For": "192.0.2.1", "Authorization": "Bearer \xff\udcff"},
    ],
    ids=str,
)
@pytest.mark.parametrize("token", ["", "secret"])
async def test_the_numbers_are_not_for_everybody(server, headers, token):
    async with server(METRICS_TOKEN=token) as site:
        answer = await site.get("/metrics", headers=headers)
        assert answer.status == 403
        assert b"connectme_" not in answer.body


async def test_the_numbers_are_for_this_machine_and_for_who_has_the_token(server):
    async with server(METRICS_TOKEN="secret") as site:
        elsewhere = {"X-Forwarded-For": "192.0.2.1", "Authorization": "bearer secret"}
        for headers in ({}, elsewhere):
            answer = await site.get("/metrics", headers=headers)
            assert answer.status == 200
            names = {family.name for family in text_string_to_metric_families(answer.body.decode())}
            assert names >= {
                "connectme_deliveries_waiting",
                "connectme_delivery_oldest_seconds",
                "connectme_hosts_silent",
                "connectme_jobs_waiting",
                "connectme_spool_waiting",
                "connectme_inbox",
                "connectme_process_cpu_seconds",
            }


async def test_what_the_inbox_refused_is_counted(site: Site):
    assert (await site.post("/inbox", json={}, headers={"Content-Type": "text/plain"})).status == 415
    await site.house.spool.write(lambda tx: None)
    counts = site.house.counts.take()
    site.house.counts.give_back(counts)
    assert counts == {"refused/type": 1}
