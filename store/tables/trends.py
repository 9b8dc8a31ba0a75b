"""What many people use, share and like at the moment; and what moderators said of it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Boolean, Column, Float, Integer, Table, Text

from store.tables.base import Id, Instant, metadata

trends = Table(
    "trend",
    metadata,
    Column("kind", Text, primary_key=True),  # tag, post, link
    Column("subject", Text, primary_key=True),  # the name of the hashtag, the id of the post or of the card
    Column("score", Float, nullable=False),
    Column("people", Integer, nullable=False),  # how many, lately
    Column("computed_at", Instant, nullable=False),
    sqlite_with_rowid=False,
)


@dataclass(frozen=True, slots=True)
class Trend:
    kind: str
    subject: str
    score: float
    people: int
    computed_at: datetime


trend_verdicts = Table(
    "trend_verdict",
    metadata,
    # tag, post, link, publisher: may it trend?  And those of social/verdicts.py.
    Column("kind", Text, primary_key=True),
    Column("subject", Text, primary_key=True),  # as in `trend`; of a publisher: the name of its site
    Column("allowed", Boolean, nullable=False),
    Column("account_id", Id, nullable=False),  # who said so; he may be gone
    Column("decided_at", Instant, nullable=False),
    sqlite_with_rowid=False,
)


@dataclass(frozen=True, slots=True)
class TrendVerdict:
    kind: str
    subject: str
    allowed: bool
    account_id: int
    decided_at: datetime
