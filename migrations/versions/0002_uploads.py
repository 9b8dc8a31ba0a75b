"""Whose file it is, where it is kept, whether it is ready, and what films have.

Why: people upload files, which belong to them before they belong to a post; some take a while to be processed.
Locks: `media`, which SQLite copies: some seconds for a million rows.  PostgreSQL does not rewrite it.
Back: who uploaded what is forgotten, and uploads that no post has are no longer removed; the files stay.
"""

import sqlalchemy as sa
from alembic import op

from store.tables.base import Id, Instant

revision = "0002"
down_revision = "0001"

_COLUMNS = (
    ("account_id", Id),
    ("error", sa.Text()),
    ("file", sa.Text()),
    ("preview_file", sa.Text()),
    ("bytes", sa.Integer()),
    ("preview_width", sa.Integer()),
    ("preview_height", sa.Integer()),
    ("duration", sa.Float()),
    ("frame_rate", sa.Float()),
    ("bitrate", sa.Integer()),
    ("keep_until", Instant),
)


def upgrade() -> None:
    with op.batch_alter_table("media") as batch:
        for name, kind in _COLUMNS:
            batch.add_column(sa.Column(name, kind, nullable=True))
        batch.add_column(sa.Column("state", sa.Text(), nullable=False, server_default="done"))
        batch.create_foreign_key(op.f("fk_media_account_id"), "account", ["account_id"], ["id"], ondelete="CASCADE")
    for name in ("account_id", "keep_until"):
        there = sa.text(f"{name} IS NOT NULL")
        op.create_index(f"ix_media_{name}", "media", [name], sqlite_where=there, postgresql_where=there)


def downgrade() -> None:
    op.drop_index("ix_media_keep_until", "media")
    op.drop_index("ix_media_account_id", "media")
    with op.batch_alter_table("media") as batch:
        batch.drop_constraint(op.f("fk_media_account_id"), type_="foreignkey")
        for name in ("state", *(name for name, _ in reversed(_COLUMNS))):
            batch.drop_column(name)
