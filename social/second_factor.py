"""Codes by time at sign-in (RFC 6238), and the recovery codes for whoever lost the telephone.

No code is good twice: the last step that was used is kept, and a recovery code goes when it is used.  Whoever turns
this on, off, or makes new recovery codes is signed out everywhere else (security row 80).
"""

import re
import secrets
from datetime import datetime
from typing import Final

import pyotp
from sqlalchemy import BigInteger, Connection, LargeBinary, bindparam, delete, exists, insert, select, update

from social import accounts
from social.errors import Invalid
from social.secrets import sha256
from social.sessions import revoke_others
from store.rows import one
from store.tables import SecondFactor, recovery_codes, second_factors
from store.tables.base import Id, Instant

STEP: Final = 30  # seconds
DRIFT: Final = 1  # steps before and after
CODES: Final = 10  # of recovery
_LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"  # none that look alike

_SECRET: Final = re.compile(r"[A-Z2-7]{32}")

_ACCOUNT = bindparam("account", type_=Id)
_FIND = select(second_factors).where(second_factors.c.account_id == _ACCOUNT)
_IS_ON = select(exists().where(second_factors.c.account_id == _ACCOUNT))
_ADD = insert(second_factors).values(
    account_id=_ACCOUNT, secret=bindparam("key"), created_at=bindparam("at", type_=Instant), last_step=bindparam("step")
)
_STEP_IS = (
    update(second_factors)
    .where(second_factors.c.account_id == _ACCOUNT, second_factors.c.last_step < bindparam("step", type_=BigInteger))
    .values(last_step=bindparam("step", type_=BigInteger))
)
_END = delete(second_factors).where(second_factors.c.account_id == _ACCOUNT)
_ADD_CODE = insert(recovery_codes)
_END_CODES = delete(recovery_codes).where(recovery_codes.c.account_id == _ACCOUNT)
_USE_CODE = _END_CODES.where(recovery_codes.c.hash == bindparam("hash_", type_=LargeBinary))


def new_secret() -> str:
    return pyotp.random_base32()


def is_secret(text: str) -> bool:
    """Could `new_secret` have made it?"""
    return _SECRET.fullmatch(text) is not None


def is_on(tx: Connection, account_id: int) -> bool:
    return bool(tx.scalar(_IS_ON, {"account": account_id}))


def turn_on(tx: Connection, account_id: int, secret: str, code: str, cookie_hash: bytes, now: datetime) -> list[str]:
    """Returns the recovery codes, to be shown once.  cookie_hash: of the one browser that stays signed in.

    Raises: Invalid, when the code is not of that secret, or codes are asked for already.
    """
    if is_on(tx, account_id):
        raise Invalid("Codes are asked for already")
    step = _step_of(secret, code, now, after=-1) if is_secret(secret) else None
    if step is None:
        raise Invalid("That code does not fit. Please wait for the next one, and look whether your clocks agree.")
    tx.execute(_ADD, {"account": account_id, "key": secret, "at": now, "step": step})
    return renew_codes(tx, account_id, cookie_hash, now)


def turn_off(tx: Connection, account_id: int, cookie_hash: bytes, now: datetime) -> bool:
    """cookie_hash: of the one browser that stays signed in; of none, by the administrator."""
    tx.execute(_END_CODES, {"account": account_id})
    ended = bool(tx.execute(_END, {"account": account_id}).rowcount)
    if ended:
        revoke_others(tx, account_id, cookie_hash, now)
    return ended


def renew_codes(tx: Connection, account_id: int, cookie_hash: bytes, now: datetime) -> list[str]:
    """New recovery codes; the old ones are good for nothing any more."""
    made = [_new_code() for _ in range(CODES)]
    accounts.hold(tx, account_id)
    tx.execute(_END_CODES, {"account": account_id})
    tx.execute(_ADD_CODE, [{"account_id": account_id, "hash": sha256(_plain(code))} for code in made])
    revoke_others(tx, account_id, cookie_hash, now)
    return made


def use(tx: Connection, account_id: int, code: str, now: datetime) -> bool:
    """Does that code, by time or of recovery, open the door?  Not a second time."""
    found = one(tx, _FIND, SecondFactor, account=account_id)
    if found is None:
        return False
    plain = _plain(code)
    step = _step_of(found.secret, plain, now, after=found.last_step)
    if step is not None:
        return bool(tx.execute(_STEP_IS, {"account": account_id, "step": step}).rowcount)
    return bool(tx.execute(_USE_CODE, {"account": account_id, "hash_": sha256(plain)}).rowcount)


def _step_of(secret: str, code: str, now: datetime, after: int) -> int | None:
    """The step that the code belongs to, if it is a late one enough."""
    try:
        maker = pyotp.TOTP(secret, interval=STEP)
        present = int(now.timestamp()) // STEP
        steps = [step for step in range(present - DRIFT, present + DRIFT + 1) if step > after]
        plain = _plain(code)
        return next((step for step in steps if secrets.compare_digest(maker.at(step * STEP), plain)), None)
    except (TypeError, ValueError):  # not base32; letters outside ASCII
        return None


def _new_code() -> str:
    """50 bits, in two halves."""
    text = "".join(secrets.choice(_LETTERS) for _ in range(10))
    return f"{text[:5]}-{text[5:]}"


def _plain(code: str) -> str:
    """As people type it: with blanks, hyphens, capitals."""
    return "".join(code.split()).replace("-", "").lower()[:64]
