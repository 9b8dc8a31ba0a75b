"""Networks that get nothing here, in memory, read again every few seconds: asked before every request."""

import asyncio
import logging
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from aiohttp import web
from sqlalchemy.exc import SQLAlchemyError

from social.addresses import parse_network
from social.moderation import places
from store.database import Database
from store.tables import IpBlock
from web import client_address

log = logging.getLogger(__name__)

EVERY: Final = 5.0  # seconds
SAYS: Final = "Forbidden"


class Barred:
    """Asked by version and length: as many look-ups as there are kinds of networks, however many networks."""

    def __init__(self) -> None:
        self._until: dict[tuple[int, int], dict[int, datetime | None]] = {}

    def replace(self, blocks: Iterable[IpBlock]) -> None:
        found: dict[tuple[int, int], dict[int, datetime | None]] = {}
        for block in blocks:
            network = parse_network(block.network)
            shift = network.max_prefixlen - network.prefixlen
            found.setdefault((network.version, shift), {})[int(network.network_address) >> shift] = block.expires_at
        self._until = found

    def shuts_out(self, request: web.Request) -> bool:
        if not self._until:
            return False
        where = client_address.parsed(request)
        if where is None:
            return False
        number = int(where)
        for (version, shift), networks in self._until.items():
            if version == where.version and number >> shift in networks:
                until = networks[number >> shift]
                if until is None or until > datetime.now(UTC):
                    return True
        return False

    async def read(self, db: Database) -> None:
        self.replace(await db.read(places.shut))

    async def follow(self, db: Database, stop: asyncio.Event) -> None:
        """Reads again and again until `stop` is set.  While the database is away, the last known ones hold."""
        while not stop.is_set():
            try:
                await self.read(db)
            except (SQLAlchemyError, OSError) as error:
                log.warning("the blocked networks cannot be read: %s", error)
            try:
                async with asyncio.timeout(EVERY):
                    await stop.wait()
            except TimeoutError:
                continue


BARRED = web.AppKey("BARRED", Barred)
