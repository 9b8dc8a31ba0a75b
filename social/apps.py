"""Programs that people allow to act for them (OAuth), and the tokens they hold.

Secrets and tokens are kept as SHA-256 only.  Scopes are one string, with spaces between, as OAuth has them.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, LargeBinary, bindparam, insert, select, update
from sqlalchemy.sql.dml import ReturningUpdate

from federation.reading import values
from social import activity, addresses
from social.errors import Invalid
from social.events import AccessEnded
from social.paging import parted
from store.events import announce
from store.ids import new_id
from store.memory import Memory
from store.prepared import Prepared
from store.rows import one
from store.tables import Account, App, Token, User, accounts, apps, tokens, users
from store.tables.base import Id, Instant

NAME_LIMIT: Final = 255
URIS_LIMIT: Final = 16
URI_LIMIT: Final = 2_048
SCOPES_LIMIT: Final = 1_000

_ADD_APP = insert(apps)
_APP_BY_CLIENT = select(apps).where(apps.c.client_id == bindparam("client"))
_APP_BY_ID = select(apps).where(apps.c.id == bindparam("app"))
_ADD_TOKEN = insert(tokens)
_FIND = Prepared(
    select(tokens, apps, users, accounts)
    .join(apps, apps.c.id == tokens.c.app_id)
    .outerjoin(users, users.c.account_id == tokens.c.account_id)
    .outerjoin(accounts, accounts.c.id == users.c.account_id)
    .where(
        tokens.c.hash == bindparam("hash_"),
        tokens.c.revoked_at.is_(None),
        accounts.c.suspended_at.is_(None),
        accounts.c.deleted_at.is_(None),
        users.c.disabled_at.is_(None),
    )
)
_REMEMBERED: "Memory[Bearer]" = Memory(1_000)
_LIVE = tokens.c.revoked_at.is_(None)
_REVOKE = update(tokens).where(_LIVE).values(revoked_at=bindparam("at", type_=Instant)).returning(tokens.c.account_id)
_REVOKE_HASH = _REVOKE.where(tokens.c.hash == bindparam("hash_"), tokens.c.app_id == bindparam("app", type_=Id))
_REVOKE_CODE = _REVOKE.where(tokens.c.code_hash == bindparam("code", type_=LargeBinary))
_REVOKE_APP = _REVOKE.where(
    tokens.c.account_id == bindparam("account", type_=Id), tokens.c.app_id == bindparam("app", type_=Id)
)
_ALIVE = (
    select(tokens.c.id)
    .join(accounts, accounts.c.id == tokens.c.account_id)
    .join(users, users.c.account_id == accounts.c.id)
    .where(
        tokens.c.id.in_(bindparam("ids", expanding=True, type_=Id)),
        _LIVE,
        accounts.c.suspended_at.is_(None),
        accounts.c.deleted_at.is_(None),
        users.c.disabled_at.is_(None),
    )
)
_USED = (
    update(tokens)
    .where(tokens.c.id == bindparam("token_", type_=Id))
    .values(last_used_at=bindparam("at", type_=Instant))
)
_SEEN = (
    update(users)
    .where(users.c.account_id == bindparam("account", type_=Id))
    .values(seen_at=bindparam("at", type_=Instant))
)
_OF = (
    select(tokens, apps)
    .join(apps, apps.c.id == tokens.c.app_id)
    .where(_LIVE, tokens.c.account_id == bindparam("account", type_=Id))
    .order_by(tokens.c.id)
)


@dataclass(frozen=True, slots=True)
class Allowed:
    """A program that may act for a person."""

    app: App
    scopes: str  # of all its tokens
    since: datetime
    last_used_at: datetime | None  # to the day


@dataclass(frozen=True, slots=True)
class Bearer:
    """Who comes with a token.  account and user are None when the program comes in its own name."""

    token: Token
    app: App
    account: Account | None
    user: User | None

    @property
    def scopes(self) -> frozenset[str]:
        return frozenset(self.token.scopes.split())


def create_app(
    tx: Connection,
    name: str,
    client_id: str,
    secret_hash: bytes,
    redirect_uris: list[str],
    scopes: str,
    now: datetime,
    website: str | None = None,
) -> App:
    """A program makes itself known.  Which addresses and scopes are good is for the door to check (RFC 6749, 3.1.2).

    Raises: Invalid, when something is missing or too long.
    """
    name = values.name({"name": name}, most=NAME_LIMIT + 1)
    if not 0 < len(name) <= NAME_LIMIT:
        raise Invalid(f"The name of a program has 1 to {NAME_LIMIT} characters")
    if not 0 < len(redirect_uris) <= URIS_LIMIT or any(len(uri) > URI_LIMIT for uri in redirect_uris):
        raise Invalid(f"A program has 1 to {URIS_LIMIT} redirect URIs, of at most {URI_LIMIT} characters")
    if len(scopes) > SCOPES_LIMIT or len(website or "") > URI_LIMIT:
        raise Invalid("Too long")
    app = App(new_id(), client_id, secret_hash, name, website or None, list(redirect_uris), scopes, now)
    tx.execute(_ADD_APP, asdict(app))
    return app


def by_client_id(tx: Connection, client_id: str) -> App | None:
    return one(tx, _APP_BY_CLIENT, App, client=client_id)


def by_id(tx: Connection, app_id: int) -> App | None:
    return one(tx, _APP_BY_ID, App, app=app_id)


def issue_token(
    tx: Connection,
    app_id: int,
    account_id: int | None,
    scopes: str,
    token_hash: bytes,
    now: datetime,
    code_hash: bytes | None = None,
) -> Token:
    """A token for a program; account_id None: for the program itself.  code_hash: of the code that it was given for."""
    words = " ".join(sorted(set(scopes.split())))
    token = Token(new_id(), token_hash, app_id, account_id, words, now, None, code_hash, None)
    tx.execute(_ADD_TOKEN, asdict(token))
    return token


def used(tx: Connection, token: Token, now: datetime, ip: str = "") -> None:
    """Somebody came with it: the list of programs says when, and the person counts as active."""
    tx.execute(_USED, {"token_": token.id, "at": now})
    tx.execute(_SEEN, {"account": token.account_id, "at": now})
    if token.account_id is not None:
        activity.visited(tx, token.account_id, now)
        addresses.note(tx, token.account_id, ip, now)


def token(tx: Connection, token_hash: bytes) -> Bearer | None:
    """Who comes with that token.  None: unknown, revoked, or in the name of one who is suspended."""
    rows = _FIND.rows(tx, hash_=token_hash)
    if not rows:
        return None
    row = tuple(rows[0])
    bearer = _REMEMBERED.get(tx, token_hash, row)
    if bearer is None:
        bearer = _bearer(_FIND.told(tx, row, hash_=token_hash))
        _REMEMBERED.put(tx, token_hash, row, bearer)
    return bearer


def _bearer(row: Any) -> Bearer:
    first = len(tokens.c)
    second = first + len(apps.c)
    third = second + len(users.c)
    found, app = Token(*row[:first]), App(*row[first:second])
    if found.account_id is None:
        return Bearer(found, app, None, None)
    return Bearer(found, app, user=User(*row[second:third]), account=Account(*row[third:]))


def revoke_token(tx: Connection, app_id: int, token_hash: bytes, now: datetime) -> bool:
    """Ends a token of that program (RFC 7009); False when there was nothing to end."""
    return bool(_revoke(tx, _REVOKE_HASH, now, app=app_id, hash_=token_hash))


def revoke_given_for(tx: Connection, code_hash: bytes, now: datetime) -> int:
    """Ends the tokens that an authorization code was exchanged for."""
    return _revoke(tx, _REVOKE_CODE, now, code=code_hash)


def allowed_by(tx: Connection, account_id: int) -> list[Allowed]:
    """The programs that may act for a person, the one used last first."""
    found: dict[int, Allowed] = {}
    for row in tx.execute(_OF, {"account": account_id}):
        token, app = Token(*row[: len(tokens.c)]), App(*row[len(tokens.c) :])
        old = found.get(app.id, Allowed(app, "", token.created_at, None))
        used_at = max(filter(None, (old.last_used_at, token.last_used_at)), default=None)
        words = dict.fromkeys(f"{old.scopes} {token.scopes}".split())
        found[app.id] = Allowed(app, " ".join(words), old.since, used_at)
    return sorted(found.values(), key=lambda one: one.last_used_at or one.since, reverse=True)


def revoke_app(tx: Connection, account_id: int, app_id: int, now: datetime) -> int:
    """A person withdraws what he allowed a program; returns how many tokens ended."""
    return _revoke(tx, _REVOKE_APP, now, account=account_id, app=app_id)


def alive(tx: Connection, token_ids: Sequence[int]) -> set[int]:
    """Those of `token_ids` that are still good: not revoked, and of people who may come in."""
    return {row[0] for part in parted(token_ids) for row in tx.execute(_ALIVE, {"ids": part})}


def _revoke(tx: Connection, statement: ReturningUpdate[int | None], now: datetime, **which: object) -> int:
    owners = list(tx.scalars(statement, {**which, "at": now}))
    for owner in {owner for owner in owners if owner is not None}:
        announce(tx, AccessEnded(owner))
    return len(owners)
