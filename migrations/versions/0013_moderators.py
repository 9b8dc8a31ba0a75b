"""What moderators can do to an account short of suspending it, and a log of what they did.

Why: accounts may be silenced, have all their media marked, or be kept from signing in; each warning is kept, and
     everything that moderators do is written down; reports are somebody's, and closed by somebody.
Locks: account, user and report, for a moment: columns that may be empty are added.
Back: silenced, marked and disabled accounts are free again; warnings and the log are lost.
"""

import sqlalchemy as sa
from alembic import op

from store.tables.base import Id, Instant

revision = "0013"
down_revision = "0012"

_COLUMNS = (
    ("account", "silenced_at", Instant),
    ("account", "sensitized_at", Instant),
    ("user", "disabled_at", Instant),
    ("report", "assigned_id", Id),
    ("report", "resolved_by_id", Id),
)


def upgrade() -> None:
    for table, column, kind in _COLUMNS:
        op.add_column(table, sa.Column(column, kind))
    op.create_table(
        "account_warning",
        sa.Column("id", Id, autoincrement=False, nullable=False),
        sa.Column("account_id", Id, nullable=False),
        sa.Column("target_id", Id, nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("report_id", Id),
        sa.Column("created_at", Instant, nullable=False),
        sa.ForeignKeyConstraint(
            ["target_id"], ["account.id"], name=op.f("fk_account_warning_target_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_warning")),
    )
    op.create_index(op.f("ix_account_warning_target_id"), "account_warning", ["target_id"])
    op.create_table(
        "audit_entry",
        sa.Column("id", Id, autoincrement=False, nullable=False),
        sa.Column("account_id", Id, nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entry")),
    )


def downgrade() -> None:
    op.drop_table("audit_entry")
    op.drop_table("account_warning")
    for table, column, _ in reversed(_COLUMNS):
        op.drop_column(table, column)
