"""Who follows and who blocks whom."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Boolean, Column, ForeignKey, Index, Table, Text

from store.tables.base import Id, Instant, metadata

follows = Table(
    "follow",
    metadata,
    Column("target_id", Id, ForeignKey("account.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("follower_id", Id, ForeignKey("account.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("id", Id, nullable=False),  # by which pages of followers are cut
    Column("uri", Text, nullable=False, unique=True),  # of the Follow activity
    Column("accepted", Boolean, nullable=False),  # requested is not following
    Column("show_boosts", Boolean, nullable=False),
    Column("notify", Boolean, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("languages", Text),  # the only ones wanted, each between blanks: " de en "; None: all
    Index("ix_follow_follower_id", "follower_id", "target_id"),
    sqlite_with_rowid=False,
)


@dataclass(frozen=True, slots=True)
class Follow:
    target_id: int
    follower_id: int
    id: int
    uri: str
    accepted: bool
    show_boosts: bool
    notify: bool
    created_at: datetime
    languages: str | None = None


blocks = Table(
    "block",
    metadata,
    Column("account_id", Id, ForeignKey("account.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("target_id", Id, ForeignKey("account.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("id", Id, nullable=False),
    Column("uri", Text, nullable=False, unique=True),
    Column("created_at", Instant, nullable=False),
    Index("ix_block_target_id", "target_id"),
    sqlite_with_rowid=False,
)


@dataclass(frozen=True, slots=True)
class Block:
    account_id: int
    target_id: int
    id: int
    uri: str
    created_at: datetime
