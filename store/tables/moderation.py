"""Limits on whole hosts, and what was reported."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Boolean, Column, ForeignKey, Table, Text, false

from store.tables.base import Id, Instant, Json, id_column, metadata

host_policies = Table(
    "host_policy",
    metadata,
    Column("host", Text, primary_key=True),  # lower case punycode; holds for its subdomains too
    Column("level", Text, nullable=False, index=True),  # block, limit, allow; noop: only what is said below
    Column("comment", Text, nullable=False),  # for everybody
    Column("created_at", Instant, nullable=False),
    Column("private_comment", Text, nullable=False, server_default=""),  # for moderators
    Column("reject_media", Boolean, nullable=False, server_default=false()),
    Column("reject_reports", Boolean, nullable=False, server_default=false()),
    Column("obfuscate", Boolean, nullable=False, server_default=false()),  # where the public reads the name
    sqlite_with_rowid=False,
)


@dataclass(frozen=True, slots=True)
class HostPolicy:
    host: str
    level: str
    comment: str
    created_at: datetime
    private_comment: str = ""
    reject_media: bool = False
    reject_reports: bool = False
    obfuscate: bool = False

    @property
    def shown(self) -> str:
        """The name as the public reads it: with stars in its middle, where it shall not be a list to browse.

        >>> HostPolicy("example.com", "block", "", datetime.min, obfuscate=True).shown
        'exa****.*om'
        """
        kept = len(self.host) // 4
        hidden = range(kept + 1, len(self.host) - kept) if self.obfuscate else range(0)
        return "".join("*" if place in hidden and c != "." else c for place, c in enumerate(self.host))


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
    Column("collection_uris", Json, nullable=False, server_default="[]"),  # [uri]
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
    collection_uris: list[str] = field(default_factory=list)
