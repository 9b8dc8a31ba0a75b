"""Authorization codes (RFC 6749, section 4.1): what a person allowed a program, until it fetches its token.

A code is good once and for ten minutes.  One that comes a second time was read by somebody on the way: then all tokens
that were given for it end (security row 75).
"""

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, LargeBinary, bindparam, delete, insert, select, update

from store.rows import one
from store.tables import Code, codes
from store.tables.base import Instant

GOOD_FOR: Final = timedelta(minutes=10)
REMEMBERED: Final = timedelta(days=1)  # so long, a second use is seen

_HASH = bindparam("hash_", type_=LargeBinary)
_ADD = insert(codes)
_FIND = select(codes).where(codes.c.hash == _HASH)
_USE = (
    update(codes).where(codes.c.hash == _HASH, codes.c.used_at.is_(None)).values(used_at=bindparam("at", type_=Instant))
)
_PRUNE = delete(codes).where(codes.c.created_at < bindparam("before", type_=Instant))


def issue(
    tx: Connection,
    code_hash: bytes,
    app_id: int,
    account_id: int,
    redirect_uri: str,
    scopes: str,
    challenge: str | None,
    now: datetime,
) -> None:
    code = Code(code_hash, app_id, account_id, redirect_uri, scopes, challenge, now, None)
    tx.execute(_ADD, asdict(code))


def find(tx: Connection, code_hash: bytes) -> Code | None:
    """Also one that is old or used: see `is_good`."""
    return one(tx, _FIND, Code, hash_=code_hash)


def is_good(code: Code, now: datetime) -> bool:
    return code.used_at is None and now - code.created_at <= GOOD_FOR


def use(tx: Connection, code: Code, now: datetime) -> bool:
    """False: somebody else was faster."""
    return bool(tx.execute(_USE, {"hash_": code.hash, "at": now}).rowcount)


def prune(tx: Connection, now: datetime) -> int:
    return tx.execute(_PRUNE, {"before": now - REMEMBERED}).rowcount
