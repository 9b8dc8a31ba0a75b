"""The examples for nginx and Caddy, with the real ones: while the server is gone, others are told to come back, people
what is.
"""

import gzip
import json
import re
import shutil
import socket
import subprocess
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests.ports import free_port

NGINX = shutil.which("nginx") or next((path for path in ("/usr/sbin/nginx",) if Path(path).exists()), None)
CADDY = shutil.which("caddy")
EXAMPLES = Path(__file__).parent.parent.parent / "docs/admin/examples"
WHOLE = """daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;
events {{}}
http {{
    types {{ text/html html; application/json json; application/atom+xml atom; }}
    access_log off; client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
    uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
    {servers}
}}"""


LONG = b"words, words, words " * 200


class Server(BaseHTTPRequestHandler):
    def do_GET(self):
        status = int(self.headers.get("X-Wanted", 200))
        self.send_response(status)
        self.send_header("X-Host", self.headers["Host"])
        body = LONG if "X-Kind" in self.headers else b"from the server"
        self.send_header("Content-Length", str(len(body)))
        if kind := self.headers.get("X-Kind"):
            self.send_header("Content-Type", kind)
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815  http.server's name

    def log_message(self, *_):
        pass


@pytest.fixture(params=["nginx", "caddy"])
def front(request, tmp_path):
    """(address of the proxy, port that the server should listen on)."""
    make, program, package = {"nginx": (_nginx, NGINX, "nginx-light"), "caddy": (_caddy, CADDY, "caddy")}[request.param]
    if program is None:
        pytest.skip(f"{request.param} is not installed: apt-get install {package}")
    place = tmp_path / "status"
    (place / "api/v2").mkdir(parents=True)
    (place / "index.html").write_text("the status page")
    (place / "feed.atom").write_text("<feed/>")
    (place / "api/v2/summary.json").write_text('{"page": 1}')
    port, behind = free_port(), free_port()
    words = make(tmp_path, place, port, behind)
    environ = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environ) as process:
        try:
            _wait(port, process)
            yield f"http://127.0.0.1:{port}", behind
        finally:
            process.terminate()


def _nginx(folder, place, port, behind):
    servers = changed("nginx.conf", {
        r"listen 443 ssl http2;": f"listen 127.0.0.1:{port};",
        r"ssl_certificate\S*\s+[^;]+;": "",
        r"127\.0\.0\.1:8000": f"127.0.0.1:{behind}",
        r"/var/www/connectme-status": str(place),
    })  # fmt: skip
    (folder / "nginx.conf").write_text(WHOLE.format(folder=folder, servers=servers))
    return [NGINX, "-p", str(folder), "-c", "nginx.conf"]


def _caddy(folder, place, port, behind):
    text = changed("Caddyfile", {
        r"(?m)^example\.org \{": f"http://:{port} {{\n\tbind 127.0.0.1",
        r"127\.0\.0\.1:8000": f"127.0.0.1:{behind}",
        r"/var/www/connectme-status": str(place),
    })  # fmt: skip
    (folder / "Caddyfile").write_text(f"{{\n\tadmin off\n\tauto_https off\n}}\n{text}")
    return [CADDY, "run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]


def changed(example, values):
    """The example, with another value for each pattern: for this machine."""
    text = (EXAMPLES / example).read_text()
    for pattern, value in values.items():
        assert re.search(pattern, text), pattern
        text = re.sub(pattern, value, text)
    return text


@pytest.mark.skipif(CADDY is None, reason="caddy is not installed: apt-get install caddy")
def test_caddy_takes_the_example_as_it_is(tmp_path):
    words = [CADDY, "validate", "--adapter", "caddyfile", "--config", str(EXAMPLES / "Caddyfile")]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, env={"HOME": str(tmp_path)}, check=False)
    assert (done.returncode, "Valid configuration" in done.stdout + done.stderr) == (0, True), done.stderr


def _wait(port, process):
    end = time.monotonic() + 120
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 60).close()
        except OSError:
            assert process.poll() is None, process.stderr.read()
            assert time.monotonic() < end
            time.sleep(0.02)
        else:
            return


def ask(address, **headers):
    """A POST when there is a body."""
    body = headers.pop("body", None)
    request = Request(address, body, {name.replace("_", "-"): value for name, value in headers.items()})
    try:
        with urlopen(request, timeout=60) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except HTTPError as answer:
        with answer:
            return answer.code, answer.headers, answer.read().decode()


def test_while_the_server_is_gone_senders_come_back_and_people_read_what_is(front):
    address, _ = front
    for path in ("/inbox", "/users/alice/inbox"):
        status, headers, body = ask(address + path, body=b"{}", Content_Type="application/activity+json")
        assert (status, headers["Retry-After"]) == (503, "60")
        assert "try again" in json.loads(body)["error"]
    status, headers, body = ask(f"{address}/api/v1/timelines/home", Accept="application/json")
    assert (status, headers["Access-Control-Allow-Origin"], "error" in json.loads(body)) == (503, "*", True)
    status, headers, body = ask(f"{address}/@alice", Accept="text/html,*/*;q=0.8")
    assert (status, headers["Retry-After"], body) == (503, "60", "the status page")
    status, headers, body = ask(f"{address}/status", Accept="text/html")
    assert (status, headers.get_content_type(), body) == (200, "text/html", "the status page")
    assert ask(f"{address}/status/feed.atom")[0::2] == (200, "<feed/>")
    assert ask(f"{address}/api/v2/summary.json")[0::2] == (200, '{"page": 1}')
    assert ask(f"{address}/api/v2/status.json")[0] == 503  # not made yet


@contextmanager
def serving(behind):
    with ThreadingHTTPServer(("127.0.0.1", behind), Server) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


def test_what_the_server_says_passes_as_it_is(front):
    address, behind = front
    with serving(behind):
        for wanted in (200, 404, 410, 502, 503):
            status, headers, body = ask(f"{address}/inbox", body=b"{}", X_Wanted=str(wanted), Host="example.org")
            assert (status, body, headers["X-Host"]) == (wanted, "from the server", "example.org")
        assert ask(f"{address}/api/v2/instance")[2] == "from the server"
        assert ask(f"{address}/metrics")[0] == 403


def test_words_are_packed_for_the_way_and_nothing_that_is_packed_or_flows(front):
    address, behind = front
    with serving(behind):
        for kind in ("text/html; charset=utf-8", "text/css", "application/json", "application/activity+json",
                     "application/rss+xml; charset=utf-8", "image/svg+xml"):  # fmt: skip
            request = Request(address, headers={"X-Kind": kind, "Accept-Encoding": "gzip"})
            with urlopen(request, timeout=60) as answer:
                packed = answer.read()
                assert (answer.headers["Content-Encoding"], "Accept-Encoding" in answer.headers["Vary"]) == (
                    "gzip",
                    True,
                )
            assert (gzip.decompress(packed), len(packed) < len(LONG) / 5) == (LONG, True), kind
            assert ask(address, X_Kind=kind)[1]["Content-Encoding"] is None
        for kind in ("image/jpeg", "text/event-stream"):
            assert ask(address, X_Kind=kind, Accept_Encoding="gzip")[1]["Content-Encoding"] is None, kind
