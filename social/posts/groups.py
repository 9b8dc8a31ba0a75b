"""Groups in which something was said (FEP-1b12): they pass on what they hear, so they have to hear the answers, too.

A group is kept as a mention of the post, a silent one where the text does not name it.
"""

from sqlalchemy import Connection, bindparam, select

from store.prepared import Prepared
from store.tables import accounts, mentions
from store.tables.base import Id

KIND = "Group"

_OF = Prepared(
    select(accounts.c.id)
    .join(mentions, mentions.c.account_id == accounts.c.id)
    .where(
        mentions.c.post_id == bindparam("post", type_=Id),
        accounts.c.kind == KIND,
        accounts.c.host.is_not(None),
        accounts.c.suspended_at.is_(None),
        accounts.c.deleted_at.is_(None),
    )
)


def of(tx: Connection, post_id: int) -> list[int]:
    """The ids of those on other servers that the post was addressed to."""
    return [row[0] for row in _OF.rows(tx, post=post_id)]
