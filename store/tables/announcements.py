"""What the staff says to all members; who put it away, and what they think of it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Boolean, Column, ForeignKey, Table, Text

from store.tables.base import Id, Instant, Json, id_column, metadata

announcements = Table(
    "announcement",
    metadata,
    id_column(),
    Column("source", Text, nullable=False),  # as typed
    Column("html", Text, nullable=False),
    Column("emojis", Json, nullable=False),  # [{"shortcode", "url"}]
    Column("starts_at", Instant),  # of what it tells about
    Column("ends_at", Instant),  # then it is not shown any more
    Column("all_day", Boolean, nullable=False),  # of both, the day alone counts
    Column("published_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Announcement:
    id: int
    source: str
    html: str
    emojis: list[dict[str, str]]
    starts_at: datetime | None
    ends_at: datetime | None
    all_day: bool
    published_at: datetime
    updated_at: datetime


def _of_announcement() -> Column[int]:
    here = ForeignKey("announcement.id", ondelete="CASCADE")
    return Column("announcement_id", Id, here, primary_key=True, autoincrement=False)


def _of_user() -> Column[int]:
    whose = ForeignKey("user.account_id", ondelete="CASCADE")
    return Column("account_id", Id, whose, primary_key=True, autoincrement=False, index=True)


announcement_reads = Table(
    "announcement_read",
    metadata,
    _of_announcement(),
    _of_user(),
    sqlite_with_rowid=False,
)

announcement_reactions = Table(
    "announcement_reaction",
    metadata,
    _of_announcement(),
    _of_user(),
    Column("name", Text, primary_key=True),  # an emoji, or the shortcode of one of ours
    Column("created_at", Instant, nullable=False),
    sqlite_with_rowid=False,
)
