"""Who of those whom a reader follows follows somebody else, too."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection, bindparam, select

from social.paging import padded
from store.tables import Account, accounts, follows
from store.tables.base import Id

MOST: Final = 10  # people of whom it is asked at once
_READER, _IDS = bindparam("reader", type_=Id), bindparam("ids", expanding=True, type_=Id)
_mine, _theirs = follows.alias("mine"), follows.alias("theirs")
_FAMILIAR = (
    select(_theirs.c.target_id, accounts)
    .join(_mine, _mine.c.target_id == _theirs.c.follower_id)
    .join(accounts, accounts.c.id == _theirs.c.follower_id)
    .where(
        _mine.c.follower_id == _READER,
        _mine.c.accepted,
        _theirs.c.target_id.in_(_IDS),
        _theirs.c.accepted,
        accounts.c.suspended_at.is_(None),
        accounts.c.deleted_at.is_(None),
        ~accounts.c.hide_collections,
    )
    .order_by(_theirs.c.id.desc())
)


def followers(tx: Connection, reader_id: int, ids: Sequence[int]) -> dict[int, list[Account]]:
    """For each of `ids`, also those whom nobody familiar follows; nobody who hides whom he follows."""
    found: dict[int, list[Account]] = defaultdict(list)
    if ids:
        for row in tx.execute(_FAMILIAR, {"reader": reader_id, "ids": padded(ids)}):
            found[row[0]].append(Account(*row[1:]))
    return {number: found[number] for number in ids}
