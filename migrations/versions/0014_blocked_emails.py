"""Addresses with which nobody may sign up.

Why: moderators block providers of throw-away addresses, and addresses of people whom they suspended.
Locks: nothing that exists.
Back: what was blocked may sign up again.
"""

import sqlalchemy as sa
from alembic import op

from store.tables.base import Id, Instant

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.create_table(
        "email_domain_block",
        sa.Column("id", Id, autoincrement=False, nullable=False),
        sa.Column("domain", sa.Text(), nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_email_domain_block")),
        sa.UniqueConstraint("domain", name=op.f("uq_email_domain_block_domain")),
    )
    op.create_table(
        "email_block",
        sa.Column("id", Id, autoincrement=False, nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_email_block")),
        sa.UniqueConstraint("hash", name=op.f("uq_email_block_hash")),
    )


def downgrade() -> None:
    op.drop_table("email_block")
    op.drop_table("email_domain_block")
