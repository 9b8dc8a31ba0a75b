"""Which notifications somebody wants, and the programs that are woken by them (Web Push)."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Boolean, Column, ForeignKey, Index, LargeBinary, Table, Text

from store.tables.base import Id, Instant, id_column, metadata


def _owner() -> Column[int]:
    return Column(
        "account_id", Id, ForeignKey("user.account_id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )


def _sender() -> Column[int]:
    return Column("from_id", Id, ForeignKey("account.id", ondelete="CASCADE"), primary_key=True, autoincrement=False)


# Each column: accept, filter or drop.  Who has no row wants what social/filtering.py says.
notification_policies = Table(
    "notification_policy",
    metadata,
    _owner(),
    Column("for_not_following", Text, nullable=False),
    Column("for_not_followers", Text, nullable=False),
    Column("for_new_accounts", Text, nullable=False),
    Column("for_private_mentions", Text, nullable=False),
    Column("for_limited_accounts", Text, nullable=False),
    Column("for_bots", Text, nullable=False),
    sqlite_with_rowid=False,
)


@dataclass(frozen=True, slots=True)
class NotificationPolicy:
    account_id: int
    for_not_following: str
    for_not_followers: str
    for_new_accounts: str
    for_private_mentions: str
    for_limited_accounts: str
    for_bots: str


# Of whom nothing is kept back any more.
notification_permissions = Table(
    "notification_permission",
    metadata,
    _owner(),
    _sender(),
    Column("created_at", Instant, nullable=False),
    Index("ix_notification_permission_from_id", "from_id"),
    sqlite_with_rowid=False,
)

# One for each of whom something is kept back: the notifications themselves are marked `filtered`.
notification_requests = Table(
    "notification_request",
    metadata,
    _owner(),
    _sender(),
    Column("id", Id, nullable=False),  # by which pages are cut
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Index("ix_notification_request_from_id", "from_id"),
    sqlite_with_rowid=False,
)


@dataclass(frozen=True, slots=True)
class NotificationRequest:
    account_id: int
    from_id: int
    id: int
    created_at: datetime
    updated_at: datetime


push_subscriptions = Table(
    "push_subscription",
    metadata,
    id_column(),
    Column("token_id", Id, ForeignKey("token.id", ondelete="CASCADE"), nullable=False, unique=True),
    Column("account_id", Id, ForeignKey("user.account_id", ondelete="CASCADE"), nullable=False, index=True),
    Column("endpoint", Text, nullable=False),
    Column("p256dh", LargeBinary, nullable=False),  # the public key of the program, a point of P-256
    Column("auth", LargeBinary, nullable=False),  # 16 bytes that it shares with us
    Column("standard", Boolean, nullable=False),  # RFC 8291; otherwise the draft that was used before it
    Column("alerts", Text, nullable=False),  # kinds, a blank before and after each
    Column("policy", Text, nullable=False),  # all, followed, follower, none
    Column("created_at", Instant, nullable=False),
)


@dataclass(frozen=True, slots=True)
class PushSubscription:
    id: int
    token_id: int
    account_id: int
    endpoint: str
    p256dh: bytes
    auth: bytes
    standard: bool
    alerts: str
    policy: str
    created_at: datetime
