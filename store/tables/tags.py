"""Hashtags that people follow."""

from sqlalchemy import Column, ForeignKey, Index, Table, Text

from store.tables.base import Id, metadata

followed_tags = Table(
    "followed_tag",
    metadata,
    Column("account_id", Id, ForeignKey("user.account_id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("name", Text, primary_key=True),  # as social.text.normalise_tag makes it
    Column("id", Id, nullable=False),  # by which pages are cut
    Index("ix_followed_tag_name", "name", "account_id"),
    Index("ix_followed_tag_account_id", "account_id", "id"),
    sqlite_with_rowid=False,
)
