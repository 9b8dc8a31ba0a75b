"""Whose signature is it?  Keys of remote actors: in memory, in the spool's file, in the database, at their origin.

A key is fetched when nobody here knows it, and once more when it does not fit (it was replaced).  Both are limited,
in such a way that who sends forgeries in the name of others uses up his own share, and not theirs.
"""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from sqlalchemy import Connection, bindparam, select
from sqlalchemy.exc import SQLAlchemyError

from federation.actors import Met
from federation.errors import Busy, FederationError, Forged, Malformed
from federation.keys import PublicKey, load_public
from federation.reading import host_of
from inbox import spool
from social import accounts
from social.errors import Refusal
from store.database import Database
from store.prepared import Prepared
from store.tables import CachedKey, account_keys
from store.tables import accounts as account_table

log = logging.getLogger(__name__)

IN_MEMORY = 4_096  # keys, of some 3 KB each
NEW = 1_024  # keys that were fetched, but not kept yet, with their owners
MEMORY_FRESH = 600.0  # seconds until a key in memory is looked up again
SPOOL_FRESH = timedelta(hours=24)  # until a key in the spool's file is looked up again
AWAY = 3.0  # seconds to wait for a database that does not answer
FAILED = 60.0  # seconds that the same sender waits after a key could not be fetched
REFETCH_EVERY = 300.0  # seconds between two refetches for one actor, asked for by one sender …
REFETCHES = 6  # … and for one actor, whoever asks
FETCHES = 600  # new keys of one host in a minute, asked for by one sender …
FETCHES_OF_HOST = 6_000  # … and of one host, whoever asks

_KEY = Prepared(
    select(account_keys.c.id, account_table.c.uri, account_keys.c.public)
    .join(account_table, account_table.c.id == account_keys.c.account_id)
    .where(
        account_keys.c.id == bindparam("key_id"),
        account_table.c.host.is_not(None),
        account_table.c.deleted_at.is_(None),
    )
)


class NoKey(Forged):
    """The key is not to be had, so nothing is known of who signed."""


class Unchecked(NoKey):
    """Whose key it is cannot be known now: the database is away, or its server is busy.  Worth another try."""


class Fetch(Protocol):
    """federation.actors.fetch_key, with a client.  Raises: FederationError."""

    def __call__(self, key_id: str, /) -> Awaitable[tuple[PublicKey, Met]]: ...


@dataclass(frozen=True, slots=True)
class Fetched:
    """A key that nobody here knew, and its owner.  Only the memory of this process has them so far."""

    key: PublicKey
    cached: CachedKey
    met: Met
    until: float


class KeyRing:
    """address: in its methods, where the request came from."""

    def __init__(self, db: Database, kept: Database, fetch: Fetch, *, clock: Callable[[], float] = time.time) -> None:
        self._db = db
        self._kept = kept
        self._fetch = fetch
        self._clock = clock
        self._memory: OrderedDict[str, tuple[PublicKey, float]] = OrderedDict()
        self._new: OrderedDict[str, Fetched] = OrderedDict()
        self._running: dict[str, asyncio.Task[Fetched]] = {}
        self._failed = Windows(FAILED, 1, clock)
        self._busy = Windows(FAILED, 1, clock)
        self._asked_by = Windows(REFETCH_EVERY, 1, clock)
        self._asked_for = Windows(REFETCH_EVERY, REFETCHES, clock)
        self._fetched_by = Windows(60.0, FETCHES, clock)
        self._fetched = Windows(60.0, FETCHES_OF_HOST, clock)

    def known(self, key_id: str) -> PublicKey | None:
        """The key, if it is in memory.  No waiting: this is the way of nearly every message."""
        found = self._memory.get(key_id)
        if found is None or found[1] < self._clock():
            return None
        self._memory.move_to_end(key_id)
        return found[0]

    async def kept(self, key_id: str) -> PublicKey | None:
        """The key, if it is anywhere on this machine.  Raises: Unchecked, when only the database could tell."""
        if found := self.known(key_id):
            return found
        cached = await self._kept.read(spool.key, key_id)
        if cached and cached.fetched_at > self._now() - SPOOL_FRESH:
            return self._remember(_loaded(cached))
        try:
            async with asyncio.timeout(AWAY):
                stored = await self._db.read(_stored, key_id)
        except (SQLAlchemyError, OSError):  # the database is away; TimeoutError is an OSError
            if cached is None:
                raise Unchecked("this server cannot look up the key at the moment") from None
            return self._remember(_loaded(cached))
        if stored is None:
            return None
        return await self._keep(stored)

    async def find(self, key_id: str, address: str) -> PublicKey:
        """The key, fetched if need be, and then kept with its owner.  Raises: Forged (Unchecked: not now)."""
        found = await self.ask(key_id, address)
        if isinstance(found, PublicKey):
            return found
        try:
            return await self._settle(found)
        except Refusal as error:
            self._failed.use((key_id, address))
            raise Forged(f"the key is of no use: {error}"[:200]) from error

    async def ask(self, key_id: str, address: str) -> PublicKey | Fetched:
        """The same, but what had to be fetched is for the caller to keep, and then `settled`."""
        unchecked: Unchecked | None = None
        try:
            if found := self._fresh(key_id) or await self.kept(key_id) or self.known(key_id) or self._fresh(key_id):
                return found
        except Unchecked as error:  # the database may have it; its origin has it, too
            unchecked = error
        try:
            return await self._asked(key_id, address)
        except Unchecked:
            raise
        except Forged as error:
            if unchecked is None:
                raise
            raise unchecked from error

    async def _asked(self, key_id: str, address: str) -> Fetched:
        """From its origin.  Raises: Forged; Unchecked, when that has too much to do."""
        if not self._busy.has_room((key_id, address)):
            raise Unchecked("the server of the key was busy a moment ago")
        if not self._failed.has_room((key_id, address)):
            raise NoKey("the key could not be fetched a moment ago")
        if key_id not in self._running and not self._may_fetch(host_of(key_id), address):
            raise Unchecked("too many keys of this server are new; try again later")
        try:
            return await self._fetched_once(key_id)
        except Busy as error:
            self._busy.use((key_id, address))
            raise Unchecked(f"the key could not be fetched: {error}"[:200]) from error
        except (FederationError, Refusal) as error:
            self._failed.use((key_id, address))
            raise NoKey(f"the key could not be fetched: {error}"[:200]) from error

    async def find_again(self, key: PublicKey, address: str) -> PublicKey | None:
        """Another key that its owner has under that id now; None when it is the same, or was asked for lately."""
        if not self._asked_by.has_room((key.owner, address)) or not self._asked_for.has_room(key.owner):
            return None
        self._asked_by.use((key.owner, address))
        self._asked_for.use(key.owner)
        try:
            found = await self._settle(await self._fetched_once(key.id))
        except (FederationError, Refusal):
            return None
        return None if found.key == key.key else found

    def settled(self, found: Fetched) -> None:
        """It is on disk."""
        self._remember(found.key)

    def forget(self, key_id: str) -> None:
        self._memory.pop(key_id, None)
        self._new.pop(key_id, None)

    def _may_fetch(self, host: str, address: str) -> bool:
        return self._fetched_by.use((host, address)) and self._fetched.use(host)

    async def _fetched_once(self, key_id: str) -> Fetched:
        """However many messages wait for it."""
        task = self._running.get(key_id)
        if task is None:
            task = self._running[key_id] = asyncio.create_task(self._from_origin(key_id))
            task.add_done_callback(lambda _: self._running.pop(key_id, None))
        return await asyncio.shield(task)

    async def _from_origin(self, key_id: str) -> Fetched:
        key, met = await self._fetch(key_id)
        material = next((known.material for known in met.actor.keys if known.id == key_id), None)
        if material is None:
            raise Malformed("publicKey", key_id)
        until = self._clock() + MEMORY_FRESH
        found = self._new[key_id] = Fetched(key, CachedKey(key_id, key.owner, material, self._now()), met, until)
        if len(self._new) > NEW:
            self._new.popitem(last=False)
        return found

    def _fresh(self, key_id: str) -> Fetched | None:
        found = self._new.get(key_id)
        return found if found is not None and found.until > self._clock() else None

    async def _settle(self, found: Fetched) -> PublicKey:
        """Raises: Refusal, when its owner cannot be remembered."""
        try:
            async with asyncio.timeout(AWAY):
                await self._db.write(accounts.remember, found.met.actor, found.met.handle, self._now())
        except (SQLAlchemyError, OSError):
            log.warning("the database is away; %s is kept in the spool alone", found.key.id)
        except Refusal:
            self.forget(found.key.id)
            raise
        return await self._keep(found.cached)

    async def _keep(self, cached: CachedKey) -> PublicKey:
        key = self._remember(_loaded(cached))
        await self._kept.write(spool.keep_key, cached)
        return key

    def _remember(self, key: PublicKey) -> PublicKey:
        self._new.pop(key.id, None)
        self._memory[key.id] = key, self._clock() + MEMORY_FRESH
        self._memory.move_to_end(key.id)
        if len(self._memory) > IN_MEMORY:
            self._memory.popitem(last=False)
        return key

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)


class Windows:
    """At most `most` uses in `seconds`, for each of a bounded number of keys: the longest unused is forgotten."""

    def __init__(self, seconds: float, most: int, clock: Callable[[], float], keys: int = 10_000) -> None:
        self._seconds = seconds
        self._most = most
        self._clock = clock
        self._keys = keys
        self._used: OrderedDict[Hashable, tuple[float, int]] = OrderedDict()  # since when, how often

    def has_room(self, key: Hashable) -> bool:
        since, number = self._used.get(key, (0.0, 0))
        return number < self._most or self._clock() - since >= self._seconds

    def use(self, key: Hashable) -> bool:
        """False, and not used, when there is no room."""
        if not self.has_room(key):
            return False
        since, number = self._used.pop(key, (0.0, 0))
        now = self._clock()
        self._used[key] = (since, number + 1) if now - since < self._seconds else (now, 1)
        if len(self._used) > self._keys:
            self._used.popitem(last=False)
        return True


def _stored(tx: Connection, key_id: str) -> CachedKey | None:
    rows = _KEY.rows(tx, key_id=key_id)
    if not rows:
        return None
    name, owner, material = rows[0]
    return CachedKey(name, owner, material, datetime.now(UTC))


def _loaded(cached: CachedKey) -> PublicKey:
    """Raises: Malformed, which only a key that we never kept could cause."""
    return load_public(cached.id, cached.owner, cached.material)
