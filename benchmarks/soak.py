"""Does memory stay what it is?  Rounds of the same mixed work, and the memory (PSS) of all processes after each.

A round is signed Creates, new followers, posts of ours that go to their server, pages and lists, and WebSockets that
come and go.  What is remembered on purpose has bounds, which the first half reaches.
"""

import asyncio
from pathlib import Path

from benchmarks.inbound import befriend, gain_followers, receive
from benchmarks.measure import Goal, pss, show
from benchmarks.peer import Peer
from connectme.demo import Instance
from tests.ports import free_port

ROUNDS = 40
SETTLED = 20  # rounds until what is remembered is there
MESSAGES = 2_000
FOLLOWERS = 25
POSTS = 25
READS = 25
SOCKETS = 50
LISTS = ("timelines/home", "timelines/public", "notifications", "trends/statuses")
PAGES = ("/", "/@alice", "/users/alice", "/users/alice/outbox?page=true")


async def measure(folder: Path) -> None:
    server, peer = Instance(folder, free_port(), RATE_LIMITS="false"), Peer(free_port())
    await peer.start()
    try:
        server.person("alice")
        server.start()
        await server.ready()
        await befriend(server, peer)
        after = [await _round(server, peer) for _ in range(ROUNDS)]
    finally:
        await server.close()
        server.stop()
        await peer.stop()
    show(f"memory after {SETTLED} rounds of {MESSAGES:,} messages", after[SETTLED - 1], "MB")
    show(f"  after {ROUNDS}", after[-1], "MB", more=" ".join(f"{one:.0f}" for one in after))
    show("  against those", after[-1] / after[SETTLED - 1], "x", Goal(1.3, 1.1))


async def _round(server: Instance, peer: Peer) -> float:
    """MB afterwards."""
    await receive(server, peer, MESSAGES)
    await gain_followers(server, peer, FOLLOWERS)
    for number in range(POSTS):
        await server.api("alice", "POST", "/api/v1/statuses", status=f"Round after round, {number}")
    for _ in range(READS):
        for name in LISTS:
            await server.api("alice", "GET", f"/api/v1/{name}")
        for page in PAGES:
            async with server.session.get(f"{server.base}{page}") as answer:
                await answer.read()
    stream = f"{server.base}/api/v1/streaming?stream=public&access_token={server.tokens['alice']}"
    sockets = await asyncio.gather(*(server.session.ws_connect(stream) for _ in range(SOCKETS)))
    await asyncio.gather(*(socket.close() for socket in sockets))
    return pss(server.pid)
