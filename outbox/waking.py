"""Tells hosts that there is mail for them: `host.due` is what workers look at.

Of a post to many hosts that takes as long as all the rest, so there the worker does it, with its next claim: until
then the activity is `asleep`, and that is on disk.
"""

from datetime import datetime

from sqlalchemy import Connection, bindparam, literal, select, update
from sqlalchemy.dialects import postgresql

from store.prepared import Change, Prepared
from store.tables import activities, deliveries, hosts
from store.tables.base import Id, Instant

MANY = 200  # deliveries, from which on their hosts are woken by the worker

_ACTIVITY = bindparam("activity", type_=Id)
# A host with nothing to do becomes due; one that waits or is being talked to keeps its moment.
# In order of name, so that two posts never lock each other's hosts crosswise.
_ADD_HOSTS = postgresql.insert(hosts).from_select(
    ["name", "failures", "due"],
    select(deliveries.c.host, literal(0), bindparam("due", type_=Instant))
    .where(deliveries.c.activity_id == _ACTIVITY)
    .group_by(deliveries.c.host)
    .order_by(deliveries.c.host),
)
_WAKE = Change(
    _ADD_HOSTS.on_conflict_do_update(
        index_elements=["name"], set_={"due": _ADD_HOSTS.excluded.due}, where=hosts.c.due.is_(None)
    )
)
_INSERT_HOSTS = postgresql.insert(hosts)
_WAKE_HOSTS = Change(
    _INSERT_HOSTS.on_conflict_do_update(
        index_elements=["name"], set_={"due": _INSERT_HOSTS.excluded.due}, where=hosts.c.due.is_(None)
    )
)
_ASLEEP = Prepared(select(activities.c.id, activities.c.created_at).where(activities.c.asleep).limit(1))
_PUT_ASLEEP = Change(update(activities).where(activities.c.id == _ACTIVITY).values(asleep=True))
_AWAKE = Change(update(activities).where(activities.c.id == _ACTIVITY).values(asleep=False))


def wake(tx: Connection, activity_id: int, due: datetime) -> None:
    """The hosts that have mail of this activity."""
    _WAKE.run(tx, activity=activity_id, due=due)


def wake_later(tx: Connection, activity_id: int) -> None:
    """The same, by the next worker that looks for mail."""
    _PUT_ASLEEP.run(tx, activity=activity_id)


def wake_hosts(tx: Connection, names: list[str], due: datetime) -> None:
    """names: in their order."""
    _WAKE_HOSTS.each(tx, [{"name": name, "failures": 0, "due": due} for name in names])


def asleep(tx: Connection) -> datetime | None:
    """When an activity was made whose hosts are not woken yet."""
    rows = _ASLEEP.typed(tx)
    return rows[0][1] if rows else None


def wake_asleep(tx: Connection, now: datetime) -> None:
    """The hosts of one activity.  Two workers may do it at once: the second finds nobody who has mail and rests."""
    for activity_id, _ in _ASLEEP.rows(tx):
        wake(tx, activity_id, now)
        _AWAKE.run(tx, activity=activity_id)
