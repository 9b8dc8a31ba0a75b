"""The first tables.

Why: there were none.
Locks: nothing that exists.
Back: everything is lost.
"""

import sqlalchemy as sa
from alembic import op

from store.tables.base import Id, Instant, Json

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "account",
        sa.Column("id", Id, autoincrement=False, nullable=False),
        sa.Column("uri", sa.Text(), nullable=False),
        sa.Column("handle", sa.Text(), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("domain", sa.Text(), nullable=True),
        sa.Column("host", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("note_source", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("inbox", sa.Text(), nullable=False),
        sa.Column("shared_inbox", sa.Text(), nullable=True),
        sa.Column("outbox", sa.Text(), nullable=True),
        sa.Column("followers_uri", sa.Text(), nullable=True),
        sa.Column("following_uri", sa.Text(), nullable=True),
        sa.Column("featured_uri", sa.Text(), nullable=True),
        sa.Column("locked", sa.Boolean(), nullable=False),
        sa.Column("discoverable", sa.Boolean(), nullable=False),
        sa.Column("indexable", sa.Boolean(), nullable=False),
        sa.Column("avatar_url", sa.Text(), nullable=True),
        sa.Column("avatar_alt", sa.Text(), nullable=False),
        sa.Column("header_url", sa.Text(), nullable=True),
        sa.Column("header_alt", sa.Text(), nullable=False),
        sa.Column("fields", Json, nullable=False),
        sa.Column("emojis", Json, nullable=False),
        sa.Column("also_known_as", Json, nullable=False),
        sa.Column("moved_to", sa.Text(), nullable=True),
        sa.Column("moved_at", Instant, nullable=True),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("fetched_at", Instant, nullable=True),
        sa.Column("suspended_at", Instant, nullable=True),
        sa.Column("deleted_at", Instant, nullable=True),
        sa.Column("followers_count", sa.Integer(), nullable=False),
        sa.Column("following_count", sa.Integer(), nullable=False),
        sa.Column("posts_count", sa.Integer(), nullable=False),
        sa.Column("last_post_at", Instant, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("handle", name=op.f("uq_account_handle")),
        sa.UniqueConstraint("uri", name=op.f("uq_account_uri")),
    )
    op.create_index("ix_account_host", "account", ["host"])
    op.create_index("ix_account_shared_inbox", "account", ["shared_inbox"])
    op.create_table(
        "app",
        sa.Column("id", Id, autoincrement=False, nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("website", sa.Text(), nullable=True),
        sa.Column("redirect_uris", Json, nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_app")),
        sa.UniqueConstraint("client_id", name=op.f("uq_app_client_id")),
    )
    op.create_table(
        "fact",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_fact")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "handled",
        sa.Column("uri", sa.Text(), nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("uri", name=op.f("pk_handled")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_handled_at", "handled", ["at"])
    op.create_table(
        "host",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("failing_since", Instant, nullable=True),
        sa.Column("due", Instant, nullable=True),
        sa.Column("scheme", sa.Text(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("succeeded_at", Instant, nullable=True),
        sa.Column("heard_at", Instant, nullable=True),
        sa.Column("software", Json, nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_host")),
    )
    op.create_index("ix_host_due", "host", ["due"])
    op.create_table(
        "host_policy",
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("host", name=op.f("pk_host_policy")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "job",
        sa.Column("id", Id, autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("payload", Json, nullable=False),
        sa.Column("due", Instant, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
        sa.UniqueConstraint("key", name=op.f("uq_job_key")),
    )
    op.create_index("ix_job_due", "job", ["due"])
    op.create_table(
        "tombstone",
        sa.Column("uri", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("uri", name=op.f("pk_tombstone")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_tombstone_at", "tombstone", ["at"])
    op.create_table(
        "account_key",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account_id", Id, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("public", sa.Text(), nullable=False),
        sa.Column("private", sa.Text(), nullable=True),
        sa.Column("created_at", Instant, nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_account_key_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_key")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_account_key_account_id", "account_key", ["account_id"])
    op.create_table(
        "activity",
        sa.Column("id", Id, autoincrement=False, nullable=False),
        sa.Column("sender_id", Id, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("synchronise", sa.Integer(), nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.ForeignKeyConstraint(["sender_id"], ["account.id"], name=op.f("fk_activity_sender_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_activity")),
    )
    op.create_index("ix_activity_created_at", "activity", ["created_at"])
    op.create_index("ix_activity_sender_id", "activity", ["sender_id"])
    op.create_table(
        "block",
        sa.Column("account_id", Id, autoincrement=False, nullable=False),
        sa.Column("target_id", Id, autoincrement=False, nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.Column("uri", sa.Text(), nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_block_account_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["target_id"], ["account.id"], name=op.f("fk_block_target_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("account_id", "target_id", name=op.f("pk_block")),
        sa.UniqueConstraint("uri", name=op.f("uq_block_uri")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_block_target_id", "block", ["target_id"])
    op.create_table(
        "follow",
        sa.Column("target_id", Id, autoincrement=False, nullable=False),
        sa.Column("follower_id", Id, autoincrement=False, nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.Column("uri", sa.Text(), nullable=False),
        sa.Column("accepted", sa.Boolean(), nullable=False),
        sa.Column("show_boosts", sa.Boolean(), nullable=False),
        sa.Column("notify", sa.Boolean(), nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.ForeignKeyConstraint(
            ["follower_id"], ["account.id"], name=op.f("fk_follow_follower_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["target_id"], ["account.id"], name=op.f("fk_follow_target_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("target_id", "follower_id", name=op.f("pk_follow")),
        sa.UniqueConstraint("uri", name=op.f("uq_follow_uri")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_follow_follower_id", "follow", ["follower_id", "target_id"])
    op.create_table(
        "idempotency",
        sa.Column("account_id", Id, autoincrement=False, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("post_id", Id, nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_idempotency_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", "key", name=op.f("pk_idempotency")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_idempotency_at", "idempotency", ["at"])
    op.create_table(
        "post",
        sa.Column("id", Id, autoincrement=False, nullable=False),
        sa.Column("uri", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("author_id", Id, nullable=False),
        sa.Column("local", sa.Boolean(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("visibility", sa.Text(), nullable=False),
        sa.Column("listed", sa.Boolean(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("sensitive", sa.Boolean(), nullable=False),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("published", Instant, nullable=False),
        sa.Column("edited_at", Instant, nullable=True),
        sa.Column("reply_to_id", Id, nullable=True),
        sa.Column("reply_to_uri", sa.Text(), nullable=True),
        sa.Column("thread_id", Id, nullable=False),
        sa.Column("context", sa.Text(), nullable=True),
        sa.Column("boost_of_id", Id, nullable=True),
        sa.Column("emojis", Json, nullable=True),
        sa.Column("likes_count", sa.Integer(), nullable=False),
        sa.Column("boosts_count", sa.Integer(), nullable=False),
        sa.Column("replies_count", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["account.id"], name=op.f("fk_post_author_id")),
        sa.ForeignKeyConstraint(["boost_of_id"], ["post.id"], name=op.f("fk_post_boost_of_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["reply_to_id"], ["post.id"], name=op.f("fk_post_reply_to_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_post")),
        sa.UniqueConstraint("uri", name=op.f("uq_post_uri")),
    )
    op.create_index("ix_post_author_id", "post", ["author_id", "id"])
    op.create_index(
        "ix_post_missing_parent",
        "post",
        ["reply_to_uri"],
        sqlite_where=sa.text("reply_to_id IS NULL AND reply_to_uri IS NOT NULL"),
        postgresql_where=sa.text("reply_to_id IS NULL AND reply_to_uri IS NOT NULL"),
    )
    op.create_index(
        "ix_post_public", "post", ["id"], sqlite_where=sa.text("listed = 1"), postgresql_where=sa.text("listed")
    )
    op.create_index(
        "ix_post_public_local",
        "post",
        ["id"],
        sqlite_where=sa.text("listed = 1 AND local = 1"),
        postgresql_where=sa.text("listed AND local"),
    )
    op.create_index(
        "ix_post_reply_to_id",
        "post",
        ["reply_to_id"],
        sqlite_where=sa.text("reply_to_id IS NOT NULL"),
        postgresql_where=sa.text("reply_to_id IS NOT NULL"),
    )
    op.create_index("ix_post_thread_id", "post", ["thread_id"])
    op.create_index(
        "uq_post_boost",
        "post",
        ["boost_of_id", "author_id"],
        unique=True,
        sqlite_where=sa.text("boost_of_id IS NOT NULL"),
        postgresql_where=sa.text("boost_of_id IS NOT NULL"),
    )
    op.create_table(
        "report",
        sa.Column("id", Id, autoincrement=False, nullable=False),
        sa.Column("uri", sa.Text(), nullable=False),
        sa.Column("reporter_id", Id, nullable=False),
        sa.Column("target_id", Id, nullable=False),
        sa.Column("post_uris", Json, nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("resolved_at", Instant, nullable=True),
        sa.ForeignKeyConstraint(
            ["reporter_id"], ["account.id"], name=op.f("fk_report_reporter_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["target_id"], ["account.id"], name=op.f("fk_report_target_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report")),
        sa.UniqueConstraint("uri", name=op.f("uq_report_uri")),
    )
    op.create_index("ix_report_reporter_id", "report", ["reporter_id"])
    op.create_index("ix_report_target_id", "report", ["target_id"])
    op.create_table(
        "user",
        sa.Column("account_id", Id, autoincrement=False, nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("password", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("confirmed_at", Instant, nullable=True),
        sa.Column("approved_at", Instant, nullable=True),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("seen_at", Instant, nullable=True),
        sa.Column("notifications_read", Id, nullable=False),
        sa.Column("default_visibility", sa.Text(), nullable=False),
        sa.Column("default_sensitive", sa.Boolean(), nullable=False),
        sa.Column("default_language", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_user_account_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_user")),
        sa.UniqueConstraint("email", name=op.f("uq_user_email")),
    )
    op.create_table(
        "delivery",
        sa.Column("activity_id", Id, autoincrement=False, nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("inbox", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["activity_id"], ["activity.id"], name=op.f("fk_delivery_activity_id")),
        sa.PrimaryKeyConstraint("activity_id", "host", "inbox", name=op.f("pk_delivery")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_delivery_host_activity_id", "delivery", ["host", "activity_id"])
    op.create_table(
        "home_entry",
        sa.Column("owner_id", Id, autoincrement=False, nullable=False),
        sa.Column("post_id", Id, autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["user.account_id"], name=op.f("fk_home_entry_owner_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("owner_id", "post_id", name=op.f("pk_home_entry")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "like",
        sa.Column("post_id", Id, autoincrement=False, nullable=False),
        sa.Column("account_id", Id, autoincrement=False, nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.Column("uri", sa.Text(), nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_like_account_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["post_id"], ["post.id"], name=op.f("fk_like_post_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("post_id", "account_id", name=op.f("pk_like")),
        sa.UniqueConstraint("uri", name=op.f("uq_like_uri")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_like_account_id", "like", ["account_id", "id"])
    op.create_table(
        "media",
        sa.Column("id", Id, autoincrement=False, nullable=False),
        sa.Column("post_id", Id, nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("preview_url", sa.Text(), nullable=True),
        sa.Column("media_type", sa.Text(), nullable=True),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("blurhash", sa.Text(), nullable=True),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("focus_x", sa.Float(), nullable=True),
        sa.Column("focus_y", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(["post_id"], ["post.id"], name=op.f("fk_media_post_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_media")),
    )
    op.create_index("ix_media_post_id", "media", ["post_id"])
    op.create_table(
        "mention",
        sa.Column("post_id", Id, autoincrement=False, nullable=False),
        sa.Column("account_id", Id, autoincrement=False, nullable=False),
        sa.Column("silent", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_mention_account_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["post_id"], ["post.id"], name=op.f("fk_mention_post_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("post_id", "account_id", name=op.f("pk_mention")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_mention_account_id", "mention", ["account_id", "post_id"])
    op.create_table(
        "notification",
        sa.Column("id", Id, autoincrement=False, nullable=False),
        sa.Column("account_id", Id, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("from_id", Id, nullable=False),
        sa.Column("post_id", Id, nullable=True),
        sa.Column("created_at", Instant, nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["user.account_id"], name=op.f("fk_notification_account_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["from_id"], ["account.id"], name=op.f("fk_notification_from_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["post_id"], ["post.id"], name=op.f("fk_notification_post_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notification")),
    )
    op.create_index("ix_notification_account_id", "notification", ["account_id", "id"])
    op.create_index("ix_notification_from_id", "notification", ["from_id"])
    op.create_index("ix_notification_post_id", "notification", ["post_id"])
    op.create_index(
        "uq_notification_about_account",
        "notification",
        ["account_id", "kind", "from_id"],
        unique=True,
        sqlite_where=sa.text("post_id IS NULL"),
        postgresql_where=sa.text("post_id IS NULL"),
    )
    op.create_index(
        "uq_notification_about_post",
        "notification",
        ["account_id", "kind", "from_id", "post_id"],
        unique=True,
        sqlite_where=sa.text("post_id IS NOT NULL"),
        postgresql_where=sa.text("post_id IS NOT NULL"),
    )
    op.create_table(
        "pin",
        sa.Column("account_id", Id, autoincrement=False, nullable=False),
        sa.Column("post_id", Id, autoincrement=False, nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_pin_account_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["post_id"], ["post.id"], name=op.f("fk_pin_post_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("account_id", "post_id", name=op.f("pk_pin")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_pin_post_id", "pin", ["post_id"])
    op.create_table(
        "poll",
        sa.Column("post_id", Id, autoincrement=False, nullable=False),
        sa.Column("multiple", sa.Boolean(), nullable=False),
        sa.Column("options", Json, nullable=False),
        sa.Column("voters_count", sa.Integer(), nullable=False),
        sa.Column("expires_at", Instant, nullable=True),
        sa.Column("closed_at", Instant, nullable=True),
        sa.ForeignKeyConstraint(["post_id"], ["post.id"], name=op.f("fk_poll_post_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("post_id", name=op.f("pk_poll")),
    )
    op.create_index(
        "ix_poll_expires_at",
        "poll",
        ["expires_at"],
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_table(
        "poll_vote",
        sa.Column("post_id", Id, autoincrement=False, nullable=False),
        sa.Column("account_id", Id, autoincrement=False, nullable=False),
        sa.Column("option", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("uri", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_poll_vote_account_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["post_id"], ["post.id"], name=op.f("fk_poll_vote_post_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("post_id", "account_id", "option", name=op.f("pk_poll_vote")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "post_edit",
        sa.Column("id", Id, autoincrement=False, nullable=False),
        sa.Column("post_id", Id, nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column("sensitive", sa.Boolean(), nullable=False),
        sa.Column("media", Json, nullable=False),
        sa.Column("poll", Json, nullable=True),
        sa.Column("at", Instant, nullable=False),
        sa.ForeignKeyConstraint(["post_id"], ["post.id"], name=op.f("fk_post_edit_post_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_post_edit")),
    )
    op.create_index("ix_post_edit_post_id", "post_edit", ["post_id"])
    op.create_table(
        "post_tag",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("post_id", Id, autoincrement=False, nullable=False),
        sa.Column("shown", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["post_id"], ["post.id"], name=op.f("fk_post_tag_post_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("name", "post_id", name=op.f("pk_post_tag")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_post_tag_post_id", "post_tag", ["post_id"])
    op.create_table(
        "reaction",
        sa.Column("post_id", Id, autoincrement=False, nullable=False),
        sa.Column("account_id", Id, autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("uri", sa.Text(), nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_reaction_account_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["post_id"], ["post.id"], name=op.f("fk_reaction_post_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("post_id", "account_id", "name", name=op.f("pk_reaction")),
        sa.UniqueConstraint("uri", name=op.f("uq_reaction_uri")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_reaction_account_id", "reaction", ["account_id"])
    op.create_table(
        "session",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("account_id", Id, nullable=False),
        sa.Column("csrf", sa.Text(), nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("seen_at", Instant, nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["user.account_id"], name=op.f("fk_session_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_session")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_session_account_id", "session", ["account_id"])
    op.create_table(
        "token",
        sa.Column("id", Id, autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("app_id", Id, nullable=False),
        sa.Column("account_id", Id, nullable=True),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("revoked_at", Instant, nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["user.account_id"], name=op.f("fk_token_account_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["app_id"], ["app.id"], name=op.f("fk_token_app_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_token")),
        sa.UniqueConstraint("hash", name=op.f("uq_token_hash")),
    )
    op.create_index("ix_token_account_id", "token", ["account_id"])
    op.create_index("ix_token_app_id", "token", ["app_id"])


def downgrade() -> None:
    for name in (
        "token",
        "session",
        "reaction",
        "post_tag",
        "post_edit",
        "poll_vote",
        "poll",
        "pin",
        "notification",
        "mention",
        "media",
        "like",
        "home_entry",
        "delivery",
        "user",
        "report",
        "post",
        "idempotency",
        "follow",
        "block",
        "activity",
        "account_key",
        "tombstone",
        "job",
        "host_policy",
        "host",
        "handled",
        "fact",
        "app",
        "account",
    ):
        op.drop_table(name)
