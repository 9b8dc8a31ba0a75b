"""What may be said of a server beside its level: its files, its reports, and to whom its name is shown.

Why: moderators refuse the files or the reports of a server without blocking it, keep a note for themselves, and show
     the name of a blocked server to the public with stars.
Locks: host_policy, for a moment: columns with a default are added.
Back: those options are lost, and servers with nothing but options have the level `noop`, which then means nothing.
"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"

_FLAGS = ("reject_media", "reject_reports", "obfuscate")


def upgrade() -> None:
    op.add_column("host_policy", sa.Column("private_comment", sa.Text(), nullable=False, server_default=""))
    for name in _FLAGS:
        op.add_column("host_policy", sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    for name in (*_FLAGS, "private_comment"):
        op.drop_column("host_policy", name)
