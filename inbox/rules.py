"""Whom we listen to: the host policies, in memory, read again every few seconds."""

import asyncio
import logging
from collections.abc import Iterable
from typing import Literal

from sqlalchemy.exc import SQLAlchemyError

from federation import hosts
from social import moderation
from store.database import Database
from store.tables import HostPolicy

log = logging.getLogger(__name__)

Mode = Literal["blocklist", "allowlist"]
EVERY = 5.0  # seconds


class HostRules:
    """Asked before every fetch and every message, hence without waiting.  Knows nobody until `read` was called once.

    Which of them holds for a host, federation.hosts knows.
    """

    def __init__(self, mode: Mode = "blocklist", always: Iterable[str] = ()) -> None:
        """always: hosts that no policy shuts out: our own."""
        self._mode = mode
        self._always = frozenset(always)
        self._levels: dict[str, str] = {}
        self._followed = False

    def permits(self, host: str) -> bool:
        if not self._levels and self._mode == "blocklist":
            return True
        if host in self._always:
            return True
        level = hosts.nearest(self._levels, host)
        return level == "allow" if self._mode == "allowlist" else level != "block"

    def replace(self, policies: Iterable[HostPolicy]) -> None:
        self._levels = {policy.host: policy.level for policy in policies}

    async def read(self, db: Database) -> None:
        self.replace(await db.read(moderation.policies))

    async def follow(self, db: Database, stop: asyncio.Event) -> None:
        """Reads again and again until `stop` is set.  While the database is away, the last known ones hold."""
        if self._followed:  # by the other half of a single process
            await stop.wait()
        self._followed = True
        while not stop.is_set():
            try:
                await self.read(db)
            except (SQLAlchemyError, OSError) as error:
                log.warning("the host policies cannot be read: %s", error)
            try:
                async with asyncio.timeout(EVERY):
                    await stop.wait()
            except TimeoutError:
                continue
