"""Writing posts, for pages and API alike: mentioned people are fetched first, then one unit does all."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

from aiohttp import web
from sqlalchemy import Connection, bindparam, delete, select, update
from sqlalchemy.dialects.postgresql import insert  # SQLite has the same ON CONFLICT

from federation.origin import Origin
from outbox.parts import Parts, Written
from social import accounts, scheduled, text, views
from social.errors import Refusal
from social.posts import drafts, publish
from social.posts.drafts import Draft
from social.secrets import sha256
from social.views import PostView
from store.prepared import Change
from store.tables import Account, idempotency
from store.tables.base import Id, Instant
from web.auth import Caller, Writer
from web.keys import DATABASE, ORIGIN, REMOTE

T = TypeVar("T")
log = logging.getLogger(__name__)

MOST_MENTIONS: Final = 16  # of people who are not known here yet, per post
LOOKED_UP: Final = 100  # mentions of one post; see also social.posts.publish
REMEMBERED: Final = timedelta(hours=1)  # an Idempotency-Key
PATIENCE: Final = 8.0  # seconds for people to be found; who is not, is mentioned in words only

_THIS = (
    idempotency.c.account_id == bindparam("author", type_=Id),
    idempotency.c.key == bindparam("asked"),
)
_FORGET = Change(delete(idempotency).where(idempotency.c.at <= bindparam("before", type_=Instant)))
_RESERVE = Change(insert(idempotency).on_conflict_do_nothing())
_SAME = select(idempotency.c.post_id).where(*_THIS)
_SETTLE = Change(update(idempotency).where(*_THIS).values(post_id=bindparam("number", type_=Id)))


async def write(app: web.Application, author: Account, draft: Draft, key: str | None = None) -> int:
    """Publishes `draft`; returns the id of the post.

    key: what the client calls this post: the same key within an hour gives the same post.
    Raises: Refusal.
    """
    return await _keep(app, author, draft, key, _publish, app[ORIGIN], draft)


async def show(
    writer: Writer, words: str, draft_of: Callable[[Caller, datetime], Draft], key: str | None = None
) -> tuple[Caller, PostView | None]:
    """As `write`, for who is found out with it: he, and his post as he sees it, None when he has deleted what had the
    same key.

    draft_of: what he posts at that moment, his settings being known; `words` is the text of it.
    """
    app, now = writer.request.app, datetime.now(UTC)
    if _elsewhere(words[: drafts.MOST_TYPED]):
        drafts.check(draft_of(await writer.caller(), now), now)  # nobody is fetched for what cannot be posted
        await meet(app, words)
    return await writer.write(_publish_and_show, app[ORIGIN], draft_of, _hashed(key), datetime.now(UTC))


async def schedule(app: web.Application, author: Account, draft: Draft, at: datetime, key: str | None = None) -> int:
    """Keeps `draft` for `at`; returns the id of the scheduled post.  Raises: Refusal."""
    return await _keep(app, author, draft, key, _schedule, draft, at, key)


@dataclass(frozen=True, slots=True)
class _Asked:
    """By whom, when, and what his program calls it."""

    author_id: int
    key: str | None
    now: datetime


async def _keep(
    app: web.Application, author: Account, draft: Draft, key: str | None, unit: Callable[..., T], *args: Any
) -> T:
    drafts.check(draft, datetime.now(UTC))  # nobody is fetched for what cannot be posted
    await meet(app, draft.text)
    asked = _Asked(author.id, _hashed(key), datetime.now(UTC))
    return await app[DATABASE].write(unit, asked, *args)


def _hashed(key: str | None) -> str | None:
    return None if key is None else sha256(key).hex()


def _publish(tx: Connection, asked: _Asked, origin: Origin, draft: Draft) -> int:
    return _once(tx, asked, lambda: publish.publish(tx, origin, asked.author_id, draft, asked.now).id)


def _publish_and_show(
    tx: Connection,
    caller: Caller,
    origin: Origin,
    draft_of: Callable[[Caller, datetime], Draft],
    key: str | None,
    now: datetime,
) -> PostView | None:
    made: list[Parts] = []
    written = Written(caller.app.name, caller.app.website)

    def unit() -> int:
        made.append(publish.whole(tx, origin, caller.account, draft_of(caller, now), now, written))
        return made[0].post.id

    number = _once(tx, _Asked(caller.account.id, key, now), unit)
    if made and made[0].quote is None:
        return views.fresh(tx, made[0])
    return views.post(tx, number, caller.account.id)


def _schedule(tx: Connection, asked: _Asked, draft: Draft, at: datetime, key: str | None) -> int:
    return _once(tx, asked, lambda: scheduled.schedule(tx, asked.author_id, draft, at, asked.now, key).id)


def _once(tx: Connection, asked: _Asked, unit: Callable[[], int]) -> int:
    """What `unit` made, now or under the same key before."""
    if asked.key is None:
        return unit()
    # The key is taken first: of two copies that come at the same moment one waits here for the other.
    this = {"author": asked.author_id, "asked": asked.key}
    _FORGET.run(tx, before=asked.now - REMEMBERED)
    if not _RESERVE.run(tx, account_id=asked.author_id, key=asked.key, post_id=0, at=asked.now):
        return int(tx.scalar(_SAME, this) or 0)
    number = unit()
    _SETTLE.run(tx, **this, number=number)
    return number


async def meet(app: web.Application, words: str) -> None:
    """Fetches the people of other servers that `words` mention and who are not known here."""
    handles = _elsewhere(words)
    if not handles:
        return
    unknown = await app[DATABASE].read(_unknown, app[ORIGIN], handles[:LOOKED_UP])
    with suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE):
            await asyncio.gather(*(_try(app, handle) for handle in unknown[:MOST_MENTIONS]))


def _elsewhere(words: str) -> list[str]:
    """Those mentioned with the name of a server."""
    return [handle for handle in text.find_mentions(words) if "@" in handle]


def _unknown(tx: Connection, origin: Origin, handles: list[str]) -> list[str]:
    return [
        handle
        for handle in handles
        if not origin.is_our_domain(handle.partition("@")[2]) and accounts.find_by_handle(tx, handle) is None
    ]


async def _try(app: web.Application, handle: str) -> None:
    try:
        await app[REMOTE].account(handle)
    except Refusal as refusal:
        log.info("%s is mentioned but not found: %s", handle, refusal)
