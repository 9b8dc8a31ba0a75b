"""Fetches what posts link to, for the previews that readers see beside them (social/cards.py)."""

import asyncio
import logging
from typing import Final

from connectme.gather import Gatherer
from federation.client import Budget
from federation.errors import FederationError, Unreachable
from federation.reading.page import Page, Preview, read_oembed, read_page
from outbox.parts import may_name
from social import cards
from store.database import Database
from store.tables import Job

log = logging.getLogger(__name__)

BUDGET: Final = 8  # requests: the page, its oEmbed, and their redirects
TRIES: Final = 3  # of a page that cannot be reached


class Previewer:
    def __init__(self, db: Database, gatherer: Gatherer) -> None:
        self._db = db
        self._gatherer = gatherer

    async def fetch(self, job: Job) -> None:
        """The job `fetch_card`.  Raises: Unreachable, when it should be tried again."""
        card = await self._db.read(cards.find, job.payload["card_id"])
        if card is None:
            return
        found = None
        if not self._gatherer.is_ours(card.url):
            try:
                found = await self._look(card.url)
            except Unreachable:
                if job.attempts + 1 < TRIES:
                    raise
            except FederationError as error:
                log.info("no preview of a page: %s", type(error).__name__)
        await self._db.write(cards.fetched, card.id, found, self._gatherer.now())

    async def credit(self, job: Job) -> None:
        """The job `credit_card`.  Raises: NotFound, NotAllowed, Unavailable."""
        card = await self._db.read(cards.find, job.payload["card_id"])
        if card is None or not card.creator:
            return
        author = await self._gatherer.account(card.creator)
        if not may_name(author, card.host):  # he may have said it since he was last asked
            author = await self._gatherer.account(card.creator, fresh=True)
        await self._db.write(cards.credit, card, author)

    async def _look(self, url: str) -> Preview | None:
        """None: the page has not even a title.  Raises: FederationError."""
        budget = Budget(BUDGET)
        fetched = await self._gatherer.client.fetch_page(url, budget)
        # Reading takes some ten milliseconds in which others should be served.
        page = await asyncio.to_thread(read_page, fetched.body, fetched.charset, fetched.url)
        preview = await self._embedded(page, budget)
        return preview if preview.title else None

    async def _embedded(self, page: Page, budget: Budget) -> Preview:
        """With what oEmbed says, if the page names it and it can be had."""
        if page.oembed is None:
            return page.preview
        try:
            answer = await self._gatherer.client.fetch_json(page.oembed, budget, "application/json")
        except FederationError:
            return page.preview
        return read_oembed(answer.document, page.preview, answer.url)
