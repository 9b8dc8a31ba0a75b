"""Fan-out: what a post to many servers costs, queued and delivered over real HTTP on loopback, with real signatures.

The other servers are one process that listens on many addresses of 127.0.0.0/8, answers 202 and verifies nothing,
so that it costs much less than the sender.  Some never answer, at some addresses nobody listens.
"""

import asyncio
import gc
import multiprocessing
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from ipaddress import ip_network
from multiprocessing.connection import Connection as Pipe
from typing import cast

from sqlalchemy import Connection, insert

from federation.client import Client
from federation.guard import Guard
from federation.keys import generate
from outbox import documents, enqueue
from outbox.deliver import Deliverer
from outbox.parts import Parts
from store.database import Database
from store.ids import new_id
from store.tables import Account, Post, account_keys, accounts, blank_account, follows, metadata
from tests import postgresql

INBOXES = 5000
HOSTS = 1000
ROUNDS = 5
LONGEST = 60.0  # seconds for one fan-out
ANSWER = b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"
BASE = "https://ours.test"
TEXT = "<p>" + "A post of a good length, with a few words in it. " * 60 + "</p>"  # about 4 KB in all
BORN = datetime(2026, 1, 1, tzinfo=UTC)
LAB = Guard(private_networks=(ip_network("127.0.0.0/8"),), allow_http=True)


@dataclass(frozen=True, slots=True)
class Result:
    """`wall` and `cpu` are milliseconds per operation, the latter of this process alone."""

    name: str
    operations: int
    wall: float
    cpu: float

    @property
    def rate(self) -> float:
        return 1000 / self.wall

    def __str__(self) -> str:
        return f"  {self.name:52}{self.operations:7}{self.wall:10.3f}{self.cpu:10.3f}{self.rate:10.0f}"


HEAD = f"  {'':52}{'number':>7}{'ms each':>10}{'ms CPU':>10}{'per s':>10}"


class _Peer(asyncio.Protocol):
    """One connection to one of the other servers."""

    answered = 0
    expected = 0
    pipe: Pipe

    def __init__(self) -> None:
        self._missing = 0  # bytes of the body that is being read

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is not a subclass
        self._head = b""

    def data_received(self, data: bytes) -> None:
        if self._missing > len(data):
            self._missing -= len(data)
            return
        if self._missing:
            data, self._missing = data[self._missing :], 0
            self._answer()
        self._head += data
        while (end := self._head.find(b"\r\n\r\n")) >= 0:
            length = self._head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
            rest = self._head[end + 4 :]
            if len(rest) < int(length):
                self._missing, self._head = int(length) - len(rest), b""
                return
            self._head = rest[int(length) :]
            self._answer()

    def _answer(self) -> None:
        self._transport.write(ANSWER)
        _Peer.answered += 1
        if _Peer.answered == _Peer.expected:
            self.pipe.send(time.monotonic())


class _Silent(asyncio.Protocol):
    """Takes everything, and says nothing."""


def _serve(pipe: Pipe, well: Sequence[str], hanging: Sequence[str]) -> None:
    _Peer.pipe = pipe
    with asyncio.Runner(loop_factory=_loop()) as runner:
        runner.run(_listen(pipe, well, hanging))


async def _listen(pipe: Pipe, well: Sequence[str], hanging: Sequence[str]) -> None:
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    port = 0
    for addresses, protocol in ((well, _Peer), (hanging, _Silent)):
        for address in addresses:
            listener = socket.create_server((address, port), backlog=16)
            port = listener.getsockname()[1]
            await loop.create_server(protocol, sock=listener)

    def hear() -> None:
        expected = pipe.recv()
        if expected is None:
            ended.set()
        else:
            _Peer.answered, _Peer.expected = 0, expected

    loop.add_reader(pipe.fileno(), hear)
    pipe.send(port)
    await ended.wait()


@dataclass(frozen=True, slots=True)
class Peers:
    """The other servers: `expect` so many requests, and `arrived` is when the last of them came (time.monotonic)."""

    pipe: Pipe
    port: int
    well: Sequence[str]
    sick: Sequence[str]

    @property
    def hosts(self) -> list[str]:
        """All of them, the sick ones scattered among the others."""
        names = list(self.well)
        for at, name in enumerate(self.sick):
            names.insert(at * len(names) // len(self.sick), name)
        return [f"{name}:{self.port}" for name in names]

    def expect(self, requests: int) -> None:
        self.pipe.send(requests)

    async def arrived(self) -> float:
        loop = asyncio.get_running_loop()
        moment: float = await asyncio.wait_for(loop.run_in_executor(None, self._wait), LONGEST + 5)
        return moment

    def _wait(self) -> float:
        if not self.pipe.poll(LONGEST):
            raise TimeoutError("not all servers were reached")
        moment: float = self.pipe.recv()
        return moment


@contextmanager
def peers(hosts: int, hanging: int = 0, refusing: int = 0) -> Iterator[Peers]:
    """`hosts` servers, some of which hang and some of which are not there."""
    names = [f"127.1.{n // 250}.{n % 250 + 1}" for n in range(hosts)]
    well, sick = names[hanging + refusing :], names[: hanging + refusing]
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, well, sick[:hanging]), daemon=True)
    process.start()
    try:
        if not ours.poll(30):
            raise TimeoutError("the other servers did not start")
        yield Peers(ours, ours.recv(), well, sick)
    finally:
        ours.send(None)
        process.join(10)
        if process.is_alive():
            process.kill()


def _loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop  # noqa: PLC0415  # not on every system
    except ImportError:
        return None
    return uvloop.new_event_loop


def _account(name: str, base: str, host: str | None) -> Account:
    uri = f"{base}/users/{name}"
    return Account(
        **blank_account(
            id=new_id(),
            uri=uri,
            handle=name if host is None else f"{name}@{host}",
            username=name,
            domain=host,
            host=host,
            url=uri,
            inbox=f"{uri}/inbox",
            shared_inbox=f"{base}/inbox",
            created_at=BORN,
        )
    )


def _people(tx: Connection, alice: Account, hosts: Sequence[str]) -> None:
    """Alice, with a key, and a follower on each of the hosts."""
    far = [_account(f"f{n}", f"http://{host}", host) for n, host in enumerate(hosts)]
    tx.execute(insert(accounts), [asdict(one) for one in (alice, *far)])
    pair = generate("rsa")
    key = {"id": f"{alice.uri}#main-key", "account_id": alice.id, "kind": "rsa", "created_at": BORN}
    tx.execute(insert(account_keys), {**key, "public": pair.public, "private": pair.private})
    common = {"target_id": alice.id, "accepted": True, "show_boosts": True, "notify": False, "created_at": BORN}
    tx.execute(insert(follows), [{**common, "follower_id": one.id, "id": one.id, "uri": one.uri} for one in far])


def _say(tx: Connection, alice: Account) -> tuple[float, float]:
    """Queues one more post.  Seconds, of the clock and of the processor."""
    number = new_id()
    post = Post(
        id=number,
        uri=f"{alice.uri}/posts/{number}",
        url=None,
        author_id=alice.id,
        local=True,
        kind="Note",
        visibility="public",
        listed=True,
        title="",
        summary="",
        html=TEXT,
        source=None,
        sensitive=False,
        language=None,
        published=BORN,
        edited_at=None,
        reply_to_id=None,
        reply_to_uri=None,
        thread_id=number,
        context=None,
        boost_of_id=None,
        emojis=None,
        likes_count=0,
        boosts_count=0,
        replies_count=0,
        version=1,
    )
    wall, cpu = time.perf_counter(), time.process_time()
    enqueue.to_followers(tx, alice, documents.create(Parts(post, alice)))
    return time.perf_counter() - wall, time.process_time() - cpu


@asynccontextmanager
async def _ready(url: str, hosts: Sequence[str]) -> AsyncIterator[tuple[Database, Account]]:
    alice = _account("alice", BASE, None)
    async with await Database.open(url) as db:
        await db.write(metadata.drop_all)
        await db.write(metadata.create_all)
        await db.write(_people, alice, hosts)
        yield db, alice


async def enqueueing(url: str, inboxes: int = INBOXES) -> list[Result]:
    """Queueing one post for so many inboxes, in the transaction that posts: ms of that transaction."""
    hosts = [f"h{n}.test" for n in range(inboxes)]
    async with _ready(url, hosts) as (db, alice):
        first = await db.write(_say, alice)
        busy = min([await db.write(_say, alice) for _ in range(ROUNDS)])
        idle = []
        for _ in range(ROUNDS):
            await db.write(lambda tx: tx.exec_driver_sql("UPDATE host SET due = NULL") and None)
            idle.append(await db.write(_say, alice))
    rows = [
        ("the first post, to hosts never seen", first),
        ("hosts have nothing to do", min(idle)),
        ("hosts have mail", busy),
    ]
    return [Result(f"enqueue to {inboxes} inboxes: {name}", 1, wall * 1e3, cpu * 1e3) for name, (wall, cpu) in rows]


async def fan_out(url: str, there: Peers, posts: int = ROUNDS) -> list[Result]:
    """One post to all of them: over new connections, then over warm ones.  Each until the last that is well has it."""
    async with _ready(url, there.hosts) as (db, alice):
        client = Client(guard=LAB, user_agent="ConnectMe/benchmark (+https://ours.test/)")
        stop, worker = asyncio.Event(), Deliverer(db, client)
        running = asyncio.create_task(worker.run(stop))
        try:
            taken = [await _timed(db, alice, there, worker) for _ in range(posts)]
        finally:
            stop.set()
            await running
            await client.close()
    number = len(there.well)
    rows = [("new connections", taken[0])]
    if posts > 1:
        rows.append(("warm connections", min(taken[1:], key=lambda pair: pair[1])))
    return [Result(f"deliver: {name}", number, wall / number * 1e3, cpu / number * 1e3) for name, (wall, cpu) in rows]


async def _timed(db: Database, alice: Account, there: Peers, worker: Deliverer) -> tuple[float, float]:
    """One post: seconds until all who are well have it, and of the processor until that is written down, too."""
    before = worker.stats.delivered
    there.expect(len(there.well))
    gc.collect()
    cpu, start = time.process_time(), time.monotonic()
    await db.write(_say, alice)
    wall = await there.arrived() - start
    while worker.stats.delivered < before + len(there.well):
        await asyncio.sleep(0.01)
    return wall, time.process_time() - cpu


async def with_trouble(url: str, hosts: int = HOSTS) -> tuple[float, float, float]:
    """Seconds until every healthy server has a first post: all are well; only the healthy ones of the third
    are there; a tenth hangs and a tenth refuses."""
    tenth = hosts // 10
    seconds = []
    for total, hanging, refusing in ((hosts, 0, 0), (hosts - 2 * tenth, 0, 0), (hosts, tenth, tenth)):
        with peers(total, hanging, refusing) as there:
            first, *_ = await fan_out(url, there, posts=1)
            seconds.append(first.wall * first.operations / 1e3)
    return seconds[0], seconds[1], seconds[2]


async def measure(url: str) -> None:
    for result in await enqueueing(url):
        print(result)
    with peers(HOSTS) as there:
        for result in await fan_out(url, there):
            print(result)
    well, fewer, trouble = await with_trouble(url)
    print(f"  a first post to {HOSTS} hosts, all well: {well:.2f} s")
    print(f"  10 % hang, 10 % refuse: {trouble:.2f} s to the healthy ones, {trouble / well:.2f} times that")
    print(f"  the healthy ones alone: {fewer:.2f} s, {trouble / fewer:.2f} times that")


def main() -> None:
    """Both engines."""
    print(HEAD)
    with asyncio.Runner(loop_factory=_loop()) as runner:
        with tempfile.TemporaryDirectory() as folder:
            print("SQLite")
            runner.run(measure(f"sqlite:///{folder}/main.db"))
        if reason := postgresql.why_not():
            print(f"PostgreSQL: {reason}")
            return
        with postgresql.cluster() as url:
            print("PostgreSQL, fsync=off")
            runner.run(measure(url.format("postgres")))


if __name__ == "__main__":
    main()
