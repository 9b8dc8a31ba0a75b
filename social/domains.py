"""Domains of which one of our people does not want to hear.  For him alone: limits of the server are moderation's.

The clauses of social.visibility read the rows.  Followers from there go some at a time: the job `leave_domain`.
"""

from dataclasses import asdict
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, Text, bindparam, delete, exists, func, select
from sqlalchemy.dialects.postgresql import insert  # SQLite has the same ON CONFLICT

from federation.origin import Origin
from social import moderation, severed
from social.errors import Invalid
from social.pages import Page
from social.paging import Paged
from social.severed import Lost
from store import jobs
from store.ids import new_id
from store.tables import Account, DomainBlock, domain_blocks, follows
from store.tables import accounts as accounts_table
from store.tables.base import Id

LEAVE: Final = "leave_domain"
AT_ONCE: Final = 50  # followers that are removed in one transaction

_OF, _DOMAIN = bindparam("of", type_=Id), bindparam("named", type_=Text())
_THIS = (domain_blocks.c.account_id == _OF, domain_blocks.c.domain == _DOMAIN)
_ADD = insert(domain_blocks).on_conflict_do_nothing()
_END = delete(domain_blocks).where(*_THIS)
_SHUNS = select(exists().where(*_THIS))
_PAGE = Paged(select(domain_blocks.c.id, domain_blocks.c.domain).where(domain_blocks.c.account_id == _OF),
              domain_blocks.c.id)  # fmt: skip
_COUNT = (
    select(func.count())
    .select_from(follows)
    .join(accounts_table, accounts_table.c.id == follows.c.follower_id)
    .where(follows.c.target_id == _OF, follows.c.accepted, accounts_table.c.domain == _DOMAIN)
)
_FOLLOWERS = (
    select(follows.c.follower_id)
    .join(accounts_table, accounts_table.c.id == follows.c.follower_id)
    .where(follows.c.target_id == _OF, accounts_table.c.domain == _DOMAIN)
    .limit(AT_ONCE)
)


def block(tx: Connection, origin: Origin, account_id: int, domain: str, now: datetime) -> None:
    """One of ours wants nothing of that domain: no posts, no notifications, no followers.

    Whom he follows there he follows still.  Raises: Invalid.
    """
    name = moderation.clean_host(domain)
    if origin.is_our_domain(name):
        raise Invalid("That is this server")
    if tx.execute(_ADD, asdict(DomainBlock(account_id, name, new_id(), now))).rowcount:
        lost = Lost(followers=tx.scalar(_COUNT, {"of": account_id, "named": name}) or 0)
        severed.record(tx, severed.OWN_DOMAIN, name, {account_id: lost}, now)
        jobs.ask(tx, LEAVE, f"{account_id} {name}", {"account_id": account_id, "domain": name}, now)


def unblock(tx: Connection, account_id: int, domain: str) -> bool:
    """Does not bring back the followers.  False: there was none.  Raises: Invalid."""
    return bool(tx.execute(_END, {"of": account_id, "named": moderation.clean_host(domain)}).rowcount)


def page(tx: Connection, account_id: int, page: Page) -> list[tuple[int, str]]:
    """(id of the block, domain), newest first."""
    return [(row[0], row[1]) for row in _PAGE.rows(tx, page, of=account_id)]


def shuns(tx: Connection, account_id: int, other: Account) -> bool:
    """Does that account want nothing of the other's domain?"""
    return other.domain is not None and bool(tx.scalar(_SHUNS, {"of": account_id, "named": other.domain}))


def followers(tx: Connection, account_id: int, domain: str) -> list[int]:
    """Some who follow from there, or ask to; none when the domain is no longer blocked."""
    asked = {"of": account_id, "named": domain}
    return list(tx.scalars(_FOLLOWERS, asked)) if tx.scalar(_SHUNS, asked) else []
