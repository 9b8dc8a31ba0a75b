"""Facts about this server: how many people, how many posts; and for which domain its database was made."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Text, bindparam, func, select
from sqlalchemy.dialects.postgresql import insert  # SQLite has the same ON CONFLICT

from federation.hosts import nearest
from social import moderation
from store.rows import one
from store.tables import INSTANCE_ACTOR_ID, Account, accounts, facts, users
from store.tables.base import Instant

_USERS = (
    select(func.count())
    .select_from(users)
    .join(accounts, accounts.c.id == users.c.account_id)
    .where(accounts.c.deleted_at.is_(None), accounts.c.suspended_at.is_(None))
)
_ACTIVE = _USERS.where(users.c.seen_at > bindparam("since", type_=Instant))
_TOTALS = select(func.coalesce(func.sum(accounts.c.posts_count), 0)).where(
    accounts.c.host.is_(None), accounts.c.id != INSTANCE_ACTOR_ID
)
_ANYBODY = select(users.c.account_id).limit(1)
_OWNER = (
    select(accounts)
    .join(users, users.c.account_id == accounts.c.id)
    .where(users.c.role == "owner", accounts.c.deleted_at.is_(None), accounts.c.suspended_at.is_(None))
    .order_by(accounts.c.id)
    .limit(1)
)
_FACT = select(facts.c.value).where(facts.c.name == bindparam("asked"))
_NOTE = insert(facts).on_conflict_do_nothing()

# From each host to the next by the index, for there are many more accounts than hosts.
_known = select(func.min(accounts.c.host).label("host")).cte("known", recursive=True)
_next = select(func.min(accounts.c.host)).where(accounts.c.host > _known.c.host).scalar_subquery()
_known = _known.union_all(select(_next).where(_known.c.host.is_not(None)))
_HOSTS = select(_known.c.host).where(_known.c.host.is_not(None))
_HOSTS_COUNT = select(func.count(_known.c.host))
_START = bindparam("start", type_=Text)
_NAMED = _HOSTS.where(
    func.substr(_known.c.host, 1, func.length(bindparam("start", type_=Text))) == bindparam("start", type_=Text)
).limit(bindparam("most"))


@dataclass(frozen=True, slots=True)
class Usage:
    users: int
    active_month: int
    active_half_year: int
    posts: int


def usage(tx: Connection, now: datetime | None = None) -> Usage:
    """The numbers of NodeInfo: people, those seen lately, and what they wrote, comments included."""
    now = now or datetime.now(UTC)
    return Usage(
        users=tx.scalar(_USERS) or 0,
        active_month=tx.scalar(_ACTIVE, {"since": now - timedelta(days=30)}) or 0,
        active_half_year=tx.scalar(_ACTIVE, {"since": now - timedelta(days=180)}) or 0,
        posts=int(tx.scalar(_TOTALS) or 0),
    )


def has_people(tx: Connection) -> bool:
    """False on a new server, whose first visitor becomes its owner."""
    return tx.execute(_ANYBODY).first() is not None


def owner(tx: Connection) -> Account | None:
    """Whom to ask about this server; the first of them, where there are several."""
    return one(tx, _OWNER, Account)


def fact(tx: Connection, name: str) -> str | None:
    value: str | None = tx.scalar(_FACT, {"asked": name})
    return value


def note(tx: Connection, name: str, value: str) -> None:
    """Remembers a fact; one that is known already stays as it is."""
    tx.execute(_NOTE, {"name": name, "value": value})


def hosts(tx: Connection) -> list[str]:
    """The servers of which we know somebody, but those that are blocked here."""
    return _permitted(tx, tx.scalars(_HOSTS))


def hosts_count(tx: Connection) -> int:
    return tx.scalar(_HOSTS_COUNT) or 0


def find_hosts(tx: Connection, start: str, most: int) -> list[str]:
    """Those whose names begin so."""
    return _permitted(tx, tx.scalars(_NAMED, {"start": start, "most": most}))


def _permitted(tx: Connection, found: Iterable[str]) -> list[str]:
    levels = {policy.host: policy.level for policy in moderation.policies(tx)}
    return [host for host in found if nearest(levels, host) != moderation.BLOCK]
