"""Follows that ended by a decision: of a moderator on a server or an account, or of somebody on a domain.

Each of ours who lost some has a row that counts them, and is told (`severed_relationships`).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, insert

from social import notifications
from store.ids import new_id
from store.tables import Severance, severances

DOMAIN: Final = "domain_block"
OWN_DOMAIN: Final = "user_domain_block"
ACCOUNT: Final = "account_suspension"

_ADD = insert(severances)


@dataclass(frozen=True, slots=True)
class Lost:
    followers: int = 0
    following: int = 0


def record(tx: Connection, kind: str, target_name: str, lost: Mapping[int, Lost], now: datetime) -> None:
    """lost: by the accounts of ours.  target_name: the domain or the handle that was decided on."""
    rows = [
        Severance(new_id(), account_id, kind, target_name, it.followers, it.following, now)
        for account_id, it in sorted(lost.items())
        if it.followers or it.following
    ]
    if rows:
        tx.execute(_ADD, [asdict(row) for row in rows])
        notifications.notify_of(tx, "severed_relationships", [(row.account_id, row.id) for row in rows], now)
