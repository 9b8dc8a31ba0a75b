"""Two threads turn out to be one: what readers keep about the first goes over to the second."""

from typing import Any, Final

from sqlalchemy import Connection, bindparam, delete, exists, insert, select, update
from sqlalchemy.dialects import postgresql  # SQLite has the same ON CONFLICT

from store.rows import many
from store.tables import Conversation, conversations, refreshes, thread_mutes
from store.tables.base import Id

_OLD, _NEW = bindparam("old", type_=Id), bindparam("new", type_=Id)
_MUTES: Final = (
    postgresql.insert(thread_mutes)
    .from_select(
        ["account_id", "thread_id", "created_at"],
        select(thread_mutes.c.account_id, _NEW, thread_mutes.c.created_at).where(thread_mutes.c.thread_id == _OLD),
    )
    .on_conflict_do_nothing()
)
_NO_MUTES = delete(thread_mutes).where(thread_mutes.c.thread_id == _OLD)
_BOTH = (
    select(conversations)
    .where(conversations.c.thread_id.in_([_OLD, _NEW]))
    .order_by(conversations.c.owner_id, conversations.c.last_post_id)
)
_END = delete(conversations).where(conversations.c.id.in_(bindparam("ids", expanding=True, type_=Id)))
_ADD = insert(conversations)
_MOVE = update(conversations).where(conversations.c.thread_id == _OLD).values(thread_id=_NEW)

_there = refreshes.alias("there")
_REFRESHES = (
    update(refreshes)
    .where(refreshes.c.thread_id == _OLD, ~exists().where(_there.c.thread_id == _NEW))
    .values(thread_id=_NEW)
)
_NO_REFRESHES = delete(refreshes).where(refreshes.c.thread_id == _OLD)


def merge(tx: Connection, old: int, new: int) -> None:
    """The thread `old` became part of `new`."""
    if tx.execute(_MUTES, {"old": old, "new": new}).rowcount:
        tx.execute(_NO_MUTES, {"old": old})
    found: dict[int, list[Conversation]] = {}
    for one in many(tx, _BOTH, Conversation, old=old, new=new):
        found.setdefault(one.owner_id, []).append(one)
    for pair in found.values():
        if len(pair) > 1:
            tx.execute(_END, {"ids": [one.id for one in pair]})
            tx.execute(_ADD, _joined(new, *pair))
    tx.execute(_MOVE, {"old": old, "new": new})
    if tx.execute(_REFRESHES, {"old": old, "new": new}).rowcount == 0:
        tx.execute(_NO_REFRESHES, {"old": old})


def _joined(thread_id: int, earlier: Conversation, later: Conversation) -> dict[str, Any]:
    return {
        "id": later.id,
        "owner_id": later.owner_id,
        "thread_id": thread_id,
        "last_post_id": later.last_post_id,
        "unread": earlier.unread or later.unread,
        "participants": list(dict.fromkeys([*later.participants, *earlier.participants])),
    }
