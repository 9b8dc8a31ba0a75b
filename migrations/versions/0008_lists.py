"""Lists, followed hashtags, and how far people have read.

Why: lists with feeds of their own, which are written at arrival as home feeds are; hashtags that bring posts into home
     feeds; markers by which a person's programs tell each other how far he has read.
Locks: nothing that exists.
Back: lists, followed hashtags and markers are lost.
"""

import sqlalchemy as sa
from alembic import op

from store.tables.base import Id, Instant

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "list",
        sa.Column("id", Id, autoincrement=False, nullable=False),
        sa.Column("account_id", Id, nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("replies_policy", sa.Text(), nullable=False),
        sa.Column("exclusive", sa.Boolean(), nullable=False),
        _of_user("list"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_list")),
    )
    op.create_index(op.f("ix_list_account_id"), "list", ["account_id"])
    op.create_table(
        "list_member",
        sa.Column("list_id", Id, autoincrement=False, nullable=False),
        sa.Column("account_id", Id, autoincrement=False, nullable=False),
        sa.Column("follower_id", Id, nullable=True),
        sa.Column("id", Id, nullable=False),
        _of_list("list_member"),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_list_member_account_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "follower_id"],
            ["follow.target_id", "follow.follower_id"],
            name="fk_list_member_follow",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("list_id", "account_id", name=op.f("pk_list_member")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_list_member_account_id", "list_member", ["account_id", "follower_id"])
    op.create_table(
        "list_entry",
        sa.Column("list_id", Id, autoincrement=False, nullable=False),
        sa.Column("post_id", Id, autoincrement=False, nullable=False),
        _of_list("list_entry"),
        sa.PrimaryKeyConstraint("list_id", "post_id", name=op.f("pk_list_entry")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "followed_tag",
        sa.Column("account_id", Id, autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("id", Id, nullable=False),
        _of_user("followed_tag"),
        sa.PrimaryKeyConstraint("account_id", "name", name=op.f("pk_followed_tag")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_followed_tag_name", "followed_tag", ["name", "account_id"])
    op.create_index("ix_followed_tag_account_id", "followed_tag", ["account_id", "id"])
    op.create_table(
        "marker",
        sa.Column("account_id", Id, autoincrement=False, nullable=False),
        sa.Column("timeline", sa.Text(), nullable=False),
        sa.Column("last_read", Id, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("updated_at", Instant, nullable=False),
        _of_user("marker"),
        sa.PrimaryKeyConstraint("account_id", "timeline", name=op.f("pk_marker")),
        sqlite_with_rowid=False,
    )


def _of_user(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_account_id")
    return sa.ForeignKeyConstraint(["account_id"], ["user.account_id"], name=name, ondelete="CASCADE")


def _of_list(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["list_id"], ["list.id"], name=op.f(f"fk_{table}_list_id"), ondelete="CASCADE")


def downgrade() -> None:
    for table in ("marker", "followed_tag", "list_entry", "list_member", "list"):
        op.drop_table(table)
