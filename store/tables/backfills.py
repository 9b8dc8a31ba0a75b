"""When accounts of other servers were asked for their older posts."""

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, text

from store.tables.base import Id, Instant, metadata

backfills = Table(
    "backfill",
    metadata,
    Column("account_id", Id, ForeignKey("account.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("asked_at", Instant, nullable=False),
    Column("finished_at", Instant),  # None: it goes on, or was given up
    Column("found", Integer, nullable=False),  # posts that were new
    Index(
        "ix_backfill_waiting",
        "asked_at",
        sqlite_where=text("finished_at IS NULL"),
        postgresql_where=text("finished_at IS NULL"),
    ),
    sqlite_with_rowid=False,
)
