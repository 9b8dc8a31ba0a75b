"""Two servers on this machine that follow each other and hold a conversation: `make demo`.

    python -m connectme.demo            runs until Ctrl-C; open the printed addresses in a browser
    python -m connectme.demo --check    ends when the conversation is whole on both sides

Real processes, real HTTP, real signatures; the tests in tests/pairs use the same `Instance`.
"""

import argparse
import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from time import monotonic
from typing import Any, TypeVar

from aiohttp import ClientSession, ClientTimeout
from yarl import URL

T = TypeVar("T")

HOME = Path(__file__).parent.parent
PASSWORD = "conversation"  # noqa: S105  of people who exist for a demonstration, on this machine alone
PATIENCE = 120.0  # seconds, for a machine that has other things to do


class Instance:
    """A server in a process of its own, with its data in `folder`, reached at localhost:`port`."""

    def __init__(self, folder: Path, port: int, **settings: str) -> None:
        self.folder, self.port = folder, port
        self.domain = f"localhost:{port}"
        self.base = URL(f"http://{self.domain}")
        self.tokens: dict[str, str] = {}
        self.prefix: tuple[str, ...] = ()  # a program that runs ours with less than we may, such as setpriv
        self.settings = {
            "DOMAIN": self.domain,
            "BIND": f"127.0.0.1:{port}",
            "DATA_DIR": str(folder),
            "ALLOWED_PRIVATE_NETWORKS": "127.0.0.0/8,::1/128",
            "ALLOW_HTTP_FEDERATION": "true",
            **settings,
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._session: ClientSession | None = None

    @property
    def environment(self) -> Mapping[str, str]:
        others = {name: value for name, value in os.environ.items() if not name.startswith("CONNECTME_")}
        mine = {f"CONNECTME_{name}": value for name, value in self.settings.items()}
        return {**others, **mine, "PYTHONPATH": str(HOME)}

    def command(self, *words: str) -> str:
        """What `connectme WORDS` prints.  Raises: CalledProcessError."""
        argv = [*self.prefix, sys.executable, "-m", "connectme", *words]
        done = subprocess.run(argv, env=self.environment, check=True, capture_output=True, cwd=HOME)  # noqa: S603
        return done.stdout.decode().strip()

    def person(self, name: str, *, role: str = "owner") -> None:
        """An account, and a token for it."""
        email = f"{name}@example.org"
        self.command("account", "create", name, "--email", email, "--password", PASSWORD, "--role", role)
        self.tokens[name] = self.command("token", "create", name)

    def start(self, *flags: str) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        argv = [*self.prefix, sys.executable, "-m", "connectme", "serve", *flags]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(argv, env=self.environment, stdout=log, stderr=log, cwd=HOME)  # noqa: S603

    @property
    def pid(self) -> int:
        if self._process is None:
            raise RuntimeError("not started")
        return self._process.pid

    @property
    def ended(self) -> int | None:
        """The exit status of one that stopped by itself."""
        return None if self._process is None else self._process.poll()

    def kill(self) -> None:
        """kill -9, as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()
            self._process = None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def ready(self) -> None:
        """Returns when it serves.  Raises: TimeoutError, RuntimeError with its log."""

        async def serves() -> bool:
            if self._process is not None and self._process.poll() is not None:
                raise RuntimeError(f"the server ended:\n{(self.folder / 'log').read_text()[-3000:]}")
            try:
                async with self.session.get(self.base / "readyz") as response:
                    return response.status == 200
            except OSError:
                return False

        await until(serves, f"{self.domain} serves")

    @property
    def session(self) -> ClientSession:
        if self._session is None:
            self._session = ClientSession(timeout=ClientTimeout(total=60))
        return self._session

    async def api(self, name: str, method: str, path: str, /, **body: object) -> Any:
        """Asks the API as that person.  Raises: RuntimeError for an answer other than 2xx."""
        headers = {"Authorization": f"Bearer {self.tokens[name]}"}
        query = {key: str(value) for key, value in body.items()} if method == "GET" else None
        async with self.session.request(
            method, self.base.join(URL(path)), headers=headers, params=query, json=body if method != "GET" else None
        ) as response:
            if not response.ok:
                raise RuntimeError(f"{method} {path}: {response.status} {await response.text()}")
            return await response.json()

    async def follow(self, name: str, handle: str) -> str:
        """`name` follows `handle`; returns the id of the account here."""
        found = await self.api(name, "GET", "/api/v2/search", q=handle, resolve="true", type="accounts")
        if not found["accounts"]:
            raise RuntimeError(f"{handle} is not found by {self.domain}:\n{(self.folder / 'log').read_text()[-3000:]}")
        account_id: str = found["accounts"][0]["id"]
        await self.api(name, "POST", f"/api/v1/accounts/{account_id}/follow")
        return account_id

    async def is_following(self, name: str, account_id: str) -> bool:
        [known] = await self.api(name, "GET", "/api/v1/accounts/relationships", **{"id[]": account_id})
        return bool(known["following"])

    async def home(self, name: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = await self.api(name, "GET", "/api/v1/timelines/home", limit=40)
        return found

    async def seen(self, name: str, words: str) -> dict[str, Any] | None:
        """The post with those words on the home page of `name`."""
        return next((post for post in await self.home(name) if words in post["content"]), None)

    async def thread(self, name: str, post_id: str) -> list[dict[str, Any]]:
        """All comments below a post."""
        found = await self.api(name, "GET", f"/api/v1/statuses/{post_id}/context")
        comments: list[dict[str, Any]] = found["descendants"]
        return comments


async def until(ask: Callable[[], Awaitable[T | None]], what: str, patience: float = PATIENCE) -> T:
    """The first answer of `ask` that is true.  Raises: TimeoutError."""
    end = monotonic() + patience
    while True:
        if answer := await ask():
            return answer
        if monotonic() > end:
            raise TimeoutError(f"waited {patience} s, and it is not so: {what}")
        await asyncio.sleep(0.1)


async def converse(one: Instance, other: Instance) -> tuple[str, str]:
    """alice and bob follow each other, alice posts, both comment; returns the ids of the post here and there."""
    bob_here, alice_there = await asyncio.gather(
        one.follow("alice", f"@bob@{other.domain}"), other.follow("bob", f"@alice@{one.domain}")
    )
    await until(lambda: one.is_following("alice", bob_here), "alice follows bob")
    await until(lambda: other.is_following("bob", alice_there), "bob follows alice")
    post = await one.api(
        "alice", "POST", "/api/v1/statuses", status="Good morning! What does a conversation need?", visibility="public"
    )
    seen = await until(lambda: other.seen("bob", "Good morning"), "bob sees the post")
    answer = "Somebody who listens. And a server that forgets nothing."
    mine = await other.api("bob", "POST", "/api/v1/statuses", status=answer, in_reply_to_id=seen["id"])
    await other.api("bob", "POST", f"/api/v1/statuses/{seen['id']}/favourite")
    [comment] = await until(lambda: one.thread("alice", post["id"]), "alice sees the comment")
    await one.api(
        "alice",
        "POST",
        "/api/v1/statuses",
        status=f"@bob@{other.domain} Then we have all it takes. #hello",
        in_reply_to_id=comment["id"],
    )
    await until(lambda: other.thread("bob", mine["id"]), "bob sees the answer to his comment")
    return post["id"], seen["id"]


async def show(folder: Path, *, check: bool) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    one, other = Instance(folder / "alice", 8001), Instance(folder / "bob", 8002)
    try:
        one.person("alice")
        other.person("bob")
        for server in (one, other):
            server.start("--single-process")
        await asyncio.gather(one.ready(), other.ready())
        here, there = await converse(one, other)
        print("Two servers, one conversation. It reads the same on either side:\n")
        print(f"  {one.base}/@alice/{here}")
        print(f"  {other.base}/@alice@{one.domain}/{there}\n")
        print(f"Sign in: alice on {one.base}/login, bob on {other.base}/login; the password of both: {PASSWORD}")
        if not check:
            print("\nBoth run until Ctrl-C.")
            await asyncio.Event().wait()
    finally:
        for server in (one, other):
            await server.close()
            server.stop()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m connectme.demo", description=__doc__)
    parser.add_argument("--check", action="store_true", help="end when the conversation is whole on both sides")
    parser.add_argument("--folder", type=Path, default=HOME / "demo-data", help="emptied first")
    arguments = parser.parse_args()
    try:
        asyncio.run(show(arguments.folder, check=arguments.check))
    except KeyboardInterrupt:
        pass
    except (TimeoutError, RuntimeError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
