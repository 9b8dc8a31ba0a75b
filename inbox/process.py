"""Takes messages from the spool and does what they say.

    spool (read) → plan → units of the main database, step by step → spool (settle)

The messages of one actor are handled in the order in which they came; one that fails holds back the later ones of its
actor, and nobody else's.  A crash before `settle` replays messages, which `handled` recognises: it is written in the
same transaction as their effects.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert  # SQLite has the same ON CONFLICT
from sqlalchemy.exc import SQLAlchemyError

from federation.origin import Origin
from federation.reading import host_of, types, uri
from inbox import spool
from inbox.counts import Counts
from inbox.handle import Done, Outcome, Stranger, create_many, follow_many, handle, handle_line, is_final
from inbox.messages import Here, Message, Verified
from inbox.plan import Step, plan
from inbox.spool import Failure, Kept
from outbox.deliver import heard_from
from social.errors import NotAllowed, NotFound, Unavailable
from social.remote import Remote
from store.database import Database
from store.tables import handled

log = logging.getLogger(__name__)

BATCH: Final = 200  # messages in one round
MEETINGS: Final = 8  # strangers who are asked for at the same time
GATHER: Final = 0.02  # seconds after a round that was not full: what comes meanwhile is handled together
IDLE: Final = (0.02, 0.2)  # seconds between looks into an empty spool, growing
HEALING: Final = 2.0  # seconds until the next look when the database is away
HEARD_EVERY: Final = 1.0  # seconds in which it is enough to say once that a host was heard from
HEARD_KEPT: Final = 10_000  # hosts

_PROBE = insert(handled)
_PROBE = _PROBE.on_conflict_do_update(index_elements=["uri"], set_={"at": _PROBE.excluded.at})


@dataclass(slots=True)
class _Round:
    """What came of a batch.  `held`: signers of whom something is to be tried again, and when."""

    here: Here
    done: list[int] = field(default_factory=list)
    failed: list[Failure] = field(default_factory=list)
    held: dict[str, datetime] = field(default_factory=dict)
    strangers: dict[str, Kept] = field(default_factory=dict)

    def may(self, kept: Kept) -> bool:
        """Is nothing of its actor that came earlier still to be done?"""
        return kept.signer not in self.held and kept.signer not in self.strangers


class Processor:
    """One for each spool; `run` it, or call `round` until it returns 0.

    remote: asked for actors who are not stored, although their keys were known.
    """

    def __init__(
        self,
        db: Database,
        kept: Database,
        origin: Origin,
        remote: Remote,
        counts: Counts,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._db = db
        self._kept = kept
        self._origin = origin
        self._remote = remote
        self._counts = counts
        self._clock = clock
        self._called = asyncio.Event()
        self._held: dict[str, datetime] | None = None  # None: to be read from the spool
        self._meetings: dict[str, asyncio.Task[None]] = {}
        self._places = asyncio.Semaphore(MEETINGS)
        self._heard: dict[str, float] = {}

    def wake(self) -> None:
        """There are messages."""
        self._called.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set.  What is under way is finished; who is being asked for is asked for again next time."""
        wait = IDLE[0]
        while not stop.is_set():
            self._called.clear()
            try:
                found = await self.round()
            except Exception as error:
                if is_away(error):
                    log.warning("the database is away; the next look is in %s s: %s", HEALING, error)
                else:
                    log.exception("a round of the inbox failed; the next is in %s s", HEALING)
                await _first(stop.wait(), HEALING)
                continue
            if found:
                wait = IDLE[0]
                if found < BATCH:
                    await _first(stop.wait(), GATHER)
            else:
                await _first(self._called.wait(), wait)
                wait = min(wait * 2, IDLE[1])
        if meetings := list(self._meetings.values()):
            for task in meetings:
                task.cancel()
            await asyncio.wait(meetings)

    async def round(self) -> int:
        """Handles what waits, at most BATCH messages; how many.

        Raises: what the database says when it is away; all messages then keep their attempts.
        """
        held = await self._who_is_held()
        batch = await self._kept.read(spool.waiting, BATCH, [*held, *self._meetings])
        if batch:
            result = _Round(Here(self._origin, self._clock()))
            for step in plan(batch):
                await self._take(step, result)
            await self._settle(result, batch)
        return len(batch)

    async def meet_all(self) -> None:
        """Waits until all strangers were met, or were not."""
        while self._meetings:
            await asyncio.wait(self._meetings.values())

    async def _who_is_held(self) -> dict[str, datetime]:
        if self._held is None:
            self._held = await self._kept.read(spool.held)
        now = self._clock()
        self._held = {signer: due for signer, due in self._held.items() if due > now}
        return self._held

    async def _take(self, step: Step, result: _Round) -> None:
        """The new posts first: others may like and boost them in the same step."""
        outcomes = await self._create(step, result)
        outcomes += await self._follow(step, result)
        lines = ([kept for kept in line if result.may(kept)] for line in step.lines.values())
        outcomes += await self._handle([line for line in lines if line], result.here)
        absent = [outcome for _, outcome in outcomes if is_away(outcome)]
        if absent and len(absent) == len(outcomes):
            await self._db.write(_probe, result.here.now)  # is it away?  If not, the fault is in the messages
        for kept, outcome in outcomes:
            self._note(kept, outcome, result)

    async def _create(self, step: Step, result: _Round) -> list[tuple[Kept, Outcome]]:
        """All in one unit; when that fails, whatever the reason, one by one, so that a bad one fails alone."""
        creates = [(kept, message, note) for kept, message, note in step.creates if result.may(kept)]
        if not creates:
            return []
        try:
            outcomes = await self._db.write(create_many, [(message, note) for _, message, note in creates], result.here)
        except Exception as error:  # noqa: BLE001  each message's own will come out
            log.info("%d posts are taken one by one: %s", len(creates), error)
            lines: dict[str, list[Kept]] = defaultdict(list)
            for kept, _, _ in creates:
                lines[kept.signer].append(kept)
            return await self._handle(list(lines.values()), result.here)
        return [(kept, outcome) for (kept, _, _), outcome in zip(creates, outcomes, strict=True)]

    async def _follow(self, step: Step, result: _Round) -> list[tuple[Kept, Outcome]]:
        """Those who are simply let in, all in one unit; the others, or all when that fails, one by one."""
        asked = [(kept, message, target) for kept, message, target in step.follows if result.may(kept)]
        if not asked:
            return []
        outcomes: list[Outcome | None] = [None] * len(asked)
        try:
            outcomes = await self._db.write(
                follow_many, [(message, target) for _, message, target in asked], result.here
            )
        except Exception as error:  # noqa: BLE001  each message's own will come out
            log.info("%d followers are taken one by one: %s", len(asked), error)
        alone = [[kept] for (kept, _, _), outcome in zip(asked, outcomes, strict=True) if outcome is None]
        done = [(kept, outcome) for (kept, _, _), outcome in zip(asked, outcomes, strict=True) if outcome is not None]
        return done + await self._handle(alone, result.here)

    async def _handle(self, lines: Sequence[Sequence[Kept]], here: Here) -> list[tuple[Kept, Outcome]]:
        """One unit for each line, written at once, so that they share a transaction."""
        answers = await asyncio.gather(*(self._write(line, here) for line in lines), return_exceptions=True)
        outcomes: list[tuple[Kept, Outcome]] = []
        for line, answer in zip(lines, answers, strict=True):
            if isinstance(answer, list):
                outcomes += zip(line, answer, strict=False)
            elif isinstance(answer, Done | Exception):
                outcomes.append((line[0], answer))
            else:
                raise answer
        return outcomes

    def _write(self, line: Sequence[Kept], here: Here) -> "asyncio.Future[Any]":
        if len(line) == 1:
            return self._db.write(handle, line[0].message, here)
        return self._db.write(handle_line, [kept.message for kept in line], here)

    def _note(self, kept: Kept, outcome: Outcome, result: _Round) -> None:
        if isinstance(outcome, Done):
            result.done.append(kept.id)
            self._counts.add("handled", outcome.what)
        elif is_final(outcome):
            result.done.append(kept.id)
            self._reject(kept, outcome)
        elif isinstance(outcome, Stranger):
            result.strangers[kept.signer] = kept
        else:
            log.error("message %d of %s", kept.id, kept.signer, exc_info=outcome)
            self._fail(kept, f"{type(outcome).__name__}: {outcome}", result)

    def _reject(self, kept: Kept, error: Exception) -> None:
        log.info("%s: %s", kept.signer, error)
        self._counts.add("rejected", type(error).__name__)

    def _fail(self, kept: Kept, error: str, result: _Round) -> None:
        failure = spool.failure(kept, result.here.now, error)
        result.failed.append(failure)
        result.held[kept.signer] = failure.due
        self._counts.add("rested" if failure.rests else "failed")

    async def _settle(self, result: _Round, batch: Sequence[Kept]) -> None:
        await self._keep(result, [kept.signer for kept in batch if _changes_keys(kept.message)])
        if heard := self._newly_heard({kept.signer for kept in batch}):
            await self._db.write(heard_from, heard, result.here.now)
        for signer, kept in result.strangers.items():
            self._meetings[signer] = asyncio.create_task(self._meet(signer, kept))

    async def _keep(self, result: _Round, changed: Sequence[str] = ()) -> None:
        """Writes the result into the spool, and remembers who is held."""
        counted = self._counts.take()
        try:
            await self._kept.write(_settle, result, changed, counted)
        except BaseException:
            self._counts.give_back(counted)
            raise
        if any(failure.rests for failure in result.failed):
            self._held = None  # whose message rests is held no longer
        elif self._held is not None:
            self._held.update(result.held)

    def _newly_heard(self, signers: Iterable[str]) -> list[str]:
        now = asyncio.get_running_loop().time()
        news = [host for host in {host_of(signer) for signer in signers} if self._heard.get(host, 0.0) <= now]
        if len(self._heard) > HEARD_KEPT:
            self._heard.clear()
        self._heard |= dict.fromkeys(news, now + HEARD_EVERY)
        return news

    async def _meet(self, signer: str, kept: Kept) -> None:
        """Asks for the actor of a message.  His messages wait for that, those of others do not."""
        result = _Round(Here(self._origin, self._clock()))
        try:
            async with self._places:
                await self._remote.account(signer)
        except (NotFound, NotAllowed) as error:
            result.done.append(kept.id)
            self._reject(kept, error)
        except Unavailable as error:
            self._fail(kept, f"{error} {error.why}", result)
        except Exception as error:
            log.exception("%s cannot be met", signer)
            self._fail(kept, f"{type(error).__name__}: {error}", result)
        try:
            await self._keep(result)
        finally:
            del self._meetings[signer]
            self.wake()


def is_away(outcome: Outcome) -> bool:
    """Is it perhaps the database's fault?  It may be down, or locked, or in the middle of a migration."""
    return isinstance(outcome, SQLAlchemyError | OSError)


def _changes_keys(message: Message) -> bool:
    if not isinstance(message, Verified) or not {"Update", "Delete"} & set(types(message.document)):
        return False
    return uri(message.document, "object") == message.actor_uri


def _settle(tx: Connection, result: _Round, changed: Sequence[str], counted: dict[str, int]) -> None:
    spool.settle(tx, result.done, result.failed)
    spool.forget_keys(tx, changed)
    spool.count(tx, counted)


def _probe(tx: Connection, now: datetime) -> None:
    tx.execute(_PROBE, {"uri": "probe", "at": now})


async def _first(waiting: Coroutine[Any, Any, object], seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await waiting
    except TimeoutError:
        pass
