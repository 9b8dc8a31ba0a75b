"""Pages of followers, of the followed, and of those who ask."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, bindparam, select

from social.pages import Page
from social.paging import Paged
from store.tables import Account, accounts, follows
from store.tables.base import Id

_OF = bindparam("of", type_=Id)


@dataclass(frozen=True, slots=True)
class Listed:
    """`id` is of the follow: what the next page is asked for by."""

    id: int
    account: Account


def _paged(whom: ColumnElement[int], *where: ColumnElement[bool]) -> Paged:
    present = (accounts.c.suspended_at.is_(None), accounts.c.deleted_at.is_(None))
    people = select(follows.c.id, accounts).join_from(follows, accounts, accounts.c.id == whom)
    return Paged(people.where(*where, *present), follows.c.id)


_FOLLOWERS = _paged(follows.c.follower_id, follows.c.target_id == _OF, follows.c.accepted)
_FOLLOWING = _paged(follows.c.target_id, follows.c.follower_id == _OF, follows.c.accepted)
_REQUESTS = _paged(follows.c.follower_id, follows.c.target_id == _OF, ~follows.c.accepted)


def followers_page(tx: Connection, account_id: int, page: Page) -> list[Listed]:
    """Those who follow, the newest first."""
    return _listed(tx, _FOLLOWERS, account_id, page)


def following_page(tx: Connection, account_id: int, page: Page) -> list[Listed]:
    """The followed, those followed last first."""
    return _listed(tx, _FOLLOWING, account_id, page)


def requests_page(tx: Connection, account_id: int, page: Page) -> list[Listed]:
    """Those who ask to follow one of ours."""
    return _listed(tx, _REQUESTS, account_id, page)


def _listed(tx: Connection, paged: Paged, account_id: int, page: Page) -> list[Listed]:
    return [Listed(row[0], Account(*row[1:])) for row in paged.rows(tx, page, of=account_id)]
