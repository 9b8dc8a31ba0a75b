"""Which post quotes which, and who allowed it (FEP-044f)."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, ForeignKey, Index, Table, Text

from store.tables.base import Id, Instant, metadata

quotes = Table(
    "quote",
    metadata,
    Column("post_id", Id, ForeignKey("post.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("quoted_id", Id, ForeignKey("post.id", ondelete="SET NULL")),  # None: not known yet, or deleted
    Column("quoted_uri", Text, nullable=False),
    Column("state", Text, nullable=False),  # pending, accepted, rejected, revoked
    Column("approval", Text),  # uri of the QuoteAuthorization; None: none is needed, or none was given
    Column("created_at", Instant, nullable=False),
    Index("ix_quote_quoted_id", "quoted_id", "post_id"),
    Index("ix_quote_approval", "approval"),
    sqlite_with_rowid=False,
)


@dataclass(frozen=True, slots=True)
class Quote:
    post_id: int
    quoted_id: int | None
    quoted_uri: str
    state: str
    approval: str | None
    created_at: datetime


quote_approvals = Table(
    "quote_approval",
    metadata,
    Column("uri", Text, primary_key=True),
    Column("quoted_id", Id, ForeignKey("post.id", ondelete="CASCADE"), nullable=False),  # a post of ours
    Column("quoting_uri", Text, nullable=False),
    Column("account_id", Id, ForeignKey("account.id", ondelete="CASCADE"), nullable=False, index=True),  # who quotes
    Column("created_at", Instant, nullable=False),
    Column("revoked_at", Instant),
    Index("uq_quote_approval_quoted_id_quoting_uri", "quoted_id", "quoting_uri", unique=True),
    sqlite_with_rowid=False,
)


@dataclass(frozen=True, slots=True)
class QuoteApproval:
    uri: str
    quoted_id: int
    quoting_uri: str
    account_id: int
    created_at: datetime
    revoked_at: datetime | None
