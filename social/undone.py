"""What was undone or deleted before it came: messages may overtake each other (security row 89).

A tombstone keeps one thing out, and only a thing of who set it: nobody can forbid what belongs to others.
"""

from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, select
from sqlalchemy.dialects.postgresql import insert  # SQLite has the same ON CONFLICT

from federation.reading import same_origin
from store.tables import tombstones

_BURY = insert(tombstones).on_conflict_do_nothing(index_elements=["uri"])
_KNOWN = select(tombstones.c.at).where(tombstones.c.uri == bindparam("uri_"))
_TAKE = (
    delete(tombstones)
    .where(tombstones.c.uri == bindparam("uri_"), tombstones.c.owner == bindparam("owner_"))
    .returning(tombstones.c.at)
)


def bury(tx: Connection, uri: str | None, owner: str, now: datetime) -> None:
    """`owner` (the uri of an actor) undid the activity `uri`, which we do not know yet; if it can be his."""
    if uri is not None and same_origin(uri, owner):
        tx.execute(_BURY, {"uri": uri, "owner": owner, "at": now})


def take(tx: Connection, uri: str, owner: str, said: datetime | None = None) -> bool:
    """Was the activity `uri` of `owner` undone before it came?

    The tombstone goes with the answer: some servers (Misskey) use the same id when somebody follows again.
    said: when, by the clock by which it was undone; what was said later counts.
    """
    buried = tx.scalar(_TAKE, {"uri_": uri, "owner_": owner})
    return buried is not None and (said is None or said <= buried)


def is_buried(tx: Connection, uri: str) -> bool:
    return tx.scalar(_KNOWN, {"uri_": uri}) is not None
