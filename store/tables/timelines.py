"""What waits for a reader: the home feed, written when a post arrives, and notifications.

The public feeds are the partial indexes on `post`, which are written at arrival too.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, ForeignKey, Index, Table, Text

from store.tables.base import Id, Instant, id_column, metadata

home_entries = Table(
    "home_entry",
    metadata,
    Column(
        "owner_id",
        Id,
        ForeignKey("user.account_id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    # No foreign key: it would want an index of its own.  social/posts deletes entries; readers join with post.
    Column("post_id", Id, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)

notifications = Table(
    "notification",
    metadata,
    id_column(),
    Column("account_id", Id, ForeignKey("user.account_id", ondelete="CASCADE"), nullable=False),
    Column("kind", Text, nullable=False),  # mention, follow, follow_request, favourite, reblog, poll, update, …
    Column("from_id", Id, ForeignKey("account.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("post_id", Id, ForeignKey("post.id", ondelete="CASCADE"), index=True),
    Column("created_at", Instant, nullable=False),
    Index("ix_notification_account_id", "account_id", "id"),
)
# One notification per fact, however often and concurrently it arrives.
Index(
    "uq_notification_about_post",
    notifications.c.account_id,
    notifications.c.kind,
    notifications.c.from_id,
    notifications.c.post_id,
    unique=True,
    sqlite_where=notifications.c.post_id.is_not(None),
    postgresql_where=notifications.c.post_id.is_not(None),
)
Index(
    "uq_notification_about_account",
    notifications.c.account_id,
    notifications.c.kind,
    notifications.c.from_id,
    unique=True,
    sqlite_where=notifications.c.post_id.is_(None),
    postgresql_where=notifications.c.post_id.is_(None),
)


@dataclass(frozen=True, slots=True)
class Notification:
    id: int
    account_id: int
    kind: str
    from_id: int
    post_id: int | None
    created_at: datetime
