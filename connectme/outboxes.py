"""Reads what somebody elsewhere published, in his outbox.

It is believed as its owner's host is: what it embeds when that lives there and is his, all else is fetched from where
it lives.  It is asked for in the name of somebody who follows him, so that it shows what is for followers alone.
"""

import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from connectme.gather import Gatherer
from federation.client import Budget
from federation.errors import Malformed, Refused
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
    visibility,
)
from federation.reading.values import is_web
from inbox.handlers import boosts, posts
from inbox.handlers.inside import object_uri
from inbox.messages import Here, Verified
from social import accounts, repairs
from social.errors import NotAllowed, NotFound
from social.posts import find
from social.posts.edit import receive_edit
from social.posts.receive import DEEPEST, receive_many
from store.database import Database
from store.tables import Account

log = logging.getLogger(__name__)

PAGES: Final = 5  # of one outbox


@dataclass(slots=True)
class Outbox:
    """What was read of it, the newest first."""

    most: int
    boosted: bool  # boosts are wanted, too
    notes: list[Note] = field(default_factory=list)
    boosts: list[Verified] = field(default_factory=list)
    names: list[str] = field(default_factory=list)  # of posts that are to be fetched
    listed: set[str] = field(default_factory=set)  # all that it names
    oldest: datetime | None = None  # since then it names all that there is
    is_whole: bool = False  # it was read to its end


class Outboxes:
    def __init__(self, db: Database, gatherer: Gatherer) -> None:
        self._db = db
        self._gatherer = gatherer

    async def read(self, person: Account, begins: datetime, most: int, budget: Budget, *, boosted: bool) -> Outbox:
        """Back to the moment `begins`, or the `most` newest.

        As a follower sees it; as anybody does, where he is shown nothing: he may be blocked.
        Raises: FederationError, NotFound, NotAllowed.
        """
        known = await self._db.read(repairs.reader, person.id)
        if known is not None and known.private is not None:
            with suppress(Refused):
                key = load_private(known.id, known.private)
                outbox = await self._pages(person, begins, Outbox(most, boosted), budget, key)
                if outbox.listed:
                    return outbox
        return await self._pages(person, begins, Outbox(most, boosted), budget, None)

    async def _pages(
        self, person: Account, begins: datetime, outbox: Outbox, budget: Budget, key: PrivateKey | None
    ) -> Outbox:
        page: str | JSON | None = person.outbox
        if page is None:
            raise NotFound("has no outbox")
        for _ in range(PAGES + 1):
            if isinstance(page, str):
                if not same_origin(page, person.uri):
                    raise NotAllowed("the outbox is on another server", why=page)
                page = await self._gatherer.document(page, budget, key)
            collection = read_collection(page)
            if _sort(person, collection.items, begins, outbox):
                break
            page = collection.next if collection.is_page or collection.first is None else collection.first
            outbox.is_whole = page is None
            if page is None or budget.left <= 0:
                break
        return outbox

    async def fetch(
        self, names: Sequence[str], budget: Budget, *, depth: int = 0, quiet_before: datetime | None = None
    ) -> int:
        """Stores posts that an outbox only names; how many.  Raises: Unavailable."""
        number = 0
        for name in reversed(await self._db.read(_unknown, names)):
            if budget.left <= 0:
                break
            try:
                await self._gatherer.fetch_post(name, depth=depth, budget=budget, quiet_before=quiet_before)
                number += 1
            except (NotFound, NotAllowed) as error:
                log.info("%s, of an outbox: %s %s", name, error, error.why)
        return number


def _sort(person: Account, items: Sequence[str | JSON], begins: datetime, outbox: Outbox) -> bool:
    """Puts what a page lists where it belongs; True: the rest is older, or too much."""
    older = False
    for item in items:
        older = False
        if len(outbox.notes) + len(outbox.boosts) + len(outbox.names) >= outbox.most:
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


def _put(person: Account, item: JSON, outbox: Outbox) -> None:
    """Raises: Malformed."""
    kinds = set(types(item))
    if not POST_KINDS.isdisjoint(kinds):
        item, kinds = {"type": "Create", "actor": person.uri, "object": item}, {"Create"}
    if not kinds & {"Create", "Announce"} or actor_of(item) != person.uri:
        return
    said = Verified(person.uri, item)
    if "Announce" in kinds:
        identity(item), object_uri(item)  # one that names nothing must not cost the others
        outbox.boosts += [said] if outbox.boosted else []
    elif note := posts.own_note(said):
        outbox.notes.append(note)
    elif (name := uri(item, "object")) and is_web(name) and same_origin(name, person.uri):
        outbox.names.append(name)


def take(tx: Connection, person_id: int, outbox: Outbox, here: Here) -> int:
    """Stores what it embeds as if it had been sent; how many are new.  Nothing is forwarded: nobody signed these
    bytes."""
    person = accounts.by_id(tx, person_id)
    if person.is_gone:
        return 0
    notes, shared = outbox.notes[::-1], outbox.boosts[::-1]
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


def take_quietly(tx: Connection, person_id: int, outbox: Outbox, now: datetime, quiet_before: datetime) -> int:
    """Stores the posts that it embeds and that are not here, and asks for nothing around them; how many are new."""
    person = accounts.by_id(tx, person_id)
    notes = [note for note in outbox.notes[::-1] if visibility(note, person.followers_uri) != "direct"]
    known = find.by_uris(tx, [note.id for note in notes])
    new = [(person, note) for note in notes if note.id not in known]
    return sum(post is not None for post in receive_many(tx, new, now, DEEPEST, quiet_before=quiet_before))


def _unknown(tx: Connection, names: Sequence[str]) -> list[str]:
    known = find.by_uris(tx, names)
    return [name for name in names if name not in known]
