"""How complete a conversation is; what a report is about, and whether it went to the other server.

Why: readers are told what is missing of a thread, and it is not asked for too often; reports have a category.
Locks: none: a new table, and columns with a constant default.
Back: the missing is asked for anew; reports lose category, rules, and whether they were forwarded.
"""

import sqlalchemy as sa
from alembic import op

from store.tables.base import Id, Instant, Json

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_table(
        "thread_refresh",
        sa.Column("thread_id", Id, autoincrement=False, nullable=False),
        sa.Column("asked_at", Instant, nullable=False),
        sa.Column("finished_at", Instant, nullable=True),
        sa.Column("found", sa.Integer(), nullable=False),
        sa.Column("absent", sa.Integer(), nullable=True),
        sa.Column("silent", Json, nullable=False),
        sa.PrimaryKeyConstraint("thread_id", name=op.f("pk_thread_refresh")),
        sqlite_with_rowid=False,
    )
    op.add_column("report", sa.Column("category", sa.Text(), nullable=False, server_default="other"))
    op.add_column("report", sa.Column("rule_ids", Json, nullable=False, server_default="[]"))
    op.add_column("report", sa.Column("forwarded", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    with op.batch_alter_table("report") as batch:
        for name in ("forwarded", "rule_ids", "category"):
            batch.drop_column(name)
    op.drop_table("thread_refresh")
