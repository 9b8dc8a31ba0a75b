"""Quotes, and who may quote what.

Why: posts may quote others when their authors allow it (FEP-044f, Mastodon 4.5).
Locks: `post` for the moment it takes to add columns; no row is rewritten.
Back: quotes become posts with a link; policies are forgotten.
"""

import sqlalchemy as sa
from alembic import op

from store.tables.base import Id, Instant, Json

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "quote",
        sa.Column("post_id", Id, autoincrement=False, nullable=False),
        sa.Column("quoted_id", Id, nullable=True),
        sa.Column("quoted_uri", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("approval", sa.Text(), nullable=True),
        sa.Column("created_at", Instant, nullable=False),
        sa.ForeignKeyConstraint(["post_id"], ["post.id"], name=op.f("fk_quote_post_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["quoted_id"], ["post.id"], name=op.f("fk_quote_quoted_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("post_id", name=op.f("pk_quote")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_quote_quoted_id", "quote", ["quoted_id", "post_id"])
    op.create_index("ix_quote_approval", "quote", ["approval"])
    op.create_table(
        "quote_approval",
        sa.Column("uri", sa.Text(), nullable=False),
        sa.Column("quoted_id", Id, nullable=False),
        sa.Column("quoting_uri", sa.Text(), nullable=False),
        sa.Column("account_id", Id, nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("revoked_at", Instant, nullable=True),
        sa.ForeignKeyConstraint(
            ["quoted_id"], ["post.id"], name=op.f("fk_quote_approval_quoted_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_quote_approval_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("uri", name=op.f("pk_quote_approval")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_quote_approval_account_id"), "quote_approval", ["account_id"])
    op.create_index(
        "uq_quote_approval_quoted_id_quoting_uri", "quote_approval", ["quoted_id", "quoting_uri"], unique=True
    )
    op.add_column("post", sa.Column("quote_policy", Json, nullable=True))
    op.add_column("post", sa.Column("quotes_count", sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    op.drop_column("post", "quotes_count")
    op.drop_column("post", "quote_policy")
    op.drop_table("quote_approval")
    op.drop_table("quote")
