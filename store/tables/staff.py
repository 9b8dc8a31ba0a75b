"""What moderators did: warnings to people, follows that ended by it, and a log of everything."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, ForeignKey, Integer, Table, Text

from store.tables.base import Id, Instant, id_column, metadata

warnings = Table(
    "account_warning",
    metadata,
    id_column(),
    Column("account_id", Id, nullable=False),  # who warns; he may be gone
    Column("target_id", Id, ForeignKey("account.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("action", Text, nullable=False),  # none, sensitive, disable, silence, suspend
    Column("text", Text, nullable=False),
    Column("report_id", Id),
    Column("created_at", Instant, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Warned:
    id: int
    account_id: int
    target_id: int
    action: str
    text: str
    report_id: int | None
    created_at: datetime


severances = Table(
    "severance",
    metadata,
    id_column(),
    Column("account_id", Id, ForeignKey("user.account_id", ondelete="CASCADE"), nullable=False, index=True),
    Column("kind", Text, nullable=False),  # domain_block, user_domain_block, account_suspension
    Column("target_name", Text, nullable=False),  # the domain or handle
    Column("followers", Integer, nullable=False),  # that he lost
    Column("following", Integer, nullable=False),  # whom he follows no more
    Column("created_at", Instant, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Severance:
    """What somebody of ours lost when a server or an account was blocked."""

    id: int
    account_id: int
    kind: str
    target_name: str
    followers: int
    following: int
    created_at: datetime


audit = Table(
    "audit_entry",
    metadata,
    # Without foreign keys: what was done stays written when those concerned are gone.
    id_column(),
    Column("account_id", Id, nullable=False),
    Column("who", Text, nullable=False),  # his handle
    Column("action", Text, nullable=False),  # suspend, resolve, …
    Column("kind", Text, nullable=False),  # of what was acted on: account, report, trend, host
    Column("subject", Text, nullable=False),  # its handle, id or name
    Column("created_at", Instant, nullable=False),
)


@dataclass(frozen=True, slots=True)
class AuditEntry:
    id: int
    account_id: int
    who: str
    action: str
    kind: str
    subject: str
    created_at: datetime
