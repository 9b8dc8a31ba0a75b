"""How far somebody has read; his programs tell each other through it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Connection, bindparam, select
from sqlalchemy.dialects.postgresql import insert  # SQLite has the same ON CONFLICT

from social import notifications
from store.rows import many
from store.tables import Marker, markers, users
from store.tables.base import Id

TIMELINES: Final = ("home", "notifications")

_OWNER = bindparam("owner", type_=Id)
_HIS = select(markers).where(markers.c.account_id == _OWNER)
_NEWS_READ = select(users.c.notifications_read).where(users.c.account_id == _OWNER)
_NEVER = datetime.fromtimestamp(0, UTC)
_new = insert(markers)
_SET = _new.on_conflict_do_update(
    index_elements=["account_id", "timeline"],
    set_={
        "last_read": _new.excluded.last_read,
        "version": markers.c.version + 1,
        "updated_at": _new.excluded.updated_at,
    },
)


def read(tx: Connection, account_id: int) -> dict[str, Marker]:
    """One for each timeline, at its beginning where nothing was read.  Notifications read on our pages count, too."""
    found = {name: Marker(account_id, name, 0, 0, _NEVER) for name in TIMELINES}
    found.update({marker.timeline: marker for marker in many(tx, _HIS, Marker, owner=account_id)})
    news, read_here = found["notifications"], tx.scalar(_NEWS_READ, {"owner": account_id}) or 0
    if read_here > news.last_read:
        found["notifications"] = replace(news, last_read=read_here)
    return found


def set_(tx: Connection, account_id: int, last_read: Mapping[str, int], now: datetime) -> dict[str, Marker]:
    """Moves some markers, forwards or back; each move is counted.  Gives back those that moved."""
    for timeline, number in sorted(last_read.items()):
        values = {"account_id": account_id, "timeline": timeline, "last_read": number, "version": 1, "updated_at": now}
        tx.execute(_SET, values)
        if timeline == "notifications":
            notifications.read(tx, account_id, number)
    found = read(tx, account_id)
    return {timeline: found[timeline] for timeline in TIMELINES if timeline in last_read}
