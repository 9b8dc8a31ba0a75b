"""The sessions of browsers.  The cookie is a secret of which only the SHA-256 is kept (social.secrets).

A session ends when its owner signs out, when nobody used it for 30 days, when the password or the role of its
owner changes, and when the account is suspended or deleted.
"""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import Connection, LargeBinary, bindparam, delete, insert, select, update

from federation.reading.values import clean
from social import activity, addresses
from social.errors import NotAllowed
from social.events import AccessEnded
from store.events import announce
from store.rows import many
from store.tables import Account, Session, User, accounts, codes, sessions, tokens, users
from store.tables.base import Id, Instant

IDLE: Final = timedelta(days=30)
FRESH: Final = timedelta(hours=1)  # so long, seeing a session again is not worth a write
AT_MOST: Final = 50  # of one person; the oldest make room
AGENT_LIMIT: Final = 300

_ACCOUNT = bindparam("account", type_=Id)
_HASH = bindparam("hash_", type_=LargeBinary)
_FIND = (
    select(sessions, users, accounts)
    .join(users, users.c.account_id == sessions.c.account_id)
    .join(accounts, accounts.c.id == users.c.account_id)
    .where(
        sessions.c.hash == _HASH,
        sessions.c.seen_at > bindparam("since", type_=Instant),
        accounts.c.suspended_at.is_(None),
        accounts.c.deleted_at.is_(None),
        users.c.disabled_at.is_(None),
    )
)
_START = insert(sessions)
_STILL = (  # whoever changes it now waits, and then ends what we begin
    select(users.c.account_id)
    .where(users.c.account_id == _ACCOUNT, users.c.password == bindparam("was"))
    .with_for_update(key_share=True)
)
_SEEN = update(sessions).where(sessions.c.hash == _HASH).values(seen_at=bindparam("at", type_=Instant))
_USER_SEEN = update(users).where(users.c.account_id == _ACCOUNT).values(seen_at=bindparam("at", type_=Instant))
_END = delete(sessions).where(sessions.c.hash == _HASH)
_OF = select(sessions).where(sessions.c.account_id == _ACCOUNT).order_by(sessions.c.seen_at.desc())
_END_ALL = delete(sessions).where(sessions.c.account_id == _ACCOUNT)
_END_ONE = _END_ALL.where(sessions.c.hash == _HASH)
_END_OTHERS = _END_ALL.where(sessions.c.hash != _HASH)
_PRUNE = delete(sessions).where(sessions.c.seen_at <= bindparam("since", type_=Instant))
_SURPLUS = _END_ALL.where(
    sessions.c.hash.not_in(
        select(sessions.c.hash)
        .where(sessions.c.account_id == _ACCOUNT)
        .order_by(sessions.c.seen_at.desc())
        .limit(AT_MOST)
    )
)
_REVOKE_TOKENS = (
    update(tokens)
    .where(tokens.c.account_id == _ACCOUNT, tokens.c.revoked_at.is_(None))
    .values(revoked_at=bindparam("at", type_=Instant))
)
_END_CODES = delete(codes).where(codes.c.account_id == _ACCOUNT)


@dataclass(frozen=True, slots=True)
class SignedIn:
    account: Account
    user: User
    session: Session


def start_session(
    tx: Connection,
    account_id: int,
    cookie_hash: bytes,
    csrf: str,
    agent: str,
    now: datetime,
    replaces: bytes | None = None,
    ip: str = "",
    password: str | None = None,
) -> Session:
    """A new session, at sign-in.

    replaces: the hash of the cookie that the browser came with, if any.  That session ends: whoever knew the
              old cookie must not be signed in with it (session fixation).
    password: its hash, as it was when it was compared.  Raises: NotAllowed, when it was changed since.
    """
    if password is not None and tx.execute(_STILL, {"account": account_id, "was": password}).first() is None:
        raise NotAllowed("The password was changed a moment ago")
    if replaces is not None:
        tx.execute(_END, {"hash_": replaces})
    session = Session(
        hash=cookie_hash, account_id=account_id, csrf=csrf, created_at=now, seen_at=now, agent=clean(agent, AGENT_LIMIT)
    )
    tx.execute(_START, asdict(session))
    tx.execute(_SURPLUS, {"account": account_id})
    tx.execute(_USER_SEEN, {"account": account_id, "at": now})
    activity.visited(tx, account_id, now)
    addresses.note(tx, account_id, ip, now)
    return session


def session(tx: Connection, cookie_hash: bytes, now: datetime | None = None) -> SignedIn | None:
    """Who comes with that cookie.  None: nobody, or no more.  A read: see `seen`."""
    row = tx.execute(_FIND, {"hash_": cookie_hash, "since": (now or datetime.now(UTC)) - IDLE}).one_or_none()
    if row is None:
        return None
    first, second = len(sessions.c), len(sessions.c) + len(users.c)
    return SignedIn(session=Session(*row[:first]), user=User(*row[first:second]), account=Account(*row[second:]))


def is_fresh(found: SignedIn, now: datetime) -> bool:
    """Was it seen so lately that `seen` need not be called?"""
    return now - found.session.seen_at < FRESH


def seen(tx: Connection, found: SignedIn, now: datetime, ip: str = "") -> None:
    """Keeps a session that is used from ending."""
    tx.execute(_SEEN, {"hash_": found.session.hash, "at": now})
    tx.execute(_USER_SEEN, {"account": found.account.id, "at": now})
    activity.visited(tx, found.account.id, now)
    addresses.note(tx, found.account.id, ip, now)


def of(tx: Connection, account_id: int) -> list[Session]:
    """All sessions of a person, the one used last first."""
    return many(tx, _OF, Session, account=account_id)


def end_session(tx: Connection, cookie_hash: bytes) -> None:
    tx.execute(_END, {"hash_": cookie_hash})


def end_own(tx: Connection, account_id: int, cookie_hash: bytes) -> bool:
    """Ends one of a person's own sessions; False when it is not his, or not there."""
    return bool(tx.execute(_END_ONE, {"account": account_id, "hash_": cookie_hash}).rowcount)


def end_others(tx: Connection, account_id: int, cookie_hash: bytes) -> int:
    """Ends all sessions of a person but this."""
    return tx.execute(_END_OTHERS, {"account": account_id, "hash_": cookie_hash}).rowcount


def revoke_all(tx: Connection, account_id: int, now: datetime) -> None:
    """Ends all sessions of a person and all tokens that programs hold in his name."""
    tx.execute(_END_ALL, {"account": account_id})
    revoke_programs(tx, account_id, now)


def revoke_others(tx: Connection, account_id: int, cookie_hash: bytes, now: datetime) -> None:
    """As `revoke_all`, but for one browser."""
    end_others(tx, account_id, cookie_hash)
    revoke_programs(tx, account_id, now)


def revoke_programs(tx: Connection, account_id: int, now: datetime) -> int:
    """Ends all tokens that programs hold in a person's name, and the codes for which they could get new ones."""
    tx.execute(_END_CODES, {"account": account_id})
    announce(tx, AccessEnded(account_id))
    return tx.execute(_REVOKE_TOKENS, {"account": account_id, "at": now}).rowcount


def prune(tx: Connection, now: datetime) -> int:
    """Forgets sessions that ended because nobody used them."""
    return tx.execute(_PRUNE, {"since": now - IDLE}).rowcount
