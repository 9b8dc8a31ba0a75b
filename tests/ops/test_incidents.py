"""Incidents and planned windows, and the files of the status page that say them."""

import json
import re
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest

from ops import incidents, state, status
from ops.incidents import Wrong
from ops.watch.samples import DAY, Samples
from tests import commands

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def folder(tmp_path):
    return state.folder(tmp_path)


@pytest.mark.parametrize(
    ("title", "says", "more", "why"),
    [
        ("", "x", {}, "a title"),
        ("x" * 201, "x", {}, "a title"),
        ("x", " ", {}, "a text"),
        ("x", "x" * 5001, {}, "a text"),
        ("x", "x", {"status": "scheduled"}, "its status"),
        ("x", "x", {"impact": "huge"}, "its impact"),
        ("x", "x", {"components": ["nose"]}, "components are"),
    ],
)
def test_what_cannot_be_said_is_refused_and_nothing_is_written(folder, title, says, more, why):
    with pytest.raises(Wrong, match=why):
        incidents.open_(folder, title, says, NOW, **more)
    assert incidents.all_of(folder) == []


def test_a_window_has_an_end_that_is_to_come(folder):
    for begins, ends in ((NOW + HOUR, NOW), (NOW - 2 * HOUR, NOW - HOUR)):
        with pytest.raises(Wrong):
            incidents.plan(folder, "x", "x", begins, ends, NOW)


@pytest.mark.parametrize(
    "damaged", ["", "3", "[]", '{"incidents": 3}', '{"incidents": [null, {}, {"id": 1, "updates": []}]}']
)
def test_a_damaged_note_is_passed_over(folder, damaged):
    (folder / "incidents.json").write_text(damaged)
    assert incidents.all_of(folder) == []


def test_an_incident_goes_its_way(folder):
    made = incidents.open_(folder, "Slow", "We look.", NOW, impact="minor", components=["web"])
    with pytest.raises(Wrong, match="no incidents"):
        incidents.update(folder, "zzz", "x", NOW)
    incidents.update(folder, made.id[:6], "The disk.", NOW + HOUR, status="identified", impact="major")
    with pytest.raises(Wrong, match="published"):
        incidents.forget(folder, made.id, NOW)
    done = incidents.resolve(folder, made.id, "It is over.", NOW + 2 * HOUR)
    assert incidents.all_of(folder) == [done]
    assert [step.status for step in done.updates] == ["investigating", "identified", "resolved"]
    assert (done.impact, done.is_open) == ("major", False)


def test_a_draft_is_seen_by_nobody_until_a_person_says_it(folder, tmp_path):
    draft = incidents.open_(folder, "Trouble", "x", NOW, draft=True, components=["web"])
    site = status.Site("Ours", "ours.test", "https://ours.test")
    assert status.render(tmp_path, site, NOW).current == ()
    incidents.update(folder, draft.id, "Pages are slow.", NOW)
    [shown] = status.render(tmp_path, site, NOW).current
    assert [step.says for step in shown.updates] == ["Pages are slow."]
    other = incidents.open_(folder, "Trouble", "x", NOW, draft=True)
    incidents.forget(folder, other.id, NOW)
    assert len(incidents.all_of(folder)) == 1


def test_windows_begin_and_end_by_the_clock(folder):
    made = incidents.plan(folder, "A disk", "Ten minutes.", NOW + HOUR, NOW + 2 * HOUR, NOW)
    assert not incidents.turn(folder, NOW)
    assert not incidents.is_quiet([made], NOW)
    [begun] = incidents.turn(folder, NOW + HOUR)
    assert (begun.status, incidents.is_quiet([begun], NOW + HOUR)) == ("in_progress", True)
    [ended] = incidents.turn(folder, NOW + 2 * HOUR)
    assert (ended.status, ended.is_open) == ("completed", False)


def test_what_was_long_ago_is_forgotten(folder):
    made = incidents.open_(folder, "Old", "x", NOW)
    incidents.resolve(folder, made.id, "x", NOW)
    incidents.open_(folder, "New", "x", NOW + timedelta(days=400))
    assert [one.title for one in incidents.all_of(folder)] == ["New"]


def rendered(tmp_path, title="<b>Ours</b>"):
    folder = state.folder(tmp_path)
    incidents.open_(folder, "<script>alert(1)</script> \x08", "a & b\nsecond line", NOW, components=["web", "api"])
    incidents.plan(folder, "A disk", "Ten minutes.", NOW + HOUR, NOW + 2 * HOUR, NOW, components=["media"])
    old = incidents.open_(folder, "Old", "x", NOW - 3 * HOUR)
    incidents.resolve(folder, old.id, "x", NOW - HOUR)
    state.write_json(folder / "drills.json", [{"at": NOW - timedelta(days=2), "ok": True}])
    samples = Samples(folder / "samples.db")
    for days, good in ((0, True), (1, True), (1, False), (3, False)):
        samples.count(NOW.timestamp() - days * DAY, {"web": good})
    samples.close()
    board = status.render(tmp_path, status.Site(title, "ours.test", "https://ours.test"), NOW)
    return folder / "status", board


def test_the_page_shows_all_of_it_and_no_markup_of_others(tmp_path):
    place, board = rendered(tmp_path)
    page = (place / "index.html").read_text()
    for part in ("Some things are slow or late", "&lt;script&gt;", "A disk", "Backups proved 2 days ago",
                 "&lt;b&gt;Ours", "31 Oct 2026: 50.00 %", "29 Oct 2026: 0.00 %", "Web pages"):  # fmt: skip
        assert part in page, part
    assert "<script" not in page
    assert len(page) < 40_000
    assert oct((place / "index.html").stat().st_mode & 0o777) == "0o644"
    assert board.components[0].uptime == pytest.approx(0.5)


def test_the_json_has_the_shapes_of_statuspage(tmp_path):
    place, _ = rendered(tmp_path)
    read = {file.stem: json.loads(file.read_text()) for file in (place / "api/v2").glob("**/*.json")}
    summary = read["summary"]
    assert set(summary) == {"page", "components", "incidents", "scheduled_maintenances", "status"}
    assert summary["page"]["url"] == "https://ours.test/status"
    assert summary["status"] == {"indicator": "minor", "description": "Some things are slow or late"}
    assert [one["status"] for one in summary["components"]][:3] == ["degraded_performance"] * 2 + ["operational"]
    [now] = summary["incidents"]
    assert (now["status"], now["impact"], now["resolved_at"]) == ("investigating", "minor", None)
    assert now["incident_updates"][0]["body"] == "a & b\nsecond line"
    assert [one["name"] for one in read["incidents"]["incidents"]][1] == "Old"
    [window] = read["upcoming"]["scheduled_maintenances"]
    assert (window["scheduled_for"], window["impact"]) == ("2026-11-01T13:00:00.000Z", "maintenance")
    assert read["active"]["scheduled_maintenances"] == []
    assert all(
        re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", one["updated_at"]) for one in summary["components"]
    )


def test_the_feed_is_atom(tmp_path):
    place, _ = rendered(tmp_path)
    feed = ElementTree.parse(place / "feed.atom").getroot()
    atom = "{http://www.w3.org/2005/Atom}"
    assert len(feed.findall(f"{atom}entry")) == 3
    assert all(feed.find(f"{atom}{name}") is not None for name in ("id", "title", "updated", "author"))


def test_maintenance_is_on_the_page(tmp_path, folder):
    state.write_json(folder / "mode.json", {"name": "maintenance"})
    board = status.render(tmp_path, status.Site("Ours", "ours.test", "https://ours.test"), NOW)
    assert board.indicator == "maintenance"


@pytest.fixture
def cli(tmp_path, monkeypatch):
    monkeypatch.setenv("CONNECTME_CONFIG", "/dev/null")
    monkeypatch.setenv("CONNECTME_DATA_DIR", str(tmp_path))

    def run(*words, status=0):
        done = commands.run("incident", *words)
        assert done.exit_code == status, done.output
        return done.output

    return run


def test_one_command_tells_and_one_ends_it(cli, tmp_path):
    cli("open", "Slow", "--message", "x", "--component", "nose", status=2)
    cli("resolve", "zzz", status=1)
    made = json.loads(cli("open", "Slow", "--message", "We look.", "--component", "web", "--json"))
    assert "We look." in (tmp_path / "state/status/index.html").read_text()
    cli("update", made["id"], "--message", "It was the disk.", "--status", "identified")
    assert "resolved" in cli("resolve", made["id"])
    cli("forget", made["id"], status=1)
    cli("plan", "Disk", "--message", "x", "--begins", "2030-01-01T10:00")
    assert [one["status"] for one in json.loads(cli("list", "--json"))] == ["scheduled", "resolved"]
    assert "Slow" in cli("list")
