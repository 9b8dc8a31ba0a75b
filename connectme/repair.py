"""After an outage: what followed people said meanwhile is read in their outboxes, and conversations are refreshed.

    DATA_DIR/state/outages.json → Watch, in the worker → social.repairs.begin → jobs → Repairing → state/repair.json

A host is asked by one job, for a few people at a time, with a pause: who was away for a day has no right to be in a
hurry.  Posts go where their own moment puts them; those that are here and not in the outbox may be deleted.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Protocol

from sqlalchemy import Connection

from connectme.gather import BUDGET, Gatherer
from connectme.lock import is_taken
from connectme.loop import until
from connectme.outboxes import Outboxes, take
from federation.client import Budget
from federation.errors import FederationError, Unreachable
from inbox import spool
from inbox.messages import Here
from ops import outages, state
from social import repairs
from social.errors import Refusal, Unavailable
from store import jobs
from store.database import Database
from store.tables import Account, Job, Repair

log = logging.getLogger(__name__)

FILE: Final = "repair.json"
AT_ONCE: Final = 5  # people of one host, then …
PAUSE: Final = timedelta(seconds=20)  # … it is left alone: Mastodon counts 300 pages of collections in 15 minutes
OF_HOST: Final = 2_000  # people, in one repair
ITEMS: Final = 200  # of one outbox
MARGIN: Final = timedelta(minutes=15)  # before the outage: what was on its way when it began
TALKS: Final = 5  # conversations at once
LOOK: Final = 5.0  # seconds between two looks for outages that are over
DRAIN: Final = timedelta(minutes=10)  # for the spool, before others are asked for what may lie in it
DOUBTED: Final = (10, 200)  # posts that an outbox does not list any more: of one person, of one host
KNOWN: Final = 100  # repairs, of which is known what they covered


class Synchronise(Protocol):
    """Errands.synchronise."""

    def __call__(self, actor: Account, address: str, budget: Budget, *, guessed: bool) -> Awaitable[None]: ...


class Repairing:
    """The errands of a repair."""

    def __init__(self, db: Database, gatherer: Gatherer, synchronise: Synchronise) -> None:
        self._db = db
        self._gatherer = gatherer
        self._outboxes = Outboxes(db, gatherer)
        self._synchronise = synchronise
        self.table: Mapping[str, Callable[[Job], Awaitable[None]]] = {
            repairs.HOST: self._host,
            repairs.THREADS: self._threads,
        }

    async def _host(self, job: Job) -> None:
        """Some of the people there.  Raises: jobs.Later; Unreachable, Unavailable, while it does not answer."""
        payload = dict(job.payload)
        repair = await self._db.read(repairs.find, payload["repair"])
        people = await self._db.read(repairs.followed, payload["host"], payload["after"], AT_ONCE) if repair else []
        if repair is None:
            return
        for person in people:
            found, trouble = 0, ""
            try:
                await self._followers(person, payload)
                found = await self._read(person, repair, payload)
            except (Unreachable, Unavailable) as error:
                await self._silent(job, payload, error)
                return
            except (FederationError, Refusal) as error:
                log.info("the outbox of %s: %s %s", person.uri, error, getattr(error, "why", ""))
                trouble = f"{person.handle}: {error}"
            payload |= {"after": person.id, "done": payload.get("done", 0) + 1, "tried": 0}
            await self._db.write(_note, job.id, payload, {"asked": 1, "found": found, "trouble": trouble})
        if len(people) == AT_ONCE and payload["done"] < OF_HOST:
            raise jobs.Later(self._gatherer.now() + PAUSE)

    async def _silent(self, job: Job, payload: dict[str, Any], error: Exception) -> None:
        """Is tried again as any job, and in the end counted.  Raises: `error`, until then."""
        payload["tried"] = payload.get("tried", 0) + 1
        if payload["tried"] < jobs.ATTEMPTS - 1:
            await self._db.write(_note, job.id, payload, {})
            raise error
        left = await self._db.read(repairs.followed, payload["host"], payload["after"], OF_HOST)
        payload["after"] = left[-1].id if left else payload["after"]
        counts = {"failed": len(left), "trouble": f"{error} {getattr(error, 'why', '')}".strip()}
        await self._db.write(_note, job.id, payload, counts)

    async def _followers(self, person: Account, payload: dict[str, Any]) -> None:
        """Whom of ours his server counts among his followers (FEP-8fcf), at the address that those use who know it.

        A host that has no such list for one has none for the others.
        """
        if payload.get("lists", True):
            try:
                await self._synchronise(person, f"{person.uri}/followers_synchronization", Budget(2), guessed=True)
            except Unreachable:
                raise
            except (FederationError, Refusal):
                payload["lists"] = False

    async def _read(self, person: Account, repair: Repair, payload: dict[str, Any]) -> int:
        """How many posts and boosts of his are new here.  Raises: FederationError, Refusal."""
        budget = Budget(BUDGET)
        outbox = await self._outboxes.read(person, repair.begins - MARGIN, ITEMS, budget, boosted=True)
        now = self._gatherer.now()
        found = await self._db.write(take, person.id, outbox, Here(self._gatherer.origin, now))
        of_one, of_host = DOUBTED
        most = min(of_one, of_host - payload.get("doubted", 0))
        if outbox.oldest is not None and most > 0:
            since = repair.begins - repairs.LATELY  # of a whole one, what is older is not listed either
            time = since if outbox.is_whole else max(outbox.oldest, since), repair.ends
            doubted = await self._db.write(repairs.doubt, person.id, *time, outbox.listed, most, now)
            payload["doubted"] = payload.get("doubted", 0) + doubted
        return found + await self._outboxes.fetch(outbox.names, budget)

    async def _threads(self, job: Job) -> None:
        """Raises: jobs.Later, while there are more."""
        some, left = job.payload["posts"][:TALKS], job.payload["posts"][TALKS:]
        payload = {**job.payload, "posts": left}
        await self._db.write(_refresh, job.id, payload, some, self._gatherer.now())
        if left:
            raise jobs.Later(self._gatherer.now() + PAUSE)


def _note(tx: Connection, job_id: int, payload: Mapping[str, Any], counts: Mapping[str, Any]) -> None:
    trouble = counts.get("trouble", "")
    failed = counts.get("failed", 1 if trouble else 0)
    repairs.note(
        tx, job_id, payload, asked=counts.get("asked", 0), found=counts.get("found", 0), failed=failed, trouble=trouble
    )


def _refresh(tx: Connection, job_id: int, payload: Mapping[str, Any], post_ids: Sequence[int], now: datetime) -> None:
    repairs.note(tx, job_id, payload, threads=repairs.refresh(tx, post_ids, now))


class Watch:
    """Begins a repair when an outage is over, takes it from step to step, and says how far it is."""

    def __init__(
        self, db: Database, kept: Database, data_dir: Path, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._db = db
        self._kept = kept
        self._data_dir = data_dir
        self._clock = clock
        self._told: dict[str, Any] | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """One worker of this data folder; the others wait to take over."""
        with (state.folder(self._data_dir) / "repair.lock").open("a", encoding="ascii") as lock:
            while not stop.is_set():
                if is_taken(lock):
                    await self.look()
                await until(stop, LOOK)

    async def look(self) -> Repair | None:
        """The newest repair."""
        now = self._clock()
        known = await self._db.read(repairs.last, KNOWN)
        newest = known[0] if known else None
        if newest is not None and newest.finished_at is None:
            newest = await self._db.write(repairs.go_on, now)
        elif (missed := self._missed(known, now)) and await self._is_drained(missed[1], now):
            newest = await self._db.write(repairs.begin, *missed, now)
        self._tell(newest)
        return newest

    def _missed(self, known: Sequence[Repair], now: datetime) -> tuple[datetime, datetime, str] | None:
        """From the beginning of the first to the end of the last outage upon which nobody looked back."""
        windows = [
            (datetime.fromtimestamp(one.since, UTC), datetime.fromtimestamp(one.until, UTC), one.reason)
            for one in outages.all_of(self._data_dir)
            if one.until and one.lost_messages
        ]
        new = [
            (since, until, reason)
            for since, until, reason in windows
            if now - repairs.OLDEST < until and not any(it.begins <= since and it.ends >= until for it in known)
        ]
        if not new:
            return None
        reasons = dict.fromkeys(reason for _, _, reason in new)
        return min(since for since, _, _ in new), max(until for _, until, _ in new), "; ".join(reasons)

    async def _is_drained(self, ends: datetime, now: datetime) -> bool:
        """Is what came before `ends` out of the spool?  If it does not move, others are asked all the same."""
        waits = (await self._kept.read(spool.stats)).oldest
        return waits is None or waits > ends or now - ends > DRAIN

    def _tell(self, repair: Repair | None) -> None:
        """For the doctor and the page of the admin: state/repair.json."""
        if repair is None:
            return
        said = {**asdict(repair), "says": repairs.summary(repair)}
        if said == self._told:
            return
        state.write_json(state.folder(self._data_dir) / FILE, said)
        if repair.finished_at:
            if self._told is not None:  # else it was done before this process began
                log.info("the look back upon %r is done: %s", repair.reason, said["says"])
        elif self._told is None or self._told["id"] != repair.id:
            log.info("what was said from %s to %s is asked for: %s", repair.begins, repair.ends, repair.reason)
        self._told = said
