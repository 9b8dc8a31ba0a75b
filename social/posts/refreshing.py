"""How complete a conversation is: when other servers were last asked for what is missing here, and what they said.

A thread lives on many servers, and none has all of it.  Whoever opens one has the missing asked for, in the
background (the job `fetch_thread`, connectme/conversations.py), not more often than it is worth; and is told what came
of it, instead of being shown a part as if it were the whole.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from sqlalchemy import Connection, bindparam, case, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert  # SQLite has the same ON CONFLICT

from social.completeness import Completeness
from social.errors import NotFound
from social.posts import find
from social.visibility import OPEN
from store import jobs
from store.prepared import Prepared
from store.rows import many
from store.tables import Post, posts, refreshes
from store.tables.base import Id, Instant

JOB: Final = "fetch_thread"
LONGEST: Final = timedelta(minutes=10)  # who did not say in this time that he is done, will not
AGAIN: Final = timedelta(minutes=1)  # for those who ask for it on purpose
# How long ago somebody said something, and how long the last answer is then good enough.
_FRESH: Final = (
    (timedelta(hours=1), timedelta(minutes=5)),
    (timedelta(days=1), timedelta(minutes=15)),
    (timedelta(days=7), timedelta(hours=6)),
    (timedelta.max, timedelta(days=1)),
)
SILENT_KEPT: Final = 20  # names of hosts

_THREAD = bindparam("thread", type_=Id)
_HERE = (
    select(
        func.count().label("known"),
        func.max(posts.c.published).label("latest"),
        (
            func.count(
                case((or_(~posts.c.local, posts.c.reply_to_id.is_(None) & posts.c.reply_to_uri.is_not(None)), 1))
            )
            > 0
        ).label("elsewhere"),
    )
    .where(posts.c.thread_id == _THREAD)
    .subquery()
)
_STATE = Prepared(
    select(
        _HERE,
        refreshes.c.asked_at,
        refreshes.c.finished_at,
        refreshes.c.found,
        refreshes.c.absent,
        refreshes.c.silent,
    ).join_from(_HERE, refreshes, refreshes.c.thread_id == _THREAD, isouter=True)
)
_ASK = insert(refreshes)
_ASK = _ASK.on_conflict_do_update(
    index_elements=["thread_id"],
    set_={"asked_at": _ASK.excluded.asked_at, "finished_at": None, "found": 0},
    where=refreshes.c.asked_at <= bindparam("before", type_=Instant),
)
_FOUND = update(refreshes).where(refreshes.c.thread_id == _THREAD).values(found=bindparam("new"))
_DONE = (
    update(refreshes)
    .where(refreshes.c.thread_id == _THREAD)
    .values(
        finished_at=bindparam("at", type_=Instant),
        found=bindparam("new"),
        absent=bindparam("lacks"),
        silent=bindparam("hosts", type_=refreshes.c.silent.type),
    )
)


class _Here(NamedTuple):
    """Of a thread: how much of it is here, the latest of it, whether other servers may have more, what they said."""

    known: int
    latest: datetime | None
    elsewhere: bool
    asked_at: datetime | None = None
    finished_at: datetime | None = None
    found: int | None = None
    absent: int | None = None
    silent: Sequence[str] | None = None


def state(tx: Connection, post: Post, now: datetime) -> tuple[Completeness, bool]:
    """Of the thread around `post`, and whether it is worth asking for the rest of it: in one query.

    Not of a private one: what is not for everybody comes to us by itself, or not at all.
    """
    (here,) = many(tx, _STATE, _Here, thread=post.thread_id)
    there_is_more = post.visibility in OPEN and not post.local_only and here.elsewhere
    if here.asked_at is None:
        return Completeness(post.thread_id, here.known, None, None, running=False, found=0, silent=()), there_is_more
    running = here.finished_at is None and now - here.asked_at < LONGEST
    said = None if here.absent is None else here.known + here.absent
    return Completeness(
        post.thread_id, here.known, said, here.asked_at, running, here.found or 0, tuple(here.silent or ())
    ), there_is_more and here.asked_at <= now - _fresh(here.latest, now)


def completeness(tx: Connection, post: Post, now: datetime) -> Completeness:
    """Of the thread around `post`."""
    return state(tx, post, now)[0]


def ask(tx: Connection, viewer_id: int | None, post_id: int, now: datetime, *, wished: bool = False) -> bool:
    """Has the rest of the thread fetched, if it is worth it.  wished: somebody says that it is.

    False: it was asked for a moment ago, or there is nobody to ask.  Raises: NotFound, when the post is not for the
    viewer.
    """
    post = find.visible(tx, post_id, viewer_id)
    (here,) = many(tx, _STATE, _Here, thread=post.thread_id)
    if post.visibility not in OPEN or post.local_only or not here.elsewhere:
        return False
    values = {
        "thread_id": post.thread_id,
        "asked_at": now,
        "finished_at": None,
        "found": 0,
        "absent": None,
        "silent": [],
    }
    before = now - (AGAIN if wished else _fresh(here.latest, now))
    if not tx.execute(_ASK, {**values, "before": before}).rowcount:
        return False
    jobs.ask(tx, JOB, str(post.thread_id), {"post_id": post.id}, now)
    return True


def found(tx: Connection, post_id: int, number: int) -> None:
    """So many new posts came, so far."""
    tx.execute(_FOUND, {"thread": find.by_id(tx, post_id).thread_id, "new": number})


def done(tx: Connection, post_id: int, number: int, absent: int, silent: Collection[str], now: datetime) -> None:
    """absent: posts of which we know that they are there, and could not get."""
    values = {"at": now, "new": number, "lacks": absent, "hosts": sorted(silent)[:SILENT_KEPT]}
    try:
        tx.execute(_DONE, {"thread": find.by_id(tx, post_id).thread_id, **values})
    except NotFound:  # deleted meanwhile
        return


def _fresh(latest: datetime | None, now: datetime) -> timedelta:
    """The livelier a thread, the sooner it is asked for again.  latest: when somebody last said something."""
    silence = now - latest if latest else timedelta()
    return next(good for ago, good in _FRESH if silence <= ago)
