"""A thousand open WebSockets: what they cost while nothing happens, and what it costs to tell them something.

The server is `connectme serve --single-process`; those who listen are in another process, each a person of his own.
"""

import asyncio
import multiprocessing
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from multiprocessing.connection import Connection as Pipe
from pathlib import Path

from sqlalchemy import Connection, insert, select

from benchmarks.measure import Goal, cpu, pss, show
from connectme.demo import Instance
from social.apps import create_app
from social.secrets import sha256
from store.database import Database
from store.ids import new_id
from store.tables import accounts, blank_account, tokens, users
from tests.ports import free_port

LISTENERS = 1_000
POSTS = 200
BURST = 20  # posts until all have heard them: a person's feed moves no faster
SETTLED = 2.0  # seconds
PLACES = 4  # addresses they come from; one place may open 500


async def measure(folder: Path) -> None:
    server = Instance(folder, free_port(), RATE_LIMITS="false")
    server.person("alice")
    async with await Database.open(f"sqlite:///{folder}/connectme.db") as db:
        names = await db.write(_people)
    server.start("--single-process")
    here, there = multiprocessing.Pipe()
    audience = multiprocessing.get_context("spawn").Process(target=_listen, args=(there, server.port, names))
    audience.start()
    try:
        await server.ready()
        await _post(server, BURST)
        before = cpu(server.pid)
        await _post(server, POSTS)
        quiet = cpu(server.pid) - before
        await asyncio.sleep(SETTLED)
        small = pss(server.pid)
        here.send("open")
        assert await _told(here) == LISTENERS
        await asyncio.sleep(SETTLED)
        show(f"{LISTENERS:,} idle WebSockets, memory", pss(server.pid) - small, "MB", Goal(60, 40))
        before = cpu(server.pid)
        for heard in range(BURST, POSTS + 1, BURST):
            await _post(server, BURST)
            here.send(heard * LISTENERS)
            await _told(here)
        spent = cpu(server.pid) - before - quiet
        show("messages per second of one core, without the posting itself", POSTS * LISTENERS / spent, "/s",
             Goal(40_000, 80_000))  # fmt: skip
        show("  CPU for one", spent / POSTS / LISTENERS * 1e6, "us")
    finally:
        here.send(None)
        await server.close()
        server.stop()
        audience.join(10)


async def _post(server: Instance, number: int) -> None:
    for _ in range(number):
        await server.api("alice", "POST", "/api/v1/statuses", status="What a thousand people hear at the same time.")


async def _told(pipe: Pipe) -> int:
    """What the audience answers."""
    return int(await asyncio.to_thread(pipe.recv))


def _people(tx: Connection) -> list[str]:
    """Accounts with tokens; returns the tokens."""
    now = datetime.now(UTC)
    ids = [new_id() for _ in range(LISTENERS)]
    secret = [secrets.token_urlsafe(32) for _ in ids]
    app = create_app(tx, "a program", "listeners", sha256("x"), ["urn:x"], "read", now)
    base = {"created_at": now, "inbox": "", "url": ""}
    tx.execute(insert(accounts), [
        blank_account(id=one, uri=f"urn:{one}", handle=f"l{one}", username=f"l{one}", **base) for one in ids
    ])  # fmt: skip
    model = dict(tx.execute(select(users)).mappings().first() or {})
    tx.execute(insert(users), [{**model, "account_id": one, "email": f"{one}@example.org"} for one in ids])
    tx.execute(insert(tokens), [
        {"id": new_id(), "hash": sha256(word), "app_id": app.id, "account_id": one, "scopes": "read",
         "created_at": now, "revoked_at": None}
        for one, word in zip(ids, secret, strict=True)
    ])  # fmt: skip
    return secret


# What follows runs in the process of those who listen.


class Listener(asyncio.Protocol):
    """Counts frames, and does as little else as it can."""

    def __init__(self, token: str, count: Callable[[int], None]) -> None:
        self._hello = (
            f"GET /api/v1/streaming?stream=public&access_token={token} HTTP/1.1\r\nHost: localhost\r\n"
            "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        )
        self._count = count
        self._rest = b""
        self.open = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.write(self._hello.encode())  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        data = self._rest + data
        if not self.open.done():
            hello, end, data = data.partition(b"\r\n\r\n")
            if not end:
                self._rest = hello
                return
            self.open.set_result(hello.startswith(b"HTTP/1.1 101"))
        place, frames = 0, 0
        while len(data) - place >= 4:
            size = data[place + 1]
            head = 2 if size < 126 else 4
            size = int.from_bytes(data[place + 2 : place + 4], "big") if size == 126 else size
            if len(data) < place + head + size:
                break
            frames += data[place] == 0x81
            place += head + size
        self._rest = data[place:]
        self._count(frames)


def _listen(pipe: Pipe, port: int, tokens_: list[str]) -> None:
    asyncio.run(_audience(pipe, port, tokens_))


async def _audience(pipe: Pipe, port: int, tokens_: list[str]) -> None:
    heard, more = 0, asyncio.Event()

    def count(frames: int) -> None:
        nonlocal heard
        heard += frames
        more.set()

    loop = asyncio.get_running_loop()
    await asyncio.to_thread(pipe.recv)
    opened = 0
    for number, token in enumerate(tokens_):
        _, listener = await loop.create_connection(
            partial(Listener, token, count),
            "127.0.0.1",
            port,
            local_addr=(f"127.0.0.{2 + number % PLACES}", 0),
        )
        opened += await listener.open
    pipe.send(opened)
    while (wanted := await asyncio.to_thread(pipe.recv)) is not None:
        while heard < wanted:
            more.clear()
            await more.wait()
        pipe.send(heard)
