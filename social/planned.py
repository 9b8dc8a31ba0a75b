"""Planned windows of work, announced to members: rows as all announcements have, which programs show and put away.

The windows themselves are told of in a file (ops/incidents.py), which is there without the database; their ids are
smaller than any that store.ids makes, so that the two kinds never meet.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, bindparam, delete, select, update
from sqlalchemy.dialects import postgresql  # SQLite has the same ON CONFLICT

from federation.origin import Origin
from social import text
from social.announcements import LONGEST
from social.events import Announced, AnnouncementDeleted
from store.events import announce
from store.rows import many
from store.tables import Announcement, announcements
from store.tables.base import Id, Instant

LARGEST: Final = 1 << 48  # of the ids of windows
_THERE = select(announcements).where(announcements.c.id.in_(bindparam("ids", expanding=True, type_=Id)))
_ADD = postgresql.insert(announcements).on_conflict_do_nothing()
_WHICH = announcements.c.id == bindparam("which", type_=Id)
_REMOVE = delete(announcements).where(_WHICH)
_CHANGE = (
    update(announcements)
    .where(_WHICH)
    .values(
        source=bindparam("said"),
        html=bindparam("shown"),
        starts_at=bindparam("begins", type_=Instant),
        ends_at=bindparam("ends", type_=Instant),
        updated_at=bindparam("now", type_=Instant),
    )
)


@dataclass(frozen=True, slots=True)
class Window:
    id: int
    says: str
    begins: datetime
    ends: datetime
    planned_at: datetime
    is_open: bool


def follow(tx: Connection, origin: Origin, windows: Sequence[Window], now: datetime) -> int:
    """Members are told of those that are open, as they are now, and of the others no more.  Returns how many changed.

    One that nobody names stays as it is until it ends: another machine may have planned it.
    """
    there = {it.id: it for it in many(tx, _THERE, Announcement, ids=[one.id for one in windows])}
    return sum(_one(tx, origin, one, there.get(one.id), now) for one in windows)


def _one(tx: Connection, origin: Origin, window: Window, there: Announcement | None, now: datetime) -> bool:
    if not window.is_open or window.ends <= now:
        if there is not None:
            tx.execute(_REMOVE, {"which": window.id})
            announce(tx, AnnouncementDeleted(window.id))
        return there is not None
    said = text.tidy(window.says)[:LONGEST]
    if there is None:
        made = Announcement(
            window.id, said, text.render(said, {}, origin.tag), [], window.begins, window.ends, False,
            window.planned_at, now,
        )  # fmt: skip
        tx.execute(_ADD, asdict(made))
    elif (there.source, there.starts_at, there.ends_at) == (said, window.begins, window.ends):
        return False
    else:
        shown = {"said": said, "shown": text.render(said, {}, origin.tag)}
        tx.execute(_CHANGE, {"which": window.id, **shown, "begins": window.begins, "ends": window.ends, "now": now})
    announce(tx, Announced(window.id))
    return True
