"""Versions of accounts.

Why: whether an account is still what is remembered of it took a comparison of forty columns for each post on a page.
Locks: account, for a moment.
Back: nothing is lost.
"""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    op.add_column("account", sa.Column("version", sa.Integer(), nullable=False, server_default="1"))


def downgrade() -> None:
    op.drop_column("account", "version")
