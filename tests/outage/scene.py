"""A server of the fault's own: real processes, traffic, somebody who is alerted, and a watch that takes the time."""

import asyncio
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any, Self

import aiohttp
from aiohttp import web
from sqlalchemy import make_url

from connectme.demo import HOME, Instance, until
from ops import copies, findings, state
from ops.findings import Finding
from tests import postgresql
from tests.outage.fault import Engine, quoted
from tests.outage.traffic import Held, Traffic

# Root may write whatever it likes: without this right it is a user like others.
MORTAL = ("setpriv", "--bounding-set=-dac_override,-dac_read_search")
PATIENCE = 240.0  # seconds, when the server looks every ten
_REMOTE = "SELECT uri FROM post WHERE NOT local"
_LOCAL = "SELECT source FROM post WHERE local"
_NOTICES = "SELECT p.uri FROM notification n JOIN post p ON p.id = n.post_id WHERE n.kind = 'mention'"


class Receiver:
    """Whom the webhook tells."""

    def __init__(self) -> None:
        self.open: set[str] = set()
        self.heard: list[str] = []  # rules that opened
        app = web.Application()
        app.router.add_post("/", self._hear)
        self._runner = web.AppRunner(app, access_log=None)
        self.url = ""

    async def begin(self) -> None:
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/"

    async def end(self) -> None:
        await self._runner.cleanup()

    async def _hear(self, request: web.Request) -> web.Response:
        said = await request.json()
        self.open = set(said["open"])
        self.heard += [one["rule"] for one in said["alerts"] if one["event"] == "opened"]
        return web.Response(status=204)


@dataclass
class Watch:
    """Who told of the fault, and after how many seconds."""

    begun: float = 0.0
    told: dict[str, float] = field(default_factory=dict)

    def begins(self) -> None:
        self.begun, self.told = monotonic(), {}

    def note(self, what: str) -> None:
        if self.begun:
            self.told.setdefault(what, round(monotonic() - self.begun, 1))


class Scene:
    """server: ours.  file: its database, where that is SQLite.  database_url: as it was when all was well."""

    def __init__(self, server: Instance, engine: Engine, admin_url: str = "", every: int = 1) -> None:
        """admin_url: PostgreSQL, as its superuser.  every: how often the server's supervisor looks, in seconds."""
        self.server, self.engine, self.admin_url = server, engine, admin_url
        self.patience = max(PATIENCE * every / 10, 45.0)
        self.receiver, self.watch, self.traffic = Receiver(), Watch(), Traffic(server)
        self._looking: asyncio.Task[None] | None = None
        self.others: list[Any] = []  # connections of other programs, to be ended
        server.settings |= {"WATCH_EVERY": str(every)}

    async def __aenter__(self) -> Self:
        try:
            await self.receiver.begin()
            self.server.settings |= {"ALERT_WEBHOOK_URL": self.receiver.url}
            self.server.start()
            await self.server.ready()
            await self.traffic.begin()
        except BaseException:
            await self.__aexit__()
            raise
        self._looking = asyncio.create_task(self._look())
        return self

    async def __aexit__(self, *error: object) -> None:
        if self._looking is not None:
            self._looking.cancel()
        for connection in self.others:
            connection.terminate()
        await self.traffic.leave()
        await self.server.close()
        await asyncio.to_thread(self.server.stop)
        await self.receiver.end()

    @property
    def file(self) -> Path:
        return self.server.folder / "connectme.db"

    # What a fault does.

    def begins(self) -> None:
        self.receiver.heard.clear()  # what a machine that is slow to start made of it
        self.watch.begins()

    async def start_with(self, **settings: str) -> None:
        """The admin changes settings and starts the server again."""
        await self.stop()
        self.server.settings |= settings
        self.begins()
        self.server.start()

    async def stop(self) -> None:
        await asyncio.to_thread(self.server.stop)

    # What mends it.

    async def run(self, *words: str) -> str:
        """`connectme WORDS`, as the server's user.  Raises: CalledProcessError."""
        return await asyncio.to_thread(self.server.command, *words)

    async def does(self, finding: Finding, begins: str, **instead: str) -> str:
        """The command of the remedy that begins so, in a shell, as root where we are.  instead: for its WORDS."""
        command = quoted(finding, begins)
        for word, real in instead.items():
            command = command.replace(word, real)
        path = os.pathsep.join(map(str, [Path(sys.executable).parent, os.environ.get("PATH", ""), *postgresql.DEBIAN]))
        shell = await asyncio.create_subprocess_shell(
            command, env={**self.server.environment, **self._clients(), "PATH": path}, cwd=HOME,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        said, _ = await shell.communicate()
        assert shell.returncode == 0, f"{command}: {said.decode()}"
        return said.decode()

    def _clients(self) -> dict[str, str]:
        """Whom PostgreSQL's own programs ask."""
        return copies.libpq(make_url(self.admin_url)) if self.admin_url else {}

    async def examined(self) -> dict[str, Finding]:
        """What `connectme doctor` finds wrong, by check."""
        words = [*self.server.prefix, sys.executable, "-m", "connectme", "doctor", "--json"]
        doctor = await asyncio.create_subprocess_exec(
            *words, env=self.server.environment, cwd=HOME, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        said, complaint = await doctor.communicate()
        assert said, complaint.decode()
        found = [Finding(**one) for one in json.loads(said)["findings"]]
        return {one.id: one for one in found if one.severity in ("error", "warning")}

    # What is seen of it.

    async def _look(self) -> None:
        data_dir = self.server.folder
        before = {one.id for one in _errors(data_dir)}
        while True:
            if self.server.ended:
                self.watch.note("refused")
            if (name := await self.mode()) not in ("", "normal"):
                self.watch.note(name)
            for one in _errors(data_dir):
                if one.id not in before:
                    self.watch.note(f"doctor {one.id}")
            for rule in self.receiver.heard:
                self.watch.note(f"alert {rule}")
            if await self._indicator() not in ("none", ""):
                self.watch.note("status page")
            await asyncio.sleep(0.1)

    async def mode(self) -> str:
        """As /readyz says it; empty while nobody answers."""
        found = await self._asked("readyz")
        return str(found["mode"]) if found else ""

    async def _indicator(self) -> str:
        found = await self._asked("api/v2/status.json")
        return str(found["status"]["indicator"]) if found else ""

    async def _asked(self, path: str) -> Any:
        with suppress(OSError, aiohttp.ClientError, TimeoutError, ValueError):
            async with self.server.session.get(self.server.base.joinpath(path)) as answer:
                return json.loads(await answer.read())
        return None

    async def is_told(self, by: tuple[str, ...]) -> None:
        """Returns when all of them have told.  Raises: TimeoutError, with those that have."""

        async def told() -> bool:
            return all(one in self.watch.told for one in by)

        try:
            await until(told, f"told by {by}", self.patience)
        except TimeoutError as error:
            raise TimeoutError(f"{error}; only by {self.watch.told}\n{self.log()}") from None

    async def is_back(self) -> None:
        async def normal() -> bool:
            return await self.mode() == "normal" and self.server.ended is None

        try:
            await until(normal, "the server is back")
            await self.traffic.flows(1)
        except TimeoutError as error:
            raise TimeoutError(f"{error}\n{self.log()}") from None

    def log(self) -> str:
        return (self.server.folder / "log").read_text()[-4000:]

    # What is there.

    async def held(self) -> Held:
        return Held(*[Counter(await self.column(query)) for query in (_REMOTE, _LOCAL, _NOTICES)])

    async def column(self, query: str) -> list[Any]:
        """The first one; of PostgreSQL as its superuser."""
        if not self.admin_url:
            with closing(sqlite3.connect(self.file, timeout=10)) as db:
                return [row[0] for row in db.execute(query)]
        import asyncpg  # noqa: PLC0415  where it is installed

        connection = await asyncpg.connect(self.admin_url)
        try:
            return [row[0] for row in await connection.fetch(query)]
        finally:
            await connection.close()


def _errors(data_dir: Path) -> list[Finding]:
    kept = findings.kept(data_dir) if (data_dir / state.FOLDER).is_dir() else None
    return findings.errors(kept.findings) if kept else []


def copied(pristine: Path, folder: Path) -> None:
    shutil.copytree(pristine, folder, ignore=shutil.ignore_patterns("*.lock", "log"), dirs_exist_ok=True)
