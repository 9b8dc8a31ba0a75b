"""By which words people are found, and which posts wait to be found by theirs.

The index of posts itself, `post_words`, is not one that SQLAlchemy knows: a virtual table of FTS5 on SQLite, a tsvector
with a GIN index on PostgreSQL (migrations/versions).  On both, `rowid` is the id of the post.
"""

from sqlalchemy import Column, ForeignKey, Index, Table, Text
from sqlalchemy.dialects import postgresql

from store.tables.base import Id, metadata

INDEX = "post_words"  # with it, on SQLite, come tables of FTS5 whose names begin so
MAKE = {  # as migrations left it
    "sqlite": ("CREATE VIRTUAL TABLE post_words USING fts5 (words, tokenize = 'unicode61 remove_diacritics 0')",),
    "postgresql": (
        "CREATE TABLE post_words (rowid bigint PRIMARY KEY REFERENCES post ON DELETE CASCADE, words tsvector NOT NULL)",
        "CREATE INDEX ix_post_words_words ON post_words USING gin (words)",
    ),
}

unindexed = Table(
    "unindexed_post",
    metadata,
    # No foreign key: a post that is deleted waits here to be forgotten.
    Column("post_id", Id, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)

account_words = Table(
    "account_word",
    metadata,
    # In the order of their bytes on both engines, so that those that begin alike stand together.
    Column("word", Text().with_variant(postgresql.TEXT(collation="C"), "postgresql"), primary_key=True),
    Column("account_id", Id, ForeignKey("account.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Index("ix_account_word_account_id", "account_id", "word"),
    sqlite_with_rowid=False,
)
