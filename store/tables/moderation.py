"""Limits on whole hosts, and what was reported."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Boolean, Column, ForeignKey, Table, Text, false

from store.tables.base import Id, Instant, Json, id_column, metadata

host_policies = Table(
    "host_policy",
    metadata,
    Column("host", Text, primary_key=True),  # lower case punycode; holds for its subdomains too
    Column("level", Text, nullable=False, index=True),  # block, limit, allow
    Column("comment", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    sqlite_with_rowid=False,
)


@dataclass(frozen=True, slots=True)
class HostPolicy:
    host: str
    level: str
    comment: str
    created_at: datetime


reports = Table(
    "report",
    metadata,
    id_column(),
    Column("uri", Text, nullable=False, unique=True),
    Column("reporter_id", Id, ForeignKey("account.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("target_id", Id, ForeignKey("account.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("post_uris", Json, nullable=False),  # [uri]
    Column("comment", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("resolved_at", Instant),
    Column("category", Text, nullable=False, server_default="other"),  # spam, legal, violation, other
    Column("rule_ids", Json, nullable=False, server_default="[]"),  # [str], for a violation
    Column("forwarded", Boolean, nullable=False, server_default=false()),  # to the server of who is reported
    Column("assigned_id", Id),  # the moderator whose it is; he may be gone
    Column("resolved_by_id", Id),
)


@dataclass(frozen=True, slots=True)
class Report:
    id: int
    uri: str
    reporter_id: int
    target_id: int
    post_uris: list[str]
    comment: str
    created_at: datetime
    resolved_at: datetime | None
    category: str
    rule_ids: list[str]
    forwarded: bool
    assigned_id: int | None = None
    resolved_by_id: int | None = None
