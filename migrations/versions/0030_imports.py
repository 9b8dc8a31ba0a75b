"""What people bring along from elsewhere, as tables.

Why: whoever comes here takes along whom he follows, mutes and blocks, his lists and bookmarks.
Locks: nothing that is in use.
Back: what was uploaded, and is not done yet, is forgotten; what was done stays.
"""

import sqlalchemy as sa
from alembic import op

from store.tables.base import Id, Instant, Json

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    op.create_table(
        "import",
        sa.Column("id", Id, autoincrement=False, nullable=False),
        sa.Column("account_id", Id, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("overwrite", sa.Boolean(), nullable=False),
        sa.Column("cleared", sa.Boolean(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("begun_at", Instant()),
        sa.Column("ended_at", Instant()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["user.account_id"], name=op.f("fk_import_account_id"), ondelete="CASCADE"
        ),
    )
    op.create_index("uq_import_account_id", "import", ["account_id", "kind"], unique=True)
    op.create_table(
        "import_row",
        sa.Column("import_id", Id, autoincrement=False, nullable=False),
        sa.Column("line", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("key", sa.Text()),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("said", Json(), nullable=False),
        sa.Column("due", Instant()),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("why", sa.Text()),
        sa.PrimaryKeyConstraint("import_id", "line", name=op.f("pk_import_row")),
        sa.ForeignKeyConstraint(["import_id"], ["import.id"], name=op.f("fk_import_row_import_id"), ondelete="CASCADE"),
        sqlite_with_rowid=False,
    )
    op.create_index("uq_import_row_key", "import_row", ["import_id", "key"], unique=True)
    op.create_index("ix_import_row_due", "import_row", ["import_id", "due"])


def downgrade() -> None:
    op.drop_table("import_row")
    op.drop_table("import")
