"""How complete a conversation is: when other servers were last asked for what is missing here, and what they said.

A thread lives on many servers, and none has all of it.  Whoever opens one has the missing asked for, in the
background (the job `fetch_thread`, connectme/conversations.py), not more often than it is worth; and is told what came
of it, instead of being shown a part as if it were the whole.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, bindparam, exists, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert  # SQLite has the same ON CONFLICT

from social.completeness import Completeness
from social.errors import NotFound
from social.posts import find
from social.visibility import OPEN
from store import jobs
from store.rows import one
from store.tables import Post, Refresh, posts, refreshes
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
_STATE = select(refreshes).where(refreshes.c.thread_id == _THREAD)
_HERE = select(func.count(), func.max(posts.c.published)).where(posts.c.thread_id == _THREAD)
_ELSEWHERE = select(
    exists().where(
        posts.c.thread_id == _THREAD,
        or_(~posts.c.local, posts.c.reply_to_id.is_(None) & posts.c.reply_to_uri.is_not(None)),
    )
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


def completeness(tx: Connection, post: Post, now: datetime) -> Completeness:
    """Of the thread around `post`."""
    known, _ = tx.execute(_HERE, {"thread": post.thread_id}).one()
    state = one(tx, _STATE, Refresh, thread=post.thread_id)
    if state is None:
        return Completeness(post.thread_id, known, None, None, running=False, found=0, silent=())
    said = None if state.absent is None else known + state.absent
    return Completeness(
        post.thread_id, known, said, state.asked_at, _is_running(state, now), state.found, tuple(state.silent)
    )


def is_due(tx: Connection, post: Post, now: datetime) -> bool:
    """Is it worth asking for the rest of the thread?

    Not of a private one: what is not for everybody comes to us by itself, or not at all.
    """
    if post.visibility not in OPEN or post.local_only or not tx.scalar(_ELSEWHERE, {"thread": post.thread_id}):
        return False
    state = one(tx, _STATE, Refresh, thread=post.thread_id)
    return state is None or state.asked_at <= now - _fresh(tx, post, now)


def ask(tx: Connection, viewer_id: int | None, post_id: int, now: datetime, *, wished: bool = False) -> bool:
    """Has the rest of the thread fetched, if it is worth it.  wished: somebody says that it is.

    False: it was asked for a moment ago, or there is nobody to ask.  Raises: NotFound, when the post is not for the
    viewer.
    """
    post = find.visible(tx, post_id, viewer_id)
    if post.visibility not in OPEN or post.local_only or not tx.scalar(_ELSEWHERE, {"thread": post.thread_id}):
        return False
    values = {
        "thread_id": post.thread_id,
        "asked_at": now,
        "finished_at": None,
        "found": 0,
        "absent": None,
        "silent": [],
    }
    before = now - (AGAIN if wished else _fresh(tx, post, now))
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


def _is_running(state: Refresh, now: datetime) -> bool:
    return state.finished_at is None and now - state.asked_at < LONGEST


def _fresh(tx: Connection, post: Post, now: datetime) -> timedelta:
    """The livelier a thread, the sooner it is asked for again."""
    latest = tx.execute(_HERE, {"thread": post.thread_id}).one()[1]
    silence = now - latest if latest else timedelta()
    return next(good for ago, good in _FRESH if silence <= ago)
