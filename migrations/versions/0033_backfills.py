"""When an account of another server was last asked for its older posts.

Why: profiles of other servers showed only what happened to come here.
Locks: nothing that is in use.
Back: it is forgotten; posts that came stay.
"""

import sqlalchemy as sa
from alembic import op

from store.tables.base import Id, Instant

revision = "0033"
down_revision = "0032"


def upgrade() -> None:
    op.create_table(
        "backfill",
        sa.Column("account_id", Id, autoincrement=False, nullable=False),
        sa.Column("asked_at", Instant(), nullable=False),
        sa.Column("finished_at", Instant(), nullable=True),
        sa.Column("found", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_backfill")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_backfill_account_id"), ondelete="CASCADE"
        ),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_backfill_waiting",
        "backfill",
        ["asked_at"],
        sqlite_where=sa.text("finished_at IS NULL"),
        postgresql_where=sa.text("finished_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_table("backfill")
