"""A tool that knows only the description of the API asks everything it can think of of a running server.

Nothing gives a 5xx, and every answer has a status, a type and a shape that the description promises.
"""

import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from connectme.demo import Instance
from tests.ports import free_port

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
EXAMPLES = 4  # of each endpoint, beside those that its description suggests
PATIENCE = 1_500  # seconds for one run


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Instance]:
    server = Instance(tmp_path / "server", free_port(), RATE_LIMITS="false")
    server.start("--single-process")
    try:
        await server.ready()
        server.person("alice")
        server.person("bob", role="member")
        yield server
    finally:
        server.stop()
        await server.close()


async def one_of_each(server: Instance) -> dict[str, str]:
    """Ids of things that are there, so that more than 404 is heard."""
    posted = await server.api("alice", "POST", "/api/v1/statuses", status="hello #world")
    await server.api("bob", "POST", f"/api/v1/statuses/{posted['id']}/favourite")
    bob = await server.api("bob", "GET", "/api/v1/accounts/verify_credentials")
    notified = await server.api("alice", "GET", "/api/v1/notifications")
    return {"post": posted["id"], "account": bob["id"], "notification": notified[0]["id"]}


def ask(server: Instance, folder: Path, *, id_of: str | None, number: str) -> None:
    """One run, with `number` for each {id}, if there is one."""
    config = folder / f"{id_of or 'any'}.toml"
    config.write_text(f'[parameters]\n"path.id" = "{number}"\n' if id_of else "")
    token = server.tokens["alice"]
    argv = [
        sys.executable, "-m", "schemathesis.cli", "--config-file", str(config), "run",
        f"{server.base}/api/openapi.json",
        "--header", f"Authorization: Bearer {token}", "--checks", CHECKS, "--phases", "coverage,fuzzing",
        "--max-examples", str(EXAMPLES), "--seed", "1", "--generation-database", "none", "--request-timeout", "20",
        "--continue-on-failure", "--warnings", "off", "--no-color",
        "--exclude-path-regex", "^/oauth/revoke|/streaming",
    ]  # fmt: skip
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=PATIENCE, cwd=folder)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-5_000:]


@pytest.mark.slow
async def test_whatever_is_asked_the_answer_is_as_described(server: Instance, tmp_path: Path):
    there = await one_of_each(server)
    ask(server, tmp_path, id_of=None, number="")
    for kind, number in there.items():
        ask(server, tmp_path, id_of=kind, number=number)
    assert (await server.api("bob", "GET", "/api/v1/accounts/verify_credentials"))["username"] == "bob"
    assert "Traceback" not in (server.folder / "log").read_text()
