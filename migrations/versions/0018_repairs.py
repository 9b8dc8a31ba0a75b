"""What is asked of other servers after an outage.

Why: posts that were missed while the server was away are fetched afterwards; how far that is survives a crash.
Locks: nothing that exists.
Back: what was asked for is forgotten; outages of the last two weeks are looked back upon once more.
"""

import sqlalchemy as sa
from alembic import op

from store.tables.base import Id, Instant, Json

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.create_table(
        "repair",
        sa.Column("id", Id, autoincrement=False, nullable=False),
        sa.Column("begins", Instant, nullable=False),
        sa.Column("ends", Instant, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("asked_at", Instant, nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("finished_at", Instant),
        sa.Column("accounts", sa.Integer(), nullable=False),
        sa.Column("asked", sa.Integer(), nullable=False),
        sa.Column("found", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("threads", sa.Integer(), nullable=False),
        sa.Column("troubles", Json, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_repair")),
    )


def downgrade() -> None:
    op.drop_table("repair")
