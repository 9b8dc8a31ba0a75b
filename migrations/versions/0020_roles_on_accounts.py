"""Accounts say whether their owner helps to run the server, and whether he has died.

Why: programs show both beside every post, so both belong to the row that is loaded with each.
Locks: account, for a moment: columns with a default are added.
Back: programs see roles on profiles alone; what others say of their dead is asked for anew.
"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"

_STAFF = """
    UPDATE account SET role = (SELECT role FROM "user" WHERE account_id = account.id)
    WHERE id IN (SELECT account_id FROM "user" WHERE role <> 'member')
"""


def upgrade() -> None:
    op.add_column("account", sa.Column("memorial", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("account", sa.Column("role", sa.Text(), nullable=False, server_default=""))
    op.execute(_STAFF)


def downgrade() -> None:
    op.drop_column("account", "role")
    op.drop_column("account", "memorial")
