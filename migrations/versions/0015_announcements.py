"""Announcements, and emoji of this server.

Why: what the staff says to all members, with what they think of it; pictures that members write as :names:.
Locks: nothing that exists.
Back: announcements and emoji are lost; the files of emoji stay until `connectme media check --remove`.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

from store.tables.base import Id, Instant, Json

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.create_table(
        "custom_emoji",
        sa.Column("id", Id, autoincrement=False, nullable=False),
        sa.Column("shortcode", sa.Text(), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("still_file", sa.Text(), nullable=True),
        sa.Column("category", sa.Text(), nullable=True),
        sa.Column("created_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_custom_emoji")),
        sa.UniqueConstraint("shortcode", name=op.f("uq_custom_emoji_shortcode")),
    )
    op.create_table(
        "announcement",
        sa.Column("id", Id, autoincrement=False, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column("emojis", Json, nullable=False),
        sa.Column("starts_at", Instant, nullable=True),
        sa.Column("ends_at", Instant, nullable=True),
        sa.Column("all_day", sa.Boolean(), nullable=False),
        sa.Column("published_at", Instant, nullable=False),
        sa.Column("updated_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_announcement")),
    )
    op.create_table(
        "announcement_read",
        *_of("announcement_read"),
        sa.PrimaryKeyConstraint("announcement_id", "account_id", name=op.f("pk_announcement_read")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_announcement_read_account_id"), "announcement_read", ["account_id"])
    op.create_table(
        "announcement_reaction",
        *_of("announcement_reaction"),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("announcement_id", "account_id", "name", name=op.f("pk_announcement_reaction")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_announcement_reaction_account_id"), "announcement_reaction", ["account_id"])


def _of(table: str) -> list[Any]:
    """Which announcement, and whose."""
    return [
        sa.Column("announcement_id", Id, autoincrement=False, nullable=False),
        sa.Column("account_id", Id, autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(
            ["announcement_id"], ["announcement.id"], name=op.f(f"fk_{table}_announcement_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["user.account_id"], name=op.f(f"fk_{table}_account_id"), ondelete="CASCADE"
        ),
    ]


def downgrade() -> None:
    for table in ("announcement_reaction", "announcement_read", "announcement", "custom_emoji"):
        op.drop_table(table)
