"""Gathers what other servers have: people and posts, fetched, and stored in a transaction of its own.

    fetch (network, a budget) → read (pure) → write (unit)

Doors wait for `Gatherer`: it is the social.remote.Remote of the application.  Units cannot, and ask for a job instead;
connectme.errands does those.  Each thing is fetched once, however many ask for it at the same time.  From our own
address, and from hosts that are blocked here, nothing is fetched at all.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, bindparam, select

from federation import actors
from federation.actors import Met
from federation.client import Budget, Client
from federation.errors import FederationError, Malformed, Unreachable
from federation.handles import parse_handle
from federation.keys import PrivateKey
from federation.origin import Origin
from federation.reading import ACTOR_KINDS, CARRIERS, JSON, POST_KINDS, Note, carried, host_of, read_note, types, uri
from federation.reading.featured import FEATURED, read_featured_collection
from federation.reading.values import is_web
from social import accounts, pins
from social.collections import theirs
from social.errors import NotAllowed, NotFound, Refusal, Unavailable
from social.posts import find
from social.posts.edit import receive_edit
from social.posts.receive import receive
from store import jobs
from store.database import Database
from store.tables import Account, posts

T = TypeVar("T")
log = logging.getLogger(__name__)

BUDGET: Final = 20  # requests for one cause
STALE: Final = timedelta(hours=24)  # after that an account is asked for again, when somebody looks
WITHIN: Final = 2  # activities, each given by its id alone, are looked into for one post

_BY_URL = select(posts.c.id).where(posts.c.local, posts.c.url == bindparam("address"))


class Gatherer:
    """permits: may we talk with that host?  It is asked before anything is fetched, and by the client again."""

    def __init__(
        self,
        db: Database,
        client: Client,
        origin: Origin,
        *,
        permits: Callable[[str], bool] = lambda _: True,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.now = clock
        self._db = db
        self.client = client
        self.origin = origin
        self._permits = permits
        self._running: dict[tuple[str, str], asyncio.Task[Any]] = {}

    async def account(self, who: str, *, fresh: bool = False) -> Account:
        """Source: social.remote.Remote.  Raises: NotFound, NotAllowed, Unavailable."""
        kind = "account, fresh" if fresh else "account"
        return await self._once(kind, who, lambda: self._account(who, fresh=fresh))

    async def post(self, uri: str) -> int:
        """Source: social.remote.Remote.  Raises: NotFound, NotAllowed, Unavailable."""
        return await self._once("post, known", uri, lambda: self._post(uri))

    async def resolve(self, query: str) -> Account | int | None:
        """Source: social.remote.Remote.  Raises: NotFound, NotAllowed, Unavailable."""
        query = query.strip()
        if not is_web(query):
            return await self.account(query) if parse_handle(query) else None
        return await self._once("anything", query, lambda: self._anything(query))

    async def fetch_post(
        self,
        address: str,
        *,
        depth: int = 0,
        fresh: bool = False,
        budget: Budget | None = None,
        quiet_before: datetime | None = None,
    ) -> int:
        """The id of a post that is fetched now and stored.

        depth: how many of its answers asked for it.  fresh: it may be here, and have been edited.
        quiet_before: if it is older, nobody is told (social/posts/storing.py).
        Raises: NotFound, NotAllowed, Unavailable.
        """
        spend = budget or Budget(BUDGET)
        return await self._once(
            "post", address, lambda: self._fetch_post(address, spend, depth, quiet_before, fresh=fresh)
        )

    async def note(self, address: str, budget: Budget) -> Note:
        """The post at `address` as its server describes it.  Raises: FederationError, NotFound, NotAllowed."""
        return _read(await self.document(address, budget))

    async def document(self, address: str, budget: Budget, key: PrivateKey | None = None) -> JSON:
        """key: of one of ours, who asks.  Raises: FederationError, NotFound, NotAllowed."""
        if self.is_ours(address):
            raise NotFound("No such thing here", why=address)
        self._check(host_of(address))
        return (await self.client.fetch_document(address, budget, key)).document

    def is_ours(self, who: str) -> bool:
        """Is it an address or a handle of this server?"""
        if is_web(who):
            return self.origin.is_ours(who)
        handle = parse_handle(who)
        return handle is None or self.origin.is_our_domain(handle[1])

    async def _once(self, kind: str, name: str, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Raises refusals instead of what goes wrong between servers, which is their cause.

        Looking whether it is here is part of the work: an answer that is read before a fetch ends, and arrives after
        it, would cause another one.
        """
        task = self._running.get((kind, name))
        if task is None:
            task = asyncio.create_task(work())
            self._running[kind, name] = task
            task.add_done_callback(partial(self._end, (kind, name)))
        try:
            found: T = await asyncio.shield(task)
        except Unreachable as error:
            raise Unavailable("That server does not answer", why=str(error)) from error
        except FederationError as error:
            raise NotFound("There is nothing that can be shown", why=str(error)) from error
        return found

    def _end(self, key: tuple[str, str], task: asyncio.Task[Any]) -> None:
        """Whoever asked may have left: then a refusal concerns nobody, and a mistake of ours would stay unseen."""
        self._running.pop(key, None)
        if not task.cancelled() and not isinstance(error := task.exception(), FederationError | Refusal | None):
            log.error("looking up %s %s", *key, exc_info=error)

    async def _account(self, who: str, *, fresh: bool) -> Account:
        known = await self._db.read(_known_account, who, self.origin)
        if known is not None and (known.is_local or not fresh):
            if _is_stale(known, self.now()):
                await self._db.write(_ask_again, known, self.now())
            return known
        if self.is_ours(who):
            raise NotFound("No such account", why=who)
        return await self._look_at(who, Budget(BUDGET))

    async def _post(self, uri: str) -> int:
        known = await self._db.read(known_post, uri)
        return await self.fetch_post(uri) if known is None else known

    async def _anything(self, address: str) -> Account | int:
        known = await self._db.read(_known, address, self.origin)
        return await self._fetch(address, Budget(BUDGET)) if known is None else known

    async def _fetch(self, address: str, budget: Budget) -> Account | int:
        """Whatever is there: an account, or the id of a post.

        A collection of accounts is kept, too, and is neither: whoever looks for one looks again.  Raises: NotFound.
        """
        document = await self.document(address, budget)
        if FEATURED in types(document):
            said = read_featured_collection(document)
            await self._db.write(theirs.store, await self.account(said.owner), said, self.now())
            raise NotFound("That is a collection of accounts", why=address)
        if not ACTOR_KINDS.isdisjoint(types(document)):
            return await self._look_at(uri(document, "id") or address, budget)
        return await self._store(await self._post_in(document, budget), budget)

    async def _fetch_post(
        self, address: str, budget: Budget, depth: int, quiet_before: datetime | None, *, fresh: bool
    ) -> int:
        note = await self._post_in(await self.document(address, budget), budget)
        return await self._store(note, budget, depth, quiet_before, fresh=fresh)

    async def _post_in(self, document: JSON, budget: Budget) -> Note:
        """Where people copy the address of an activity, they mean the post in it."""
        for _ in range(WITHIN):
            if CARRIERS.isdisjoint(types(document)):
                break
            inner = carried(document)
            if inner is None:
                raise Malformed("object", document.get("object"))
            document = await self.document(inner, budget)
        return _read(document)

    async def _store(
        self,
        note: Note,
        budget: Budget,
        depth: int = 0,
        quiet_before: datetime | None = None,
        *,
        fresh: bool = False,
    ) -> int:
        author = await self._db.read(accounts.find_by_uri, note.author)
        if author is None:
            author = await self._fetch_account(note.author, budget)
        if note.audience is not None:
            await self._meet(note.audience, budget)
        return await self._db.write(_store, author, note, self.now(), depth, quiet_before, fresh=fresh)

    async def _meet(self, group: str, budget: Budget) -> None:
        """Whoever answers here will want it to hear of that (FEP-1b12)."""
        if is_web(group) and not self.is_ours(group) and await self._db.read(accounts.find_by_uri, group) is None:
            with suppress(FederationError, Refusal):
                await self._fetch_account(group, budget)

    async def _look_at(self, who: str, budget: Budget) -> Account:
        """Somebody wants to see that account, with what it pinned."""
        account = await self._fetch_account(who, budget)
        await self._db.write(pins.look, account, self.now())
        return account

    async def _fetch_account(self, who: str, budget: Budget) -> Account:
        if is_web(who):
            self._check(host_of(who))
            return await self._remember(await actors.fetch_actor(self.client, who, budget))
        handle = parse_handle(who)
        if handle is None:
            raise NotFound("That is no handle", why=who)
        self._check(handle[1])
        return await self._remember(await actors.fetch_by_handle(self.client, who, budget))

    async def _remember(self, met: Met) -> Account:
        self._check(host_of(met.actor.id))
        if self.origin.is_ours(met.actor.id) or self.origin.is_our_domain(met.handle.rpartition("@")[2]):
            raise NotFound("No such account", why=met.actor.id)
        return await self._db.write(accounts.remember, met.actor, met.handle, self.now())

    def _check(self, host: str) -> None:
        if not self._permits(host):
            raise NotAllowed("That server is blocked here", why=host)


def _read(document: JSON) -> Note:
    if POST_KINDS.isdisjoint(types(document)):
        raise Malformed("type", document.get("type"))
    return read_note(document)


def _is_stale(account: Account, now: datetime) -> bool:
    if account.is_local or account.deleted_at is not None:
        return False
    return account.fetched_at is None or now - account.fetched_at > STALE


def known_post(tx: Connection, address: str) -> int | None:
    """The id of the post with that uri, if it is here."""
    found = find.find_by_uri(tx, address)
    return found.id if found else None


def _known_account(tx: Connection, who: str, origin: Origin) -> Account | None:
    if is_web(who):
        return accounts.find_by_uri(tx, who)
    return accounts.find_by_handle(tx, who, origin)


def _known(tx: Connection, address: str, origin: Origin) -> Account | int | None:
    """Under its id; one of ours under its page's address, too.  Raises: NotFound, for one of ours that is not."""
    found = accounts.find_by_uri(tx, address) or known_post(tx, address)
    if found is not None or not origin.is_ours(address):
        return found
    name, _, number = address.removeprefix(f"{origin.base_url}/@").partition("/")
    ours = tx.scalar(_BY_URL, {"address": address}) if number else accounts.find_by_handle(tx, name, origin)
    if ours is None:
        raise NotFound("No such thing here", why=address)
    return ours


def _ask_again(tx: Connection, account: Account, now: datetime) -> None:
    jobs.ask(tx, "fetch_account", account.uri, {"uri": account.uri, "fresh": True}, now)


def _store(
    tx: Connection,
    author: Account,
    note: Note,
    now: datetime,
    depth: int,
    quiet_before: datetime | None,
    *,
    fresh: bool,
) -> int:
    if fresh:
        post = receive_edit(tx, author, note, now)
    else:
        post = receive(tx, author, note, now, depth, quiet_before=quiet_before)
    if post is None:
        raise NotFound("That post is no more", why=note.id)
    return post.id
