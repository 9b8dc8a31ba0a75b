"""People who make their accounts themselves: what is wrong with what they wrote, and what becomes of it."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final, TypeAlias

from sqlalchemy import Connection, bindparam, insert, select

from federation.keys import KeyPair
from federation.origin import Origin
from federation.reading.values import clean
from social import accounts, letters, links, passwords, users
from social.accounts import NewAccount
from social.accounts.create import RESERVED
from social.errors import Fault, Faulty, Invalid
from social.moderation import emails
from social.notifications import notify_staff
from store.rows import one
from store.tables import Account, Link, Signup, signups
from store.tables import accounts as accounts_table
from store.tables.base import Id

REASON_LIMIT: Final = 1_000
NAME_LIMIT: Final = 30

_USED: Final = "That link was used, or is too old. Please ask for another."

Asks: TypeAlias = Callable[[Connection, str, datetime], None]

_ADD = insert(signups)
_OF = select(signups).where(signups.c.account_id == bindparam("account", type_=Id))
_HANDLE_TAKEN = select(accounts_table.c.id).where(accounts_table.c.handle == bindparam("handle"))


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody wrote."""

    username: str
    email: str
    password: str
    agreement: bool
    reason: str = ""
    locale: str = ""


def check(tx: Connection, wanted: Wanted) -> None:
    """Raises: Faulty."""
    found = [_username(tx, wanted.username), _email(tx, wanted.email), _password(wanted.password)]
    if not wanted.agreement:
        found.append(Fault("agreement", "ERR_ACCEPTED", "must be accepted"))
    if len(wanted.reason) > REASON_LIMIT:
        found.append(Fault("reason", "ERR_TOO_LONG", f"is too long (maximum is {REASON_LIMIT} characters)"))
    if faults := [fault for fault in found if fault is not None]:
        raise Faulty(faults)


def _username(tx: Connection, name: str) -> Fault | None:
    if not name:
        return Fault("username", "ERR_BLANK", "can't be blank")
    if len(name) > NAME_LIMIT:
        return Fault("username", "ERR_TOO_LONG", f"is too long (maximum is {NAME_LIMIT} characters)")
    if name in RESERVED:
        return Fault("username", "ERR_RESERVED", "is reserved")
    try:
        accounts.check_username(name)
    except Invalid:
        return Fault("username", "ERR_INVALID", "must contain only letters, numbers and underscores")
    if tx.execute(_HANDLE_TAKEN, {"handle": name}).first() is not None:
        return Fault("username", "ERR_TAKEN", "has already been taken")
    return None


def _email(tx: Connection, address: str) -> Fault | None:
    if not address.strip():
        return Fault("email", "ERR_BLANK", "can't be blank")
    try:
        clean = users.clean_email(address)
    except Invalid:
        return Fault("email", "ERR_INVALID", "is invalid")
    if users.by_email_or_name(tx, clean) is not None:
        return Fault("email", "ERR_TAKEN", "has already been taken")
    if emails.is_blocked(tx, clean):
        return Fault("email", "ERR_BLOCKED", "cannot be used here")
    return None


def _password(password: str) -> Fault | None:
    if not password:
        return Fault("password", "ERR_BLANK", "can't be blank")
    if len(password) < passwords.SHORTEST:
        return Fault("password", "ERR_TOO_SHORT", f"is too short (minimum is {passwords.SHORTEST} characters)")
    try:
        passwords.check(password)
    except Invalid:
        return Fault("password", "ERR_TOO_LONG", f"is too long (maximum is {passwords.LONGEST} characters)")
    return None


def sign_up(
    tx: Connection,
    origin: Origin,
    new: NewAccount,
    keys: Sequence[KeyPair],
    facts: Signup,
    mails: bool,
    now: datetime,
) -> Account:
    """A new person who is not confirmed yet: by the letter, or where there are no letters by the administrator.

    facts: without the id of the account, which is made here.  Raises: Invalid.
    """
    account = accounts.create_local(tx, origin, new, keys, now)
    reason = clean(facts.reason, REASON_LIMIT)
    tx.execute(_ADD, {**asdict(facts), "account_id": account.id, "reason": reason})
    if mails:
        letters.ask(tx, links.CONFIRM, account.id, now)
    notify_staff(tx, "admin.sign_up", account.id, now)
    return account


def of(tx: Connection, account_id: int) -> Signup | None:
    """How somebody came; None: the administrator made the account."""
    return one(tx, _OF, Signup, account=account_id)


def confirm(tx: Connection, secret_hash: bytes, now: datetime) -> Link:
    """Whoever has the letter reads that address.  Raises: Invalid."""
    link = _link(tx, secret_hash, links.CONFIRM, now)
    users.confirm(tx, link.account_id, now)
    links.end_all(tx, link.account_id, links.CONFIRM)
    return link


def new_password(tx: Connection, secret_hash: bytes, password_hash: str, now: datetime) -> Link:
    """Ends all sessions and tokens; and the address is confirmed, for the letter was read.  Raises: Invalid."""
    link = _link(tx, secret_hash, links.PASSWORD, now)
    if not links.end(tx, link):
        raise Invalid(_USED)
    users.set_password(tx, link.account_id, password_hash, now)
    users.confirm(tx, link.account_id, now)
    return link


def _link(tx: Connection, secret_hash: bytes, purpose: str, now: datetime) -> Link:
    link = links.find(tx, secret_hash, purpose, now)
    if link is None or users.by_account(tx, link.account_id).email != link.email:
        raise Invalid(_USED)
    return link


def forgot(tx: Connection, address: str, now: datetime) -> None:
    """A letter with the way to a new password, if that is somebody's address; nobody hears whether it is."""
    user = users.by_email_or_name(tx, address) if "@" in address.strip().lstrip("@") else None
    if user is not None:
        letters.ask(tx, links.PASSWORD, user.account_id, now)


def again(tx: Connection, address: str, now: datetime) -> None:
    """The letter to confirm, once more, if somebody waits for it."""
    user = users.by_email_or_name(tx, address) if "@" in address.strip().lstrip("@") else None
    if user is not None and user.confirmed_at is None:
        letters.ask(tx, links.CONFIRM, user.account_id, now)


def again_to(tx: Connection, account_id: int, address: str, now: datetime) -> None:
    """The letter once more, to another address if there is one.  Raises: Invalid."""
    if address:
        users.set_email(tx, account_id, address, None)
        links.end_all(tx, account_id, links.CONFIRM)
    letters.ask(tx, links.CONFIRM, account_id, now)
