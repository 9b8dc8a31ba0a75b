"""Takes mail from the outbox to the hosts.

    claim (transaction) → talk (network, no transaction) → record (transaction)

A sliding window: hosts are claimed as places become free, each is talked to by a task of its own, and what came of
finished talks is written down in batches.  A host that hangs holds its place among the quick ones for SLOW seconds
only; hosts that were silent before have places of their own.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from federation.client import Answer, Client
from federation.digest import content_digest, digest_header
from federation.envelope import Scheme
from federation.errors import Refused
from federation.keys import PrivateKey, load_private
from outbox.enqueue import Queued
from outbox.mail import LEASE, Letter, Mail, Talk, claim, heard_from, next_due, record, renew
from outbox.queue import HostQueue, Totals, drop, queue_stats, retry, sweep, totals
from outbox.talk import talk
from store.database import Database

__all__ = [
    "Deliverer",
    "HostQueue",
    "Stats",
    "Totals",
    "claim",
    "drop",
    "heard_from",
    "queue_stats",
    "record",
    "retry",
    "sweep",
    "totals",
]
log = logging.getLogger(__name__)

WINDOW: Final = 200  # quick talks at a time
PLACES: Final = 600  # talks at a time, slow ones included: each may hold SENDERS sockets
SLOW: Final = 1.0  # seconds after which a talk is no longer quick
FAILING: Final = 4  # one place in so many is for hosts that were silent
BATCH: Final = 200  # talks that are written down at once …
PAUSE: Final = 0.05  # seconds … or as many as there are after this time
IDLE: Final = (0.05, 0.5)  # seconds between looks for mail of other processes, growing while there is none
GRACE: Final = 5.0  # seconds for talks to end when the worker stops
KEYS_KEPT: Final = 1000


@dataclass(slots=True)
class Stats:
    """Letters since the start.  `failed` are talks that ended in silence; `given_up` were dropped after 30 days."""

    delivered: int = 0
    refused: int = 0
    failed: int = 0
    given_up: int = 0
    in_flight: int = 0


@dataclass(slots=True, eq=False)
class _Line:
    """A talk that goes on.  `quick`: it counts among the quick ones, still."""

    task: asyncio.Task[None]
    since: float
    failing: bool
    leased: float
    quick: bool


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Deliverer:
    """Delivers until told to stop.  Several may run at once, in one process or in many.

    clock: for what is written into rows; the length of talks is measured with time.monotonic.
    """

    def __init__(
        self,
        db: Database,
        client: Client,
        *,
        clock: Callable[[], datetime] = _utc_now,
        window: int = WINDOW,
        places: int = PLACES,
        grace: float = GRACE,
    ) -> None:
        self.stats = Stats()
        self._db = db
        self._client = client
        self._clock = clock
        self._window = window
        self._places = places
        self._grace = grace
        self._lines: dict[str, _Line] = {}
        self._young: deque[_Line] = deque()  # the quick ones, and some that ended, the oldest first
        self._quick = 0
        self._failing = 0
        self._ended: list[Talk] = []
        self._some = asyncio.Event()  # talks to write down
        self._enough = asyncio.Event()  # … at once
        self._called = asyncio.Event()  # there may be something to claim
        self._look = True  # there may be mail
        self._digests: dict[int, Mapping[Scheme, str]] = {}
        self._load = lru_cache(KEYS_KEPT)(load_private)

    def wake(self) -> None:
        """There is mail."""
        self._look = True
        self._called.set()

    def hear(self, event: object) -> None:
        """A listener for Database.listeners; `run` adds it by itself."""
        if isinstance(event, Queued):
            self.wake()

    async def run(self, stop: asyncio.Event) -> None:
        """Delivers until `stop` is set; what is then under way has `grace` seconds."""
        self._db.listeners.append(self.hear)
        stopped = asyncio.create_task(stop.wait())
        stopped.add_done_callback(lambda _: self._called.set())
        writer = asyncio.create_task(self._write_down())
        try:
            await self._feed(stop)
        finally:
            self._db.listeners.remove(self.hear)
            stopped.cancel()
            await self._end_talks()
            writer.cancel()
            await asyncio.wait([writer])
            await self._record()

    async def drain(self) -> int:
        """Delivers until nothing is due any more.  How many letters were accepted."""
        before = self.stats.delivered
        while await self.round():
            pass
        return self.stats.delivered - before

    async def round(self) -> int:
        """One claim, and all its talks.  How many hosts."""
        mail = await self._db.write(claim, self._clock(), self._window, self._window)
        self._start(mail)
        await self._all_ended()
        await self._record()
        return len(mail)

    async def _feed(self, stop: asyncio.Event) -> None:
        """Claims hosts for the free places, again and again."""
        wait = IDLE[0]
        while not stop.is_set():
            self._called.clear()
            try:
                found = await self._fill()
            except Exception:
                log.exception("no mail could be claimed")
                found, wait = 0, IDLE[1]
            if found:
                wait = IDLE[0]
                continue
            try:
                async with asyncio.timeout(wait):
                    await self._called.wait()
            except TimeoutError:
                self._look = True
                wait = min(wait * 2, IDLE[1])

    async def _fill(self) -> int:
        """Claims for as many places as are free, if it is worth a transaction."""
        self._grow_old()
        await self._keep_leases()
        quick, failing = self._room()
        if not self._look or not (self._has_room() or failing):
            return 0
        self._look = False
        due = await self._db.read(next_due)
        if due is None or due > self._clock():
            return 0
        mail = await self._db.write(claim, self._clock(), quick, failing)
        self._look |= bool(mail)  # until there is none
        self._start(mail)
        return len(mail)

    def _grow_old(self) -> None:
        """Who talks for SLOW seconds is no longer among the quick ones."""
        since = time.monotonic() - SLOW
        while self._young and self._young[0].since < since:
            line = self._young.popleft()
            self._quick -= line.quick
            line.quick = False

    def _has_room(self) -> bool:
        """For enough hosts to be worth a claim."""
        return self._quick <= self._window * 3 // 4 and len(self._lines) < self._places

    def _room(self) -> tuple[int, int]:
        """Free places for hosts that are thought well, and for those that were silent."""
        free = self._places - len(self._lines)
        failing = max(0, min(self._window // FAILING - self._failing, free))
        return max(0, min(self._window - self._quick, free - failing)), failing

    async def _keep_leases(self) -> None:
        """For talks that take so long that another worker might think us dead."""
        now = time.monotonic()
        long = [host for host, line in self._lines.items() if now - line.leased > LEASE.total_seconds() / 4]
        if long:
            await self._db.write(renew, long, self._clock())
            for host in long:
                if host in self._lines:
                    self._lines[host].leased = now

    def _start(self, found: Sequence[Mail]) -> None:
        now = time.monotonic()
        for mail in found:
            if mail.host in self._lines:  # it was heard from, and so released, while we still talk with it
                continue
            failing = mail.failures > 0
            line = _Line(asyncio.create_task(self._talk(mail)), now, failing, now, quick=not failing)
            self._lines[mail.host] = line
            self._failing += failing
            if line.quick:
                self._quick += 1
                self._young.append(line)
        self.stats.in_flight = len(self._lines)

    async def _talk(self, mail: Mail) -> None:
        outcome = Talk(mail)
        try:
            await talk(mail, self._send, outcome, self._clock())
        finally:
            self._end(mail.host, outcome)

    def _end(self, host: str, outcome: Talk) -> None:
        line = self._lines.pop(host)
        self.stats.in_flight = len(self._lines)
        self._quick -= line.quick
        self._failing -= line.failing
        line.quick = False
        self._ended.append(outcome)
        self._some.set()
        if len(self._ended) >= BATCH or not self._lines:
            self._enough.set()
        if self._look and self._has_room():
            self._called.set()

    async def _send(self, letter: Letter, scheme: Scheme | None) -> Answer:
        activity = letter.activity
        headers = {"Collection-Synchronization": letter.synchronisation} if letter.synchronisation else {}
        return await self._client.post(
            letter.inbox,
            activity.body,
            self._key(letter),
            digests=self._digests_of(letter),
            scheme=scheme,
            headers=headers,
        )

    def _key(self, letter: Letter) -> PrivateKey:
        key = letter.activity.key
        if key is None:
            raise Refused(f"account {letter.activity.sender_id} has no key any more")
        return self._load(key.id, key.pem)

    def _digests_of(self, letter: Letter) -> Mapping[Scheme, str]:
        """Of the body, made once for all its inboxes."""
        found = self._digests.get(letter.activity.id)
        if found is None:
            if len(self._digests) >= KEYS_KEPT:
                self._digests.clear()
            body = letter.activity.body
            found = {"cavage": digest_header(body), "rfc9421": content_digest(body)}
            self._digests[letter.activity.id] = found
        return found

    async def _write_down(self) -> None:
        """Many talks at once, but none later than PAUSE."""
        while True:
            await self._some.wait()
            with suppress(TimeoutError):
                async with asyncio.timeout(PAUSE):
                    await self._enough.wait()
            self._some.clear()
            self._enough.clear()
            try:
                await self._record()
            except Exception:
                log.exception("deliveries could not be written down")
                self._some.set()
                await asyncio.sleep(IDLE[1])

    async def _record(self) -> None:
        """Writes down the talks that ended; those that cannot be are kept for the next time."""
        while ended := self._ended[:BATCH]:
            self.stats.given_up += await self._db.write(record, ended, self._clock())
            del self._ended[: len(ended)]
            for one in ended:
                self.stats.delivered += len(one.accepted)
                self.stats.refused += len(one.refused) + len(one.gone)
                self.stats.failed += one.silent
            self.wake()  # there may be more for these hosts

    async def _all_ended(self) -> None:
        if tasks := [line.task for line in self._lines.values()]:
            await asyncio.wait(tasks)

    async def _end_talks(self) -> None:
        tasks = [line.task for line in self._lines.values()]
        if tasks:
            _, pending = await asyncio.wait(tasks, timeout=self._grace)
            for task in pending:
                task.cancel()
            if pending:
                await asyncio.wait(pending)
