"""Which servers came for a post of ours: no follower brought it to them, and their copies have to be right, too."""

from sqlalchemy import Column, ForeignKey, Table, Text

from store.tables.base import Id, Instant, metadata

fetches = Table(
    "post_fetch",
    metadata,
    Column("post_id", Id, ForeignKey("post.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("host", Text, primary_key=True),  # of who signed
    Column("inbox", Text, nullable=False),  # of all his server, or his own
    Column("at", Instant, nullable=False),
    sqlite_with_rowid=False,
)
