"""Does what somebody brings along from elsewhere (social/imports), row by row, until all is done.

Each server is asked for one thing at a time, and left alone for a while when it does not answer.  After SLICE the job
makes way for others; whatever ends it in between, nothing is done twice, for a row goes with what it does.
"""

import asyncio
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from connectme.gather import Gatherer
from federation.errors import FederationError, Unreachable
from social import accounts, imports
from social.errors import NotFound, Refusal, Unavailable
from store.database import Database
from store.jobs import Later
from store.tables import Account, Import, ImportRow, Job

SLICE: Final = timedelta(seconds=15)
PATIENCE: Final = 30.0  # seconds for one row


class Importer:
    def __init__(self, db: Database, gatherer: Gatherer) -> None:
        self._db = db
        self._gatherer = gatherer

    async def read_in(self, job: Job) -> None:
        """Raises: Later."""
        import_id, end = job.payload["import_id"], self._gatherer.now() + SLICE
        while found := await self._db.read(_next, import_id, self._gatherer.now()):
            it, rows = found
            if not it.cleared:
                await self._db.write(imports.clear, it, self._gatherer.now())
            elif rows:
                await asyncio.gather(*(self._row(it, row) for row in rows))
            else:
                break
            if self._gatherer.now() >= end:
                raise Later(self._gatherer.now())
        if found and (due := await self._db.write(imports.rest, import_id, self._gatherer.now())):
            raise Later(due)

    async def _row(self, it: Import, row: ImportRow) -> None:
        origin, now = self._gatherer.origin, self._gatherer.now
        try:
            async with asyncio.timeout(PATIENCE):
                target_id = await self._target(it, row)
            await self._db.write(imports.do, origin, it, row, target_id, now())
        except (Unavailable, Unreachable, TimeoutError):
            await self._db.write(imports.put_off, row, now())
        except (Refusal, FederationError) as error:
            await self._db.write(imports.fail, row, str(error))

    async def _target(self, it: Import, row: ImportRow) -> int:
        """Raises: Refusal."""
        if it.kind == "domain_blocks" or row.key is None:
            return 0
        if it.kind != "bookmarks":
            return (await self._gatherer.account(row.key.partition(" ")[0])).id
        found = await self._gatherer.resolve(row.key)
        if isinstance(found, Account) or found is None:
            raise NotFound("That is no post")
        return found


def _next(tx: Connection, import_id: int, now: datetime) -> tuple[Import, list[ImportRow]] | None:
    """Nothing for whoever is gone."""
    found = imports.due_rows(tx, import_id, now)
    return None if found is None or accounts.by_id(tx, found[0].account_id).is_gone else found
