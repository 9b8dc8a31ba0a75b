"""To which collections posts link.

Why: programs show the collection beside the post that recommends it.
Locks: collection, for a moment.
Back: posts do not say any more to which collections they link, until they are edited.
"""

import sqlalchemy as sa
from alembic import op

from store.tables.base import Id

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    op.create_index("ix_collection_url", "collection", ["url"])
    op.create_table(
        "tagged_collection",
        *(sa.Column(f"{table}_id", Id, autoincrement=False, nullable=False) for table in ("post", "collection")),
        sa.PrimaryKeyConstraint("post_id", "collection_id", name=op.f("pk_tagged_collection")),
        *(
            sa.ForeignKeyConstraint(
                [f"{table}_id"], [f"{table}.id"], name=op.f(f"fk_tagged_collection_{table}_id"), ondelete="CASCADE"
            )
            for table in ("post", "collection")
        ),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_tagged_collection_collection_id", "tagged_collection", ["collection_id"])


def downgrade() -> None:
    op.drop_table("tagged_collection")
    op.drop_index("ix_collection_url", "collection")
