"""Posts say how those are called whom they mention: when that changes, they are told anew.

The latest ones at once, all the others some at a time: the job `name_mentioned`.
"""

from datetime import datetime
from typing import Final

from sqlalchemy import Connection, bindparam, select, update

from social.paging import padded
from store import jobs
from store.ids import LARGEST
from store.tables import mentions, posts
from store.tables.base import Id

JOB: Final = "name_mentioned"
AT_ONCE: Final = 500

_SOME = (
    select(mentions.c.post_id)
    .where(mentions.c.account_id == bindparam("whom", type_=Id), mentions.c.post_id < bindparam("below", type_=Id))
    .order_by(mentions.c.post_id.desc())
    .limit(AT_ONCE)
)
_SAY = (
    update(posts).where(posts.c.id.in_(bindparam("ids", expanding=True, type_=Id))).values(version=posts.c.version + 1)
)


def say_anew(tx: Connection, account_id: int, now: datetime) -> None:
    """Each change has a job of its own: that of an earlier one may have passed what this one is about."""
    below = step(tx, account_id, LARGEST)
    if below is not None:
        key = f"{account_id} {now.timestamp()}"
        jobs.ask(tx, JOB, key, {"account_id": account_id, "below": below}, now)


def step(tx: Connection, account_id: int, below: int) -> int | None:
    """Some posts before `below`.  Returns where to go on; None: that were all."""
    ids = list(tx.scalars(_SOME, {"whom": account_id, "below": below}))
    if ids:
        tx.execute(_SAY, {"ids": padded(ids)})
    return ids[-1] if len(ids) == AT_ONCE else None
