"""A new version in real processes finds an older database: it answers while that is changed, and then opens.

The newest migration of that version is one of this test: it goes on when a file lets it.
"""

import json
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

import migrations
from connectme import demo
from connectme.demo import Instance, until
from federation.keys import load_private
from tests.pairs.conftest import a_postgresql
from tests.pairs.peer import AS, Town, pair
from tests.ports import free_port

pytestmark = [pytest.mark.pairs, pytest.mark.slow]

SLOW = '''"""Waits for the test.

Why: this is a test.
Locks: all of posts.
Back: nothing is done.
"""

import os
import time
from pathlib import Path

revision = "9000"
down_revision = "{before}"


def upgrade() -> None:
    let = Path(os.environ["TEST_LETS"])
    while not let.exists():
        time.sleep(0.02)
    let.unlink()


def downgrade() -> None:
    pass
'''


class Newer(Instance):
    """The version that has that migration."""

    def __init__(self, tree: Path, folder: Path, port: int, **settings: str) -> None:
        super().__init__(folder, port, **settings)
        self.tree, self.lets = tree, folder.parent / "lets"
        self.embedded = "DATABASE_URL" not in settings
        (tree / "migrations" / "versions").mkdir(parents=True)
        for part in demo.HOME.iterdir():
            if part.name != "migrations" and (part / "__init__.py").exists():
                (tree / part.name).symlink_to(part)
        for part in migrations.HERE.iterdir():
            if part.is_file():
                (tree / "migrations" / part.name).symlink_to(part)
        for part in migrations.files().values():
            (tree / "migrations" / "versions" / part.name).symlink_to(part)
        text = SLOW.format(before=migrations.newest())
        (tree / "migrations" / "versions" / "9000_slow.py").write_text(text, encoding="utf-8")

    @property
    def environment(self) -> Mapping[str, str]:
        return {**super().environment, "PYTHONPATH": str(self.tree), "TEST_LETS": str(self.lets)}

    def start(self, *flags: str) -> None:
        argv = [sys.executable, "-m", "connectme", "serve", *flags]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(argv, env=self.environment, stdout=log, stderr=log, cwd=self.tree)

    async def ask(self, path: str) -> tuple[int, str, Mapping[str, str]]:
        """Status 0: nobody listens."""
        try:
            async with self.session.get(self.base.with_path(path)) as response:
                return response.status, await response.text(), response.headers
        except OSError:
            return 0, "", {}

    async def progress(self) -> dict[str, Any]:
        """Of the change, as /startupz tells it."""
        found = json.loads((await self.ask("/startupz"))[1] or "{}").get("progress", {})
        return dict(found)

    async def waits(self) -> None:
        """For `connectme db upgrade`."""

        async def is_so() -> bool:
            body = (await self.ask("/readyz"))[1]
            return bool(body) and json.loads(body)["mode"] == "maintenance"

        await until(is_so, "it waits")

    def upgrade(self) -> "subprocess.Popen[bytes]":
        argv = [sys.executable, "-m", "connectme", "db", "upgrade", "--without-rehearsal"]
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(argv, env=self.environment, stdout=log, stderr=log, cwd=self.tree)

    async def at(self, stage: str) -> None:
        async def is_so() -> bool:
            return (await self.progress()).get("stage") == stage

        await until(is_so, stage)

    async def goes_on(self) -> None:
        """With a change that was killed; so whoever was at it is gone, and takes nobody's leave."""

        async def is_so() -> bool:
            return "going on with the change" in (self.folder / "log").read_text()

        await until(is_so, "it goes on")


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> dict[str, str]:
    return {} if request.param == "sqlite" else {"DATABASE_URL": a_postgresql(request)}


@pytest.fixture
async def servers(database: dict[str, str], tmp_path: Path) -> AsyncIterator[tuple[Instance, Newer]]:
    port = free_port()
    settings = {"RATE_LIMITS": "false", **database}
    old = Instance(tmp_path / "data", port, **settings)
    new = Newer(tmp_path / "tree", tmp_path / "data", port, **settings)
    old.person("alice")
    new.tokens = old.tokens
    try:
        yield old, new
    finally:
        for server in (old, new):
            await server.close()
            server.stop()


def note(server: Instance, bob: str, number: int) -> dict[str, Any]:
    alice = f"http://{server.domain}/users/alice"
    made = {"type": "Note", "id": f"{bob}/notes/{number}", "attributedTo": bob, "content": f"n {number}",
            "to": [f"{AS}#Public", alice], "tag": [{"type": "Mention", "href": alice}]}  # fmt: skip
    return {"@context": AS, "type": "Create", "id": f"{made['id']}#create", "actor": bob, "object": made}


async def begun(old: Instance, town: Town) -> str:
    """The key of bob is known, and a post of his is there."""
    old.start("--single-process")
    await old.ready()
    bob = f"{await town.base('far.test')}/users/bob"
    assert (await town.deliver(old, note(old, bob, 0)))[0] == 202
    await has(old, 1)
    old.stop()
    return bob


async def has(server: Instance, number: int) -> None:
    async def is_so() -> bool:
        found = await server.api("alice", "GET", "/api/v1/notifications", types="mention")
        return len(found) == number

    await until(is_so, f"{number} mentions")


async def answers_meanwhile(new: Newer, town: Town, bob: str) -> None:
    new.command("incident", "open", "A slow change", "--message", "Please have patience.")
    assert (await new.ask("/livez"))[0] == 200
    status, body, headers = await new.ask("/readyz")
    ready = json.loads(body)
    assert (status, ready["mode"], headers["Retry-After"]) == (503, "maintenance", "10")
    assert not ready["parts"]["database"]["ok"]
    assert ready["parts"]["spool"]["ok"]
    status, body, headers = await new.ask("/api/v1/timelines/public")
    assert (status, headers["Retry-After"]) == (503, "60")
    assert "being worked on" in json.loads(body)["error"]
    status, body, _ = await new.ask("/@alice")
    assert status == 503
    assert "Please have patience." in body
    assert (await new.ask("/status"))[0] == 200
    assert (await town.deliver(new, note(new, bob, 1)))[0] == 202
    wrong = load_private(f"{bob}#main-key", pair("somebody else's").private)
    assert (await town.deliver(new, note(new, bob, 2), key=wrong))[0] in (401, 503)


async def test_a_new_version_answers_while_its_database_is_changed_and_goes_on_after_kill_9(
    servers: tuple[Instance, Newer],
) -> None:
    old, new = servers
    async with Town() as town:
        bob = await begun(old, town)
        new.start()
        if new.embedded:
            await new.at("rehearsing")
            new.lets.touch()
        else:
            await new.waits()
            upgrade = new.upgrade()
        await new.at("migrating")
        since = (await new.progress())["since"]
        await answers_meanwhile(new, town, bob)
        if new.embedded:
            new.kill()
            new.start()
        else:
            upgrade.kill()
            upgrade.wait()
        await new.goes_on()
        await new.at("migrating")
        assert (await new.progress())["since"] == since
        new.lets.touch()
        await new.ready()
        await has(new, 2)
        assert (await new.ask("/startupz"))[:2] == (200, '{"status":"ready"}')
        assert "Traceback" not in (new.folder / "log").read_text()
