"""Notifications in groups, kept back, and pushed.

Why: group_key joins those that clients show as one, filtered marks those that a policy keeps back, subject_id is the
     report of an admin.report; tables for policies, permissions, requests and subscriptions to Web Push.
Locks: `notification` while its unique index is made again; the new columns rewrite nothing.
Back: policies, requests and subscriptions are lost; what was kept back, and the news of reports, go with them.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from store.tables.base import Id, Instant

revision = "0005"
down_revision = "0004"

_KEY = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
_LEVELS = (
    "for_not_following",
    "for_not_followers",
    "for_new_accounts",
    "for_private_mentions",
    "for_limited_accounts",
    "for_bots",
)


def upgrade() -> None:
    op.add_column("notification", sa.Column("subject_id", Id, nullable=True))
    op.add_column("notification", sa.Column("filtered", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("notification", sa.Column("group_key", _KEY, nullable=True))
    _index("ix_notification_group_key", ["account_id", "group_key", "id"], "group_key IS NOT NULL")
    _index("ix_notification_filtered", ["account_id", "from_id", "id"], "filtered")
    op.drop_index("uq_notification_about_account", "notification")
    _index(
        "uq_notification_about_account",
        ["account_id", "kind", "from_id"],
        "post_id IS NULL AND subject_id IS NULL",
        unique=True,
    )
    _index("uq_notification_about_subject", ["account_id", "kind", "subject_id"], "subject_id IS NOT NULL", unique=True)
    op.create_index("ix_host_policy_level", "host_policy", ["level"])
    _policies()
    _about_senders("notification_permission", sa.Column("created_at", Instant, nullable=False))
    _about_senders(
        "notification_request",
        sa.Column("id", Id, nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("updated_at", Instant, nullable=False),
    )
    _subscriptions()


def downgrade() -> None:
    for table in ("push_subscription", "notification_request", "notification_permission", "notification_policy"):
        op.drop_table(table)
    op.drop_index("ix_host_policy_level", "host_policy")
    op.execute("DELETE FROM notification WHERE filtered OR subject_id IS NOT NULL")
    for index in ("about_subject", "about_account"):
        op.drop_index(f"uq_notification_{index}", "notification")
    for index in ("filtered", "group_key"):
        op.drop_index(f"ix_notification_{index}", "notification")
    _index("uq_notification_about_account", ["account_id", "kind", "from_id"], "post_id IS NULL", unique=True)
    for column in ("group_key", "filtered", "subject_id"):
        op.drop_column("notification", column)


def _index(name: str, columns: list[str], where: str, *, unique: bool = False) -> None:
    clause = sa.text(where)
    op.create_index(name, "notification", columns, unique=unique, sqlite_where=clause, postgresql_where=clause)


def _owner(table: str) -> list[sa.schema.SchemaItem]:
    return [
        sa.Column("account_id", Id, autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["user.account_id"], name=op.f(f"fk_{table}_account_id"), ondelete="CASCADE"
        ),
    ]


def _policies() -> None:
    op.create_table(
        "notification_policy",
        *_owner("notification_policy"),
        *(sa.Column(name, sa.Text(), nullable=False) for name in _LEVELS),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_notification_policy")),
        sqlite_with_rowid=False,
    )


def _about_senders(table: str, *columns: sa.Column[object]) -> None:
    op.create_table(
        table,
        *_owner(table),
        sa.Column("from_id", Id, autoincrement=False, nullable=False),
        *columns,
        sa.ForeignKeyConstraint(["from_id"], ["account.id"], name=op.f(f"fk_{table}_from_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("account_id", "from_id", name=op.f(f"pk_{table}")),
        sqlite_with_rowid=False,
    )
    op.create_index(f"ix_{table}_from_id", table, ["from_id"])


def _subscriptions() -> None:
    op.create_table(
        "push_subscription",
        sa.Column("id", Id, autoincrement=False, nullable=False),
        sa.Column("token_id", Id, nullable=False),
        *_owner("push_subscription"),
        sa.Column("endpoint", sa.Text(), nullable=False),
        sa.Column("p256dh", sa.LargeBinary(), nullable=False),
        sa.Column("auth", sa.LargeBinary(), nullable=False),
        sa.Column("standard", sa.Boolean(), nullable=False),
        sa.Column("alerts", sa.Text(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.ForeignKeyConstraint(
            ["token_id"], ["token.id"], name=op.f("fk_push_subscription_token_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_push_subscription")),
        sa.UniqueConstraint("token_id", name=op.f("uq_push_subscription_token_id")),
    )
    op.create_index("ix_push_subscription_account_id", "push_subscription", ["account_id"])
