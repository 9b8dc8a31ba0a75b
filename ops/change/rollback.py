"""Back to a snapshot: what is lost by it, and doing it."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from sqlalchemy import Connection, func, select

import migrations
from ops.change import engine, progress, snapshots, upgrade
from ops.change.place import NotChanged, Place
from ops.change.snapshots import Snapshot
from store import journal
from store.tables import accounts, posts


@dataclass(frozen=True, slots=True)
class Loss:
    """What was made here since the snapshot, and does not come again.  None: the database cannot be asked."""

    posts: int | None
    accounts: int | None
    replayed: int  # messages of other servers that are handled again
    complete: bool  # are those all that were handled since?


_POSTS = select(func.count()).select_from(posts).where(posts.c.local)
_ACCOUNTS = select(func.count()).select_from(accounts).where(accounts.c.host.is_(None))


def choose(place: Place, name: str | None) -> Snapshot:
    """The snapshot of that name, or the newest.  Raises: NotChanged."""
    found = snapshots.find(place, name)
    if found.schema is not None and found.schema > migrations.newest():
        raise NotChanged(
            f"the snapshot is at migration {found.schema}, and this version knows those up to {migrations.newest()};"
            " install the version that made it"
        )
    return found


def loss(place: Place, snapshot: Snapshot) -> Loss:
    since = snapshot.moment
    try:
        made: tuple[int | None, ...] = engine.read(place.url, lambda tx: _made(tx, since))
    except NotChanged:
        made = (None, None)
    again = engine.read(place.spool_url, partial(journal.kept, since=since))
    whole = engine.read(place.spool_url, partial(journal.is_whole, since=since))
    return Loss(made[0], made[1], replayed=again, complete=whole)


def _made(tx: Connection, since: datetime) -> tuple[int | None, ...]:
    lately = (posts.c.published, accounts.c.created_at)
    queries = [query.where(moment > since) for query, moment in zip((_POSTS, _ACCOUNTS), lately, strict=True)]
    return tuple(tx.scalar(query) or 0 for query in queries)


def back(place: Place, snapshot: Snapshot) -> tuple[Path | None, int]:
    """Brings it back.  (Where the replaced database is, messages that come again.)  Raises: NotChanged."""
    begun = progress.begun("rollback", "returning", to=snapshot.schema, snapshot=snapshot.name, version=place.version)
    with engine.alone(place.url):
        again = upgrade.return_to(place, progress.tell(place.data_dir, begun))
    replaced = sorted(place.snapshots.glob("replaced-*"))
    return (replaced[-1] if replaced else None), again
