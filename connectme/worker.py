"""What goes on behind the doors: six loops, each started again when it breaks.

inbox        spool → database        one process for each spool, however many workers there are
deliveries   outbox → other servers  any number of processes
errands      jobs → other servers    any number
indexing     words of posts           any number
housekeeping polls that end, what is no longer needed
repair       what was missed in an outage, once it is over
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime
from functools import partial
from typing import Final

from connectme import repair
from connectme.backups import Schedule
from connectme.errands import Errands
from connectme.house import House
from connectme.housekeeping import Housekeeping
from connectme.indexing import Indexer
from connectme.jobs import JobLoop
from connectme.letters import post_office
from connectme.lock import is_taken
from connectme.loop import until
from connectme.media.work import MediaWork
from connectme.observing import is_traced
from connectme.pushes import Pusher
from connectme.settings import Settings
from connectme.waiting import in_houses
from inbox import spool
from inbox.process import Processor
from ops import clock
from ops.ahead import Ahead
from ops.backup import swap
from outbox.deliver import Deliverer
from store import journal
from store.database import Away, Database
from store.jobs import Asked
from store.tables import Job

log = logging.getLogger(__name__)

HEALING: Final = 5.0  # seconds before a loop that broke is started again
COUNTS_EVERY: Final = 2.0  # seconds between two moments at which counts are written down
OUTCOMES: Final = ("delivered", "refused", "failed", "given_up")
LOOK: Final = 1.0  # seconds between two tries to become the one who reads the spool

Loop = Callable[[asyncio.Event], Awaitable[None]]
Errand = Callable[[Job], Awaitable[None]]


async def run_worker(settings: Settings, *, stop: asyncio.Event) -> None:
    """A worker process.  Without a database it waits for it."""
    await in_houses(settings, stop, lambda house, end: Worker(house).run(end), first=settings.web_processes == 0)


class Worker:
    """`await Worker(house).run(stop)` returns when `stop` is set and what was begun is done."""

    def __init__(self, house: House) -> None:
        self.processor = Processor(house.db, house.spool, house.origin, house.gatherer, house.counts)
        self.deliverer = Deliverer(house.db, house.client)
        media = MediaWork(house.db, house.origin, house.workshop, house.cache)
        errands, pusher = Errands(house.db, house.gatherer), _pusher(house)
        table = {**errands.table, **media.table, **pusher.table, **post_office(house)}
        self.jobs = JobLoop(house.db, _watched(table) if is_traced(house.settings) else table)
        self.indexer = Indexer(house.db)
        self.housekeeping = Housekeeping(
            house.db,
            house.spool,
            house.origin,
            also=[
                media.sweep,
                partial(look_at_clocks, house),
            ],
            often=[Ahead(house.db, house.origin, house.settings.data_dir), partial(trim_journal, house.spool)],
            counts_trends=house.settings.trends,
            address_days=house.settings.address_days,
        )
        self.watch = repair.Watch(house.db, house.spool, house.settings.data_dir)
        self._house = house
        self._shift = asyncio.Event()  # set when all loops shall rest, or end

    def hear(self, event: object) -> None:
        """A listener for Database.listeners, where more than this is done in the process: work that is found at once.

        What mail there is the deliverer hears by itself; whoever keeps a message wakes the processor.
        """
        self.indexer.wake()
        if isinstance(event, Asked):
            self.jobs.wake()

    async def run(self, stop: asyncio.Event) -> None:
        house = self._house
        loops: Iterable[Loop] = (
            self._inbox,
            self._deliver,
            self.jobs.run,
            self.indexer.run,
            self.housekeeping.run,
            *([self.watch.run] if house.settings.outgoing else []),
        )
        always: Iterable[Loop] = (
            lambda stop: house.rules.follow(house.db, stop),
            self._count,
            self._shifts,
            Schedule(house.settings).run,
        )
        await asyncio.gather(
            *(_forever(self._while_open(loop), stop) for loop in loops), *(_forever(loop, stop) for loop in always)
        )

    def _while_open(self, loop: Loop) -> Loop:
        """The loop works while the server is open (ops/modes.py), and rests otherwise."""

        async def working(stop: asyncio.Event) -> None:
            while not stop.is_set():
                if self._house.board.is_open:
                    await loop(self._shift)
                await until(stop, LOOK)

        return working

    async def _shifts(self, stop: asyncio.Event) -> None:
        """Ends the shift when the server closes; a new one begins when it opens."""
        while not await until(stop, LOOK):
            if not self._house.board.is_open:
                self._shift.set()
            elif self._shift.is_set():
                self._shift = asyncio.Event()
        self._shift.set()

    async def _inbox(self, stop: asyncio.Event) -> None:
        """Two who read one spool would handle the messages of an actor in any order: the others wait to take over."""
        with (self._house.settings.data_dir / "inbox.lock").open("a", encoding="ascii") as lock:
            while not is_taken(lock):
                if await until(stop, LOOK):
                    return
            await self.processor.run(stop)

    async def _deliver(self, stop: asyncio.Event) -> None:
        """After a restore, nothing is sent until the administrator says so."""
        settings = self._house.settings
        told = False
        while (not settings.outgoing or swap.held(settings.data_dir)) and not stop.is_set():
            if not told:
                log.warning(
                    "nothing is delivered: %s",
                    "see `connectme delivery release`" if settings.outgoing else "OUTGOING is false",
                )
            told = True
            await until(stop, LOOK)
        if not stop.is_set():
            await self.deliverer.run(stop)

    async def _count(self, stop: asyncio.Event) -> None:
        """Writes down what became of deliveries, for /metrics: other processes answer there."""
        written: dict[str, int] = {}
        while not await until(stop, COUNTS_EVERY):
            now = {f"delivery/{name}": getattr(self.deliverer.stats, name) for name in OUTCOMES}
            news = {name: number - written.get(name, 0) for name, number in now.items()}
            if any(news.values()):
                await self._house.spool.write(spool.count, news)
                written = now

    async def drain(self) -> None:
        """Does all that is due now, until nothing is: for tests, and for commands that want to see the end."""
        while await self.processor.round() or await self.jobs.round() or await self.deliverer.round():
            await self.processor.meet_all()
        await self.indexer.round()


def _pusher(house: House) -> Pusher:
    email, now = house.settings.contact_email, house.gatherer.now
    contact = f"mailto:{email}" if email else house.origin.base_url
    return Pusher(house.db, house.client, house.origin, house.push_key, contact, now)


async def trim_journal(spool_db: Database, _: datetime, most: int = journal.MOST) -> None:
    """Of what was handled, only so many bytes are kept."""
    while await spool_db.read(journal.is_too_long, most):
        await spool_db.write(journal.trim, most)


def _watched(table: Mapping[str, Errand]) -> Mapping[str, Errand]:
    from ops.tracing import jobs  # noqa: PLC0415  an extra

    return jobs(table)


async def _forever(loop: Loop, stop: asyncio.Event) -> None:
    while not stop.is_set():
        try:
            await loop(stop)
        except Away as error:
            log.info("a loop of the worker rests: %s", error)
            await until(stop, LOOK)
        except Exception:
            log.exception("a loop of the worker stopped; it starts again in %s s", HEALING)
            await until(stop, HEALING)


async def look_at_clocks(house: House, now: datetime) -> None:
    """For the supervisor, who asks nobody but this server."""
    found = await clock.measure(house.client, await house.db.read(clock.to_ask))
    if found is not None and found.servers >= clock.ENOUGH:
        clock.note(house.settings.data_dir, found, now)
