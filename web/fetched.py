"""Notes which servers get posts of ours, before they do: edits and deletions go there, too (outbox/fetches.py)."""

import logging
import sqlite3
from collections import OrderedDict
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Final

from aiohttp import web
from sqlalchemy.exc import SQLAlchemyError

from outbox import fetches
from store.database import Database
from store.tables import Account

log = logging.getLogger(__name__)

IN_MEMORY: Final = 10_000  # posts, each with a server: some 2 MB


class Fetched:
    def __init__(self, db: Database) -> None:
        self._db = db
        self._known: OrderedDict[tuple[int, str], None] = OrderedDict()

    async def note(self, signer: Account | None, post_ids: Collection[int]) -> bool:
        """Was any of them new to the server of `signer`?  Nothing is asked of the database when memory knows it.

        When nothing can be written the post is served all the same.
        """
        if signer is None or signer.host is None:
            return False
        host, inbox = signer.host, signer.shared_inbox or signer.inbox
        ids = [number for number in post_ids if (number, host) not in self._known]
        if not ids:
            return False
        try:
            if found := await self._db.read(fetches.new, host, ids):
                await self._db.write(fetches.add, host, inbox, found, datetime.now(UTC))
        except (SQLAlchemyError, sqlite3.Error, OSError) as error:
            log.warning("that %s has a post could not be noted: %s", host, error)
            return False
        self._known.update(dict.fromkeys((number, host) for number in ids))
        while len(self._known) > IN_MEMORY:
            self._known.popitem(last=False)
        return bool(found)


FETCHED = web.AppKey("FETCHED", Fetched)
