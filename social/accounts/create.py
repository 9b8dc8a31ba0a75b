"""Our own accounts: how they come to be."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, bindparam, insert, select
from sqlalchemy.dialects import postgresql  # SQLite has the same ON CONFLICT
from sqlalchemy.exc import IntegrityError

from federation.keys import KeyPair
from federation.origin import Origin
from federation.reading import values as reading
from social import notifications, users
from social.accounts import find, words
from social.errors import Invalid
from store.ids import new_id
from store.tables import INSTANCE_ACTOR_ID, Account, account_keys, accounts, blank_account
from store.tables import users as users_table

NAME_LIMIT: Final = 100  # characters of a display name of ours; of remote ones see federation.reading
INSTANCE_NAME: Final = "connectme.internal"  # has a dot: nobody can choose it
KINDS: Final = ("Person", "Service", "Group", "Organization")

_USERNAME = re.compile(r"[a-z0-9_]{1,30}")
# Names by which people could pass as the server, and names that our own addresses use.
RESERVED: Final = frozenset(
    """
    abuse account accounts actor admin administrator administrators admins all anonymous api about app apps auth
    authorize compose connectme contact conversations daemon deleted everyone explore followers following
    ftp health help home host hostmaster imap inbox info instance internal invite legal list lists livez local
    localhost login logout mail mailer-daemon mastodon media metrics moderation moderator moderators mod mods
    nobody nodeinfo noc no-reply noreply notifications null oauth official outbox policy pop pop3 postmaster
    privacy proxy public readyz register relay root rules search security server service settings setup signin
    signup smtp ssl-admin ssladmin ssladministrator staff startupz static status statuses support sysadmin
    sysop system tag tags terms undefined unknown usenet user users uucp web webfinger webmaster well_known
    www
    """.split()  # noqa: SIM905  a list of words reads better
)

_ADD = insert(accounts)
_ADD_INSTANCE = postgresql.insert(accounts).on_conflict_do_nothing()
_ADD_KEYS = postgresql.insert(account_keys).on_conflict_do_nothing(index_elements=["id"])
_ADD_USER = insert(users_table)
_HANDLE_TAKEN = select(accounts.c.id).where(accounts.c.handle == bindparam("handle"))
_FRAGMENTS = {"rsa": "main-key", "ed25519": "ed25519-key"}


@dataclass(frozen=True, slots=True)
class NewAccount:
    """Who wants to come in.  `password` is hashed already (social.passwords)."""

    username: str
    email: str
    password: str
    role: str = "member"
    display_name: str = ""
    kind: str = "Person"
    locked: bool = False
    confirmed: bool = True
    approved: bool = True
    language: str | None = None


def check_username(name: str) -> str:
    """`name`, if a person of ours may be called that. Raises: Invalid.

    Source: security row 81: ASCII only, so that no two names look the same.
    """
    name = name.strip()
    if not _USERNAME.fullmatch(name):
        raise Invalid("A name has 1 to 30 of the characters a-z, 0-9 and _")
    if name in RESERVED:
        raise Invalid("That name is reserved")
    return name


def create_local(tx: Connection, origin: Origin, new: NewAccount, keys: Sequence[KeyPair], now: datetime) -> Account:
    """A new person of ours, with a login and keys.

    The name of one who left stays taken, for his posts on other servers still carry it.
    Raises: Invalid, when the name or the address cannot be used.
    """
    name, email = check_username(new.username), users.clean_email(new.email)
    if new.role not in users.ROLES or new.kind not in KINDS:
        raise Invalid(f"No such role or kind of account: {new.role}, {new.kind}")
    if tx.execute(_HANDLE_TAKEN, {"handle": name}).first() is not None:
        raise Invalid("That name is taken")
    if users.by_email_or_name(tx, email) is not None:
        raise Invalid("That address cannot be used")
    account_id = new_id()
    try:
        tx.execute(_ADD, _columns(origin, account_id, name, new, now))
        tx.execute(_ADD_USER, _login(account_id, email, new, now))
    except IntegrityError as error:  # somebody was faster
        raise Invalid("That name or address is taken") from error
    account = find.by_id(tx, account_id)
    words.add(tx, [account])
    _add_keys(tx, account, keys, now)
    notifications.notify_staff(tx, "admin.sign_up", account_id, now)
    return account


def create_instance_actor(tx: Connection, origin: Origin, keys: Sequence[KeyPair], now: datetime) -> Account:
    """The server's own account, which signs fetches; made once, however often this is called.

    Its keys are those of the first call. Its uri has no user name in it, so it can be fetched unsigned even
    where everything else needs a signature.
    """
    uri = origin.instance_actor
    values = blank_account(
        id=INSTANCE_ACTOR_ID,
        uri=uri,
        handle=INSTANCE_NAME,
        username=INSTANCE_NAME,
        kind="Application",
        url=origin.base_url + "/about",
        inbox=origin.shared_inbox,
        shared_inbox=origin.shared_inbox,
        outbox=f"{uri}/outbox",
        locked=True,
        created_at=now,
    )
    if tx.execute(_ADD_INSTANCE, values).rowcount:
        _add_keys(tx, find.by_id(tx, INSTANCE_ACTOR_ID), keys, now)
    return find.by_id(tx, INSTANCE_ACTOR_ID)


def _columns(origin: Origin, account_id: int, name: str, new: NewAccount, now: datetime) -> dict[str, Any]:
    uri = origin.actor(name)
    return blank_account(
        id=account_id,
        uri=uri,
        handle=name,
        username=name,
        kind=new.kind,
        display_name=reading.name({"name": new.display_name}, most=NAME_LIMIT),
        url=origin.profile(name),
        inbox=f"{uri}/inbox",
        shared_inbox=origin.shared_inbox,
        outbox=f"{uri}/outbox",
        followers_uri=f"{uri}/followers",
        following_uri=f"{uri}/following",
        featured_uri=f"{uri}/collections/featured",
        locked=new.locked,
        discoverable=True,
        created_at=now,
        role=users.shown_role(new.role),
    )


def _login(account_id: int, email: str, new: NewAccount, now: datetime) -> dict[str, Any]:
    return {
        "account_id": account_id,
        "email": email,
        "password": new.password,
        "role": new.role,
        "confirmed_at": now if new.confirmed else None,
        "approved_at": now if new.approved else None,
        "created_at": now,
        "seen_at": None,
        "notifications_read": 0,
        "default_visibility": "public",
        "default_sensitive": False,
        "default_language": new.language,
    }


def _add_keys(tx: Connection, account: Account, keys: Sequence[KeyPair], now: datetime) -> None:
    rows = [
        {
            "id": f"{account.uri}#{_FRAGMENTS.get(pair.kind, pair.kind + '-key')}",
            "account_id": account.id,
            "kind": pair.kind,
            "public": pair.public,
            "private": pair.private,
            "created_at": now,
        }
        for pair in keys
    ]
    if rows:
        tx.execute(_ADD_KEYS, rows)
