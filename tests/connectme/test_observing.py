"""A real server that tells an OpenTelemetry collector and a Sentry what it does and what breaks, over real sockets."""

import asyncio
import logging
import sqlite3
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from yarl import URL

from connectme.child import ended
from connectme.demo import PASSWORD, until
from connectme.observing import observed
from connectme.settings import Settings
from connectme.supervisor import NO_USE
from tests.collector import Collector, attributes
from tests.commands import Near
from tests.pairs.peer import Town
from tests.ports import free_port

SECRET = "what the lake under the ice said"
BROKEN = "what the glacier never said"
STRANGER = "203.0.113.77"
FOREIGN = "4bf92f3577b34da6a3ce929d0e0e4736"  # a trace that a client says to have begun
VALUES = {"otlp_endpoint": "http://127.0.0.1:1", "sentry_dsn": "http://key@127.0.0.1:1/1"}
ROOT = Path(__file__).parent.parent.parent


@dataclass
class Told:
    """What came of it: what was told to whom, what must not be in it, and the headers that another server got."""

    collector: Collector
    secrets: dict[str, str]
    peer: list[Any]
    peer_host: str


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    return asyncio.run(an_hour(tmp_path_factory.mktemp("observed")))


async def an_hour(folder: Path) -> Told:
    """alice follows bob of another server, tells him something in private, and meets an error."""
    async with Collector() as collector, Town() as town:
        server = town.server = Near(folder, free_port(), **collector.settings)
        server.person("alice")
        server.start("--single-process")
        try:
            await server.ready()
            bob = town.person(f"{await town.base('far.test')}/users/bob", "bob")
            handle = f"@bob@{await town.host('far.test')}"
            await server.follow("alice", handle)
            post = {"status": f"{handle} {SECRET}", "visibility": "direct"}
            sent = await asked(server, "POST", "/api/v1/statuses", post)
            await until(lambda: arrived(town, SECRET), "bob has it")
            await asked(server, "GET", f"/api/v1/statuses/{sent['id']}")
            page = f"{await town.base('far.test')}/page"
            await asked(server, "POST", "/api/v1/statuses", {"status": f"Read {page}", "visibility": "unlisted"})
            await until(lambda: looked_at(town, page), "the page is looked at")
            await asked(server, "GET", "/nowhere?access_token=in-the-address")
            with sqlite3.connect(folder / "connectme.db") as tx:
                tx.execute("CREATE TRIGGER broken BEFORE INSERT ON post BEGIN SELECT RAISE(ABORT, 'no'); END")
            tx.close()
            await asked(server, "POST", "/api/v1/statuses", {"status": BROKEN, "visibility": "private"})
        finally:
            await server.close()
            await asyncio.to_thread(server.stop)
        secrets = {
            "post": SECRET,
            "post that could not be kept": BROKEN,
            "token": server.tokens["alice"],
            "password": PASSWORD,
            "mail": "alice@example.org",
            "cookie": "of-chocolate",
            "address": STRANGER,
            "query": "in-the-address",
            "person": bob["id"],
            "trace": FOREIGN,
        }
        return Told(collector, secrets, town.heads, await town.host("far.test"))


async def asked(server: Near, method: str, path: str, body: object = None) -> Any:
    headers = {
        "Authorization": f"Bearer {server.tokens['alice']}",
        "Cookie": "session=of-chocolate",
        "X-Forwarded-For": STRANGER,
        "traceparent": f"00-{FOREIGN}-00f067aa0ba902b7-01",
        "User-Agent": "for alice@example.org",
    }
    async with server.session.request(method, server.base.join(URL(path)), headers=headers, json=body) as response:
        return await response.json(content_type=None) if response.content_type == "application/json" else None


async def looked_at(town: Town, page: str) -> bool:
    return town.asked[page] > 0


async def arrived(town: Town, words: str) -> bool:
    return any(words in str(document) for document in town.received)


@pytest.mark.parametrize(("setting", "extra"), [("otlp_endpoint", "otel"), ("sentry_dsn", "sentry")])
def test_what_is_asked_for_and_not_installed_is_said_in_a_sentence(tmp_path, monkeypatch, caplog, setting, extra):
    uninstall(monkeypatch)
    settings = Settings.load("/dev/null", environ={}, flags={"data_dir": tmp_path, setting: VALUES[setting]})
    with caplog.at_level(logging.ERROR):
        assert ended("connectme.app:serve_single", settings) == NO_USE
    assert f"{setting} is set, and what that needs is not installed: pip install 'connectme[{extra}]'" in caplog.text


def test_a_server_that_sends_nothing_tells_nobody(tmp_path, monkeypatch):
    uninstall(monkeypatch)
    flags = {"data_dir": tmp_path, "outgoing": False, **VALUES}
    with observed(Settings.load("/dev/null", environ={}, flags=flags), "web"):
        assert "ops.tracing" not in sys.modules
        assert "ops.reporting" not in sys.modules


def uninstall(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("sentry_sdk", "opentelemetry"):
        monkeypatch.setitem(sys.modules, name, None)
    for name in ("ops.tracing", "ops.reporting"):
        monkeypatch.delitem(sys.modules, name, raising=False)


def test_who_does_not_ask_for_it_does_not_load_it() -> None:
    code = (
        "import sys, connectme.app, connectme.worker, connectme.cli.serve\n"
        "sys.exit(any(name.partition('.')[0] in ('opentelemetry', 'sentry_sdk') for name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-P", "-c", code], env={"PYTHONPATH": str(ROOT)}, check=False)
    assert done.returncode == 0


@pytest.mark.parametrize("of", ["post", "post that could not be kept", "token", "password", "mail", "cookie"])
def test_nothing_private_is_told(told: Told, of: str) -> None:
    assert told.collector.spans
    assert told.collector.events
    assert not [body for body in told.collector.raw if told.secrets[of].encode() in body]


@pytest.mark.parametrize("of", ["address", "query", "person", "trace"])
def test_nor_who_asked_for_what(told: Told, of: str) -> None:
    assert not [body for body in told.collector.raw if told.secrets[of].encode() in body]


def test_other_servers_are_told_of_no_trace(told: Told) -> None:
    assert len(told.peer) > 3
    sent = {name.lower() for headers in told.peer for name in headers}
    assert "signature" in sent
    assert not sent & {"traceparent", "tracestate", "baggage", "sentry-trace", "b3", "x-b3-traceid"}


def test_a_request_is_a_trace_of_route_and_status_with_its_units_below(told: Told) -> None:
    posted = told.collector.named("POST /api/v1/statuses")
    assert [attributes(span)["http.response.status_code"] for span in posted] == [200, 200, 500]
    assert [span.status.code for span in posted] == [0, 0, 2]
    [read] = told.collector.named("GET /api/v1/statuses/{id}")
    assert not read.parent_span_id
    below = {span.name for span in told.collector.spans if span.parent_span_id == read.span_id}
    assert below
    assert all(name.startswith("read ") for name in below)
    [missing] = told.collector.named("GET /{tail}")
    assert attributes(missing)["http.response.status_code"] == 404


def test_what_is_asked_of_and_brought_to_others_is_told_by_its_host(told: Told) -> None:
    for name, status in (("fetch", 200), ("deliver", 202)):
        about = [attributes(span) for span in told.collector.named(name)]
        assert {
            "server.address": told.peer_host,
            "http.request.method": "GET" if name == "fetch" else "POST",
            "http.response.status_code": status,
        } in about


def test_jobs_and_what_they_write_are_told(told: Told) -> None:
    jobs = [span for span in told.collector.spans if span.name.startswith("job ")]
    assert jobs
    assert all(not span.parent_span_id for span in jobs)
    assert any(span.name.startswith("write ") for span in told.collector.spans)


def test_the_collector_learns_whose_it_is_and_gets_its_headers(told: Told) -> None:
    assert {(one["service.name"], one["service.version"]) for one in told.collector.resources} == {
        ("connectme", "0.1.0")
    }
    assert {"http.server.request.duration", "http.client.request.duration"} <= told.collector.metrics
    asked_with = [head["Authorization"] for head in told.collector.heads if "Authorization" in head]
    assert set(asked_with) == {"Bearer for-the-collector"}


def test_an_error_is_told_by_its_class_and_its_place_in_the_code(told: Told) -> None:
    [event] = [one for one in told.collector.events if one["logger"] == "web.errors"]
    assert (event["level"], event["logentry"]["message"], event["tags"]) == ("error", "%s %s", {"process": "single"})
    assert event["exception"]["values"][-1]["type"] == "IntegrityError"
    frames = [frame for one in event["exception"]["values"] for frame in one["stacktrace"]["frames"]]
    assert {"web.errors", "store.units"} <= {frame["module"] for frame in frames}
    assert not any("vars" in frame for frame in frames)
    assert not any("value" in one for one in event["exception"]["values"])
