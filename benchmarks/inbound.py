"""Signed Creates of 4 KB from another server until they are on the home page; new followers; both engines.

The server is what `connectme serve` starts: web and worker, in processes of their own, over loopback HTTP.
"""

import asyncio
import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, insert, select

from benchmarks.measure import Goal, cpu, show
from benchmarks.peer import Peer, send
from connectme.demo import Instance, until
from federation.signatures import ED25519, RFC9421
from store.database import Database
from store.ids import new_id
from store.tables import accounts, blank_post, posts
from tests.ports import free_port

MESSAGES = 3_000
FOLLOWERS = 300
SPOOLED = 5_000
HELD = 200_000
WARM = 300
NEW_FOLLOWER = Goal(5, 2)


async def measure(folder: Path, database_url: str | None, goal: Goal, rate: Goal | None) -> None:
    more = {"DATABASE_URL": database_url} if database_url else {}
    server, peer = Instance(folder, free_port(), RATE_LIMITS="false", **more), Peer(free_port())
    await peer.start()
    try:
        server.person("alice")
        server.start()
        await server.ready()
        await befriend(server, peer)
        few = await receive(server, peer, WARM) and await receive(server, peer, MESSAGES)
        show("inbound Create to visible at home, CPU (web + worker)", few[0], "ms", goal)
        show("  rate", few[1], "/s", rate)
        new = await gain_followers(server, peer, 15) and await gain_followers(server, peer, FOLLOWERS)
        show("a new remote follower, CPU", new, "ms", None if database_url else NEW_FOLLOWER)
        url = database_url or f"sqlite:///{folder}/connectme.db"
        async with await Database.open(url) as db:
            for start in range(0, HELD, 10_000):
                await db.write(_fill, start, 10_000)
        many = await receive(server, peer, WARM) and await receive(server, peer, MESSAGES)
        show(f"the same with {HELD:,} posts held, CPU", many[0], "ms", goal)
        show("  against few posts", many[0] / few[0], "x", Goal(1.3, 1.05))
    finally:
        await server.close()
        server.stop()
        await peer.stop()


async def measure_followers(folder: Path, database_url: str | None) -> None:
    """That part alone; then of a server that knows Ed25519."""
    more = {"DATABASE_URL": database_url} if database_url else {}
    server = Instance(folder, free_port(), RATE_LIMITS="false", **more)
    old, young = Peer(free_port()), Peer(free_port(), implements=[RFC9421, ED25519])
    await asyncio.gather(old.start(), young.start())
    try:
        server.person("alice")
        server.start()
        await server.ready()
        for peer, name in ((old, "a new remote follower, CPU"), (young, "  of a server that knows Ed25519")):
            new = await gain_followers(server, peer, 15) and await gain_followers(server, peer, FOLLOWERS)
            show(name, new, "ms", None if database_url else NEW_FOLLOWER)
    finally:
        await server.close()
        server.stop()
        await asyncio.gather(old.stop(), young.stop())


async def measure_spool(folder: Path) -> None:
    """Messages kept while the database is away, signatures checked by keys of the spool's own file."""
    server, peer = Instance(folder, free_port(), RATE_LIMITS="false"), Peer(free_port())
    await peer.start()
    try:
        server.person("alice")
        server.start()
        await server.ready()
        inbox, key = f"http://{server.domain}/inbox", peer.key("bob")
        assert await send(server.port, [peer.delivery(key, inbox, peer.create("bob"))], 1) == [202]
        file = folder / "connectme.db"
        file.rename(file.with_suffix(".away"))

        async def is_away() -> bool:
            async with server.session.get(server.base / "readyz") as answer:
                return bool(json.loads(await answer.text())["mode"] == "emergency")

        await until(is_away, "the server notices", 40)
        ahead = [peer.delivery(key, inbox, peer.create("bob")) for _ in range(SPOOLED)]
        used, start = cpu(server.pid), time.perf_counter()
        statuses = await send(server.port, ahead)
        took = time.perf_counter() - start
        assert statuses.count(202) == SPOOLED, set(statuses)
        show("kept with the database away, signatures checked", SPOOLED / took, "/s", Goal(1000, 2000))
        show("  CPU", (cpu(server.pid) - used) / SPOOLED * 1000, "ms")
    finally:
        await server.close()
        server.stop()
        await peer.stop()


async def befriend(server: Instance, peer: Peer) -> None:
    """alice follows bob of the peer, who accepts."""
    account_id = await server.follow("alice", f"@bob@{peer.host}")
    alice = f"http://{server.domain}/users/alice"
    accept: dict[str, object] = {
        "@context": "https://www.w3.org/ns/activitystreams",
        "id": f"{peer.actor('bob')}#accept",
        "type": "Accept",
        "actor": peer.actor("bob"),
        "object": {"type": "Follow", "actor": alice, "object": peer.actor("bob")},
    }
    inbox = f"http://{server.domain}/inbox"
    assert await send(server.port, [peer.delivery(peer.key("bob"), inbox, accept)], 1) == [202]
    await until(lambda: server.is_following("alice", account_id), "alice follows bob")


async def receive(server: Instance, peer: Peer, number: int) -> tuple[float, float]:
    """(ms of CPU per message, messages per second)."""
    inbox, key = f"http://{server.domain}/inbox", peer.key("bob")
    ahead: list[bytes] = []
    parents: list[str | None] = [None]
    for n in range(number):
        document = peer.create("bob", answers=parents[-1] if n % 3 == 2 else None)
        parents.append(str(document["object"]["id"]))  # type: ignore[index]  # it is a dict
        ahead.append(peer.delivery(key, inbox, document))
    last = str(parents[-1])
    used, start = cpu(server.pid), time.perf_counter()
    statuses = await send(server.port, ahead)
    assert statuses.count(202) == number, set(statuses)

    async def visible() -> bool:
        return any(post["uri"] == last for post in await server.api("alice", "GET", "/api/v1/timelines/home", limit=40))

    await until(visible, "the last message is visible", 120)
    return (cpu(server.pid) - used) / number * 1000, number / (time.perf_counter() - start)


async def gain_followers(server: Instance, peer: Peer, number: int) -> float:
    """ms of CPU for one: key and profile fetched, Accept delivered."""
    inbox, alice = f"http://{server.domain}/inbox", f"http://{server.domain}/users/alice"
    names = [f"fan{n}x{time.time_ns() % 100_000}" for n in range(number)]
    ahead = [peer.delivery(peer.key(name), inbox, peer.follow(name, alice)) for name in names]
    peer.received.clear()
    used = cpu(server.pid)
    statuses = await send(server.port, ahead, 8)
    assert statuses.count(202) == number, set(statuses)

    async def accepted() -> bool:
        return peer.received.count("Accept") >= number

    await until(accepted, "all are accepted", 120)
    return (cpu(server.pid) - used) / number * 1000


def _fill(tx: Connection, start: int, number: int) -> None:
    """Old posts of bob, a third of them comments."""
    bob = tx.execute(select(accounts.c.id, accounts.c.uri).where(accounts.c.username == "bob")).one()
    rows, parent = [], None
    for n in range(start, start + number):
        at = datetime.now(UTC) - timedelta(days=30, seconds=n)
        post_id = new_id(int(at.timestamp() * 1000))
        comment = n % 3 == 2 and parent is not None
        row = blank_post(
            id=post_id,
            uri=f"{bob.uri}/old/{n}",
            author_id=bob.id,
            local=False,
            visibility="public",
            listed=not comment,
            html=f"<p>old {n} {'words ' * 40}</p>",
            language="en",
            published=at,
            reply_to_id=parent[0] if comment and parent else None,
            reply_to_uri=parent[1] if comment and parent else None,
            thread_id=parent[0] if comment and parent else post_id,
        )
        rows.append(row)
        if not comment:
            parent = (post_id, row["uri"])
    tx.execute(insert(posts), rows)
