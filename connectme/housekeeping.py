"""What time brings: polls that end, posts that waited for their moment; and what is forgotten, some of it at a time,
when nobody can need it any more.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Delete, Table, and_, bindparam, delete, exists, select
from sqlalchemy.exc import SQLAlchemyError

from connectme.loop import until
from federation.origin import Origin
from inbox import spool
from outbox import deliver
from social import activity, codes, imports, links, mutes, polls, scheduled, sessions, trends
from social.errors import Refusal
from social.moderation import hashtags, places
from store.database import Database
from store.tables import addresses, cards, handled, idempotency, posts, refreshes, tombstones
from store.tables.base import Instant

log = logging.getLogger(__name__)

EVERY: Final = 15.0  # seconds
SWEEP_EVERY: Final = timedelta(hours=1)
TRENDS_EVERY: Final = timedelta(minutes=5)
AT_ONCE: Final = 1_000  # rows in one transaction
REMEMBERED: Final = timedelta(days=30)  # ids of activities: longer than any server tries to deliver one
BURIED: Final = timedelta(days=180)  # what others deleted before it came
SENT: Final = timedelta(days=1)  # activities that nobody waits for
KEYS: Final = timedelta(days=30)  # in the spool's file; those in use are written again
UNUSED: Final = timedelta(days=30)  # previews of what no post links to any more
ASKED: Final = timedelta(days=30)  # what other servers said of conversations
REPEATED: Final = timedelta(days=1)  # a client that did not hear our answer

_BEFORE = bindparam("before", type_=Instant)


def _some(table: Table, where: ColumnElement[bool]) -> Delete:
    keys = table.primary_key.columns
    if len(keys) == 1:
        [key] = keys
        return delete(table).where(key.in_(select(key).where(where).limit(AT_ONCE)))
    return delete(table).where(where)


_HANDLED = _some(handled, handled.c.at < _BEFORE)
_TOMBSTONES = _some(
    tombstones, and_(tombstones.c.at < _BEFORE, ~tombstones.c.owner.startswith(bindparam("ours"), autoescape=False))
)
_CARDS = _some(cards, and_(cards.c.fetched_at < _BEFORE, ~exists().where(posts.c.card_id == cards.c.id)))
_IDEMPOTENCY = _some(idempotency, idempotency.c.at < _BEFORE)
_ADDRESSES = _some(addresses, addresses.c.used_at < _BEFORE)
_REFRESHES = _some(refreshes, refreshes.c.asked_at < _BEFORE)


class Housekeeping:
    def __init__(
        self,
        db: Database,
        kept: Database,
        origin: Origin,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        also: Sequence[Callable[[datetime], Awaitable[None]]] = (),
        often: Sequence[Callable[[datetime], Awaitable[None]]] = (),
        counts_trends: bool = True,
        address_days: int = 60,
    ) -> None:
        """also: what else is swept, every SWEEP_EVERY.  often: what else is looked at in each round."""
        self._counts_trends = counts_trends
        self._addresses = timedelta(days=address_days)
        self._counted: datetime | None = None
        self._also = also
        self._often = often
        self._db = db
        self._kept = kept
        self._origin = origin
        self._clock = clock
        self._swept: datetime | None = None

    async def run(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                await self.round()
            except (SQLAlchemyError, OSError) as error:
                log.warning("housekeeping has to wait: %s", error)
            await until(stop, EVERY)

    async def round(self) -> None:
        now = self._clock()
        while await self._db.write(polls.close_due, now) >= polls.CLOSED_AT_ONCE:
            pass
        await self._publish(now)
        await self._db.write(mutes.forget_expired, now)
        for look in self._often:
            await look(now)
        if self._counts_trends and (self._counted is None or now - self._counted >= TRENDS_EVERY):
            self._counted = now
            await self._db.write(trends.compute, now, TRENDS_EVERY)
        if self._swept is None or now - self._swept >= SWEEP_EVERY:
            self._swept = now
            await self.sweep(now)

    async def _publish(self, now: datetime) -> None:
        """What waited for this moment.  One that cannot be posted any more does not keep the others."""
        for number in await self._db.read(scheduled.due, now):
            try:
                await self._db.write(scheduled.publish_due, self._origin, number, now)
            except Refusal as refusal:
                log.warning("scheduled post %s: %s", number, refusal)
                await self._db.write(scheduled.put_off, number, now)

    async def sweep(self, now: datetime) -> None:
        """Forgets what is old."""
        ours = f"{self._origin.base_url}/"
        await self._all(_HANDLED, before=now - REMEMBERED)
        await self._all(_TOMBSTONES, before=now - BURIED, ours=ours)
        await self._all(_CARDS, before=now - UNUSED)
        await self._all(_IDEMPOTENCY, before=now - REPEATED)
        await self._all(_ADDRESSES, before=now - self._addresses)
        await self._all(_REFRESHES, before=now - ASKED)
        await self._db.write(deliver.sweep, now - SENT)
        await self._db.write(deliver.shorten, now)
        await self._db.write(places.forget_expired, now)
        await self._db.write(sessions.prune, now)
        await self._db.write(activity.settle, now)
        await self._db.write(codes.prune, now)
        await self._db.write(links.prune, now)
        await self._db.write(imports.tend, now)
        await self._kept.write(spool.drop_old_keys, now - KEYS)
        await self._kept.write(spool.trim)
        await self._forget_hashtags()
        for sweep in self._also:
            await sweep(now)

    async def _forget_hashtags(self) -> None:
        """Looked for in reads, some at a time, for there are many, and nearly all of them are used."""
        after: str | None = ""
        while after is not None:
            unused, after = await self._db.read(hashtags.unused, after)
            if unused:
                await self._db.write(hashtags.forget, unused)

    async def _all(self, statement: Delete, **values: Any) -> None:
        while await self._db.write(_delete, statement, values) >= AT_ONCE:
            pass


def _delete(tx: Connection, statement: Delete, values: dict[str, Any]) -> int:
    return tx.execute(statement, values).rowcount
