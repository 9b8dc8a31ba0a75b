"""/status and its JSON are files, served without the database; incidents stand on top of pages."""

import os
from datetime import UTC, datetime, timedelta

import pytest

from connectme.settings import Settings
from connectme.watching import site_of
from ops import incidents, state, status
from tests.web.site import Site

NOW = datetime.now(UTC)
PLACES = ("/status", "/status/feed.atom", "/api/v2/summary.json", "/api/v2/status.json", "/api/v2/components.json",
          "/api/v2/incidents.json", "/api/v2/incidents/unresolved.json", "/api/v2/scheduled-maintenances.json",
          "/api/v2/scheduled-maintenances/upcoming.json", "/api/v2/scheduled-maintenances/active.json")  # fmt: skip


def render(site: Site):
    settings: Settings = site.house.settings
    status.render(settings.data_dir, site_of(settings), NOW)
    return state.folder(settings.data_dir)


@pytest.mark.parametrize("path", PLACES)
async def test_what_could_not_be_written_is_made_in_memory(site: Site, path):
    site.house.board.found("read-only", "only 0 MB are free")
    answer = await site.get(path)
    assert answer.status == 200
    if path in ("/status", "/api/v2/summary.json"):
        assert b"Some things do not work" in answer.body
    assert not (state.folder(site.house.settings.data_dir) / "status").exists()


async def indicator(site: Site) -> str:
    return (await site.get("/api/v2/status.json")).json["status"]["indicator"]


async def test_a_page_that_is_older_than_what_it_should_say_is_not_believed(site: Site):
    folder = render(site)
    assert await indicator(site) == "none"
    site.house.board.found("emergency", "the database is gone")  # and nobody could write that down
    assert await indicator(site) == "critical"
    site.house.board.found("normal")
    assert await indicator(site) == "none"
    incidents.open_(folder, "Slow pages", "We look.", NOW, impact="major", components=["web"])
    assert await indicator(site) == "major"
    page = folder / "status" / "api" / "v2" / "status.json"
    written = (folder / incidents.FILE).stat().st_mtime_ns
    os.utime(page, ns=(written, written))  # in one tick of the file system's clock, nobody knows in which order
    assert await indicator(site) == "major"
    page.write_bytes(page.read_bytes().replace(b"All systems work", b"From long ago"))
    os.utime(page, ns=(written + 1, written + 1))
    assert b"long ago" in (await site.get("/api/v2/status.json")).body
    os.utime(page, (long_ago := NOW.timestamp() - 3600, long_ago))
    assert b"long ago" not in (await site.get("/api/v2/status.json")).body


async def test_all_of_it_is_served_while_the_database_is_broken(site: Site, tmp_path):
    render(site)
    await site.db.close()
    for path in PLACES:
        answer = await site.get(path, headers={"Host": "status.example.net"})
        assert (answer.status, answer.headers["X-Content-Type-Options"]) == (200, "nosniff"), path
        if path.endswith(".json"):
            assert answer.json["page"]["name"]
            assert answer.headers["Access-Control-Allow-Origin"] == "*"


async def test_all_of_it_is_served_in_any_mode(site: Site):
    render(site)
    site.house.board.found("emergency", "the database is gone")
    for path in PLACES:
        assert (await site.get(path)).status == 200, path
    assert (await site.get("/api/v2/instance")).status == 503


async def test_a_page_that_is_made_anew_is_served_anew(site: Site):
    folder = render(site)
    assert b"Slow pages" not in (await site.get("/status")).body
    incidents.open_(folder, "Slow pages", "We look.", NOW)
    render(site)
    assert b"Slow pages" in (await site.get("/status")).body


async def test_addresses_of_mastodon_beside_it_are_as_they_were(site: Site):
    assert (await site.get("/api/v2/instance")).status == 200
    assert (await site.get("/api/v2/nothing.json")).status == 404


async def test_an_incident_stands_on_top_of_pages_and_a_draft_does_not(site: Site):
    folder = render(site)
    incidents.open_(folder, "A <b>draft</b>", "x", NOW, draft=True)
    incidents.plan(folder, "Next month", "x", NOW + timedelta(days=30), NOW + timedelta(days=31), NOW)
    html = {"Accept": "text/html"}
    assert b'class="notice told' not in (await site.get("/about", headers=html)).body
    made = incidents.open_(folder, "Slow <b>pages</b>", "We look.", NOW)
    incidents.plan(folder, "A larger disk", "x", NOW + timedelta(days=1), NOW + timedelta(days=2), NOW)
    page = (await site.get("/about", headers=html)).body.decode()
    assert "Slow &lt;b&gt;pages" in page
    assert "A larger disk" in page
    incidents.resolve(folder, made.id, "x", NOW)
    assert "Slow &lt;b&gt;pages" not in (await site.get("/about", headers=html)).body.decode()
