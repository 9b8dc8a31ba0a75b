"""What became of a post on other servers, for its author.

Why: nobody could tell whether a post arrived, and where it was refused.
Locks: nothing that is in use.
Back: it is forgotten; posts and deliveries stay.
"""

import sqlalchemy as sa
from alembic import op

from store.tables.base import Id, Instant

revision = "0032"
down_revision = "0031"


def upgrade() -> None:
    op.create_table(
        "receipt",
        sa.Column("activity_id", Id, autoincrement=False, nullable=False),
        sa.Column("post_id", Id, nullable=False),
        sa.Column("inboxes", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("activity_id", name=op.f("pk_receipt")),
        sa.ForeignKeyConstraint(["post_id"], ["post.id"], name=op.f("fk_receipt_post_id"), ondelete="CASCADE"),
    )
    op.create_index("ix_receipt_post_id", "receipt", ["post_id"])
    op.create_table(
        "refusal",
        sa.Column("post_id", Id, autoincrement=False, nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("inboxes", sa.Integer(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("post_id", "host", name=op.f("pk_refusal")),
        sa.ForeignKeyConstraint(["post_id"], ["post.id"], name=op.f("fk_refusal_post_id"), ondelete="CASCADE"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("refusal")
    op.drop_table("receipt")
