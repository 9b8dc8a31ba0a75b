"""What people keep about others, and what a server says of itself.

Why: mutes, unwanted domains, private notes, endorsements, featured tags, dismissed suggestions, settings of each
     person; rules and texts of the server, and who was here in which week.
Locks: `account`, `user` and `follow` for a moment: columns with a constant default, which rewrites nothing.
Back: what was kept in them is lost.
"""

import sqlalchemy as sa
from alembic import op

from store.tables.base import Id, Instant, Json

revision = "0007"
down_revision = "0006"

_TABLES = (
    "visit",
    "site_text",
    "rule",
    "dismissed_suggestion",
    "featured_tag",
    "endorsement",
    "account_note",
    "domain_block",
    "mute",
)


def upgrade() -> None:
    op.add_column("follow", sa.Column("languages", sa.Text(), nullable=True))
    op.add_column("account", sa.Column("hide_collections", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("account", sa.Column("attribution_domains", Json, nullable=False, server_default="[]"))
    op.add_column("user", sa.Column("settings", Json, nullable=False, server_default="{}"))
    _about_others()
    _about_us()


def downgrade() -> None:
    for name in _TABLES:
        op.drop_table(name)
    op.drop_column("user", "settings")
    op.drop_column("account", "attribution_domains")
    op.drop_column("account", "hide_collections")
    op.drop_column("follow", "languages")


def _about_others() -> None:
    _between(
        "mute",
        sa.Column("id", Id, nullable=False),
        sa.Column("notifications", sa.Boolean(), nullable=False),
        sa.Column("expires_at", Instant, nullable=True),
        sa.Column("created_at", Instant, nullable=False),
    )
    op.create_index(
        "ix_mute_expires_at",
        "mute",
        ["expires_at"],
        sqlite_where=sa.text("expires_at IS NOT NULL"),
        postgresql_where=sa.text("expires_at IS NOT NULL"),
    )
    op.create_table(
        "domain_block",
        _owner("domain_block"),
        sa.Column("domain", sa.Text(), nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("account_id", "domain", name=op.f("pk_domain_block")),
        sqlite_with_rowid=False,
    )
    _between("account_note", sa.Column("text", sa.Text(), nullable=False))
    _between("endorsement", sa.Column("id", Id, nullable=False), sa.Column("created_at", Instant, nullable=False))
    op.create_table(
        "featured_tag",
        sa.Column("id", Id, autoincrement=False, nullable=False),
        sa.Column("account_id", Id, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("shown", sa.Text(), nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_featured_tag_account_id_account"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_featured_tag")),
    )
    op.create_index("uq_featured_tag_account_id_name", "featured_tag", ["account_id", "name"], unique=True)
    _between("dismissed_suggestion")


def _about_us() -> None:
    op.create_table(
        "rule",
        sa.Column("id", Id, autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("hint", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rule")),
    )
    op.create_table(
        "site_text",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("effective", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("updated_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("name", "effective", name=op.f("pk_site_text")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "visit",
        sa.Column("week", sa.Integer(), autoincrement=False, nullable=False),
        _owner("visit"),
        sa.PrimaryKeyConstraint("week", "account_id", name=op.f("pk_visit")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_visit_account_id", "visit", ["account_id"])


def _owner(table: str) -> sa.Column[int]:
    key = sa.ForeignKey("user.account_id", name=f"fk_{table}_account_id_user", ondelete="CASCADE")
    return sa.Column("account_id", Id, key, autoincrement=False, nullable=False)


def _between(table: str, *columns: sa.Column[object]) -> None:
    """A table of pairs: one of ours, and another account."""
    key = sa.ForeignKey("account.id", name=f"fk_{table}_target_id_account", ondelete="CASCADE")
    op.create_table(
        table,
        _owner(table),
        sa.Column("target_id", Id, key, autoincrement=False, nullable=False),
        *columns,
        sa.PrimaryKeyConstraint("account_id", "target_id", name=f"pk_{table}"),
        sqlite_with_rowid=False,
    )
    op.create_index(f"ix_{table}_target_id", table, ["target_id"])
