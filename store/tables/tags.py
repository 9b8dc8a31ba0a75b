"""Hashtags: those there are, and those that people follow."""

from sqlalchemy import Column, ForeignKey, Index, Table, Text

from store.tables.base import Id, metadata

# What public posts have had since it was first used here: to be found by its number, and written as it should be.
hashtags = Table(
    "hashtag",
    metadata,
    Column("name", Text, primary_key=True),  # as social.text.normalise_tag makes it
    Column("number", Id, nullable=False),  # social/numbers.py
    Column("shown", Text, nullable=False),  # as its first author wrote it, or as moderators want it
    Index("ix_hashtag_number", "number"),
    sqlite_with_rowid=False,
)

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
