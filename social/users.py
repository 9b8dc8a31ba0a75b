"""Logins: who may come in, with which rights.  Then see social.sessions, and for programs social.apps."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, bindparam, delete, exists, func, select, update
from sqlalchemy.exc import IntegrityError

from federation.reading.values import clean
from social import links
from social.errors import Invalid, NotFound
from social.sessions import revoke_all
from social.visibility import VISIBILITIES
from store.rows import many, one
from store.tables import User, accounts, notifications, second_factors, users
from store.tables.base import Id, Instant

ROLES: Final = ("owner", "admin", "moderator", "member")  # the mightiest first
WRONG: Final = "The name or the password is wrong"  # says no more for an unknown name than for a wrong password
EMAIL_LIMIT: Final = 254

# Strict on purpose (security row 81): no quotes, comments, address literals or domains without a dot.
_EMAIL = re.compile(
    r"[a-z0-9](?:[a-z0-9_%+-]|\.(?!\.))*(?<!\.)@"
    r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]"
)
_LOCAL_PART_LIMIT = 64

_ACCOUNT = bindparam("account", type_=Id)
_BY_ACCOUNT = select(users).where(users.c.account_id == _ACCOUNT)
_BY_EMAIL = select(users).where(users.c.email == bindparam("login"))
_BY_NAME = (
    select(users)
    .join(accounts, accounts.c.id == users.c.account_id)
    .where(accounts.c.handle == bindparam("login"), accounts.c.host.is_(None))
)
_STANDING = select(accounts.c.suspended_at, accounts.c.deleted_at).where(accounts.c.id == _ACCOUNT)
_EVERYBODY = select(users).order_by(users.c.account_id)
_THIS = update(users).where(users.c.account_id == _ACCOUNT)
_PASSWORD = _THIS.values(password=bindparam("hash_"))
_ROLE = _THIS.values(role=bindparam("role_"))
_SHOWN_ROLE = update(accounts).where(accounts.c.id == bindparam("account", type_=Id)).values(role=bindparam("shown"))
_NO_STAFF_NEWS = delete(notifications).where(
    notifications.c.account_id == _ACCOUNT, notifications.c.kind.startswith("admin.")
)
_EMAIL_IS = _THIS.values(email=bindparam("address"), confirmed_at=bindparam("at", type_=Instant))
_CONFIRM = _THIS.values(confirmed_at=func.coalesce(users.c.confirmed_at, bindparam("at", type_=Instant)))
_APPROVE = _THIS.values(approved_at=func.coalesce(users.c.approved_at, bindparam("at", type_=Instant)))
_ASKS_CODE = select(exists().where(second_factors.c.account_id == _ACCOUNT))
_DEFAULTS = _THIS.values(
    default_visibility=bindparam("visibility"),
    default_sensitive=bindparam("sensitive"),
    default_language=bindparam("language"),
)


@dataclass(frozen=True, slots=True)
class SignIn:
    """What a sign-in needs to know.  `barred` is shown only to who has the right password; empty: come in."""

    account_id: int
    password: str  # its hash
    role: str
    barred: str = ""
    asks_code: bool = False


def clean_email(address: str) -> str:
    """An e-mail address in lower case.  Raises: Invalid."""
    text = address.strip().lower()
    if len(text) > EMAIL_LIMIT or text.find("@") > _LOCAL_PART_LIMIT or not _EMAIL.fullmatch(text):
        raise Invalid("That is no e-mail address that we can use")
    return text


def by_account(tx: Connection, account_id: int) -> User:
    """Raises: NotFound."""
    if user := one(tx, _BY_ACCOUNT, User, account=account_id):
        return user
    raise NotFound("No such user", why=str(account_id))


def plain_login(login: str) -> str:
    """What a login is looked up by, and tries are counted by: all ways to write one are the same.

    >>> plain_login(" @Al\\x01ice"), plain_login("alice" + 300 * " " + "x")
    ('alice', 'alice')
    """
    return clean(login, EMAIL_LIMIT).strip().lower().removeprefix("@")


def by_email_or_name(tx: Connection, login: str) -> User | None:
    """The one who signs in with that text, in any case."""
    text = plain_login(login)
    return one(tx, _BY_EMAIL if "@" in text else _BY_NAME, User, login=text)


def in_good_standing(tx: Connection, account_id: int) -> User | None:
    """That login, unless it is barred."""
    user = one(tx, _BY_ACCOUNT, User, account=account_id)
    return user if user is not None and not _barred(tx, user) else None


def sign_in_facts(tx: Connection, login: str) -> SignIn | None:
    """None: nobody is called so; the door compares the password with passwords.NOBODY all the same."""
    user = by_email_or_name(tx, login)
    if user is None:
        return None
    return SignIn(
        user.account_id,
        user.password,
        user.role,
        _barred(tx, user),
        bool(tx.scalar(_ASKS_CODE, {"account": user.account_id})),
    )


def _barred(tx: Connection, user: User) -> str:
    """Why he may not come in; empty: he may."""
    suspended, deleted = tx.execute(_STANDING, {"account": user.account_id}).one()
    if suspended or deleted:
        return "This account is suspended"
    if user.disabled_at is not None:
        return "This account is disabled"
    if user.confirmed_at is None:
        return "Please confirm your e-mail address first"
    if user.approved_at is None:
        return "Your account waits for a moderator"
    return ""


def everybody(tx: Connection) -> list[User]:
    return many(tx, _EVERYBODY, User)


def set_password(tx: Connection, account_id: int, password_hash: str, now: datetime) -> None:
    """Whoever knew the old one is out: all sessions and tokens end.  Raises: NotFound."""
    _change(tx.execute(_PASSWORD, {"account": account_id, "hash_": password_hash}).rowcount)
    for purpose in (links.SIGN_IN, links.PASSWORD):
        links.end_all(tx, account_id, purpose)
    revoke_all(tx, account_id, now)


def shown_role(role: str) -> str:
    """What all may see of it."""
    return "" if role == ROLES[-1] else role


def set_role(tx: Connection, account_id: int, role: str, now: datetime) -> None:
    """Sessions and tokens end, for they were given to one with other rights.  Raises: Invalid, NotFound."""
    if role not in ROLES:
        raise Invalid(f"A role is one of {', '.join(ROLES)}")
    _change(tx.execute(_ROLE, {"account": account_id, "role_": role}).rowcount)
    tx.execute(_SHOWN_ROLE, {"account": account_id, "shown": shown_role(role)})
    if role == ROLES[-1]:
        tx.execute(_NO_STAFF_NEWS, {"account": account_id})
    revoke_all(tx, account_id, now)


def set_email(tx: Connection, account_id: int, address: str, confirmed_at: datetime | None) -> None:
    """The address to sign in with.  Raises: Invalid, when it is none, or somebody's."""
    text = clean_email(address)
    other = by_email_or_name(tx, text)
    if other is not None and other.account_id != account_id:
        raise Invalid("That address cannot be used")
    try:
        _change(tx.execute(_EMAIL_IS, {"account": account_id, "address": text, "at": confirmed_at}).rowcount)
    except IntegrityError as error:  # somebody took it since we looked
        raise Invalid("That address cannot be used") from error


def confirm(tx: Connection, account_id: int, now: datetime) -> None:
    _change(tx.execute(_CONFIRM, {"account": account_id, "at": now}).rowcount)


def approve(tx: Connection, account_id: int, now: datetime) -> None:
    _change(tx.execute(_APPROVE, {"account": account_id, "at": now}).rowcount)


def set_defaults(
    tx: Connection,
    account_id: int,
    visibility: str,
    sensitive: bool,
    language: str | None,
) -> None:
    """What a new post of that person starts with.  Raises: Invalid, NotFound."""
    if visibility not in VISIBILITIES:
        raise Invalid(f"A visibility is one of {', '.join(VISIBILITIES)}")
    values = {"account": account_id, "visibility": visibility, "sensitive": sensitive, "language": language}
    _change(tx.execute(_DEFAULTS, values).rowcount)


def _change(rows: int) -> None:
    if not rows:
        raise NotFound("No such user")
