"""The index by which posts are found by their words.

Why: the search for posts; `connectme search reindex` fills it with those that are here already.
Locks: nothing that exists.
Back: the index is dropped; it can be made again.
"""

import sqlalchemy as sa
from alembic import op

from store.tables.base import Id

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "unindexed_post",
        sa.Column("post_id", Id, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("post_id", name=op.f("pk_unindexed_post")),
        sqlite_with_rowid=False,
    )
    if op.get_bind().dialect.name == "sqlite":
        op.execute("CREATE VIRTUAL TABLE post_words USING fts5 (words, tokenize = 'unicode61 remove_diacritics 0')")
    else:
        op.execute(
            "CREATE TABLE post_words ("
            "rowid bigint PRIMARY KEY REFERENCES post (id) ON DELETE CASCADE, words tsvector NOT NULL)"
        )
        op.execute("CREATE INDEX ix_post_words_words ON post_words USING gin (words)")


def downgrade() -> None:
    op.execute("DROP TABLE post_words")
    op.drop_table("unindexed_post")
