"""Fetches what posts link to, for the previews that readers see beside them (social/cards.py)."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from typing import Final

from federation.client import Budget, Client
from federation.errors import FederationError, Unreachable
from federation.reading.page import Page, Preview, read_oembed, read_page
from social import cards
from store.database import Database
from store.tables import Job

log = logging.getLogger(__name__)

BUDGET: Final = 8  # requests: the page, its oEmbed, and their redirects
TRIES: Final = 3  # of a page that cannot be reached


class Previewer:
    """is_ours: is that an address of this server?"""

    def __init__(
        self, db: Database, client: Client, is_ours: Callable[[str], bool], clock: Callable[[], datetime]
    ) -> None:
        self._db = db
        self._client = client
        self._is_ours = is_ours
        self._now = clock

    async def fetch(self, job: Job) -> None:
        """The job `fetch_card`.  Raises: Unreachable, when it should be tried again."""
        card = await self._db.read(cards.find, job.payload["card_id"])
        if card is None:
            return
        found = None
        if not self._is_ours(card.url):
            try:
                found = await self._look(card.url)
            except Unreachable:
                if job.attempts + 1 < TRIES:
                    raise
            except FederationError as error:
                log.info("no preview of a page: %s", type(error).__name__)
        await self._db.write(cards.fetched, card.id, found, self._now())

    async def _look(self, url: str) -> Preview | None:
        """None: the page has not even a title.  Raises: FederationError."""
        budget = Budget(BUDGET)
        fetched = await self._client.fetch_page(url, budget)
        # Reading takes some ten milliseconds in which others should be served.
        page = await asyncio.to_thread(read_page, fetched.body, fetched.charset, fetched.url)
        preview = await self._embedded(page, budget)
        return preview if preview.title else None

    async def _embedded(self, page: Page, budget: Budget) -> Preview:
        """With what oEmbed says, if the page names it and it can be had."""
        if page.oembed is None:
            return page.preview
        try:
            answer = await self._client.fetch_json(page.oembed, budget, "application/json")
        except FederationError:
            return page.preview
        return read_oembed(answer.document, page.preview, answer.url)
