"""A server whose spool tests fill by hand, and a clock that they turn."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import Connection, func, select

from federation.origin import Origin
from inbox import spool as spooling
from inbox.counts import Counts
from inbox.process import Processor
from social.errors import NotFound
from store.database import Database
from store.tables import Account, Job, Post, jobs, posts, spooled
from tests.conftest import NOW
from tests.people import remote, stored

ORIGIN = Origin("ours.test", "https://ours.test")
BOB, CAROL, EVE = remote("bob"), remote("carol"), remote("eve", "bad.test")


@dataclass
class Strangers:
    """A Remote that knows nobody, but what a test tells it."""

    db: Database
    answers: dict[str, Account | Exception] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def account(self, who: str, *, fresh: bool = False) -> Account:
        self.asked.append(who)
        found = self.answers.get(who, NotFound("nobody"))
        if isinstance(found, Exception):
            raise found
        await stored(self.db, found)
        return found

    async def post(self, uri: str) -> int:
        raise NotFound("nothing")

    async def resolve(self, query: str) -> Account | int | None:
        return None


class World:
    def __init__(self, db: Database, kept: Database) -> None:
        self.db = db
        self.kept = kept
        self.now: datetime = NOW
        self.ago = timedelta()  # since messages that come now were signed
        self.remote = Strangers(db)
        self.counts = Counts()
        self.origin = ORIGIN
        self.processor = self.another()

    def another(self) -> Processor:
        """As after a restart."""
        return Processor(self.db, self.kept, self.origin, self.remote, self.counts, clock=lambda: self.now)

    async def hear(
        self, signer: Account, document: dict[str, Any], sync: str | None = None, introduction: bytes | None = None
    ) -> int:
        """Keeps a message that `signer` signed just now; its id in the spool."""
        body = orjson.dumps(document)
        row = spooling.row(signer.uri, body, self.now, None, sync, signed=self.signed, introduction=introduction)
        await self.kept.write(spooling.keep, [row])
        number: int = row["id"]
        return number

    async def handle(self) -> Counter[str]:
        """Everything that waits; what it was counted as."""
        before = await self.kept.read(spooling.counted)
        while await self.processor.round():
            await self.processor.meet_all()
        after = await self.kept.read(spooling.counted)
        return Counter(after) - Counter(before)

    async def say(self, signer: Account, *documents: dict[str, Any]) -> Counter[str]:
        """Hears and handles."""
        for document in documents:
            await self.hear(signer, document)
        return await self.handle()

    @property
    def signed(self) -> datetime:
        return self.now - self.ago

    def later(self, **span: float) -> None:
        self.now += timedelta(**span)

    async def waiting(self) -> int:
        return int(await self.kept.read(lambda tx: tx.scalar(select(func.count()).select_from(spooled))) or 0)

    async def jobs(self) -> list[tuple[str, str]]:
        """(kind, uri) of what was asked for."""
        found = await self.db.read(_jobs)
        return [(job.kind, job.payload.get("uri") or job.payload.get("actor") or "") for job in found]

    async def posts(self) -> list[Post]:
        return await self.db.read(_posts)

    async def one(self, uri: str) -> Post | None:
        return next((post for post in await self.posts() if post.uri == uri), None)


def _jobs(tx: Connection) -> list[Job]:
    return [Job(*row) for row in tx.execute(select(jobs).order_by(jobs.c.id))]


def _posts(tx: Connection) -> list[Post]:
    return [Post(*row) for row in tx.execute(select(posts).order_by(posts.c.id))]
