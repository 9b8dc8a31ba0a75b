"""Collections of accounts, asked of their servers, and of whoever is in them whether he agrees (FEP-7aa9).

The jobs are asked for by social/collections/theirs.py.
"""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection

from connectme.gather import BUDGET, Gatherer
from federation.client import Budget
from federation.errors import FederationError, Unreachable
from federation.reading import (
    JSON,
    FeaturedCollection,
    identity,
    read_collection,
    read_feature_authorization,
    read_featured_collection,
    same_origin,
)
from social import accounts, ties
from social.collections import theirs
from social.errors import NotFound, Refusal, Unavailable
from store.database import Database
from store.tables import CollectionItem, Job

log = logging.getLogger(__name__)

PAGES: Final = 10  # of a list of collections
EACH: Final = 4  # requests for one who is in one


class Collecting:
    def __init__(self, db: Database, gatherer: Gatherer) -> None:
        self._db = db
        self._gatherer = gatherer
        self.table: Mapping[str, Callable[[Job], Awaitable[None]]] = {
            theirs.FETCH: self._fetch,
            theirs.FETCH_ALL: self._fetch_all,
            theirs.VERIFY: self._verify,
        }

    async def _fetch(self, job: Job) -> None:
        """One, for somebody who asks to show one of ours in it, or has a new one."""
        said = read_featured_collection(await self._gatherer.document(job.payload["uri"], Budget(BUDGET)))
        if said.id == job.payload["uri"]:
            await self._db.write(_fetched, said, job.payload, self._gatherer.now())

    async def _fetch_all(self, job: Job) -> None:
        """Those that somebody shows on his profile."""
        owner = await self._db.read(accounts.find_by_uri, job.payload["account"])
        if owner is None or owner.is_local or owner.is_gone or owner.collections_uri is None:
            return
        async for document in self._listed(owner.collections_uri, Budget(BUDGET)):
            said = read_featured_collection(document)
            if said.owner == owner.uri:
                await self._db.write(theirs.store, owner, said, self._gatherer.now())

    async def _listed(self, address: str, budget: Budget) -> AsyncIterator[JSON]:
        """What is in the first pages; what is there by its id alone is asked for."""
        page: str | JSON | None = address
        for _ in range(PAGES + 1):
            if page is None:
                return
            found = read_collection(await self._gatherer.document(page, budget) if isinstance(page, str) else page)
            for item in found.items[: theirs.MOST]:
                if not isinstance(item, str):
                    yield item
                elif same_origin(item, address):
                    yield await self._gatherer.document(item, budget)
            page = found.next if found.is_page or found.first is None else found.first

    async def _verify(self, job: Job) -> None:
        """Everybody in it of whom that is not known yet.  Whose server does not answer is asked again later."""
        away = 0
        for item in await self._db.read(theirs.waiting, job.payload["collection"]):
            try:
                await self._ask(item)
            except (Unreachable, Unavailable) as error:
                log.info("%s in a collection: %s", item.account_uri, error)
                away += 1
            except (FederationError, Refusal) as error:
                log.info("%s in a collection: %s", item.account_uri, error)
                await self._db.write(theirs.refused, item)
        if away:
            raise Unavailable("Not all who are in that collection could be asked", why=f"{away} did not answer")

    async def _ask(self, item: CollectionItem) -> None:
        if item.approval is None:
            raise NotFound("There is no approval")
        document = await self._gatherer.document(item.approval, Budget(EACH))
        if not same_origin(identity(document), item.account_uri):
            raise NotFound("Somebody else says so", why=item.approval)
        said = read_feature_authorization(document)
        account = await self._gatherer.account(item.account_uri)
        await self._db.write(theirs.verified, item, account, said)


def _fetched(tx: Connection, said: FeaturedCollection, payload: Mapping[str, Any], now: datetime) -> None:
    owner = accounts.find_by_uri(tx, payload["actor"])
    if owner is None or (payload.get("followed") and not ties.is_followed(tx, owner.id)):
        return
    it = theirs.store(tx, owner, said, now)
    if it is not None and "request" in payload:
        theirs.receive_request(tx, owner, payload["request"], it.uri, payload["account"], now)
