"""The days on which somebody was here may be later than January 2038.

Why: they are kept in Unix seconds, for which PostgreSQL had 32 bits; SQLite has 64 anyway.
Locks: visit, while it is written anew: a row for each person and day, of two months at most.
Back: days after January 2038 have no place there any more, and are forgotten.
"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column("visit", "week", type_=sa.BigInteger(), existing_nullable=False)


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DELETE FROM visit WHERE week > 2147483647")
        op.alter_column("visit", "week", type_=sa.Integer(), existing_nullable=False)
