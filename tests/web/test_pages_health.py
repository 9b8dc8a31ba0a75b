"""/admin/health: for those who run the server, and for nobody else."""

from datetime import UTC, datetime, timedelta

import pytest

from connectme.keeper import Keeper
from connectme.settings import Settings
from federation.origin import Origin
from ops import alerts, incidents, state
from ops.watch.samples import Samples
from outbox import enqueue, queue
from social import users
from tests.outbox.rows import add, far, hello
from tests.people import OURS, follow
from tests.web import browsing
from web.pages import charts

NOW = datetime.now(UTC)
ORIGIN = Origin("ours.test", OURS)


@pytest.fixture
async def run(sqlite_db, aiohttp_client, tmp_path):
    """A browser in which a person is signed in; the folder of notes; the person."""
    settings = Settings.load("/dev/null", environ={"CONNECTME_DATA_DIR": str(tmp_path / "data")})
    browser = await browsing.opened(sqlite_db, aiohttp_client, keeper=Keeper(settings))
    account = await browsing.person(sqlite_db, ORIGIN, "alice")
    return browser, state.folder(settings.data_dir), account


@pytest.fixture
async def owner(sqlite_db, run):
    browser, folder, account = run
    await sqlite_db.write(users.set_role, account.id, "owner", NOW)
    await browser.sign_in("alice")
    return browser, folder, account


async def test_others_are_led_to_the_door_or_refused(sqlite_db, run):
    browser, folder, account = run
    await browser.get("/admin/health")
    assert browser.location.startswith("/login?next=")
    for role in ("member", "moderator"):
        await sqlite_db.write(users.set_role, account.id, role, NOW)
        await browser.sign_in("alice")
        await browser.get("/admin/health")
        assert browser.status == 403
        assert "/admin/health" not in await browser.get("/settings/profile")
        for path in ("incidents", "incidents/abc", "windows", "hosts/far.test/drop", "hosts/far.test/retry"):
            await browser.send(f"/admin/health/{path}", title="x", says="x", impact="minor")
            assert browser.status == 403, path
    assert incidents.all_of(folder) == []


async def test_a_form_from_elsewhere_does_nothing(owner):
    browser, folder, _ = owner
    await browser.post("/admin/health/incidents", {"csrf": "wrong", "title": "x", "says": "x", "impact": "minor"})
    assert (browser.status, incidents.all_of(folder)) == (403, [])


async def test_a_server_that_nobody_looked_at_yet_has_a_page(owner):
    browser, _, _ = owner
    page = await browser.get("/admin/health")
    assert browser.status == 200
    assert "nothing seen yet" in page
    assert "There is none" in page


async def test_all_that_was_written_down_is_shown_and_no_markup_of_others(owner):
    browser, folder, _ = owner
    state.write_json(folder / "findings.json", {"at": NOW.isoformat(), "findings": [
        {"id": "disk", "severity": "error", "says": "The <i>disk</i> is full", "evidence": "0 bytes", "remedy": "`<`"},
        {"id": "fine", "severity": "ok", "says": "All is fine", "evidence": "", "remedy": ""}]})  # fmt: skip
    state.write_json(
        folder / "backups.json", {"backups": {"b-1": {"created": NOW.isoformat(), "level": "E3", "size": 9e6}}}
    )
    state.write_json(folder / "drills.json", [{"at": NOW.isoformat(), "ok": True, "rto_seconds": 12.0}, {"odd": 1}])
    alerts.save(folder, {"disk-low": alerts.Alert(NOW.timestamp(), 0.05, opened=NOW.timestamp())})
    samples, now = Samples(folder / "samples.db"), datetime.now(UTC).timestamp()
    for n in range(6):
        samples.add(now - 1800 + n * 300, {"memory": 1e8 + n, "spool_waiting": float(n), "disk_hours": 5.0})
    samples.close()
    state.write_json(folder / "integrity.json", {"at": NOW.isoformat(), "seconds": 3.0, "findings": [
        {"severity": "warning", "says": "2 counters are <i>wrong</i>"}]})  # fmt: skip
    page = await browser.get("/admin/health?span=week")
    assert browser.status == 200
    for part in ("2 counters are &lt;i&gt;", "1 fault", "full in about 5 h"):
        assert part in page, part
    for part in (
        "The &lt;i&gt;disk",
        "less than a tenth",
        "b-1",
        "E3",
        "9 MB",
        "worked",
        "now 100 MB",
        "at most 5",
        "<code>&lt;</code>",
    ):
        assert part in page, part
    assert "All is fine" not in page


@pytest.mark.parametrize("damaged", ["3", "[3]", '{"findings": 3}', '[{"severity": "error"}]', "{"])
async def test_damaged_notes_cost_the_note_and_not_the_page(owner, damaged):
    browser, folder, _ = owner
    for name in ("findings", "backups", "drills", "alerts", "mode", "incidents"):
        (folder / f"{name}.json").write_text(damaged)
    await browser.get("/admin/health")
    assert browser.status == 200


async def test_an_incident_is_told_and_ended(owner):
    browser, folder, _ = owner
    await browser.get("/admin/health")
    await browser.send("/admin/health/incidents", title="", says="x", impact="minor")
    assert (browser.status, "It needs a title" in browser.page) == (422, True)
    await browser.send(
        "/admin/health/incidents", ("components[]", "web"), title="Slow", says="We look.", impact="major"
    )
    [made] = incidents.all_of(folder)
    assert (made.components, made.impact) == (("web",), "major")
    assert "We look." in await browser.get("/admin/health")
    assert (folder / "status/index.html").exists()
    await browser.send(f"/admin/health/incidents/{made.id}", says="The disk.", status="identified", act="update")
    await browser.send(f"/admin/health/incidents/{made.id}", says="", act="resolve")
    assert [step.status for step in incidents.get(folder, made.id).updates] == [
        "investigating",
        "identified",
        "resolved",
    ]
    await browser.send("/admin/health/incidents/abcdef", says="x", act="resolve")
    assert browser.status == 422


async def test_work_is_planned_ahead(owner):
    browser, folder, _ = owner
    await browser.get("/admin/health")
    window = {"title": "A larger <disk>", "says": "Ten minutes without pages", "begins": "2099-12-01T22:00"}
    for wrong, says in (
        ({"begins": "soon"}, "When?"),
        ({"begins": ""}, "When?"),
        ({"begins": "9999-12-31T23:59"}, "When?"),
        ({"ends": "2099-12-01T21:00"}, "ends after it begins"),
        ({"begins": "2001-12-01T22:00"}, "over already"),
        ({"title": " "}, "needs a title"),
    ):
        page = await browser.send("/admin/health/windows", **{**window, **wrong})
        assert (browser.status, says in page, "Ten minutes without pages</textarea>" in page) == (422, True, True), (
            wrong
        )
        assert incidents.all_of(folder) == []
    await browser.send("/admin/health/windows", ("components[]", "web"), **window)
    assert (browser.status, browser.location) == (303, "/admin/health#incidents")
    (made,) = incidents.all_of(folder)
    assert (made.status, made.components) == ("scheduled", ("web",))
    assert (made.begins, made.ends) == (
        datetime(2099, 12, 1, 22, tzinfo=UTC),
        datetime(2099, 12, 1, 23, tzinfo=UTC),
    )
    assert "A larger &lt;disk&gt;" in await browser.get("/admin/health")


async def test_what_was_typed_of_an_incident_stays_when_it_cannot_be_said(owner):
    browser, folder, _ = owner
    page = await browser.send(
        "/admin/health/incidents", ("components[]", "web"), title="x" * 201, says="Slow", impact="major"
    )
    assert browser.status == 422
    assert all(kept in page for kept in (">Slow</textarea>", "<option selected>major", 'value="web" checked'))
    assert incidents.all_of(folder) == []


async def test_a_draft_is_published_or_thrown_away(owner):
    browser, folder, _ = owner
    one, two = [incidents.open_(folder, f"Trouble {n}", "x", NOW, draft=True) for n in (1, 2)]
    await browser.get("/admin/health")
    await browser.send(f"/admin/health/incidents/{one.id}", says="Slow pages.", status="investigating", act="update")
    await browser.send(f"/admin/health/incidents/{two.id}", says="", act="forget")
    [kept] = incidents.all_of(folder)
    assert (kept.draft, [step.says for step in kept.updates]) == (False, ["Slow pages."])


async def test_a_queue_is_tried_now_or_dropped(sqlite_db, owner):
    browser, _, account = owner

    def mail(tx):
        for number, name in ((1, "down.test"), (2, "up.test")):
            other = far(number, name)
            add(tx, other)
            follow(tx, other, account)
        enqueue.to_followers(tx, account, hello(number=1), now=NOW - timedelta(hours=1))

    await sqlite_db.write(mail)
    page = await browser.get("/admin/health")
    assert "2 letters wait for 2 servers" in page
    await browser.send("/admin/health/hosts/up.test/retry")
    await browser.send("/admin/health/hosts/down.test/drop")
    assert browser.location == "/admin/health#queues"
    assert [row.host for row in await sqlite_db.read(queue.queue_stats)] == ["up.test"]


def test_a_peak_stays_in_the_picture_and_a_gap_breaks_the_line():
    subject = charts.Subject("Queue", (charts.Line("waiting", "x"),), charts.letters)
    samples = [(n, {"x": 500.0 if n == 777 else 1.0}) for n in range(1000)] + [(2000, {"x": 1.0})]
    drawn = charts.draw(subject, samples, 0, 3000)
    assert "at most 500" in drawn.says
    assert drawn.lines[0].path.count("M") == 2
    assert drawn.lines[0].path.count("L") < charts.POINTS
