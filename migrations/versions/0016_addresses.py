"""From where people come, and networks whose people do not come in.

Why: moderators see from which addresses an account is used, for some weeks; admins block networks.
Locks: nothing that exists.
Back: the addresses and the blocks of networks are lost.
"""

import sqlalchemy as sa
from alembic import op

from store.tables.base import Id, Instant

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.create_table(
        "address",
        sa.Column("account_id", Id, autoincrement=False, nullable=False),
        sa.Column("ip", sa.LargeBinary(), nullable=False),
        sa.Column("used_at", Instant, nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["user.account_id"], name=op.f("fk_address_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", "ip", name=op.f("pk_address")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_address_used_at"), "address", ["used_at"])
    op.create_table(
        "ip_block",
        sa.Column("id", Id, autoincrement=False, nullable=False),
        sa.Column("network", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("expires_at", Instant),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ip_block")),
        sa.UniqueConstraint("network", name=op.f("uq_ip_block_network")),
    )


def downgrade() -> None:
    op.drop_table("ip_block")
    op.drop_table("address")
