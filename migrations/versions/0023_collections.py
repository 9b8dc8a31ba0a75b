"""Collections of accounts.

Why: what our people and others recommend, who agreed to be recommended, and what was reported of it.
Locks: account and report, for a moment each.
Back: collections are lost, and which of them were reported.
"""

import sqlalchemy as sa
from alembic import op

from store.tables.base import Id, Instant, Json

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    op.create_table(
        "collection",
        sa.Column("id", Id, autoincrement=False, nullable=False),
        sa.Column("account_id", Id, nullable=False),
        sa.Column("local", sa.Boolean(), nullable=False),
        sa.Column("uri", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("tag", sa.Text(), nullable=True),
        sa.Column("sensitive", sa.Boolean(), nullable=False),
        sa.Column("discoverable", sa.Boolean(), nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("updated_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_collection")),
        sa.UniqueConstraint("uri", name=op.f("uq_collection_uri")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_collection_account_id"), ondelete="CASCADE"
        ),
    )
    op.create_index("ix_collection_account_id", "collection", ["account_id", "id"])
    op.create_table(
        "collection_item",
        sa.Column("id", Id, autoincrement=False, nullable=False),
        sa.Column("collection_id", Id, nullable=False),
        sa.Column("account_id", Id, nullable=True),
        sa.Column("account_uri", sa.Text(), nullable=False),
        sa.Column("uri", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("approval", sa.Text(), nullable=True),
        sa.Column("request", sa.Text(), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_collection_item")),
        *(
            sa.UniqueConstraint(name, name=op.f(f"uq_collection_item_{name}"))
            for name in ("uri", "approval", "request")
        ),
        *(
            sa.ForeignKeyConstraint(
                [f"{table}_id"], [f"{table}.id"], name=op.f(f"fk_collection_item_{table}_id"), ondelete="CASCADE"
            )
            for table in ("collection", "account")
        ),
    )
    op.create_index(op.f("ix_collection_item_account_id"), "collection_item", ["account_id"])
    op.create_index("uq_collection_item_account_uri", "collection_item", ["collection_id", "account_uri"], unique=True)
    op.add_column("account", sa.Column("collections_uri", sa.Text(), nullable=True))
    op.add_column("account", sa.Column("feature_policy", Json, nullable=True))
    op.add_column("report", sa.Column("collection_uris", Json, nullable=False, server_default="[]"))


def downgrade() -> None:
    op.drop_column("report", "collection_uris")
    op.drop_column("account", "feature_policy")
    op.drop_column("account", "collections_uri")
    op.drop_table("collection_item")
    op.drop_table("collection")
