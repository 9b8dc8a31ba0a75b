"""Hashtags have a row each, with their number and how they are written.

Why: moderators page through all hashtags and ask for them by number, for which all names were walked; programs show
     hashtags as they were first written, or as moderators want them to be.
Locks: nothing that is read or written meanwhile; all hashtags of public posts are read once.
Back: how moderators want hashtags to be written is lost.
"""

from hashlib import blake2b

import sqlalchemy as sa
from alembic import op

from store.tables.base import Id

revision = "0024"
down_revision = "0023"

_AT_ONCE = 1_000
_hashtag = sa.table("hashtag", sa.column("name", sa.Text), sa.column("number", Id), sa.column("shown", sa.Text))
_FIRST = """
    SELECT post_tag.name, post_tag.shown FROM post_tag JOIN (
        SELECT post_tag.name AS name, min(post_tag.post_id) AS post_id FROM post_tag
        JOIN post ON post.id = post_tag.post_id WHERE post.visibility = 'public' GROUP BY post_tag.name
    ) AS earliest ON earliest.name = post_tag.name AND earliest.post_id = post_tag.post_id
"""
_JUDGED = "SELECT DISTINCT subject, subject FROM trend_verdict WHERE kind IN ('tag', 'listable', 'usable')"


def upgrade() -> None:
    op.create_table(
        "hashtag",
        sa.Column("name", sa.Text(), primary_key=True),
        sa.Column("number", Id, nullable=False),
        sa.Column("shown", sa.Text(), nullable=False),
        sqlite_with_rowid=False,
    )
    tx = op.get_bind()
    found = {name: shown for query in (_JUDGED, _FIRST) for name, shown in tx.execute(sa.text(query))}
    rows = [{"name": name, "number": _number_of(name), "shown": shown} for name, shown in found.items()]
    for start in range(0, len(rows), _AT_ONCE):
        op.bulk_insert(_hashtag, rows[start : start + _AT_ONCE])
    op.create_index("ix_hashtag_number", "hashtag", ["number"])


def downgrade() -> None:
    op.drop_table("hashtag")


def _number_of(name: str) -> int:
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "big") >> 1
