"""Trends.

Why: what many people use, share and like at the moment is counted now and then, not with each request; and moderators
     may say of each whether it is shown.
Locks: nothing that exists.
Back: trends are counted anew; what moderators said of them is lost.
"""

import sqlalchemy as sa
from alembic import op

from store.tables.base import Id, Instant

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.create_table(
        "trend",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("computed_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("kind", "subject", name=op.f("pk_trend")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "trend_verdict",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("allowed", sa.Boolean(), nullable=False),
        sa.Column("account_id", Id, nullable=False),
        sa.Column("decided_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("kind", "subject", name=op.f("pk_trend_verdict")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("trend_verdict")
    op.drop_table("trend")
