"""Bookmarks, quiet threads, conversations, scheduled posts, cards of links, posts that stay here.

Why: what clients of the Mastodon API expect of posts.
Locks: post, poll and post_edit for a moment; a column with a fixed default is added without touching the rows.
Back: all of it is lost; what was to stay here is still never sent, but it is shown to anybody who asks.
"""

import sqlalchemy as sa
from alembic import op

from store.tables.base import Id, Instant, Json

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("post", sa.Column("app_id", Id))
    op.add_column("post", sa.Column("local_only", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("post", sa.Column("card_id", Id))
    op.create_index(
        "ix_post_card_id",
        "post",
        ["card_id", "id"],
        sqlite_where=sa.text("card_id IS NOT NULL"),
        postgresql_where=sa.text("card_id IS NOT NULL"),
    )
    op.add_column("poll", sa.Column("hide_totals", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("post_edit", sa.Column("emojis", Json))
    _marks()
    _conversations()
    _cards()


def _marks() -> None:
    op.create_table(
        "bookmark",
        sa.Column("account_id", Id, autoincrement=False, nullable=False),
        sa.Column("post_id", Id, autoincrement=False, nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["user.account_id"], name=op.f("fk_bookmark_account_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["post_id"], ["post.id"], name=op.f("fk_bookmark_post_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("account_id", "post_id", name=op.f("pk_bookmark")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_bookmark_account_id", "bookmark", ["account_id", "id"])
    op.create_index("ix_bookmark_post_id", "bookmark", ["post_id"])
    op.create_table(
        "thread_mute",
        sa.Column("account_id", Id, autoincrement=False, nullable=False),
        sa.Column("thread_id", Id, autoincrement=False, nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["user.account_id"], name=op.f("fk_thread_mute_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", "thread_id", name=op.f("pk_thread_mute")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_thread_mute_thread_id", "thread_mute", ["thread_id"])


def _conversations() -> None:
    op.create_table(
        "conversation",
        sa.Column("id", Id, autoincrement=False, nullable=False),
        sa.Column("owner_id", Id, nullable=False),
        sa.Column("thread_id", Id, nullable=False),
        sa.Column("last_post_id", Id, nullable=False),
        sa.Column("unread", sa.Boolean(), nullable=False),
        sa.Column("participants", Json, nullable=False),
        sa.ForeignKeyConstraint(
            ["last_post_id"], ["post.id"], name=op.f("fk_conversation_last_post_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["user.account_id"], name=op.f("fk_conversation_owner_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conversation")),
    )
    op.create_index("ix_conversation_last_post_id", "conversation", ["last_post_id"])
    op.create_index("ix_conversation_owner_id", "conversation", ["owner_id", "last_post_id"])
    op.create_index("uq_conversation_thread", "conversation", ["thread_id", "owner_id"], unique=True)
    op.create_table(
        "scheduled_post",
        sa.Column("id", Id, autoincrement=False, nullable=False),
        sa.Column("account_id", Id, nullable=False),
        sa.Column("scheduled_at", Instant, nullable=False),
        sa.Column("params", Json, nullable=False),
        sa.Column("app_id", Id),
        sa.Column("created_at", Instant, nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["user.account_id"], name=op.f("fk_scheduled_post_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scheduled_post")),
    )
    op.create_index("ix_scheduled_post_account_id", "scheduled_post", ["account_id", "id"])
    op.create_index("ix_scheduled_post_scheduled_at", "scheduled_post", ["scheduled_at"])


def _cards() -> None:
    op.create_table(
        "preview_card",
        sa.Column("id", Id, autoincrement=False, nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("language", sa.Text()),
        sa.Column("author_name", sa.Text(), nullable=False),
        sa.Column("author_url", sa.Text(), nullable=False),
        sa.Column("provider_name", sa.Text(), nullable=False),
        sa.Column("provider_url", sa.Text(), nullable=False),
        sa.Column("image_url", sa.Text()),
        sa.Column("image_description", sa.Text(), nullable=False),
        sa.Column("embed_url", sa.Text(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("published_at", Instant),
        sa.Column("fetched_at", Instant),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_preview_card")),
        sa.UniqueConstraint("url", name=op.f("uq_preview_card_url")),
    )


def downgrade() -> None:
    for name in ("preview_card", "scheduled_post", "conversation", "thread_mute", "bookmark"):
        op.drop_table(name)
    op.drop_column("post_edit", "emojis")
    op.drop_column("poll", "hide_totals")
    op.drop_index("ix_post_card_id", "post")
    for column in ("card_id", "local_only", "app_id"):
        op.drop_column("post", column)
