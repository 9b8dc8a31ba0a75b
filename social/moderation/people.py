"""Accounts as moderators see them, with what is known of their logins."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, bindparam, false, select

from social import addresses
from social.addresses import Network
from social.pages import Page
from social.paging import Paged, padded
from store.tables import INSTANCE_ACTOR_ID, Account, Address, Signup, User, accounts, signups, users
from store.tables.base import Id

STATUSES: Final = ("active", "pending", "disabled", "silenced", "suspended", "sensitized")
STAFF: Final = ("moderator", "admin", "owner")

_SELECT = (
    select(accounts, users, signups)
    .outerjoin(users, users.c.account_id == accounts.c.id)
    .outerjoin(signups, signups.c.account_id == accounts.c.id)
    .where(accounts.c.id != INSTANCE_ACTOR_ID)
)
_BY_IDS = _SELECT.where(accounts.c.id.in_(bindparam("ids", expanding=True, type_=Id)))
_USER_BEGINS = len(accounts.c)
_SIGNUP_BEGINS = _USER_BEGINS + len(users.c)


@dataclass(frozen=True, slots=True)
class PersonView:
    """user: None for accounts of other servers, and for who is deleted.  signup: how he came.
    addresses: from where, lately, the last one first."""

    account: Account
    user: User | None
    signup: Signup | None
    addresses: tuple[Address, ...]


@dataclass(frozen=True, slots=True)
class Filter:
    """Which accounts; empty: it does not matter.  nobody: what is asked for is true of none."""

    origin: str = ""
    status: str = ""
    roles: Collection[str] = ()
    username: str = ""
    display_name: str = ""
    domain: str = ""
    email: str = ""
    network: Network | None = None
    nobody: bool = False


def listed(tx: Connection, asked: Filter, page: Page) -> list[PersonView]:
    """The newest first; in three queries."""
    query: Select[Any] = select(accounts.c.id).outerjoin(users, users.c.account_id == accounts.c.id)
    query = query.where(accounts.c.id != INSTANCE_ACTOR_ID, accounts.c.deleted_at.is_(None), *_clauses(asked))
    return several(tx, [row[0] for row in Paged(query, accounts.c.id).rows(tx, page)])


def several(tx: Connection, ids: Sequence[int]) -> list[PersonView]:
    """Those of `ids` that there are, in that order."""
    if not ids:
        return []
    came = addresses.several(tx, ids)
    rows = tx.execute(_BY_IDS, {"ids": padded(list(ids))})
    found = {row[0]: _view(row, came.get(row[0], [])) for row in rows}
    return [found[number] for number in ids if number in found]


def _view(row: Any, came: Sequence[Address]) -> PersonView:
    user, signup = row[_USER_BEGINS:_SIGNUP_BEGINS], row[_SIGNUP_BEGINS:]
    return PersonView(
        Account(*row[:_USER_BEGINS]),
        None if user[0] is None else User(*user),
        None if signup[0] is None else Signup(*signup),
        tuple(came),
    )


def _clauses(asked: Filter) -> list[ColumnElement[bool]]:
    clauses: list[ColumnElement[bool]] = [false()] if asked.nobody else []
    if asked.origin:
        clauses.append(accounts.c.host.is_(None) if asked.origin == "local" else accounts.c.host.is_not(None))
    if asked.status:
        clauses.append(_is(asked.status))
    if asked.roles:
        clauses.append(users.c.role.in_(list(asked.roles)))
    if asked.username:
        clauses.append(accounts.c.handle.startswith(asked.username.lower(), autoescape=True))
    if asked.display_name:
        clauses.append(accounts.c.display_name.istartswith(asked.display_name, autoescape=True))
    if asked.domain:
        clauses.append(accounts.c.domain == asked.domain.lower())
    if asked.email:
        clauses.append(users.c.email.startswith(asked.email.lower(), autoescape=True))
    if asked.network is not None:
        clauses.append(accounts.c.id.in_(addresses.from_within(asked.network)))
    return clauses


def _is(status: str) -> ColumnElement[bool]:
    return {
        "active": accounts.c.suspended_at.is_(None),
        "pending": users.c.account_id.is_not(None) & users.c.approved_at.is_(None),
        "disabled": users.c.disabled_at.is_not(None),
        "silenced": accounts.c.silenced_at.is_not(None),
        "suspended": accounts.c.suspended_at.is_not(None),
        "sensitized": accounts.c.sensitized_at.is_not(None),
    }[status]
