"""What is left of the deleted is removed some at a time, so that nobody waits for it: the job `purge_account`."""

from typing import Any, Final

from sqlalchemy import Connection, Select, Table, bindparam, delete, select, update
from sqlalchemy.sql.dml import ReturningDelete

from social import accounts
from social.paging import padded
from social.posts import delete as deletion
from store.tables import likes, posts, reactions
from store.tables.base import Id

AT_ONCE: Final = 200

_ACCOUNT = bindparam("account", type_=Id)
_IDS = bindparam("ids", expanding=True, type_=Id)
_CHANGED = update(posts).where(posts.c.id.in_(_IDS)).values(version=posts.c.version + 1)
_LIKED = _CHANGED.values(likes_count=posts.c.likes_count - 1)


def _some(table: Table) -> Select[Any]:
    mine = select(table.c.post_id).where(table.c.account_id == _ACCOUNT)
    return mine.distinct().order_by(table.c.post_id).limit(AT_ONCE)


def _end(table: Table) -> ReturningDelete[int]:
    return delete(table).where(table.c.account_id == _ACCOUNT, table.c.post_id.in_(_IDS)).returning(table.c.post_id)


_STEPS: Final = ((_some(likes), _LIKED, _end(likes)), (_some(reactions), _CHANGED, _end(reactions)))


def step(tx: Connection, account_id: int) -> bool:
    """Removes some posts, boosts, likes and reactions of a deleted account, and corrects counts.

    Returns whether to call again.  Harmless for an account that came back in the meantime.
    """
    if accounts.by_id(tx, account_id).deleted_at is None:
        return False
    more = deletion.remove_some(tx, account_id)
    for some, change, end in _STEPS:
        ids = list(tx.scalars(some, {"account": account_id}))
        ended = set(tx.scalars(end, {"account": account_id, "ids": padded(ids)})) if ids else ()
        if ended:  # not those that somebody else just took away
            tx.execute(change, {"ids": padded(sorted(ended))})
        more = more or len(ids) == AT_ONCE
    return more
