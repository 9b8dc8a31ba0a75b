"""Posts that are written and wait for their moment."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ForeignKey, Index, Table

from store.tables.base import Id, Instant, Json, id_column, metadata

scheduled_posts = Table(
    "scheduled_post",
    metadata,
    id_column(),
    Column("account_id", Id, ForeignKey("user.account_id", ondelete="CASCADE"), nullable=False),
    Column("scheduled_at", Instant, nullable=False, index=True),
    Column("params", Json, nullable=False),  # see social.scheduled
    Column("app_id", Id),
    Column("created_at", Instant, nullable=False),
    Index("ix_scheduled_post_account_id", "account_id", "id"),
)


@dataclass(frozen=True, slots=True)
class ScheduledPost:
    id: int
    account_id: int
    scheduled_at: datetime
    params: dict[str, Any]
    app_id: int | None
    created_at: datetime
