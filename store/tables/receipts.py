"""What became of a post of ours elsewhere.  Who has it is not written down, only who was to get it and does not."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, ForeignKey, Integer, Table, Text

from store.tables.base import Id, Instant, metadata

receipts = Table(
    "receipt",
    metadata,
    Column("activity_id", Id, primary_key=True, autoincrement=False),  # which is swept some day; this stays
    Column("post_id", Id, ForeignKey("post.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("inboxes", Integer, nullable=False),  # that it was for
)

refusals = Table(
    "refusal",
    metadata,
    Column("post_id", Id, ForeignKey("post.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("host", Text, primary_key=True),
    Column("inboxes", Integer, nullable=False),
    Column("why", Text, nullable=False),  # a line
    Column("at", Instant, nullable=False),
    sqlite_with_rowid=False,
)


@dataclass(frozen=True, slots=True)
class Refusal:
    post_id: int
    host: str
    inboxes: int
    why: str
    at: datetime
