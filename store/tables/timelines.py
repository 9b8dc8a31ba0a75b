"""What waits for a reader: the home feed, written when a post arrives, and notifications.

The public feeds are the partial indexes on `post`, which are written at arrival too.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Boolean, Column, ForeignKey, Index, Table, Text, and_, false
from sqlalchemy.dialects import postgresql

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
    Column("kind", Text, nullable=False),  # mention, follow, …: social/notifications.py has the list
    Column("from_id", Id, ForeignKey("account.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("post_id", Id, ForeignKey("post.id", ondelete="CASCADE"), index=True),
    Column("created_at", Instant, nullable=False),
    Column("subject_id", Id),  # what else it is about: the report of admin.report
    Column("filtered", Boolean, nullable=False, server_default=false()),  # kept back by the policy of whom it is for
    # Shared by those that clients show as one.  Keys are compared with "<", and should be so byte by byte.
    Column("group_key", Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")),
    Index("ix_notification_account_id", "account_id", "id"),
)
_about_post = notifications.c.post_id.is_not(None)
_about_subject = notifications.c.subject_id.is_not(None)
_about_account = and_(notifications.c.post_id.is_(None), notifications.c.subject_id.is_(None))
_grouped = notifications.c.group_key.is_not(None)
Index(
    "ix_notification_group_key",
    notifications.c.account_id,
    notifications.c.group_key,
    notifications.c.id,
    sqlite_where=_grouped,
    postgresql_where=_grouped,
)
Index(
    "ix_notification_filtered",
    notifications.c.account_id,
    notifications.c.from_id,
    notifications.c.id,
    sqlite_where=notifications.c.filtered,
    postgresql_where=notifications.c.filtered,
)
# One notification per fact, however often and concurrently it arrives.
Index(
    "uq_notification_about_post",
    notifications.c.account_id,
    notifications.c.kind,
    notifications.c.from_id,
    notifications.c.post_id,
    unique=True,
    sqlite_where=_about_post,
    postgresql_where=_about_post,
)
Index(
    "uq_notification_about_account",
    notifications.c.account_id,
    notifications.c.kind,
    notifications.c.from_id,
    unique=True,
    sqlite_where=_about_account,
    postgresql_where=_about_account,
)
Index(
    "uq_notification_about_subject",
    notifications.c.account_id,
    notifications.c.kind,
    notifications.c.subject_id,
    unique=True,
    sqlite_where=_about_subject,
    postgresql_where=_about_subject,
)


@dataclass(frozen=True, slots=True)
class Notification:
    id: int
    account_id: int
    kind: str
    from_id: int
    post_id: int | None
    created_at: datetime
    subject_id: int | None
    filtered: bool
    group_key: str | None
