"""Codes of programs, links in mails, sign-ups, second factors; when a token was used.

Why: OAuth by code, confirmation and password by mail, codes by time at sign-in.
Locks: `token` for a moment: two columns without a default, and an index on one that is empty.
Back: programs keep their tokens; second factors, and what waits for a confirmation, are lost.
"""

import sqlalchemy as sa
from alembic import op

from store.tables.base import Id, Instant

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "code",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("app_id", Id, nullable=False),
        _owner(),
        sa.Column("redirect_uri", sa.Text(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("challenge", sa.Text(), nullable=True),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("used_at", Instant, nullable=True),
        sa.ForeignKeyConstraint(["app_id"], ["app.id"], name=op.f("fk_code_app_id"), ondelete="CASCADE"),
        _owned("code"),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_code")),
        sqlite_with_rowid=False,
    )
    for column in ("app_id", "account_id", "created_at"):
        op.create_index(op.f(f"ix_code_{column}"), "code", [column])
    op.create_table(
        "link",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        _owner(),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        _owned("link"),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_link")),
        sqlite_with_rowid=False,
    )
    for column in ("account_id", "created_at"):
        op.create_index(op.f(f"ix_link_{column}"), "link", [column])
    op.create_table(
        "signup",
        _owner(),
        sa.Column("app_id", Id, nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=True),
        _owned("signup"),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_signup")),
    )
    op.create_table(
        "second_factor",
        _owner(),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        _owned("second_factor"),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_second_factor")),
    )
    op.create_table(
        "recovery_code",
        _owner(),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        _owned("recovery_code"),
        sa.PrimaryKeyConstraint("account_id", "hash", name=op.f("pk_recovery_code")),
        sqlite_with_rowid=False,
    )
    op.add_column("token", sa.Column("code_hash", sa.LargeBinary(), nullable=True))
    op.add_column("token", sa.Column("last_used_at", Instant, nullable=True))
    op.create_index(op.f("ix_token_code_hash"), "token", ["code_hash"])


def downgrade() -> None:
    op.drop_index(op.f("ix_token_code_hash"), "token")
    op.drop_column("token", "last_used_at")
    op.drop_column("token", "code_hash")
    for table in ("recovery_code", "second_factor", "signup", "link", "code"):
        op.drop_table(table)


def _owner() -> sa.Column[int]:
    return sa.Column("account_id", Id, autoincrement=False, nullable=False)


def _owned(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["account_id"], ["user.account_id"], name=op.f(f"fk_{table}_account_id"), ondelete="CASCADE"
    )
