"""Looks whether the pages that profiles name lead back to them (social/accounts/verification.py)."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from typing import Final

from federation.client import Budget, Client
from federation.errors import FederationError, Unreachable
from federation.reading import host_of
from federation.reading.backlink import leads_back
from social import accounts
from social.accounts import verification
from store.database import Database
from store.tables import Account, Job

log = logging.getLogger(__name__)

BUDGET: Final = 4  # requests for one page, its redirects among them


class Verifier:
    """is_ours: is that an address of this server?"""

    def __init__(
        self, db: Database, client: Client, is_ours: Callable[[str], bool], clock: Callable[[], datetime]
    ) -> None:
        self._db = db
        self._client = client
        self._is_ours = is_ours
        self._now = clock

    async def verify(self, job: Job) -> None:
        """The job `verify_fields`.  What cannot be reached is left as it is, until the next time."""
        found = await self._db.read(accounts.by_ids, [job.payload["account_id"]])
        for account in found.values():
            if not account.is_gone:
                urls = [claim.url for claim in verification.claims(account) if not self._is_ours(claim.url)]
                answers = [(url, await self._look(account, url)) for url in urls]
                said = {url: leads for url, leads in answers if leads is not None}
                await self._db.write(verification.record, account.id, said, self._now())

    async def _look(self, account: Account, url: str) -> bool | None:
        """None: it does not answer.  A page to which another host redirects says nothing of that host."""
        try:
            page = await self._client.fetch_page(url, Budget(BUDGET))
        except Unreachable:
            return None
        except FederationError as error:
            log.info("a page that a profile names: %s", type(error).__name__)
            return False
        if host_of(page.url) != host_of(url):
            return False
        # Reading takes some ten milliseconds in which others should be served.
        return await asyncio.to_thread(leads_back, page.body, page.url, (account.url, account.uri))
