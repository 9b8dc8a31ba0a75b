"""What our side would send: the documents in the outbox, and to which inboxes."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import orjson
from sqlalchemy import Connection, select

from store.database import Database
from store.tables import Account, accounts, activities, deliveries


@dataclass(frozen=True)
class Letter:
    sender_id: int
    document: dict[str, Any]
    inboxes: frozenset[str]

    @property
    def type(self) -> str:
        name: str = self.document["type"]
        return name


def _sent(tx: Connection) -> list[Letter]:
    to: dict[int, set[str]] = {}
    for row in tx.execute(select(deliveries)):
        to.setdefault(row.activity_id, set()).add(row.inbox)
    return [
        Letter(row.sender_id, orjson.loads(row.body), frozenset(to.get(row.id, ())))
        for row in tx.execute(select(activities).order_by(activities.c.id))
    ]


async def sent(db: Database) -> list[Letter]:
    """All letters, the oldest first."""
    return await db.read(_sent)


async def mailed(db: Database) -> list[tuple[dict[str, Any], set[str]]]:
    """(document, hosts) of each."""
    return [(one.document, {urlsplit(inbox).netloc for inbox in one.inboxes}) for one in await sent(db)]


async def types(db: Database) -> list[str]:
    return [letter.type for letter in await sent(db)]


async def fresh(db: Database, account: Account) -> Account:
    """The account as it is stored now."""

    def read(tx: Connection) -> Account:
        return Account(*tx.execute(select(accounts).where(accounts.c.id == account.id)).one())

    return await db.read(read)
