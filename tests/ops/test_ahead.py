"""Planned windows become announcements, follow what the file says, and are gone afterwards."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from connectme.keeper import Keeper
from connectme.settings import Settings
from ops import incidents, state
from ops.ahead import Ahead, announced_as
from social import announcements
from tests.web import browsing

NOW = datetime.now(UTC).replace(microsecond=0)
BEGINS, ENDS = NOW + timedelta(hours=2), NOW + timedelta(hours=3)


@pytest.fixture
def folder(tmp_path):
    return state.folder(tmp_path)


def planned(folder, title="A larger disk", begins=BEGINS, ends=ENDS):
    return incidents.plan(folder, title, "No <b>pages</b> for ten minutes.", begins, ends, NOW)


async def test_a_server_without_windows_announces_nothing(db, folder, origin):
    ahead = Ahead(db, origin, folder.parent)
    await ahead(NOW)
    for damaged in ("{", "[3]", json.dumps({"incidents": [{"id": "x"}]})):
        (folder / incidents.FILE).write_text(damaged)
        await ahead(NOW)
    incidents.open_(folder, "Slow", "We look.", NOW)
    await ahead(NOW)
    assert await db.read(announcements.all_of) == []


async def test_a_window_is_announced_changed_and_taken_back(db, folder, origin):
    ahead, heard = Ahead(db, origin, folder.parent), []
    db.listeners.append(lambda event: heard.append(type(event).__name__))
    window = planned(folder)
    await ahead(NOW)
    await ahead(NOW)
    [it] = await db.read(announcements.all_of)
    assert (it.id, it.starts_at, it.ends_at) == (announced_as(window.id), BEGINS, ENDS)
    assert "A larger disk" in it.html
    assert "<b>" not in it.html
    incidents.update(folder, window.id, "Only five minutes.", NOW)
    await ahead(NOW + timedelta(minutes=1))
    [it] = await db.read(announcements.all_of)
    assert "Only five minutes." in it.html
    assert it.updated_at == NOW + timedelta(minutes=1)
    incidents.resolve(folder, window.id, "It is not needed.", NOW)
    await ahead(NOW)
    assert await db.read(announcements.all_of) == []
    assert heard == ["Announced", "Announced", "AnnouncementDeleted"]


async def test_one_that_is_over_is_announced_no_more_and_those_of_people_stay(db, folder, origin):
    await db.write(announcements.create, origin, "Hello", NOW)
    planned(folder)
    await Ahead(db, origin, folder.parent)(NOW)
    assert len(await db.read(announcements.active, 1, NOW)) == 2
    assert len(await db.read(announcements.active, 1, ENDS)) == 1
    await Ahead(db, origin, folder.parent)(ENDS)
    assert [it.source for it in await db.read(announcements.all_of)] == ["Hello"]


async def test_members_put_it_away_until_it_begins_and_strangers_see_it(
    sqlite_db, aiohttp_client, tmp_path, origin, monkeypatch
):
    settings = Settings.load("/dev/null", environ={"CONNECTME_DATA_DIR": str(tmp_path / "data")})
    browser = await browsing.opened(sqlite_db, aiohttp_client, keeper=Keeper(settings))
    folder = state.folder(settings.data_dir)
    await browsing.person(sqlite_db, origin, "alice")
    window = planned(folder)
    ahead = Ahead(sqlite_db, origin, settings.data_dir)
    await ahead(NOW)
    assert (await browser.get("/local")).count("A larger disk") == 1
    await browser.sign_in("alice")
    assert (await browser.get("/local")).count("A larger disk") == 1
    await browser.send(f"/announcements/{announced_as(window.id)}/dismiss", back="/local")
    assert "A larger disk" not in await browser.get("/local")
    kept = json.loads((folder / incidents.FILE).read_text())
    kept["incidents"][0]["begins"] = (NOW - timedelta(hours=1)).isoformat()
    state.write_json(folder / incidents.FILE, kept)  # it began
    await ahead(NOW)
    assert (await browser.get("/local")).count("A larger disk") == 1
    incidents.resolve(folder, window.id, "Done.", NOW)
    assert "A larger disk" not in await browser.get("/local")
