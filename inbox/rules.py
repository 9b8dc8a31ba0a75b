"""Whom we listen to: the host policies, in memory, read again every few seconds."""

import asyncio
import logging
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Literal

import orjson
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

    def __init__(self, mode: Mode = "blocklist", always: Iterable[str] = (), *, file: Path | None = None) -> None:
        """always: hosts that no policy shuts out: our own.  file: keeps the policies for a start without a database."""
        self._mode = mode
        self._always = frozenset(always)
        self._levels: dict[str, str] = {}
        self._files: dict[str, bool] = {}
        self._followed = False
        self._file = file
        if file is not None and file.exists():
            self._recall(file)

    def permits(self, host: str) -> bool:
        if not self._levels and self._mode == "blocklist":
            return True
        if host in self._always:
            return True
        level = hosts.nearest(self._levels, host)
        return level == "allow" if self._mode == "allowlist" else level != "block"

    def shows(self, host: str) -> bool:
        """Do we pass on files of that host?"""
        return self.permits(host) and not hosts.nearest(self._files, host)

    def replace(self, policies: Iterable[HostPolicy]) -> None:
        policies = list(policies)
        self._files = {policy.host: policy.reject_media for policy in policies}
        levels = {policy.host: policy.level for policy in policies}
        if levels != self._levels and self._file is not None:
            self._keep(self._file, levels)
        self._levels = levels

    async def read(self, db: Database) -> None:
        self.replace(await db.read(moderation.policies))

    def _keep(self, file: Path, levels: Mapping[str, str]) -> None:
        beside = file.with_name(f".{file.name}.{os.getpid()}")
        try:
            beside.write_bytes(orjson.dumps(levels))
            beside.replace(file)
        except OSError as error:
            log.warning("the host policies are not kept for a start without a database: %s", error)

    def _recall(self, file: Path) -> None:
        with suppress(OSError, ValueError):
            found = orjson.loads(file.read_bytes())
            self._levels = {str(host): str(level) for host, level in dict(found).items()}

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
