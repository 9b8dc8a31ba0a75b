"""Which servers fetched posts of ours: once for each post and server, for as long as the post is there."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, Text, bindparam, func, select
from sqlalchemy.dialects.postgresql import insert  # SQLite has the same ON CONFLICT

from store.prepared import Change, Prepared, padded
from store.tables import fetches, posts
from store.tables.base import Id, Instant

MOST: Final = 5_000  # servers of one post: who makes up names for himself fills no disk

_HOST, _INBOX = bindparam("host", type_=Text()), bindparam("inbox", type_=Text())
_of_post = select(func.count()).where(fetches.c.post_id == posts.c.id).correlate(posts).scalar_subquery()
_known = select(1).where(fetches.c.post_id == posts.c.id, fetches.c.host == _HOST).correlate(posts).exists()
_WANTED = (
    posts.c.id.in_(bindparam("ids", expanding=True, type_=Id)),
    posts.c.local,
    ~_known,
    _of_post < bindparam("most"),
)
_NEW = Prepared(select(posts.c.id).where(*_WANTED))
_ADD = Change(
    insert(fetches)
    .from_select(
        ["post_id", "host", "inbox", "at"],
        select(posts.c.id, _HOST, _INBOX, bindparam("now", type_=Instant)).where(*_WANTED),
    )
    .on_conflict_do_nothing()
)


def new(tx: Connection, host: str, post_ids: Collection[int]) -> list[int]:
    """Those of `post_ids`, posts of ours, of which it is not written down that `host` has them, and should be."""
    return [row[0] for row in _NEW.rows(tx, host=host, ids=padded(list(post_ids)), most=MOST)]


def add(tx: Connection, host: str, inbox: str, post_ids: Sequence[int], now: datetime) -> None:
    """It has them from now on.  inbox: where the server hears of what becomes of them."""
    _ADD.run(tx, host=host, inbox=inbox, ids=padded(post_ids), now=now, most=MOST)
