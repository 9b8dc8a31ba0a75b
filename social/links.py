"""Secrets that prove one thing for a while: who reads an address, or who gave the right password a moment ago."""

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, LargeBinary, bindparam, delete, insert, select

from store.rows import one
from store.tables import Link, links
from store.tables.base import Id, Instant

CONFIRM: Final = "confirm"  # an address is somebody's
PASSWORD: Final = "password"  # noqa: S105  a new one may be chosen
SIGN_IN: Final = "sign-in"  # the password was right; a code is asked for
GOOD_FOR: Final = {CONFIRM: timedelta(days=2), PASSWORD: timedelta(hours=1), SIGN_IN: timedelta(minutes=10)}

_HASH = bindparam("hash_", type_=LargeBinary)
_ADD = insert(links)
_FIND = select(links).where(links.c.hash == _HASH, links.c.purpose == bindparam("why"))
_END = delete(links).where(links.c.hash == _HASH)
_END_ALL = delete(links).where(
    links.c.account_id == bindparam("account", type_=Id), links.c.purpose == bindparam("why")
)
_PRUNE = delete(links).where(links.c.created_at < bindparam("before", type_=Instant))


def add(tx: Connection, account_id: int, purpose: str, secret_hash: bytes, now: datetime, email: str = "") -> None:
    tx.execute(_ADD, asdict(Link(secret_hash, account_id, purpose, email, now)))


def find(tx: Connection, secret_hash: bytes, purpose: str, now: datetime) -> Link | None:
    """That link, while it is good."""
    link = one(tx, _FIND, Link, hash_=secret_hash, why=purpose)
    return link if link is not None and now - link.created_at <= GOOD_FOR[purpose] else None


def end(tx: Connection, link: Link) -> bool:
    """False: somebody else was faster."""
    return bool(tx.execute(_END, {"hash_": link.hash}).rowcount)


def end_all(tx: Connection, account_id: int, purpose: str) -> None:
    tx.execute(_END_ALL, {"account": account_id, "why": purpose})


def prune(tx: Connection, now: datetime) -> int:
    return tx.execute(_PRUNE, {"before": now - max(GOOD_FOR.values())}).rowcount
