"""After an outage: what followed people said meanwhile is read in their outboxes, and conversations are refreshed.

    DATA_DIR/state/outages.json → Watch, in the worker → social.repairs.begin → jobs → Repairing → state/repair.json

A host is asked by one job, for a few people at a time, with a pause: who was away for a day has no right to be in a
hurry.  An outbox is believed as its owner's host is: what it embeds when that lives there and is his, all else is
fetched from where it lives.  It is asked for in the name of somebody who follows him, so that it shows what is for
followers alone.  Posts go where their own moment puts them; those that are here and not in it may be deleted.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Protocol

from sqlalchemy import Connection

from connectme.gather import BUDGET, Gatherer
from connectme.lock import is_taken
from connectme.loop import until
from federation.client import Budget
from federation.errors import FederationError, Malformed, Refused, Unreachable
from federation.keys import PrivateKey, load_private
from federation.reading import (
    JSON,
    POST_KINDS,
    Note,
    actor_of,
    identity,
    instant,
    read_collection,
    same_origin,
    types,
    uri,
)
from federation.reading.values import is_web
from inbox import spool
from inbox.handlers import boosts, posts
from inbox.handlers.inside import object_uri
from inbox.messages import Here, Verified
from ops import outages, state
from social import accounts, repairs
from social.errors import NotAllowed, NotFound, Refusal, Unavailable
from social.posts import find
from social.posts.edit import receive_edit
from social.posts.receive import receive_many
from store import jobs
from store.database import Database
from store.tables import Account, Job, Repair

log = logging.getLogger(__name__)

FILE: Final = "repair.json"
AT_ONCE: Final = 5  # people of one host, then …
PAUSE: Final = timedelta(seconds=20)  # … it is left alone: Mastodon counts 300 pages of collections in 15 minutes
OF_HOST: Final = 2_000  # people, in one repair
PAGES: Final = 5  # of one outbox
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


@dataclass(slots=True)
class _Outbox:
    """What was read of it, the newest first."""

    notes: list[Note] = field(default_factory=list)
    boosts: list[Verified] = field(default_factory=list)
    names: list[str] = field(default_factory=list)  # of posts that are to be fetched
    listed: set[str] = field(default_factory=set)  # all that it names
    oldest: datetime | None = None  # since then it names all that there is


class Repairing:
    """The errands of a repair."""

    def __init__(self, db: Database, gatherer: Gatherer, synchronise: Synchronise) -> None:
        self._db = db
        self._gatherer = gatherer
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
        outbox = await self._outbox(person, repair, budget)
        now = self._gatherer.now()
        found = await self._db.write(
            _take, person.id, outbox.notes[::-1], outbox.boosts[::-1], Here(self._gatherer.origin, now)
        )
        of_one, of_host = DOUBTED
        most = min(of_one, of_host - payload.get("doubted", 0))
        if outbox.oldest is not None and most > 0:
            time = max(outbox.oldest, repair.begins - repairs.LATELY), repair.ends
            doubted = await self._db.write(repairs.doubt, person.id, *time, outbox.listed, most, now)
            payload["doubted"] = payload.get("doubted", 0) + doubted
        return found + await self._fetch(outbox.names, budget)

    async def _outbox(self, person: Account, repair: Repair, budget: Budget) -> _Outbox:
        """As a follower sees it; as anybody does, where he is shown nothing: he may be blocked."""
        known = await self._db.read(repairs.reader, person.id)
        if known is not None and known.private is not None:
            with suppress(Refused):
                outbox = await self._pages(person, repair, budget, load_private(known.id, known.private))
                if outbox.listed:
                    return outbox
        return await self._pages(person, repair, budget, None)

    async def _pages(self, person: Account, repair: Repair, budget: Budget, key: PrivateKey | None) -> _Outbox:
        """Back to the beginning of the outage."""
        outbox = _Outbox()
        page: str | JSON | None = person.outbox
        if page is None:
            raise NotFound("has no outbox")
        for _ in range(PAGES + 1):
            if isinstance(page, str):
                if not same_origin(page, person.uri):
                    raise NotAllowed("the outbox is on another server", why=page)
                page = await self._gatherer.document(page, budget, key)
            collection = read_collection(page)
            if _sort(person, collection.items, repair.begins - MARGIN, outbox):
                break
            page = collection.next if collection.is_page or collection.first is None else collection.first
            if page is None and outbox.oldest is not None:  # it was read to its end: what is older is not listed either
                outbox.oldest = min(outbox.oldest, repair.begins - repairs.LATELY)
            if page is None or budget.left <= 0:
                break
        return outbox

    async def _fetch(self, names: Sequence[str], budget: Budget) -> int:
        """Posts that the outbox only names."""
        number = 0
        for name in reversed(await self._db.read(_unknown, names)):
            if budget.left <= 0:
                break
            try:
                await self._gatherer.fetch_post(name, budget=budget)
                number += 1
            except (NotFound, NotAllowed) as error:
                log.info("%s, of an outbox: %s %s", name, error, error.why)
        return number

    async def _threads(self, job: Job) -> None:
        """Raises: jobs.Later, while there are more."""
        some, left = job.payload["posts"][:TALKS], job.payload["posts"][TALKS:]
        payload = {**job.payload, "posts": left}
        await self._db.write(_refresh, job.id, payload, some, self._gatherer.now())
        if left:
            raise jobs.Later(self._gatherer.now() + PAUSE)


def _sort(person: Account, items: Sequence[str | JSON], begins: datetime, outbox: _Outbox) -> bool:
    """Puts what a page lists where it belongs; True: the rest is older, or too much."""
    older = False
    for item in items:
        older = False
        if len(outbox.notes) + len(outbox.boosts) + len(outbox.names) >= ITEMS:
            return True
        if isinstance(item, str):
            outbox.listed.add(item)
            outbox.names += [item] if same_origin(item, person.uri) else []
            continue
        try:
            moment = _moment(item)
            outbox.listed |= {name for key in ("object", "id") if (name := uri(item, key))}
            outbox.oldest = min(filter(None, (outbox.oldest, moment)), default=None)
            older = moment is not None and moment < begins
            if not older:
                _put(person, item, outbox)
        except Malformed as error:
            log.info("in the outbox of %s: %s", person.uri, error)
    return older


def _moment(item: JSON) -> datetime | None:
    inner = item.get("object")
    return instant(item, "published") or (instant(inner, "published") if isinstance(inner, dict) else None)


def _put(person: Account, item: JSON, outbox: _Outbox) -> None:
    """Raises: Malformed."""
    kinds = set(types(item))
    if not POST_KINDS.isdisjoint(kinds):
        item, kinds = {"type": "Create", "actor": person.uri, "object": item}, {"Create"}
    if not kinds & {"Create", "Announce"} or actor_of(item) != person.uri:
        return
    said = Verified(person.uri, item)
    if "Announce" in kinds:
        identity(item), object_uri(item)  # one that names nothing must not cost the others
        outbox.boosts.append(said)
    elif note := posts.own_note(said):
        outbox.notes.append(note)
    elif (name := uri(item, "object")) and is_web(name) and same_origin(name, person.uri):
        outbox.names.append(name)


def _take(tx: Connection, person_id: int, notes: Sequence[Note], shared: Sequence[Verified], here: Here) -> int:
    """Stores them as if they had been sent; how many are new.  Nothing is forwarded: nobody signed these bytes."""
    person = accounts.by_id(tx, person_id)
    if person.is_gone:
        return 0
    names = [*(note.id for note in notes), *(name for one in shared if (name := uri(one.document, "id")))]
    before = find.by_uris(tx, names)
    receive_many(tx, [(person, note) for note in notes if note.id not in before], here.now)
    for note in notes:
        if note.id in before and note.updated is not None and before[note.id].author_id == person.id:
            receive_edit(tx, person, note, here.now)
    for one in shared:
        if uri(one.document, "id") not in before:
            boosts.announce(tx, person, one, here)
    return len(find.by_uris(tx, names)) - len(before)


def _unknown(tx: Connection, names: Sequence[str]) -> list[str]:
    known = find.by_uris(tx, names)
    return [name for name in names if name not in known]


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
