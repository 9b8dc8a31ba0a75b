"""What people do not want to read: words, and single posts, grouped in filters."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Boolean, Column, ForeignKey, Table, Text

from store.tables.base import Id, Instant, Json, id_column, metadata

filters = Table(
    "filter",
    metadata,
    id_column(),
    Column("account_id", Id, ForeignKey("user.account_id", ondelete="CASCADE"), nullable=False, index=True),
    Column("title", Text, nullable=False),
    Column("contexts", Json, nullable=False),  # some of home, notifications, public, thread, account
    Column("action", Text, nullable=False),  # warn, hide, blur
    Column("expires_at", Instant),
)


@dataclass(frozen=True, slots=True)
class Filter:
    id: int
    account_id: int
    title: str
    contexts: list[str]
    action: str
    expires_at: datetime | None


filter_keywords = Table(
    "filter_keyword",
    metadata,
    id_column(),
    Column("filter_id", Id, ForeignKey("filter.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("keyword", Text, nullable=False),
    Column("whole_word", Boolean, nullable=False),
)


@dataclass(frozen=True, slots=True)
class FilterKeyword:
    id: int
    filter_id: int
    keyword: str
    whole_word: bool


filter_posts = Table(
    "filter_post",
    metadata,
    id_column(),
    Column("filter_id", Id, ForeignKey("filter.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("post_id", Id, ForeignKey("post.id", ondelete="CASCADE"), nullable=False, index=True),
)


@dataclass(frozen=True, slots=True)
class FilterPost:
    id: int
    filter_id: int
    post_id: int
