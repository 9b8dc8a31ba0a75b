"""Accounts with what their rows do not say: where they moved to, what they may do here, whether they are limited."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import BindParameter, Connection, bindparam, select

from social import moderation
from social.paging import padded
from store.rows import many
from store.tables import Account, accounts, users
from store.tables.base import Id

_IDS = bindparam("ids", expanding=True, type_=Id)
_URIS: BindParameter[list[str]] = bindparam("uris", expanding=True)
_LOGINS = select(users.c.account_id, users.c.role, users.c.confirmed_at, users.c.approved_at).where(
    users.c.account_id.in_(_IDS)
)
_MOVED = select(accounts).where(accounts.c.uri.in_(_URIS))


@dataclass(frozen=True, slots=True)
class Known:
    """role: empty for members and people elsewhere.  waits: for a moderator or a letter, and is not here until then."""

    account: Account
    role: str = ""
    waits: bool = False
    limited: bool = False
    moved: Account | None = None


def known(tx: Connection, found: Sequence[Account]) -> list[Known]:
    """One for each, in their order; in three queries, fewer where nothing is to be asked."""
    ours = [one.id for one in found if one.is_local]
    logins = {row.account_id: row for row in tx.execute(_LOGINS, {"ids": padded(ours)})} if ours else {}
    targets = [one.moved_to for one in found if one.moved_to is not None and not one.is_gone]
    moved = {one.uri: one for one in many(tx, _MOVED, Account, uris=padded(targets))} if targets else {}
    hosts = {one.host for one in found if one.host is not None}
    limited = moderation.limited(tx, hosts) if hosts else frozenset()
    return [
        Known(
            one,
            role=login.role if (login := logins.get(one.id)) is not None and login.role != "member" else "",
            waits=login is not None and (login.confirmed_at is None or login.approved_at is None),
            limited=one.host in limited,
            moved=moved.get(one.moved_to) if one.moved_to and not one.is_gone else None,
        )
        for one in found
    ]
