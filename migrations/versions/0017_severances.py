"""What somebody lost when a server or an account was blocked.

Why: people are told that follows of theirs ended, and how many.
Locks: nothing that exists.
Back: those notifications say no more how many they were.
"""

import sqlalchemy as sa
from alembic import op

from store.tables.base import Id, Instant

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.create_table(
        "severance",
        sa.Column("id", Id, autoincrement=False, nullable=False),
        sa.Column("account_id", Id, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("target_name", sa.Text(), nullable=False),
        sa.Column("followers", sa.Integer(), nullable=False),
        sa.Column("following", sa.Integer(), nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["user.account_id"], name=op.f("fk_severance_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_severance")),
    )
    op.create_index(op.f("ix_severance_account_id"), "severance", ["account_id"])


def downgrade() -> None:
    op.drop_table("severance")
