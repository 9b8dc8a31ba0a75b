"""What our people keep about others, for themselves: mutes, unwanted domains, notes, suggestions that they dismissed;
and whom and what they show on their profiles."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Boolean, Column, ForeignKey, Index, Table, Text

from store.tables.base import Id, Instant, id_column, metadata


def _owner() -> Column[int]:
    return Column(
        "account_id",
        Id,
        ForeignKey("user.account_id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    )


def _target() -> Column[int]:
    return Column("target_id", Id, ForeignKey("account.id", ondelete="CASCADE"), primary_key=True, autoincrement=False)


mutes = Table(
    "mute",
    metadata,
    _owner(),
    _target(),
    Column("id", Id, nullable=False),  # by which pages are cut
    Column("notifications", Boolean, nullable=False),  # are they hidden, too?
    Column("expires_at", Instant),  # None: never
    Column("created_at", Instant, nullable=False),
    Index("ix_mute_target_id", "target_id"),
    sqlite_with_rowid=False,
)
Index(
    "ix_mute_expires_at",
    mutes.c.expires_at,
    sqlite_where=mutes.c.expires_at.is_not(None),
    postgresql_where=mutes.c.expires_at.is_not(None),
)


@dataclass(frozen=True, slots=True)
class Mute:
    account_id: int
    target_id: int
    id: int
    notifications: bool
    expires_at: datetime | None
    created_at: datetime


domain_blocks = Table(
    "domain_block",
    metadata,
    _owner(),
    Column("domain", Text, primary_key=True),  # what a handle ends in, as Account.domain
    Column("id", Id, nullable=False),
    Column("created_at", Instant, nullable=False),
    sqlite_with_rowid=False,
)


@dataclass(frozen=True, slots=True)
class DomainBlock:
    account_id: int
    domain: str
    id: int
    created_at: datetime


account_notes = Table(
    "account_note",
    metadata,
    _owner(),
    _target(),
    Column("text", Text, nullable=False),
    Index("ix_account_note_target_id", "target_id"),
    sqlite_with_rowid=False,
)

endorsements = Table(
    "endorsement",
    metadata,
    _owner(),
    _target(),
    Column("id", Id, nullable=False),
    Column("created_at", Instant, nullable=False),
    Index("ix_endorsement_target_id", "target_id"),
    sqlite_with_rowid=False,
)

featured_tags = Table(
    "featured_tag",
    metadata,
    id_column(),
    Column("account_id", Id, ForeignKey("account.id", ondelete="CASCADE"), nullable=False),
    Column("name", Text, nullable=False),  # as social.text.normalise_tag makes it
    Column("shown", Text, nullable=False),  # as its owner writes it
    Column("created_at", Instant, nullable=False),
    Index("uq_featured_tag_account_id_name", "account_id", "name", unique=True),
)


@dataclass(frozen=True, slots=True)
class FeaturedTag:
    id: int
    account_id: int
    name: str
    shown: str
    created_at: datetime


dismissed_suggestions = Table(
    "dismissed_suggestion",
    metadata,
    _owner(),
    _target(),
    Index("ix_dismissed_suggestion_target_id", "target_id"),
    sqlite_with_rowid=False,
)
