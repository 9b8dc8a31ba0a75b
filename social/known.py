"""Accounts with what their rows do not say: where they moved to, and whether they are here yet."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, select

from outbox import parts
from social.collections import consent
from social.collections.consent import Verdict
from social.paging import padded
from social.relationships import Relationship, relationship
from store.tables import Account, users
from store.tables.base import Id

_IDS = bindparam("ids", expanding=True, type_=Id)
_LOGINS = select(users.c.account_id, users.c.confirmed_at, users.c.approved_at).where(users.c.account_id.in_(_IDS))


@dataclass(frozen=True, slots=True)
class Known:
    """waits: for a moderator or a letter, and is not here until then.  may_be_shown: by the reader, in a collection."""

    account: Account
    waits: bool = False
    moved: Account | None = None
    may_be_shown: Verdict = "denied"


def standing(tx: Connection, reader_id: int, found: Sequence[Account]) -> dict[int, Relationship]:
    """How the reader stands to those of them who let some show them; no query where nobody does."""
    asked = [one.id for one in found if consent.depends(one)]
    return relationship(tx, reader_id, asked) if asked else {}


def known(tx: Connection, found: Sequence[Account], reader_id: int | None = None) -> list[Known]:
    """One for each, in their order; in two queries, fewer where nothing is to be asked, and three more where it matters
    how the reader stands to one."""
    ours = [one.id for one in found if one.is_local]
    logins = {row.account_id: row for row in tx.execute(_LOGINS, {"ids": padded(ours)})} if ours else {}
    moved = parts.moved(tx, found)
    stands = {} if reader_id is None else standing(tx, reader_id, found)
    return [
        Known(
            one,
            waits=(login := logins.get(one.id)) is not None
            and (login.confirmed_at is None or login.approved_at is None),
            moved=None if one.is_gone else moved.get(one.moved_to or ""),
            may_be_shown=consent.verdict(one, reader_id, stands.get(one.id)),
        )
        for one in found
    ]
