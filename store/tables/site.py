"""What the owner of this server says to its visitors: rules, texts; and who was here on which day."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, ForeignKey, Integer, Table, Text

from store.tables.base import Id, Instant, id_column, metadata

rules = Table(
    "rule",
    metadata,
    id_column(),
    Column("position", Integer, nullable=False),
    Column("text", Text, nullable=False),
    Column("hint", Text, nullable=False),  # more about it
)


@dataclass(frozen=True, slots=True)
class Rule:
    id: int
    position: int
    text: str
    hint: str


site_texts = Table(
    "site_text",
    metadata,
    Column("name", Text, primary_key=True),  # about, privacy, terms
    Column("effective", Text, primary_key=True),  # of terms: the day from which they hold, YYYY-MM-DD; else empty
    Column("source", Text, nullable=False),  # as typed
    Column("updated_at", Instant, nullable=False),
    sqlite_with_rowid=False,
)


@dataclass(frozen=True, slots=True)
class SiteText:
    name: str
    effective: str
    source: str
    updated_at: datetime


visits = Table(
    "visit",
    metadata,
    # Unix seconds of its midnight, UTC.  The column is called after what it was first.
    Column("week", Id, key="day", primary_key=True, autoincrement=False),
    Column(
        "account_id",
        Id,
        ForeignKey("user.account_id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
        index=True,
    ),
    sqlite_with_rowid=False,
)
