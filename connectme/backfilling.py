"""Reads the newest posts of an account that somebody looked at or follows now (social/backfills.py): its profile is
not empty any more, and nobody is told."""

import logging
from datetime import UTC, datetime, timedelta
from typing import Final

from connectme.gather import Gatherer
from connectme.outboxes import Outboxes, take_quietly
from federation.client import Budget
from federation.errors import FederationError, Unreachable
from social import backfills
from social.errors import Refusal, Unavailable
from social.posts.receive import DEEPEST
from store.database import Database
from store.tables import Job

log = logging.getLogger(__name__)

POSTS: Final = 40
REQUESTS: Final = 60  # where each post is to be fetched, as from GoToSocial
ON_ITS_WAY: Final = timedelta(minutes=15)  # what is so new may still be sent to us, and is as if it had been
_EVER: Final = datetime.fromtimestamp(0, UTC)


class Backfilling:
    """The errand `fetch_outbox`."""

    def __init__(self, db: Database, gatherer: Gatherer) -> None:
        self._db = db
        self._gatherer = gatherer
        self._outboxes = Outboxes(db, gatherer)

    async def fetch(self, job: Job) -> None:
        """Raises: Unreachable, Unavailable, to be tried again; all else is an answer."""
        account_id, found = int(job.payload["account_id"]), 0
        try:
            found = await self._read(account_id)
        except (Unreachable, Unavailable):
            raise
        except (FederationError, Refusal) as error:
            log.info("the outbox of account %d: %s %s", account_id, error, getattr(error, "why", ""))
        await self._db.write(backfills.done, account_id, found, self._gatherer.now())

    async def _read(self, account_id: int) -> int:
        """How many posts are new.  Raises: FederationError, Refusal."""
        person = await self._db.read(backfills.wanted, account_id)
        if person is None:
            return 0
        budget, now = Budget(REQUESTS), self._gatherer.now()
        outbox = await self._outboxes.read(person, _EVER, POSTS, budget, boosted=False)
        quiet = now - ON_ITS_WAY
        found = await self._db.write(take_quietly, account_id, outbox, now, quiet)
        return found + await self._outboxes.fetch(outbox.names, budget, depth=DEEPEST, quiet_before=quiet)
