"""Whom pages name as their authors.

Why: previews of links show the account of who wrote the page, if that account says that the page may name it.
Locks: preview_card, for a moment.
Back: pages are asked again who wrote them.
"""

import sqlalchemy as sa
from alembic import op

from store.tables.base import Id

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    op.add_column("preview_card", sa.Column("creator", sa.Text(), nullable=False, server_default=""))
    op.add_column("preview_card", sa.Column("host", sa.Text(), nullable=False, server_default=""))
    op.add_column("preview_card", sa.Column("creator_id", Id))


def downgrade() -> None:
    for column in ("creator_id", "host", "creator"):
        op.drop_column("preview_card", column)
