"""Who is not to be heard for a while, or for good; he never learns of it.

The clauses of social.visibility read the rows, in lists and notifications; here they come and go.
"""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, bindparam, delete, or_, select
from sqlalchemy.dialects.postgresql import insert  # SQLite has the same ON CONFLICT

from social import accounts
from social.errors import Invalid
from social.pages import Page
from social.paging import Paged
from social.visibility import MOMENT
from store.ids import new_id
from store.tables import Account, Mute, mutes
from store.tables import accounts as accounts_table
from store.tables.base import Id, Instant

LONGEST: Final = timedelta(days=36_500)

_INSERT = insert(mutes)
_SET = _INSERT.on_conflict_do_update(
    index_elements=["account_id", "target_id"],
    set_={name: _INSERT.excluded[name] for name in ("notifications", "expires_at")},
)
_END = delete(mutes).where(
    mutes.c.account_id == bindparam("of", type_=Id), mutes.c.target_id == bindparam("target", type_=Id)
)
_EXPIRED = delete(mutes).where(mutes.c.expires_at <= bindparam("now", type_=Instant))
_PAGE = Paged(
    select(mutes.c.id, mutes.c.expires_at, accounts_table)
    .join(accounts_table, accounts_table.c.id == mutes.c.target_id)
    .where(
        mutes.c.account_id == bindparam("of", type_=Id),
        or_(mutes.c.expires_at.is_(None), mutes.c.expires_at > MOMENT),
    ),
    mutes.c.id,
)


@dataclass(frozen=True, slots=True)
class Muted:
    """`id` is of the mute: what the next page is asked for by."""

    id: int
    expires_at: datetime | None
    account: Account


def mute(
    tx: Connection, account_id: int, target_id: int, now: datetime, notifications: bool = True, seconds: int = 0
) -> None:
    """One of ours does not want to hear `target_id`; again: changes how.

    notifications: nor what he does.  seconds: for how long; 0: for good.  Raises: Invalid, NotFound.
    """
    if account_id == target_id:
        raise Invalid("Nobody mutes himself")
    if not 0 <= seconds <= LONGEST.total_seconds():
        raise Invalid("duration is a number of seconds, or 0")
    target = accounts.by_id(tx, target_id)
    expires = now + timedelta(seconds=seconds) if seconds else None
    tx.execute(_SET, asdict(Mute(account_id, target.id, new_id(), notifications, expires, now)))


def unmute(tx: Connection, account_id: int, target_id: int, now: datetime | None = None) -> bool:  # noqa: ARG001  as others
    """What he said meanwhile is shown again.  False: he was not muted."""
    return bool(tx.execute(_END, {"of": account_id, "target": target_id}).rowcount)


def page(tx: Connection, account_id: int, page: Page) -> list[Muted]:
    """The muted, newest first."""
    return [Muted(row[0], row[1], Account(*row[2:])) for row in _PAGE.rows(tx, page, of=account_id)]


def forget_expired(tx: Connection, now: datetime) -> int:
    return tx.execute(_EXPIRED, {"now": now}).rowcount
