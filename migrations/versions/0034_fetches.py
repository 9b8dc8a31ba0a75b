"""Which servers fetched a post of ours, so that they hear when it is edited or deleted.

Why: a server that has a post because somebody there looked it up, or boosted it, showed it as it was for ever.
Locks: nothing that is in use.
Back: it is forgotten; such servers hear of no change again.
"""

import sqlalchemy as sa
from alembic import op

from store.tables.base import Id, Instant

revision = "0034"
down_revision = "0033"


def upgrade() -> None:
    op.create_table(
        "post_fetch",
        sa.Column("post_id", Id, autoincrement=False, nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("inbox", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("post_id", "host", name=op.f("pk_post_fetch")),
        sa.ForeignKeyConstraint(["post_id"], ["post.id"], name=op.f("fk_post_fetch_post_id"), ondelete="CASCADE"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("post_fetch")
