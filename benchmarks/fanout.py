"""Fan-out: what a post to many servers costs, queued and delivered over real HTTP on loopback, with real signatures.

The other servers are one process that listens on many addresses of 127.0.0.0/8, answers 202 and verifies nothing,
so that it costs much less than the sender.  Some never answer, at some addresses nobody listens.
"""

import asyncio
import gc
import multiprocessing
import socket
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from ipaddress import ip_network
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import ClassVar, cast

from sqlalchemy import Connection, insert

from benchmarks.measure import Goal, show
from connectme.loop import loop_factory
from federation.client import Client
from federation.guard import Guard
from federation.keys import generate
from outbox import documents, enqueue
from outbox.deliver import Deliverer
from outbox.parts import Parts
from outbox.waking import wake_asleep
from store.database import Database
from store.ids import new_id
from store.tables import Account, Post, account_keys, accounts, blank_account, blank_post, follows, metadata
from tests import postgresql

INBOXES = 5000
HOSTS = 1000
ROUNDS = 5
LONGEST = 60.0  # seconds for one fan-out
ENQUEUE = Goal(60, 20)
DELIVERY = Goal(0.8, 0.55)
RATE = Goal(1200, 2000)
TROUBLE = Goal(2, 1.2)
ANSWER = b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"
BASE = "https://ours.test"
TEXT = "<p>" + "A post of a good length, with a few words in it. " * 60 + "</p>"  # about 4 KB in all
BORN = datetime(2026, 1, 1, tzinfo=UTC)
LAB = Guard(private_networks=(ip_network("127.0.0.0/8"),), allow_http=True)


@dataclass(frozen=True, slots=True)
class Result:
    """So many operations took so many seconds of the clock, and of the processor in this process alone."""

    operations: int
    wall: float
    cpu: float


class _Peer(asyncio.Protocol):
    """One connection to one of the other servers, which is well."""

    answered = 0
    expected = 0
    pipe: Pipe

    def __init__(self) -> None:
        self._head = b""
        self._missing = 0  # bytes of the body that is being read

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is not a subclass

    def data_received(self, data: bytes) -> None:
        if self._missing > len(data):
            self._missing -= len(data)
            return
        if self._missing:
            data, self._missing = data[self._missing :], 0
            self.answer()
        self._head += data
        while (end := self._head.find(b"\r\n\r\n")) >= 0:
            length = self._head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
            rest = self._head[end + 4 :]
            if len(rest) < int(length):
                self._missing, self._head = int(length) - len(rest), b""
                return
            self._head = rest[int(length) :]
            self.answer()

    def answer(self) -> None:
        self.transport.write(ANSWER)
        _Peer.answered += 1
        if _Peer.answered == _Peer.expected:
            self.pipe.send(time.monotonic())


class _Hangs(_Peer):
    """Is well until `sick`, and then takes everything, and says nothing."""

    sick = False

    def answer(self) -> None:
        if not self.sick:
            super().answer()


class _Refuses(_Peer):
    """Is well until all its connections are cut, and its listener is closed."""

    connections: ClassVar[list[asyncio.Transport]] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.connections.append(self.transport)


def _serve(pipe: Pipe, kinds: Sequence[tuple[str, str]]) -> None:
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(_listen(pipe, kinds))


async def _listen(pipe: Pipe, kinds: Sequence[tuple[str, str]]) -> None:
    """kinds: (address, "well" | "hangs" | "refuses").  Through the pipe come how many requests to expect and whether
    the sick are so by now, or None at the end; back go the port, and each time the moment of the last request."""
    loop, ended, port = asyncio.get_running_loop(), asyncio.Event(), 0
    protocols = {"well": _Peer, "hangs": _Hangs, "refuses": _Refuses}
    closing = []
    _Peer.pipe = pipe
    for address, kind in kinds:
        listener = socket.create_server((address, port), backlog=16)
        port = listener.getsockname()[1]
        server = await loop.create_server(protocols[kind], sock=listener)
        if kind == "refuses":
            closing.append(server)

    def hear() -> None:
        told = pipe.recv()
        if told is None:
            ended.set()
            return
        _Peer.answered, (_Peer.expected, _Hangs.sick) = 0, told
        if _Hangs.sick:
            for server in closing:
                server.close()
            for connection in _Refuses.connections:
                connection.abort()
        pipe.send(None)

    loop.add_reader(pipe.fileno(), hear)
    pipe.send(port)
    await ended.wait()


@dataclass(frozen=True, slots=True)
class Peers:
    """The other servers."""

    pipe: Pipe
    hosts: Sequence[str]
    well: int

    def expect(self, requests: int, *, sick: bool) -> None:
        """From now on; and those who hang or refuse do so if `sick`."""
        self.pipe.send((requests, sick))
        self.pipe.recv()

    async def arrived(self) -> float:
        """When the last of the requests came (time.monotonic)."""
        moment: float = await asyncio.get_running_loop().run_in_executor(None, self._wait)
        return moment

    def _wait(self) -> float:
        if not self.pipe.poll(LONGEST):
            raise TimeoutError("not all servers were reached")
        moment: float = self.pipe.recv()
        return moment


@contextmanager
def peers(hosts: int, hanging: int = 0, refusing: int = 0) -> Iterator[Peers]:
    """`hosts` servers, some of which hang and some of which are not there, scattered among the others."""
    names = [f"127.1.{n // 250}.{n % 250 + 1}" for n in range(hosts)]
    sick = ["hangs"] * hanging + ["refuses"] * refusing
    each = hosts // len(sick) if sick else hosts + 1
    kinds = [(name, "well" if n % each or not sick else sick.pop()) for n, name in enumerate(names)]
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, kinds), daemon=True)
    process.start()
    try:
        if not ours.poll(30):
            raise TimeoutError("the other servers did not start")
        port = ours.recv()
        yield Peers(ours, [f"{name}:{port}" for name in names], hosts - hanging - refusing)
    finally:
        ours.send(None)
        process.join(10)
        if process.is_alive():
            process.kill()


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
    if tx.dialect.name == "postgresql":
        tx.exec_driver_sql("ANALYZE")  # as its autovacuum would, which the clusters of tests do without


def _say(tx: Connection, alice: Account) -> tuple[float, float]:
    """Queues one more post.  Seconds, of the clock and of the processor."""
    number = new_id()
    values = blank_post(
        id=number,
        uri=f"{alice.uri}/posts/{number}",
        author_id=alice.id,
        local=True,
        visibility="public",
        listed=True,
        html=TEXT,
        published=BORN,
        thread_id=number,
    )
    post = Post(**values)
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


@dataclass(frozen=True, slots=True)
class Queueing:
    """Seconds that queueing a post adds to the transaction that posts, of the clock and of the processor; and those
    that the worker then takes to wake the hosts."""

    wall: float
    cpu: float
    waking: float


async def enqueueing(url: str, inboxes: int = INBOXES) -> dict[str, Queueing]:
    """What queueing one post for so many inboxes costs."""
    hosts = [f"h{n}.test" for n in range(inboxes)]
    async with _ready(url, hosts) as (db, alice):
        first = await _queued(db, alice)
        busy = [await _queued(db, alice) for _ in range(ROUNDS)]
        idle = []
        for _ in range(ROUNDS):
            await db.write(lambda tx: tx.exec_driver_sql("UPDATE host SET due = NULL") and None)
            idle.append(await _queued(db, alice))
    found = {"hosts never seen": [first], "hosts with nothing to do": idle, "hosts that have mail": busy}
    return {name: min(each, key=lambda one: one.wall) for name, each in found.items()}


async def _queued(db: Database, alice: Account) -> Queueing:
    wall, cpu = await db.write(_say, alice)
    start = time.perf_counter()
    await db.write(wake_asleep, datetime.now(UTC))
    return Queueing(wall, cpu, time.perf_counter() - start)


async def fan_out(url: str, there: Peers, sick: Sequence[bool]) -> list[Result]:
    """Posts to all of them, each until the last that is well has it: the first over new connections.

    sick: of each post, whether those who hang or refuse do so by then.
    """
    async with _ready(url, there.hosts) as (db, alice):
        client = Client(guard=LAB, user_agent="ConnectMe/benchmark (+https://ours.test/)")
        stop, worker = asyncio.Event(), Deliverer(db, client, grace=0.1)
        running = asyncio.create_task(worker.run(stop))
        try:
            return [await _timed(db, alice, there, worker, sick=ill) for ill in sick]
        finally:
            stop.set()
            await running
            await client.close()


async def _timed(db: Database, alice: Account, there: Peers, worker: Deliverer, *, sick: bool) -> Result:
    """The clock until all who are well have it, the processor until that is written down, too."""
    number = there.well if sick else len(there.hosts)
    before = worker.stats.delivered
    there.expect(number, sick=sick)
    gc.collect()
    cpu, start = time.process_time(), time.monotonic()
    await db.write(_say, alice)
    wall = await there.arrived() - start
    while worker.stats.delivered < before + number:
        await asyncio.sleep(0.01)
    return Result(number, wall, time.process_time() - cpu)


@dataclass(frozen=True, slots=True)
class Trouble:
    """Seconds until all who are well have a post: all are; a tenth hangs and a tenth refuses; those are not there."""

    name: str
    well: float
    sick: float
    without: float


async def with_trouble(url: str, hosts: int = HOSTS) -> list[Trouble]:
    """A tenth that hangs and a tenth that refuses: from the first post on, or only after some arrived."""
    tenth = hosts // 10
    with peers(hosts) as there:
        well = await fan_out(url, there, [False] * 3)
    with peers(hosts - 2 * tenth) as there:
        without = await fan_out(url, there, [False] * 3)
    with peers(hosts, tenth, tenth) as there:
        [first] = await fan_out(url, there, [True])
    with peers(hosts, tenth, tenth) as there:
        *_, later = await fan_out(url, there, [False, False, True])
    return [
        Trouble("a first post", _seconds(well[:1]), _seconds([first]), _seconds(without[:1])),
        Trouble("a later post", _seconds(well[1:]), _seconds([later]), _seconds(without[1:])),
    ]


def _seconds(results: Sequence[Result]) -> float:
    return min(result.wall for result in results)


async def measure(engine: str, url: str) -> None:
    """Prints it all for one database."""
    for hosts, queued in (await enqueueing(url)).items():
        more = f"({queued.cpu * 1e3:.1f} ms CPU; the worker then {queued.waking * 1e3:.0f} ms)"
        show(f"{engine}: enqueue to {INBOXES} inboxes, {hosts}", queued.wall * 1e3, "ms", ENQUEUE, more)
    with peers(HOSTS) as there:
        cold, *warm = await fan_out(url, there, [False] * (1 + ROUNDS))
    best = min(warm, key=lambda result: result.cpu)
    show(f"{engine}: delivery, new connections, CPU", cold.cpu / cold.operations * 1e3, "ms")
    show(f"{engine}: delivery, warm connections, CPU", best.cpu / best.operations * 1e3, "ms", DELIVERY)
    show(f"{engine}: deliveries, warm connections", best.operations / _seconds(warm), "/s", RATE)
    for one in await with_trouble(url):
        seconds = f"({one.sick:.2f} s; all well {one.well:.2f} s; without them {one.without:.2f} s)"
        show(f"{engine}: {one.name}, 10 % hang and 10 % refuse", one.sick / one.well, "times", TROUBLE, seconds)


def run(folder: Path) -> None:
    """Both engines; `folder` is for the database of SQLite."""
    folder.mkdir(parents=True, exist_ok=True)
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(measure("SQLite", f"sqlite:///{folder}/main.db"))
        if reason := postgresql.why_not():
            print(f"  PostgreSQL skipped: {reason}")
            return
        with postgresql.cluster() as url:
            runner.run(measure("PostgreSQL", url.format("postgres")))
