"""A server in one process whose database is moved away: a real receiver hears of it, and of nothing before.

Of a server in several processes, at its usual pace and within a minute, `make drill` tells (docs/reliability.md).
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from tests.ports import free_port

ROOT = Path(__file__).parent.parent.parent
pytestmark = pytest.mark.slow
EVERY = 3  # seconds between two looks, ten by default; all the rest goes as much faster


class Receiver(HTTPServer):
    def __init__(self):
        super().__init__(("127.0.0.1", 0), Hook)
        self.heard = threading.Event()
        self.alerts = []


class Hook(BaseHTTPRequestHandler):
    def do_POST(self):
        said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.alerts += said["alerts"]
        if any(one["rule"] == "database-down" for one in said["alerts"]):
            self.server.heard.set()
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


def test_a_database_that_is_moved_away_is_told_after_two_looks_and_nothing_is_before(tmp_path):
    bind = f"127.0.0.1:{free_port()}"
    with Receiver() as receiver:
        threading.Thread(target=receiver.serve_forever, args=[0.05], daemon=True).start()
        environ = {
            **{name: value for name, value in os.environ.items() if not name.startswith("CONNECTME_")},
            "CONNECTME_CONFIG": "/dev/null", "CONNECTME_DOMAIN": bind.replace("127.0.0.1", "localhost"),
            "CONNECTME_DATA_DIR": str(tmp_path), "CONNECTME_BIND": bind,
            "CONNECTME_ALERT_WEBHOOK_URL": f"http://127.0.0.1:{receiver.server_address[1]}/",
            "CONNECTME_WATCH_EVERY": str(EVERY),
        }  # fmt: skip
        command = [sys.executable, "-m", "connectme", "serve", "--single-process"]
        with subprocess.Popen(command, cwd=ROOT, env=environ, stderr=subprocess.DEVNULL) as server:
            try:
                _until(lambda: urlopen(f"http://{bind}/livez").status == 200, 120)
                _until((tmp_path / "state/samples.db").exists, 120)
                time.sleep(5 * EVERY)  # nothing is told of a server that is well
                assert receiver.alerts == []
                (tmp_path / "connectme.db").rename(tmp_path / "elsewhere.db")
                assert receiver.heard.wait(120), receiver.alerts
                with urlopen(f"http://{bind}/api/v2/status.json") as answer:
                    assert json.load(answer)["status"]["indicator"] == "critical"
            finally:
                server.send_signal(signal.SIGTERM)
                server.wait(60)
        receiver.shutdown()


def _until(is_so, seconds):
    end = time.monotonic() + seconds
    while True:
        try:
            if is_so():
                return
        except (URLError, OSError):
            pass
        assert time.monotonic() < end
        time.sleep(0.2)
