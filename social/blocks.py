"""Who does not want to hear of whom.  A block ends following both ways, and hides both from each other.

The clauses of social.visibility read the rows; here they come and go.
"""

from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, select

from federation.reading import same_origin
from outbox import documents, enqueue
from social import accounts, follows, ties, timelines, undone
from social.collections import curate
from social.errors import Invalid, NotFound
from social.pages import Page
from social.paging import Paged
from store.rows import one
from store.tables import Account, Block, blocks, notifications
from store.tables import accounts as accounts_table
from store.tables.base import Id

_FORGET_NOTICES = delete(notifications).where(
    notifications.c.account_id == bindparam("whom", type_=Id), notifications.c.from_id == bindparam("by", type_=Id)
)
_BY_URI = select(blocks).where(blocks.c.uri == bindparam("uri"))
_PAGE = Paged(
    select(blocks.c.id, accounts_table)
    .join(accounts_table, accounts_table.c.id == blocks.c.target_id)
    .where(blocks.c.account_id == bindparam("of", type_=Id)),
    blocks.c.id,
)


def block(tx: Connection, account_id: int, target_id: int, now: datetime) -> Block:
    """One of ours blocks somebody.  A second time changes nothing.  Raises: Invalid, NotFound."""
    if account_id == target_id:
        raise Invalid("Nobody blocks himself")
    accounts.hold(tx, account_id, target_id)
    blocker, target = accounts.by_id(tx, account_id), accounts.by_id(tx, target_id)
    made = ties.add_block(tx, blocker, target, now)
    if made is None:
        return ties.find_block(tx, account_id, target_id) or _vanished()
    follows.remove_follower(tx, account_id, target_id, now)
    follows.unfollow(tx, account_id, target_id, now)
    _part(tx, blocker, target, now)
    if not target.is_local:
        enqueue.to_accounts(tx, blocker, documents.block(blocker, target, made.uri), [target.id], now=now)
    return made


def unblock(tx: Connection, account_id: int, target_id: int, now: datetime | None = None) -> bool:
    """Does not bring back what the block ended.  False: there was none."""
    ended = ties.end_block(tx, account_id, target_id)
    if ended is None:
        return False
    blocker, target = accounts.by_id(tx, account_id), accounts.by_id(tx, target_id)
    if not target.is_local:
        undo = documents.undo(documents.block(blocker, target, ended.uri))
        enqueue.to_accounts(tx, blocker, undo, [target.id], now=now)
    return True


def receive_block(tx: Connection, blocker: Account, target: Account, uri: str, now: datetime) -> bool:
    """The remote `blocker` blocks our `target`.  Nothing is answered: he knows that the follows ended."""
    if blocker.is_local or not target.is_local or undone.take(tx, uri, blocker.uri):
        return False
    accounts.hold(tx, blocker.id, target.id)
    known = same_origin(uri, blocker.uri) and one(tx, _BY_URI, Block, uri=uri) is None
    if ties.add_block(tx, blocker, target, now, uri if known else None) is None:
        return False
    ties.end(tx, target.id, blocker.id)
    ties.end(tx, blocker.id, target.id)
    _part(tx, target, blocker, now)
    return True


def receive_unblock(tx: Connection, blocker: Account, target: Account | None, uri: str | None, now: datetime) -> bool:
    """`blocker` takes back a Block, of `target` where that is known, else the one with that `uri`.

    False: there is none yet; it will not count when it comes.
    """
    target_id = target.id if target else None
    if target_id is None and uri is not None:
        found = one(tx, _BY_URI, Block, uri=uri)
        target_id = found.target_id if found and found.account_id == blocker.id else None
    if target_id is not None and ties.end_block(tx, blocker.id, target_id) is not None:
        return True
    undone.bury(tx, uri, blocker.uri, now)
    return False


def page(tx: Connection, account_id: int, page: Page) -> list[tuple[int, Account]]:
    """(id of the block, the blocked), newest first."""
    return [(row[0], Account(*row[1:])) for row in _PAGE.rows(tx, page, of=account_id)]


def _part(tx: Connection, blocker: Account, target: Account, now: datetime) -> None:
    """Nothing of the one stays in the lists of the other."""
    for one_id, other_id in ((blocker.id, target.id), (target.id, blocker.id)):
        timelines.empty(tx, one_id, other_id)
        tx.execute(_FORGET_NOTICES, {"whom": one_id, "by": other_id})
        curate.part(tx, one_id, other_id, now)


def _vanished() -> Block:
    raise NotFound("No such account")
