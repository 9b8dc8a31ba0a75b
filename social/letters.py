"""Mails to people of ours: asked for in the transaction that needs them, written when they are sent.

The secret in a letter is made at that moment and kept only as a hash (social.links), so that none waits in the queue
or lies in a backup.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, bindparam, select

from federation.origin import Origin
from social import links, users
from social.accounts import find
from social.secrets import sha256
from store import jobs
from store.rows import one
from store.tables import Account, User, Warned, warnings
from store.tables.base import Id

JOB: Final = "send_mail"
WARNING: Final = "warning"
APPROVED: Final = "approved"
REJECTED: Final = "rejected"


@dataclass(frozen=True, slots=True)
class Letter:
    to: str
    subject: str
    text: str


def ask(tx: Connection, purpose: str, account_id: int, now: datetime) -> None:
    """purpose: of social.links.  One that waits already is enough."""
    jobs.ask(tx, JOB, f"{purpose} {account_id}", {"purpose": purpose, "account_id": account_id}, now)


def tell(tx: Connection, warning_id: int, account_id: int, now: datetime) -> None:
    """That a moderator warned him; each is worth a letter."""
    payload = {"purpose": WARNING, "account_id": account_id, "warning_id": warning_id}
    jobs.ask(tx, JOB, f"{WARNING} {warning_id}", payload, now)


def refuse(tx: Connection, account: Account, now: datetime) -> None:
    """Whoever asked for an account gets none.  The account goes, so the letter carries the address."""
    address = users.by_account(tx, account.id).email
    payload = {"purpose": REJECTED, "account_id": account.id, "to": address, "username": account.username}
    jobs.ask(tx, JOB, f"{REJECTED} {account.id}", payload, now)


def approved(tx: Connection, origin: Origin, title: str, account_id: int) -> Letter | None:
    """None: the account is gone."""
    account = find.by_id(tx, account_id)
    if account.is_gone:
        return None
    text = f"""Hello {account.username},

a moderator looked at your request: @{account.username}@{origin.domain} is yours.
Welcome! You can sign in here:

{origin.url("/login")}

{title}
{origin.base_url}
"""
    return Letter(users.by_account(tx, account_id).email, f"Your account at {title} is ready", text)


def rejected(origin: Origin, title: str, to: str, username: str) -> Letter:
    text = f"""Hello {username},

you asked for the account @{username}@{origin.domain}.
A moderator looked at your request, and did not accept it. Nothing that you wrote there is kept.

{title}
{origin.base_url}
"""
    return Letter(to, f"Your request for an account at {title}", text)


def warning(tx: Connection, origin: Origin, title: str, warning_id: int) -> Letter | None:
    """None: the account is gone."""
    it = one(tx, _WARNING, Warned, warning=warning_id)
    if it is None:
        return None
    account = find.by_id(tx, it.target_id)
    if account.deleted_at is not None:
        return None
    said = f"\nThey wrote:\n\n{it.text}\n" if it.text else ""
    text = f"""Hello {account.username},

the moderators of {title} looked at your account @{account.username}@{origin.domain}.

{_DONE[it.action]}
{said}
{title}
{origin.base_url}
"""
    return Letter(users.by_account(tx, account.id).email, f"About your account at {title}", text)


def write(
    tx: Connection, origin: Origin, title: str, purpose: str, account_id: int, secret: str, now: datetime
) -> Letter | None:
    """The letter, and its link in the table.  None: nobody needs it any more."""
    account, user = find.by_id(tx, account_id), users.by_account(tx, account_id)
    if account.is_gone or (purpose == links.CONFIRM and user.confirmed_at is not None):
        return None
    links.add(tx, account_id, purpose, sha256(secret), now, user.email)
    subject, text = _TEXTS[purpose](origin, title, account, user, secret)
    return Letter(user.email, subject, text)


def _confirm(origin: Origin, title: str, account: Account, user: User, secret: str) -> tuple[str, str]:
    then = "" if user.approved_at else "\nAfterwards a moderator looks at your request; then you can sign in.\n"
    text = f"""Hello {account.username},

somebody, probably you, made the account @{account.username}@{origin.domain} with this address.
Open this page to confirm that the address is yours:

{origin.url(f"/auth/confirm?token={secret}")}

It is good for two days.
{then}
If it was not you, do nothing: without your confirmation nobody can use the account.

{title}
{origin.base_url}
"""
    return f"Confirm your address for {title}", text


def _password(origin: Origin, title: str, account: Account, user: User, secret: str) -> tuple[str, str]:  # noqa: ARG001
    text = f"""Hello {account.username},

somebody, probably you, wants a new password for @{account.username}@{origin.domain}.
Open this page to choose one:

{origin.url(f"/auth/password?token={secret}")}

It is good for one hour. Afterwards all browsers and programs are signed out.

If it was not you, do nothing: your password stays as it is.

{title}
{origin.base_url}
"""
    return f"A new password for {title}", text


_TEXTS: Final[dict[str, Callable[[Origin, str, Account, User, str], tuple[str, str]]]] = {
    links.CONFIRM: _confirm,
    links.PASSWORD: _password,
}
_WARNING: Final = select(warnings).where(warnings.c.id == bindparam("warning", type_=Id))
_DONE: Final = {
    "none": "They have a warning for you; nothing else changes.",
    "sensitive": "From now on, all your media are marked as sensitive.",
    "disable": "You cannot sign in any more. What you wrote stays.",
    "silence": "From now on, what you write is seen by those who follow you, and not on the public feeds.",
    "suspend": "Your account is suspended: nobody sees it, and you cannot sign in.",
}
