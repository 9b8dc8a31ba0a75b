"""Likes, and reactions with an emoji."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, ForeignKey, Index, Table, Text

from store.tables.base import Id, Instant, metadata

likes = Table(
    "like",
    metadata,
    Column("post_id", Id, ForeignKey("post.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("account_id", Id, ForeignKey("account.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("id", Id, nullable=False),
    Column("uri", Text, nullable=False, unique=True),
    Column("created_at", Instant, nullable=False),
    Index("ix_like_account_id", "account_id", "id"),
    sqlite_with_rowid=False,
)


@dataclass(frozen=True, slots=True)
class Like:
    post_id: int
    account_id: int
    id: int
    uri: str
    created_at: datetime


reactions = Table(
    "reaction",
    metadata,
    Column("post_id", Id, ForeignKey("post.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("account_id", Id, ForeignKey("account.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("name", Text, primary_key=True),  # 🎉, :blobcat:, or Dislike
    Column("url", Text),  # the picture of a custom emoji
    Column("uri", Text, nullable=False, unique=True),
    Column("created_at", Instant, nullable=False),
    Index("ix_reaction_account_id", "account_id"),
    sqlite_with_rowid=False,
)


@dataclass(frozen=True, slots=True)
class Reaction:
    post_id: int
    account_id: int
    name: str
    url: str | None
    uri: str
    created_at: datetime
