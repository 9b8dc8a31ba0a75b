"""Finding accounts.  Those that are suspended or deleted are found, too: see `Account.is_gone`."""

import re
from collections.abc import Collection
from typing import Final

import idna
from sqlalchemy import Connection, bindparam, select

from federation.origin import Origin
from social.errors import NotFound
from store.prepared import Prepared, padded
from store.rows import many, one
from store.tables import Account, AccountKey, account_keys, accounts
from store.tables.base import Id

HANDLE_LIMIT: Final = 255 + 1 + 253 + 6  # name@domain:port

_BY_URI = Prepared(select(accounts).where(accounts.c.uri == bindparam("uri")))
_BY_ID = Prepared(select(accounts).where(accounts.c.id == bindparam("id", type_=Id)))
_BY_IDS = select(accounts).where(accounts.c.id.in_(bindparam("ids", expanding=True, type_=Id)))
_HOLD = Prepared(
    select(accounts.c.id)
    .where(accounts.c.id.in_(bindparam("ids", expanding=True, type_=Id)))
    .order_by(accounts.c.id)
    .with_for_update(key_share=True)
)
_OF_HANDLE = select(accounts).where(accounts.c.handle == bindparam("handle"))
_BY_HANDLE = Prepared(_OF_HANDLE)
_LOCAL = Prepared(_OF_HANDLE.where(accounts.c.host.is_(None)))
_KEYS = (
    select(account_keys)
    .where(account_keys.c.account_id == bindparam("id", type_=Id))
    .order_by(account_keys.c.kind.desc(), account_keys.c.id)  # RSA first: all know it
)
_HANDLE = re.compile(r"[\w.-]+(?:@[\w.-]+(?::[0-9]{1,5})?)?")


def by_id(tx: Connection, account_id: int) -> Account:
    """Raises: NotFound."""
    if account := one(tx, _BY_ID, Account, id=account_id):
        return account
    raise NotFound("No such account", why=str(account_id))


def by_ids(tx: Connection, ids: Collection[int]) -> dict[int, Account]:
    """Those of `ids` that exist."""
    if not ids:
        return {}
    return {account.id: account for account in many(tx, _BY_IDS, Account, ids=list(ids))}


def hold(tx: Connection, *ids: int) -> None:
    """Until the unit ends, others who do this for one of `ids` wait: for what holds between several rows of theirs.

    Nothing on SQLite, where who writes is alone.
    """
    if ids and tx.dialect.name != "sqlite":
        _HOLD.rows(tx, ids=padded(ids))


def by_uri(tx: Connection, uri: str) -> Account:
    """Raises: NotFound."""
    if account := find_by_uri(tx, uri):
        return account
    raise NotFound("No such account", why=uri)


def find_by_uri(tx: Connection, uri: str) -> Account | None:
    return one(tx, _BY_URI, Account, uri=uri)


def by_handle(tx: Connection, handle: str, origin: Origin | None = None) -> Account:
    """Raises: NotFound."""
    if account := find_by_handle(tx, handle, origin):
        return account
    raise NotFound("No such account", why=handle)


def find_by_handle(tx: Connection, handle: str, origin: Origin | None = None) -> Account | None:
    """`alice`, `@alice`, `bob@far.test`, `@Bob@FAR.test`, `acct:bob@far.test`.

    origin: who we are, so that `alice@ours.test` is alice.
    """
    wanted = normalise_handle(handle)
    if wanted is None:
        return None
    name, _, domain = wanted.partition("@")
    if domain and origin is not None and origin.is_our_domain(domain):
        wanted = name
    return one(tx, _BY_HANDLE, Account, handle=wanted)


def local(tx: Connection, username: str) -> Account:
    """One of ours, or what is left of him.  Raises: NotFound."""
    wanted = normalise_handle(username)
    account = one(tx, _LOCAL, Account, handle=wanted) if wanted and "@" not in wanted else None
    if account is None:
        raise NotFound("No such account", why=username)
    return account


def keys_of(tx: Connection, account_id: int) -> list[AccountKey]:
    return many(tx, _KEYS, AccountKey, id=account_id)


def normalise_handle(handle: str) -> str | None:
    """As the table has it: lower case, the domain in punycode, no @ in front.  None: nobody can be called that.

    >>> normalise_handle(" @Bob@Bücher.test "), normalise_handle("acct:alice"), normalise_handle("a@b@c")
    ('bob@xn--bcher-kva.test', 'alice', None)
    """
    text = handle.strip()
    if len(text) > HANDLE_LIMIT:
        return None
    text = text.removeprefix("acct:").removeprefix("@").lower()
    if not _HANDLE.fullmatch(text):
        return None
    name, at, domain = text.partition("@")
    if domain.isascii():
        return f"{name}{at}{domain}"
    host, colon, port = domain.partition(":")
    try:
        return f"{name}@{idna.encode(host, uts46=True).decode()}{colon}{port}"
    except (idna.IDNAError, UnicodeError):
        return None
