"""What other servers said of conversations, when they were asked for what is missing here."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, Integer, Table

from store.tables.base import Id, Instant, Json, metadata

refreshes = Table(
    "thread_refresh",
    metadata,
    Column("thread_id", Id, primary_key=True, autoincrement=False),  # a post that may be deleted, and the thread stay
    Column("asked_at", Instant, nullable=False),
    Column("finished_at", Instant),  # None: it goes on
    Column("found", Integer, nullable=False),  # new posts, in the last round
    Column("absent", Integer),  # posts that are there, and could not be fetched; None: nobody looked yet
    Column("silent", Json, nullable=False),  # [host] that did not answer
    sqlite_with_rowid=False,
)


@dataclass(frozen=True, slots=True)
class Refresh:
    thread_id: int
    asked_at: datetime
    finished_at: datetime | None
    found: int
    absent: int | None
    silent: list[str]
