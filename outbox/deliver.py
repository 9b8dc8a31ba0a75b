"""Takes mail from the outbox to the hosts.

    claim (transaction) → talk (network, no transaction) → record (transaction)

Hosts are claimed as places become free (outbox/window.py), each is talked to by a task of its own, and what came of
finished talks is written down in batches: no host waits for a slower one.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
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
from federation.peers import Manner
from outbox.enqueue import Queued
from outbox.mail import Letter, Mail, Talk, claim, next_due, renew
from outbox.outcomes import heard_from, record
from outbox.queue import HostQueue, Totals, drop, oldest_able, queue_stats, retry, shorten, sweep, totals
from outbox.talk import talk
from outbox.window import Window
from store.database import Away, Database

__all__ = [
    "Deliverer",
    "HostQueue",
    "Stats",
    "Totals",
    "claim",
    "drop",
    "heard_from",
    "oldest_able",
    "queue_stats",
    "record",
    "retry",
    "shorten",
    "sweep",
    "totals",
]
log = logging.getLogger(__name__)

WINDOW: Final = 200  # quick talks at a time
PLACES: Final = 600  # talks at a time, slow ones included: each may hold SENDERS sockets
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
        self._grace = grace
        self._most = window
        self._window = Window(window, places)
        self._ended: list[Talk] = []
        self._some = asyncio.Event()  # talks to write down
        self._enough = asyncio.Event()  # … at once
        self._called = asyncio.Event()  # there may be something to claim
        self._look = True  # there may be mail
        self._closing = False
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
        """Delivers until `stop` is set; what is then under way has `grace` seconds.  May be called again after that."""
        self._closing = False
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
            self._closing = True
            self._some.set()
            self._enough.set()
            await writer

    async def drain(self) -> int:
        """Delivers until nothing is due any more.  How many letters were accepted."""
        before = self.stats.delivered
        while await self.round():
            pass
        return self.stats.delivered - before

    async def round(self) -> int:
        """One claim, and all its talks.  How many hosts."""
        mail = await self._db.write(claim, self._clock(), self._most, self._most)
        now = time.monotonic()
        for one in mail:
            self._start(one, now)
        if self._window:
            await asyncio.wait([line.task for line in self._window.lines.values()])
        await self._record()
        return len(mail)

    async def _feed(self, stop: asyncio.Event) -> None:
        """Claims hosts for the free places, again and again."""
        wait = IDLE[0]
        while not stop.is_set():
            self._called.clear()
            try:
                found = await self._fill()
            except Away as error:
                log.warning("no mail can be claimed: %s", error)
                found, wait = 0, IDLE[1]
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
        """Claims for as many places as are free, if it is worth a transaction.  How many talks began."""
        window, now = self._window, time.monotonic()
        window.grow_old(now)
        for mail in window.expired(now):
            self._note(Talk(mail))
        if long := window.leases(now):
            await self._db.write(renew, long, self._clock())
        if not window.has_room:
            return 0
        found = await self._claim() if self._look and window.wants_mail else []
        now = time.monotonic()
        at_once = window.sort(found, now)
        for mail in at_once:
            self._start(mail, now)
        begun = len(at_once)
        for mail in window.later(now, patient=begun > 0):
            self._start(mail, now)
            begun += 1
        return begun

    async def _claim(self) -> list[Mail]:
        self._look = False
        due = await self._db.read(next_due)
        if due is None or due > self._clock():
            return []
        mail = await self._db.write(claim, self._clock(), *self._window.room())
        self._look |= bool(mail)  # until there is none
        return mail

    def _start(self, mail: Mail, now: float) -> None:
        if mail.host not in self._window.lines:  # else it was heard from, and so released, while we still talk with it
            self._window.begin(mail, asyncio.create_task(self._talk(mail)), now)
            self.stats.in_flight = len(self._window)

    async def _talk(self, mail: Mail) -> None:
        outcome = Talk(mail)
        try:
            await talk(mail, self._send, outcome, self._clock())
        finally:
            self._end(outcome)

    def _end(self, outcome: Talk) -> None:
        self._window.end(outcome.mail.host, time.monotonic(), accepted=bool(outcome.accepted))
        self.stats.in_flight = len(self._window)
        self._note(outcome)
        if self._look and self._window.has_room:
            self._called.set()

    def _note(self, outcome: Talk) -> None:
        self._ended.append(outcome)
        self._some.set()
        if len(self._ended) >= BATCH or not self._window:
            self._enough.set()

    async def _send(self, letter: Letter, scheme: Manner | None) -> Answer:
        activity, other = letter.activity, letter.activity.ed25519
        headers = {"Collection-Synchronization": letter.synchronisation} if letter.synchronisation else {}
        return await self._client.post(
            letter.inbox,
            activity.body,
            self._key(letter),
            ed25519=self._load(other.id, other.pem) if other else None,
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
            if self._closing:
                return

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

    async def _end_talks(self) -> None:
        """What could not be finished, or begun, is given back at once."""
        tasks = [line.task for line in self._window.lines.values()]
        if tasks:
            _, pending = await asyncio.wait(tasks, timeout=self._grace)
            for task in pending:
                task.cancel()
            if pending:
                await asyncio.wait(pending)
        for line in list(self._window.lines.values()):  # cancelled before their first step
            self._end(Talk(line.mail))
        for mail in self._window.close():
            self._note(Talk(mail))
