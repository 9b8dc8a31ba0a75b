"""What a reader marks for himself, and nobody else hears of: bookmarks, and conversations that should be quiet."""

from sqlalchemy import Column, ForeignKey, Index, Table

from store.tables.base import Id, Instant, metadata


def _owner() -> Column[int]:
    return Column(
        "account_id", Id, ForeignKey("user.account_id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )


bookmarks = Table(
    "bookmark",
    metadata,
    _owner(),
    Column("post_id", Id, ForeignKey("post.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("id", Id, nullable=False),
    Column("created_at", Instant, nullable=False),
    Index("ix_bookmark_account_id", "account_id", "id"),
    Index("ix_bookmark_post_id", "post_id"),
    sqlite_with_rowid=False,
)

thread_mutes = Table(
    "thread_mute",
    metadata,
    _owner(),
    # No foreign key: a thread is a number, and outlives the post that gave it its own.
    Column("thread_id", Id, primary_key=True, autoincrement=False),
    Column("created_at", Instant, nullable=False),
    Index("ix_thread_mute_thread_id", "thread_id"),
    sqlite_with_rowid=False,
)
