"""How far people have read."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, ForeignKey, Integer, Table, Text

from store.tables.base import Id, Instant, metadata

markers = Table(
    "marker",
    metadata,
    Column("account_id", Id, ForeignKey("user.account_id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("timeline", Text, primary_key=True),  # home, notifications
    Column("last_read", Id, nullable=False),  # the newest post or notification that was seen
    Column("version", Integer, nullable=False),  # how often it was set
    Column("updated_at", Instant, nullable=False),
    sqlite_with_rowid=False,
)


@dataclass(frozen=True, slots=True)
class Marker:
    account_id: int
    timeline: str
    last_read: int
    version: int
    updated_at: datetime
