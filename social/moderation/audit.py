"""The log of what moderators do: who, what, to whom, when.  Written in the transaction that does it."""

from dataclasses import asdict
from datetime import datetime

from sqlalchemy import Connection, bindparam, insert, select

from social.pages import Page
from social.paging import Paged
from store.ids import new_id
from store.rows import many
from store.tables import Account, AuditEntry, audit

_ADD = insert(audit)
_PAGE = Paged(select(*audit.c), audit.c.id)
_NEWEST = select(audit).order_by(audit.c.id.desc()).limit(bindparam("most"))


def note(tx: Connection, who: Account, action: str, kind: str, subject: str, now: datetime) -> None:
    tx.execute(_ADD, asdict(AuditEntry(new_id(), who.id, who.handle, action, kind, subject, now)))


def newest(tx: Connection, most: int) -> list[AuditEntry]:
    """The last one first."""
    return many(tx, _NEWEST, AuditEntry, most=most)


def page(tx: Connection, part: Page) -> list[AuditEntry]:
    """The last one first."""
    return [AuditEntry(*row) for row in _PAGE.rows(tx, part)]
