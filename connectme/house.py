"""What web and worker both need, opened in order and closed in the opposite one.

whose database is it? → databases → keys of the server's own actor → client → gatherer
"""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Connection, inspect
from sqlalchemy.exc import SQLAlchemyError

from connectme import __version__
from connectme.bus import Bus
from connectme.examining import examining
from connectme.gather import Gatherer
from connectme.lock import using
from connectme.loop import beside
from connectme.media.cache import Cache
from connectme.media.stores import open_cache, open_store
from connectme.media.workshop import Workshop
from connectme.observing import is_traced
from connectme.schema import Away, CannotUse, Changing, WrongDatabase, looked
from connectme.sentinel import Sentinel
from connectme.settings import Settings
from federation.client import Client
from federation.guard import Guard
from federation.keys import KeyPair, PrivateKey, generate, load_private
from federation.origin import Origin
from federation.webpush import VapidKey
from inbox.counts import Counts
from inbox.rules import HostRules
from ops import identity, machines, state
from ops.backup import facts, swap
from ops.findings import first_line
from ops.modes import Board, Mode
from social import accounts, push
from store import ids, journal
from store.blobs import Blobs
from store.database import Database, Nowhere
from store.sqlite import is_damage
from store.tables import INSTANCE_ACTOR_ID, spool_metadata, spooled
from store.wires import open_wire

log = logging.getLogger(__name__)


RULES: Final = "host-rules.json"  # the policies as they were last read


@dataclass(frozen=True, slots=True)
class House:
    settings: Settings
    origin: Origin
    db: Database
    spool: Database
    rules: HostRules
    client: Client
    gatherer: Gatherer
    counts: Counts
    bus: Bus
    blobs: Blobs
    workshop: Workshop
    push_key: VapidKey
    cache: Cache
    board: Board
    is_provisional: bool = False  # there is no database yet
    lost: asyncio.Event = field(default_factory=asyncio.Event)  # set: another house has to be opened


@dataclass(frozen=True, slots=True)
class _Known:
    """What the database tells of this server."""

    key: PrivateKey | None
    proxy_key: bytes
    push_key: VapidKey
    instance: str
    ed25519: PrivateKey | None = None


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[House]:
    """Raises: CannotUse, WrongDatabase, Changing; what the database says when it cannot be opened."""
    origin = Origin(settings.domain, settings.base_url)
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with using(settings):
        await looked(settings)  # first: SQLite makes a file that is missing
        async with AsyncExitStack() as stack:
            try:
                share = await stack.enter_async_context(machines.shared(settings.database_url))
            except machines.Taken as error:
                raise Changing(str(error)) from error
            house = await stack.enter_async_context(_opened(settings, origin))
            if share is not None:
                await stack.enter_async_context(beside(share.keep(house.lost)))
            yield house


@asynccontextmanager
async def _opened(settings: Settings, origin: Origin) -> AsyncIterator[House]:
    async with await _kinds(settings)[0].open(settings.database_url) as db:
        own = await _own_keys(db, origin)
        newest = await db.read(facts.newest_id)
        ids.not_before(max(ids.moment_ms(newest), swap.ids_after(settings.data_dir)))
        await identity.remember(db, settings.data_dir)
        known = _Known(
            own["rsa"],
            await _proxy_key(db),
            await _push_key(db),
            await db.read(identity.instance_id),
            own.get("ed25519"),
        )
        async with _furnished(settings, origin, db, known) as house:
            await house.rules.read(db)
            sentinel = Sentinel(house.board, db, settings, known.instance, house.lost)
            async with sentinel.watching(), examining(settings):
                yield house


@asynccontextmanager
async def provisional(settings: Settings, why: Mode) -> AsyncIterator[House]:
    """A house without a database: it takes messages for the spool, and says how it is."""
    origin = Origin(settings.domain, settings.base_url)
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    db = Database(Nowhere())
    db.shut = "the database is not open yet"
    known = _Known(None, b"", VapidKey.make(), "")
    async with _furnished(settings, origin, db, known) as house:
        house.board.found(why.name, why.reason)
        async with Sentinel(house.board, db, settings, "", house.lost).watching():
            yield house


@asynccontextmanager
async def _furnished(settings: Settings, origin: Origin, db: Database, known: _Known) -> AsyncIterator[House]:
    async with AsyncExitStack() as stack:
        spool = await stack.enter_async_context(await _spool(settings))
        origin = replace(origin, proxy_key=known.proxy_key)
        rules = HostRules(settings.federation_mode, [origin.host], file=state.folder(settings.data_dir) / RULES)
        client = _kinds(settings)[1](
            guard=Guard(settings.allowed_private_networks, settings.allow_http_federation),
            user_agent=f"ConnectMe/{__version__} (+{origin.base_url}/)",
            key=known.key,
            ed25519=known.ed25519,
            ca_file=str(settings.ca_file) if settings.ca_file else None,
            policy=rules.permits if settings.outgoing else _nobody,
        )
        stack.push_async_callback(client.close)
        gatherer = Gatherer(db, client, origin, permits=rules.permits)
        bus = Bus(open_wire(settings.database_url if known.key else "sqlite:///", settings.data_dir / "live"))
        stack.push_async_callback(bus.close)
        db.listeners.append(bus.tell)
        blobs = open_store(settings)
        workshop = Workshop(settings.data_dir / "incoming", blobs)
        stack.push_async_callback(workshop.close)
        cache = open_cache(settings, client, rules.shows)
        yield House(
            settings,
            origin,
            db,
            spool,
            rules,
            client,
            gatherer,
            Counts(),
            bus,
            blobs,
            workshop,
            known.push_key,
            cache,
            Board(settings.data_dir),
            known.key is None,
        )


def _kinds(settings: Settings) -> tuple[type[Database], type[Client]]:
    """Those that tell what they do, where somebody wants to know."""
    if not is_traced(settings):
        return Database, Client
    from ops.tracing import TracedClient, TracedDatabase  # noqa: PLC0415  an extra

    return TracedDatabase, TracedClient


def _nobody(_host: str) -> bool:
    """With OUTGOING = false no request leaves."""
    return False


async def _spool(settings: Settings) -> Database:
    """Raises: CannotUse, when its file is damaged; Away, when there is no room for it, or no right."""
    file = settings.data_dir / "spool.db"
    try:
        spool = await Database.open(settings.spool_url)
        try:
            await spool.write(_spool_tables)
        except BaseException:
            await spool.close()
            raise
    except (sqlite3.Error, SQLAlchemyError) as error:
        kind = CannotUse if is_damage(error) else Away
        says = f"the spool {file} cannot be used ({first_line(error)}); `connectme doctor` says what to do"
        raise kind(says) from error
    return spool


def _spool_tables(tx: Connection) -> None:
    """Makes them, or adds the columns that came later; they may be empty."""
    found = inspect(tx)
    if found.has_table(spooled.name):
        there = {column["name"] for column in found.get_columns(spooled.name)}
        for column in spooled.columns:
            if column.name not in there:
                kind = column.type.compile(tx.dialect)
                tx.exec_driver_sql(f"ALTER TABLE {spooled.name} ADD COLUMN {column.name} {kind}")
    else:
        spool_metadata.create_all(tx)
    journal.begin(tx)


async def _own_keys(db: Database, origin: Origin) -> dict[str, PrivateKey]:
    """The keys that sign our fetches, by kind: RSA at least.  Made when the database is new."""
    found = await db.read(_look, origin)
    if not found:
        log.info("a new server: making its keys")
        pairs = await asyncio.to_thread(lambda: [generate("rsa"), generate("ed25519")])
        found = await db.write(_settle, origin, pairs)
    return {kind: load_private(*key) for kind, key in found.items()}


async def _proxy_key(db: Database) -> bytes:
    key = await db.read(identity.proxy_key)
    if key is None:  # a database from before there was one
        await db.write(identity.note_proxy_key)
        key = await db.read(identity.proxy_key)
    return key or b""


async def _push_key(db: Database) -> VapidKey:
    """The key by which push services know this server; the same in all processes, for ever."""
    kept = await db.read(push.key)
    if kept is None:
        kept = await db.write(push.keep_key, VapidKey.make().text)
    return VapidKey.load(kept)


def _look(tx: Connection, origin: Origin) -> dict[str, tuple[str, str]]:
    """(id, PEM) by kind; none while there is no RSA key."""
    try:
        identity.check(tx, origin)
    except identity.WrongDatabase as error:
        raise WrongDatabase(str(error)) from error
    keys = reversed(accounts.keys_of(tx, INSTANCE_ACTOR_ID))  # the first of a kind counts
    found = {key.kind: (key.id, key.private) for key in keys if key.private}
    return found if "rsa" in found else {}


def _settle(tx: Connection, origin: Origin, pairs: list[KeyPair]) -> dict[str, tuple[str, str]]:
    identity.claim(tx, origin)
    accounts.create_instance_actor(tx, origin, pairs, datetime.now(UTC))
    found = _look(tx, origin)
    if not found:
        raise RuntimeError("the server's own actor has no RSA key")
    return found
