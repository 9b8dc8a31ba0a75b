"""Pages of followers, of the followed, and of those who ask."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, bindparam, select

from social.pages import Page
from social.paging import MOST
from store.ids import LARGEST
from store.tables import Account, accounts, follows
from store.tables.base import Id

_OF = bindparam("of", type_=Id)
_BELOW, _ABOVE = bindparam("below", type_=Id), bindparam("above", type_=Id)
_PRESENT = (accounts.c.suspended_at.is_(None), accounts.c.deleted_at.is_(None))


@dataclass(frozen=True, slots=True)
class Listed:
    """`id` is of the follow: what the next page is asked for by."""

    id: int
    account: Account


class _List:
    def __init__(self, whom: ColumnElement[int], *where: ColumnElement[bool]) -> None:
        part: Select[Any] = (
            select(follows.c.id, accounts)
            .join_from(follows, accounts, accounts.c.id == whom)
            .where(*where, *_PRESENT, follows.c.id < _BELOW, follows.c.id > _ABOVE)
            .limit(bindparam("most"))
        )
        self._newest = part.order_by(follows.c.id.desc())
        self._nearest = part.order_by(follows.c.id)

    def __call__(self, tx: Connection, account_id: int, page: Page) -> list[Listed]:
        after = page.since_id if page.min_id is None else page.min_id
        asked = {
            "of": account_id,
            "below": LARGEST if page.max_id is None else max(0, min(page.max_id, LARGEST)),
            "above": 0 if after is None else max(0, min(after, LARGEST)),
            "most": max(0, min(page.limit, MOST)),
        }
        query = self._newest if page.min_id is None else self._nearest
        found = [Listed(row[0], Account(*row[1:])) for row in tx.execute(query, asked)]
        return found if page.min_id is None else found[::-1]


_FOLLOWERS = _List(follows.c.follower_id, follows.c.target_id == _OF, follows.c.accepted)
_FOLLOWING = _List(follows.c.target_id, follows.c.follower_id == _OF, follows.c.accepted)
_REQUESTS = _List(follows.c.follower_id, follows.c.target_id == _OF, ~follows.c.accepted)


def followers_page(tx: Connection, account_id: int, page: Page) -> list[Listed]:
    """Those who follow, the newest first."""
    return _FOLLOWERS(tx, account_id, page)


def following_page(tx: Connection, account_id: int, page: Page) -> list[Listed]:
    """The followed, those followed last first."""
    return _FOLLOWING(tx, account_id, page)


def requests_page(tx: Connection, account_id: int, page: Page) -> list[Listed]:
    """Those who ask to follow one of ours."""
    return _REQUESTS(tx, account_id, page)
