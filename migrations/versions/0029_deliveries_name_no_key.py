"""Deliveries name their activity without a foreign key.

Why: PostgreSQL looks the activity up for each delivery by itself: half of the time that a post to 5,000 servers takes.
     They are made in one transaction with it, it is not forgotten before them, and `connectme db check` looks.
Locks: delivery and activity, for a moment; on SQLite what waits to be sent is written anew.
Back: the foreign key; what names no activity is forgotten.
"""

import sqlalchemy as sa
from alembic import op

from store.tables.base import Id

revision = "0029"
down_revision = "0028"

_KEY = "fk_delivery_activity_id"
_ORPHANS = "DELETE FROM delivery WHERE NOT EXISTS (SELECT 1 FROM activity WHERE activity.id = delivery.activity_id)"


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint(_KEY, "delivery", type_="foreignkey")
    else:
        _write_anew()


def downgrade() -> None:
    op.execute(_ORPHANS)
    if op.get_bind().dialect.name == "postgresql":
        op.create_foreign_key(_KEY, "delivery", "activity", ["activity_id"], ["id"])
    else:
        _write_anew(sa.ForeignKeyConstraint(["activity_id"], ["activity.id"], name=op.f(_KEY)))


def _write_anew(*more: sa.ForeignKeyConstraint) -> None:
    op.create_table(
        "delivery_anew",
        sa.Column("activity_id", Id, autoincrement=False, nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("inbox", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("activity_id", "host", "inbox", name=op.f("pk_delivery")),
        *more,
        sqlite_with_rowid=False,
    )
    op.execute("INSERT INTO delivery_anew SELECT activity_id, host, inbox FROM delivery")
    op.drop_table("delivery")
    op.rename_table("delivery_anew", "delivery")
    op.create_index("ix_delivery_host_activity_id", "delivery", ["host", "activity_id"])
