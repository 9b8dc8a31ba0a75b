"""What was asked of other servers after an outage, because it may have been missed here."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, Integer, Table, Text

from store.tables.base import Instant, Json, id_column, metadata

repairs = Table(
    "repair",
    metadata,
    id_column(),
    Column("begins", Instant, nullable=False),  # what was said elsewhere from then …
    Column("ends", Instant, nullable=False),  # … until then
    Column("reason", Text, nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("stage", Text, nullable=False),  # accounts, threads
    Column("finished_at", Instant),  # None: it goes on
    Column("accounts", Integer, nullable=False),  # whose outboxes are to be read
    Column("asked", Integer, nullable=False),  # of them
    Column("found", Integer, nullable=False),  # posts and boosts that were not here
    Column("failed", Integer, nullable=False),  # accounts whose outbox could not be read
    Column("threads", Integer, nullable=False),  # conversations that were asked for
    Column("troubles", Json, nullable=False),  # {host: why}, of some
)


@dataclass(frozen=True, slots=True)
class Repair:
    id: int
    begins: datetime
    ends: datetime
    reason: str
    asked_at: datetime
    stage: str
    finished_at: datetime | None
    accounts: int
    asked: int
    found: int
    failed: int
    threads: int
    troubles: dict[str, str]
