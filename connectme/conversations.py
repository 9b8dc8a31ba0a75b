"""Fetches what is missing of a conversation: the posts above, and the comments that its servers know of.

    ancestors → `context` collection of the first post (FEP-f228), else `replies` of each post, and of those found

Each round has a budget, of requests in all and for each host; a host that does not answer is not asked again in the
same round.  What the budget did not reach is counted as absent, and the next round begins with it.
"""

import logging
from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, bindparam, select

from connectme.gather import Gatherer
from federation.client import Budget
from federation.errors import FederationError, Refused, Unreachable
from federation.reading import JSON, Note, carried, host_of, read_collection, same_origin
from federation.reading.values import is_web
from social.errors import NotAllowed, NotFound, Refusal, Unavailable
from social.posts import find, refreshing
from store import jobs
from store.database import Database
from store.tables import Job, Post, posts
from store.tables.base import Id

log = logging.getLogger(__name__)

REQUESTS: Final = 80  # in one round
OF_HOST: Final = 50  # of them, to one host
ABOVE: Final = 40  # posts above, fetched one by one
PAGES: Final = 8  # of one collection
ITEMS: Final = 500  # of one collection
ROUNDS: Final = 3  # by itself, while there is news
PAUSE: Final = timedelta(minutes=5)  # between them

_THREAD = (
    select(posts.c.uri, posts.c.local)
    .where(posts.c.thread_id == bindparam("thread", type_=Id), posts.c.boost_of_id.is_(None))
    .order_by(posts.c.id)
    .limit(ITEMS)
)


@dataclass(slots=True)
class _Round:
    budget: Budget
    new: int = 0
    seen: set[str] = field(default_factory=set)
    absent: set[str] = field(default_factory=set)
    silent: set[str] = field(default_factory=set)
    asked: Counter[str] = field(default_factory=Counter)

    def may(self, address: str) -> bool:
        host = host_of(address)
        return self.budget.left > 0 and host not in self.silent and self.asked[host] < OF_HOST


class Conversations:
    """The errand `fetch_thread`."""

    def __init__(self, db: Database, gatherer: Gatherer) -> None:
        self._db = db
        self._gatherer = gatherer

    async def fetch(self, job: Job) -> None:
        """Payload: post_id, and round."""
        post_id, number = int(job.payload["post_id"]), int(job.payload.get("round", 1))
        state = _Round(Budget(REQUESTS))
        await self._above(post_id, state)
        await self._below(post_id, state)
        now = self._gatherer.now()
        await self._db.write(refreshing.done, post_id, state.new, len(state.absent), state.silent, now)
        if state.new and number < ROUNDS:
            await self._db.write(_again, post_id, number + 1, now + PAUSE)

    async def _above(self, post_id: int, state: _Round) -> None:
        """Up to the first post, as far as it goes."""
        for _ in range(ABOVE):
            top = await self._db.read(_top, post_id)
            parent = top.reply_to_uri if top.reply_to_id is None else None
            if parent is None or not await self._fetch(parent, post_id, state):
                return

    async def _below(self, post_id: int, state: _Round) -> None:
        top = await self._db.read(_top, post_id)
        known = await self._db.read(_thread, top.thread_id)
        waiting = deque([top.uri, *(uri for uri, local in known if not local and uri != top.uri)])
        if not top.local and (note := await self._note(top.uri, state)) is not None:
            waiting.popleft()
            if await self._by_context(note, post_id, state):
                return
            await self._replies(note, post_id, state, waiting)
        while waiting:
            address = waiting.popleft()
            if not self._gatherer.is_ours(address) and (answer := await self._note(address, state)) is not None:
                await self._replies(answer, post_id, state, waiting)

    async def _by_context(self, note: Note, post_id: int, state: _Round) -> bool:
        """All at once, where the server of the first post keeps a list.  False: it has none."""
        if note.context is None or not is_web(note.context) or not same_origin(note.context, note.id):
            return False
        items = await self._items(note.context, state)
        for address in items or ():
            await self._fetch(address, post_id, state)
        return items is not None

    async def _replies(self, note: Note, post_id: int, state: _Round, waiting: "deque[str]") -> None:
        """Those that are new here are looked at first: nobody has asked for their answers yet."""
        for address in (await self._items(note.replies, state) if note.replies else None) or ():
            if address not in state.seen and await self._fetch(address, post_id, state):
                waiting.appendleft(address)

    async def _items(self, address: str, state: _Round) -> list[str] | None:
        """The ids of the posts, or of what brings them, in a collection; None: there is no such thing."""
        found: dict[str, None] = {}
        page: str | JSON | None = address
        for _ in range(PAGES + 1):
            if page is None or len(found) >= ITEMS:
                break
            document = await self._document(page, state) if isinstance(page, str) else page
            if document is None:
                return list(found) if page is not address else None
            try:
                collection = read_collection(document)
            except FederationError:
                return list(found) if page is not address else None
            names = (item if isinstance(item, str) else carried(item) for item in collection.items)
            found |= dict.fromkeys(name for name in names if isinstance(name, str) and is_web(name))
            page = collection.next if collection.is_page or collection.first is None else collection.first
        return list(found)[:ITEMS]

    async def _document(self, address: str, state: _Round) -> JSON | None:
        if not state.may(address):
            return None
        state.asked[host_of(address)] += 1
        try:
            return await self._gatherer.document(address, state.budget)
        except Unreachable:
            state.silent.add(host_of(address))
        except (FederationError, Refusal) as error:
            log.info("%s: %s", address, error)
        return None

    async def _note(self, address: str, state: _Round) -> Note | None:
        """A post that is here: its server may know of more answers by now."""
        if not state.may(address):
            return None
        state.asked[host_of(address)] += 1
        state.seen.add(address)
        try:
            return await self._gatherer.note(address, state.budget)
        except Unreachable:
            state.silent.add(host_of(address))
        except (FederationError, Refusal) as error:
            log.info("%s: %s", address, error)
        return None

    async def _fetch(self, address: str, post_id: int, state: _Round) -> bool:
        """True: it is new here.  Where it lives is asked, whoever named it."""
        if address in state.seen or self._gatherer.is_ours(address):
            return False
        state.seen.add(address)
        if await self._db.read(_is_known, address):
            return False
        if not state.may(address):
            state.absent.add(address)
            return False
        state.asked[host_of(address)] += 1
        try:
            await self._gatherer.fetch_post(address, depth=1, budget=state.budget)
        except Unavailable:
            state.silent.add(host_of(address))
            state.absent.add(address)
            return False
        except (NotFound, NotAllowed) as error:
            if isinstance(error.__cause__, Refused) and state.budget.left <= 0:
                state.absent.add(address)
            log.info("%s, of a conversation: %s %s", address, error, error.why)
            return False
        state.new += 1
        await self._db.write(refreshing.found, post_id, state.new)
        return True


def _top(tx: Connection, post_id: int) -> Post:
    """The highest post above that is here.  Raises: NotFound, when the post is gone."""
    post = find.by_id(tx, post_id)
    for _ in range(2 * ABOVE):
        if post.reply_to_id is None:
            break
        post = find.by_id(tx, post.reply_to_id)
    return post


def _thread(tx: Connection, thread_id: int) -> list[tuple[str, bool]]:
    return [(row.uri, row.local) for row in tx.execute(_THREAD, {"thread": thread_id})]


def _is_known(tx: Connection, address: str) -> bool:
    return find.find_by_uri(tx, address) is not None


def _again(tx: Connection, post_id: int, number: int, due: datetime) -> None:
    thread_id = find.by_id(tx, post_id).thread_id
    payload = {"post_id": post_id, "round": number}
    jobs.ask(tx, refreshing.JOB, f"{thread_id} {number}", payload, due)
