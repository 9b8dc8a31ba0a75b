"""What one of our people keeps about another account: a note for himself, and whether his profile shows it."""

from datetime import datetime
from typing import Final

from sqlalchemy import Connection, bindparam, delete, select
from sqlalchemy.dialects.postgresql import insert  # SQLite has the same ON CONFLICT

from federation.reading.values import clean
from social import accounts, ties
from social.errors import Invalid
from social.follows import Listed
from social.pages import Page
from social.paging import Paged
from store.ids import new_id
from store.tables import Account, account_notes, endorsements, follows
from store.tables import accounts as accounts_table
from store.tables.base import Id

LONGEST_NOTE: Final = 2_000  # characters

_OF, _TARGET = bindparam("of", type_=Id), bindparam("target", type_=Id)
_INSERT = insert(account_notes)
_NOTE = _INSERT.on_conflict_do_update(
    index_elements=["account_id", "target_id"], set_={"text": _INSERT.excluded["text"]}
)
_NO_NOTE = delete(account_notes).where(account_notes.c.account_id == _OF, account_notes.c.target_id == _TARGET)
_ENDORSE = insert(endorsements).on_conflict_do_nothing()
_UNENDORSE = delete(endorsements).where(endorsements.c.account_id == _OF, endorsements.c.target_id == _TARGET)
# Whom he no longer follows is not shown either.
_PAGE = Paged(
    select(endorsements.c.id, accounts_table)
    .join(accounts_table, accounts_table.c.id == endorsements.c.target_id)
    .join(
        follows,
        (follows.c.target_id == endorsements.c.target_id) & (follows.c.follower_id == endorsements.c.account_id),
    )
    .where(
        endorsements.c.account_id == _OF,
        follows.c.accepted,
        accounts_table.c.suspended_at.is_(None),
        accounts_table.c.deleted_at.is_(None),
    ),
    endorsements.c.id,
)


def note(tx: Connection, account_id: int, target_id: int, now: datetime, text: str) -> None:  # noqa: ARG001  as others
    """Words about somebody that only their writer reads; empty ones take them away.  Raises: Invalid, NotFound."""
    words = clean(text).strip()
    if len(words) > LONGEST_NOTE:
        raise Invalid(f"comment has at most {LONGEST_NOTE} characters")
    target = accounts.by_id(tx, target_id)
    if words:
        tx.execute(_NOTE, {"account_id": account_id, "target_id": target.id, "text": words})
    else:
        tx.execute(_NO_NOTE, {"of": account_id, "target": target.id})


def endorse(tx: Connection, account_id: int, target_id: int, now: datetime) -> None:
    """One of ours shows somebody whom he follows on his profile.  Raises: Invalid."""
    follow = ties.find(tx, account_id, target_id)
    if follow is None or not follow.accepted:
        raise Invalid("You must be following the person you want to endorse")
    values = {"account_id": account_id, "target_id": target_id, "id": new_id(), "created_at": now}
    tx.execute(_ENDORSE, values)


def unendorse(tx: Connection, account_id: int, target_id: int, now: datetime | None = None) -> None:  # noqa: ARG001
    tx.execute(_UNENDORSE, {"of": account_id, "target": target_id})


def endorsed(tx: Connection, account_id: int, page: Page) -> list[Listed]:
    """Whom he shows, newest first."""
    return [Listed(row[0], Account(*row[1:])) for row in _PAGE.rows(tx, page, of=account_id)]
