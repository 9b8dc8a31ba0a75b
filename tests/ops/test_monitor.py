"""The monitor looks at a web process (a stand-in that answers as told) and tells real receivers."""

import fcntl
import json
import sqlite3
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message

from ops import alerts, incidents, modes, state
from ops.change import progress
from ops.watch import asking, errands
from ops.watch.looks import Every
from ops.watch.monitor import Monitor, Process, Watched
from ops.watch.samples import DAY, read
from tests.ports import free_port

READY = {"parts": {name: {"ok": True} for name in ("database", "database_writes", "spool")}}


class Answers(ThreadingHTTPServer):
    """A web process, and what alerts are told to."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers = {"/livez": (200, b"ok"), "/readyz": (200, json.dumps(READY).encode()), "/metrics": (200, b"")}
        self.heard = []

    @property
    def bind(self):
        return f"127.0.0.1:{self.server_address[1]}"

    def ready(self, **parts):
        changed = {"parts": {**READY["parts"], **{name: {"ok": fine} for name, fine in parts.items()}}}
        self.answers["/readyz"] = (503, json.dumps(changed).encode())


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        status, body = self.server.answers.get(self.path, (404, b""))
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        self.server.heard.append((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
        self.do_GET()

    def log_message(self, *_):
        pass


@pytest.fixture
def web():
    with Answers() as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def database(tmp_path):
    file = tmp_path / "connectme.db"
    with sqlite3.connect(file) as link:
        link.execute("CREATE TABLE fact (name TEXT, value TEXT)")
        link.execute("INSERT INTO fact VALUES ('instance', 'abc')")
    link.close()
    return file


def watched(web, tmp_path, **more):
    return Watched(bind=web.bind, data_dir=tmp_path, database=more.pop("database", None), title="Ours",
                   domain="ours.test", base_url="http://ours.test", **more)  # fmt: skip


@contextmanager
def watching(watched, processes=()):
    monitor = Monitor(watched, lambda: list(processes))
    try:
        yield monitor
    finally:
        monitor.close()


def begin():
    return datetime(2026, 11, 1, 12, tzinfo=UTC).timestamp()


def test_a_server_that_is_well_alarms_nobody(web, database, tmp_path):
    with watching(watched(web, tmp_path, database=database)) as monitor:
        for n in range(6):
            values = monitor.tick(begin() + 10 * n)
    assert (values["web"], values["database"], values["spool"]) == (1.0, 1.0, 1.0)
    assert not [name for name in alerts.load(tmp_path / "state") if name != "disk-low"]
    assert (tmp_path / "state/status/index.html").exists()


def test_a_database_that_is_moved_away_is_noticed_though_the_web_process_still_has_it_open(web, database, tmp_path):
    with watching(watched(web, tmp_path, database=database)) as monitor:
        monitor.tick(begin())
        database.rename(tmp_path / "elsewhere.db")
        for n in range(1, 6):
            monitor.tick(begin() + 10 * n)
    assert alerts.load(tmp_path / "state")["database-down"].opened == begin() + 30
    [draft] = incidents.all_of(tmp_path / "state")
    assert (draft.draft, draft.alert, draft.impact) == (True, "database-down", "major")


def test_another_server_s_database_in_the_place_of_ours_is_noticed(web, database, tmp_path):
    with watching(watched(web, tmp_path, database=database)) as monitor:
        monitor.tick(begin())
        with sqlite3.connect(database) as link:
            link.execute("UPDATE fact SET value = 'other'")
        link.close()
        assert monitor.tick(begin() + 10)["database"] == 0.0


def test_the_cheap_checks_are_made_every_twenty_seconds(web, database, tmp_path):
    seen = []
    monitor = Monitor(watched(web, tmp_path, database=database), list, examine=seen.append)
    for n in range(13):
        monitor.tick(begin() + 10 * n)
    monitor.close()
    assert [round(moment.timestamp() - begin()) for moment in seen] == list(range(0, 121, 20))


def test_a_web_process_that_is_gone_is_noticed_and_its_days_are_counted(web, tmp_path):
    gone = watched(web, tmp_path)
    web.answers["/livez"] = (500, b"")
    with watching(gone) as monitor:
        for n in range(5):
            monitor.tick(begin() + 10 * n)
    assert "web-down" in alerts.is_open(alerts.load(tmp_path / "state"))
    page = (tmp_path / "state/status/index.html").read_text()
    assert "Much does not work" in page
    status = json.loads((tmp_path / "state/status/api/v2/status.json").read_text())
    assert status["status"]["indicator"] == "critical"


def test_processes_that_end_again_and_again_are_noticed(web, tmp_path):
    process = Process("web 0", None, 0)
    with watching(watched(web, tmp_path), [process]) as monitor:
        monitor.tick(begin())
        process.restarts = 3
        monitor.tick(begin() + 10)
    assert alerts.is_open(alerts.load(tmp_path / "state")) == ["restarts"]


def test_a_change_that_nobody_goes_on_with_is_told_though_maintenance_is_on(web, tmp_path):
    folder = state.folder(tmp_path)
    modes.say(tmp_path, modes.Mode("maintenance"))
    progress.tell(tmp_path, progress.begun("upgrade", "migrating"))
    with watching(watched(web, tmp_path, webhook=f"http://{web.bind}/hook")) as monitor:
        with (folder / progress.LOCK).open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            assert [monitor.tick(begin() + 10 * n)["change_stopped"] for n in range(4)] == [0.0] * 4
        for n in range(4, 8):
            monitor.tick(begin() + 10 * n)
        assert alerts.is_open(alerts.load(folder)) == ["change-stopped"]
        progress.tell(tmp_path, progress.begun("upgrade", "done"))
        assert monitor.tick(begin() + 80)["change_stopped"] == 0.0


def test_a_planned_window_is_quiet(web, tmp_path):
    now = datetime.fromtimestamp(begin(), UTC)
    folder = state.folder(tmp_path)
    incidents.plan(folder, "A larger disk", "Ten minutes.", now, now + timedelta(minutes=1), now)
    web.answers["/livez"] = (500, b"")
    with watching(watched(web, tmp_path, webhook=f"http://{web.bind}/hook")) as monitor:
        for n in range(5):
            monitor.tick(begin() + 10 * n)
        assert alerts.unsent(folder) == []
        monitor.tick(begin() + 70)
        assert [one["to"] for one in alerts.unsent(folder)] == [["webhook"]]
    assert [step.status for step in incidents.all_of(folder)[-1].updates] == ["scheduled", "in_progress", "completed"]


def test_errors_and_refused_signatures_are_counted_in_windows(web, tmp_path):
    def numbers(ok, wrong, refused):
        lines = [f'connectme_http_requests_total{{class="2xx"}} {ok}',
                 f'connectme_http_requests_total{{class="5xx"}} {wrong}',
                 f'connectme_inbox_total{{outcome="refused",detail="signature"}} {refused}']  # fmt: skip
        web.answers["/metrics"] = (200, "\n".join(lines).encode())

    with watching(watched(web, tmp_path)) as monitor:
        numbers(0, 0, 0)
        monitor.tick(begin())
        numbers(60, 40, 30)
        values = monitor.tick(begin() + 60)
        assert (values["errors_share"], values["http_rate"]) == (0.4, pytest.approx(1.667, abs=0.01))
        assert values["signature_jump"] > 1
        numbers(5, 0, 0)  # a process began anew
        assert monitor.tick(begin() + 90)["errors_share"] == 0.0


def test_the_time_in_which_nobody_looked_counts_as_an_outage(web, tmp_path):
    with watching(watched(web, tmp_path)) as monitor:
        monitor.tick(begin())
    with watching(watched(web, tmp_path)) as monitor:
        monitor.tick(begin() + 1000)
    [(_, day)] = read(tmp_path / "state/samples.db", DAY, 0)
    assert (day["web"], day["web/all"]) == (2, 102)


def settled(monitor, now, done):
    """Ticks until it is so; children need a moment of real time."""
    end = time.monotonic() + 120
    while not done():
        assert time.monotonic() < end
        time.sleep(0.02)
        monitor.tick(now)


def test_receivers_are_told_and_one_that_fails_is_told_later(web, tmp_path):
    mails = []

    class Kept(Message):
        def handle_message(self, message):
            mails.append(message)

    port = free_port()
    mail = Controller(Kept(), hostname="127.0.0.1", port=port, server_hostname="mail.test")
    mail.start()
    email = {"url": f"smtp://127.0.0.1:{port}", "sender": "Ours <no-reply@ours.test>", "to": ["a@b.test"],
             "domain": "ours.test"}  # fmt: skip
    web.answers |= {"/hook": (200, b""), "/ping": (200, b""), "/livez": (500, b"")}
    more = {"webhook": f"http://{web.bind}/hook", "ntfy": f"http://{web.bind}/topic", "email": email}
    try:
        with watching(watched(web, tmp_path, **more)) as monitor:
            for n in range(3):
                monitor.tick(begin() + 10 * n)
            folder = tmp_path / "state"
            settled(monitor, begin() + 30, lambda: [one["to"] for one in alerts.unsent(folder)] == [["ntfy"]])
            web.answers["/topic"] = (200, b"")  # it was 404
            settled(monitor, begin() + 300, lambda: alerts.unsent(folder) == [])
    finally:
        mail.stop()
    assert "no web process answers" in mails[0]["Subject"]
    hooks = [json.loads(body) for headers, body in web.heard if headers.get("Content-Type") == "application/json"]
    assert [hook["alerts"][0]["rule"] for hook in hooks] == ["web-down"]
    assert hooks[0]["open"] == ["web-down"]
    assert next(body for headers, body in web.heard if headers.get("Tags")).startswith(b"OPENED web-down")


def test_an_errand_to_nobody_says_so_and_hears_the_clock(web):
    web.answers["/ping"] = (200, b"")
    found = errands.main({"ping": f"http://{web.bind}/ping"})
    assert found["failed"] == {}
    assert abs(found["skew"]) < 60
    assert "deadman" in errands.main({"ping": f"http://{web.bind}/not"})["failed"]
    assert "deadman" in errands.main({"ping": "file:///etc/passwd"})["failed"]
    assert "certificate" in errands.main({"certificate": web.bind})["failed"]
    assert "webhook" in errands.main({"to": {"webhook": "http://127.0.0.1:1/"}, "subject": "", "body": ""})["failed"]


def test_nobody_answers_is_an_answer(tmp_path):
    assert asking.ask("127.0.0.1:1", "/livez", timeout=1).status == 0
    assert asking.ask(f"unix:{tmp_path}/none", "/livez", timeout=1).status == 0


def test_a_check_of_the_data_that_is_late_is_an_alert_until_it_is_made(web, tmp_path):
    now = time.time()
    monitor = Monitor(watched(web, tmp_path, by_itself=Every(check=timedelta(days=7))), list)
    monitor.tick(now)
    for n in range(4):
        monitor.tick(now + 8.1 * DAY + 61 * n)
    assert "check-old" in alerts.is_open(alerts.load(state.folder(tmp_path)))
    later = now + 8.2 * DAY
    state.write_json(state.folder(tmp_path) / "integrity.json", {"at": datetime.fromtimestamp(later, UTC).isoformat()})
    for n in range(4):
        monitor.tick(later + 61 * n)
    assert "check-old" not in alerts.is_open(alerts.load(state.folder(tmp_path)))
    assert Monitor(watched(web, tmp_path), list).tick(later)["check_late"] == 0.0
    monitor.close()


def test_what_the_server_does_not_do_by_itself_is_never_late(web, tmp_path):
    """Nor does an alert stay open that was so when it still did."""
    now, every = time.time(), Every(*[timedelta(hours=hours) for hours in (48, 24 * 14, 24 * 7)])
    late = {"backup-old", "drill-old", "check-old"}

    def opened(by_itself, days):
        with watching(watched(web, tmp_path, by_itself=by_itself)) as monitor:
            for n in range(4):
                monitor.tick(now + days * DAY + 61 * n)
        return late & set(alerts.is_open(alerts.load(state.folder(tmp_path))))

    assert opened(every, 0) == set()
    assert opened(every, 2.05) == set()  # a backup every second day is not late on the second
    assert opened(every, 2.1) == {"backup-old"}
    assert opened(every, 15.1) == late
    assert opened(Every(), 15.2) == set()
    assert opened(Every(), 100) == set()


def test_the_mail_server_is_tried_without_a_mail():
    port = free_port()
    assert errands.main({"smtp": f"smtp://127.0.0.1:{port}"}) == {"failed": {}, "mail": 0.0}
    got = []

    class Box(Message):
        def handle_message(self, message):
            got.append(message)

    controller = Controller(Box(), hostname="127.0.0.1", port=port)
    controller.start()
    try:
        assert errands.main({"smtp": f"smtp://127.0.0.1:{port}"}) == {"failed": {}, "mail": 1.0}
        refused = f"smtp://me:wrong@127.0.0.1:{port}"  # it offers no STARTTLS, and no password goes without
        assert errands.main({"smtp": refused})["mail"] == 0.0
    finally:
        controller.stop()
    assert got == []


def test_a_mail_server_that_is_away_twice_is_told_and_counts_for_its_component(web, tmp_path):
    port = free_port()
    now, monitor = time.time(), Monitor(watched(web, tmp_path, smtp=f"smtp://127.0.0.1:{port}"), list)
    for moment in (0, 10, 41, 50, 75, 100):
        values = monitor.tick(now + moment)
        assert ("mail" in values) == (moment > 50), moment  # one failure is not believed
        for errand in monitor._errands:
            errand.process.wait(120)
    found = alerts.load(state.folder(tmp_path))
    assert "email-down" in alerts.is_open(found)
    assert alerts.components(found) == {"email": "major_outage"}
    monitor.close()
