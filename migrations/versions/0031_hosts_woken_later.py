"""The hosts that a post goes to are woken by the worker, when they are many.

Why: to wake 5,000 of them takes PostgreSQL as long as all the rest of a post, and who posts waits for it.
Locks: activity, for a moment.
Back: who is not woken yet is woken.
"""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"

_WAKE = """
UPDATE host SET due = (SELECT max(created_at) FROM activity WHERE asleep)
WHERE due IS NULL AND EXISTS (
    SELECT 1 FROM delivery JOIN activity ON activity.id = delivery.activity_id
    WHERE delivery.host = host.name AND asleep
)
"""
_ADD = """
INSERT INTO host (name, failures, due)
SELECT delivery.host, 0, max(activity.created_at) FROM delivery JOIN activity ON activity.id = delivery.activity_id
WHERE asleep AND delivery.host NOT IN (SELECT name FROM host) GROUP BY delivery.host
"""


def upgrade() -> None:
    op.add_column("activity", sa.Column("asleep", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_index(
        "ix_activity_asleep",
        "activity",
        ["asleep"],
        sqlite_where=sa.text("asleep = 1"),
        postgresql_where=sa.text("asleep"),
    )


def downgrade() -> None:
    op.execute(_WAKE)
    op.execute(_ADD)
    op.drop_index("ix_activity_asleep", "activity")
    op.drop_column("activity", "asleep")
