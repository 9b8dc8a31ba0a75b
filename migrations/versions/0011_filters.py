"""Filters.

Why: what people do not want to read, by its words or post by post.
Locks: nothing that exists.
Back: filters are lost.
"""

import sqlalchemy as sa
from alembic import op

from store.tables.base import Id, Instant, Json

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_table(
        "filter",
        sa.Column("id", Id, autoincrement=False, nullable=False),
        sa.Column("account_id", Id, nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("contexts", Json, nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("expires_at", Instant, nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["user.account_id"], name=op.f("fk_filter_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_filter")),
    )
    op.create_index(op.f("ix_filter_account_id"), "filter", ["account_id"])
    op.create_table(
        "filter_keyword",
        sa.Column("id", Id, autoincrement=False, nullable=False),
        sa.Column("filter_id", Id, nullable=False),
        sa.Column("keyword", sa.Text(), nullable=False),
        sa.Column("whole_word", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["filter_id"], ["filter.id"], name=op.f("fk_filter_keyword_filter_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_filter_keyword")),
    )
    op.create_index(op.f("ix_filter_keyword_filter_id"), "filter_keyword", ["filter_id"])
    op.create_table(
        "filter_post",
        sa.Column("id", Id, autoincrement=False, nullable=False),
        sa.Column("filter_id", Id, nullable=False),
        sa.Column("post_id", Id, nullable=False),
        sa.ForeignKeyConstraint(
            ["filter_id"], ["filter.id"], name=op.f("fk_filter_post_filter_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["post_id"], ["post.id"], name=op.f("fk_filter_post_post_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_filter_post")),
    )
    op.create_index(op.f("ix_filter_post_filter_id"), "filter_post", ["filter_id"])
    op.create_index(op.f("ix_filter_post_post_id"), "filter_post", ["post_id"])


def downgrade() -> None:
    for table in ("filter_post", "filter_keyword", "filter"):
        op.drop_table(table)
