"""Writing posts, for pages and API alike: mentioned people are fetched first, then one unit does all."""

import asyncio
import logging
from datetime import UTC, datetime, timedelta

from aiohttp import web
from social.posts.drafts import Draft
from sqlalchemy import Connection, bindparam, delete, insert, select

from federation.origin import Origin
from social import accounts, text
from social.errors import Refusal
from social.posts import publish
from store.tables import Account, idempotency
from store.tables.base import Instant
from web.keys import DATABASE, ORIGIN, REMOTE

log = logging.getLogger(__name__)

MOST_MENTIONS = 16  # of people who are not known here yet, per post
REMEMBERED = timedelta(hours=1)  # an Idempotency-Key
PATIENCE = 8.0  # seconds for people to be found; who is not, is mentioned in words only

_SAME = select(idempotency.c.post_id).where(
    idempotency.c.account_id == bindparam("account"),
    idempotency.c.key == bindparam("asked"),
    idempotency.c.at > bindparam("since", type_=Instant),
)
_FORGET = delete(idempotency).where(idempotency.c.at <= bindparam("before", type_=Instant))
_KEEP = insert(idempotency)


async def write(app: web.Application, author: Account, draft: Draft, key: str | None = None) -> int:
    """Publishes `draft`; returns the id of the post.

    key: what the client calls this post: the same key within an hour gives the same post.
    Raises: Refusal.
    """
    await meet(app, draft.text)
    now = datetime.now(UTC)
    return await app[DATABASE].write(_publish, app[ORIGIN], author.id, draft, key, now)


def _publish(tx: Connection, origin: Origin, author_id: int, draft: Draft, key: str | None, now: datetime) -> int:
    if key is not None:
        key = key[:200]
        known = tx.scalar(_SAME, {"account": author_id, "asked": key, "since": now - REMEMBERED})
        if known is not None:
            return int(known)
        tx.execute(_FORGET, {"before": now - REMEMBERED})
    post_id = publish.publish(tx, origin, author_id, draft, now).id
    if key is not None:
        tx.execute(_KEEP, {"account_id": author_id, "key": key, "post_id": post_id, "at": now})
    return post_id


async def meet(app: web.Application, words: str) -> None:
    """Fetches the people of other servers that `words` mention and who are not known here."""
    handles = [handle for handle in text.find_mentions(words) if "@" in handle]
    unknown = await app[DATABASE].read(_unknown, handles)
    if unknown:
        asked = [asyncio.create_task(_try(app, handle)) for handle in unknown[:MOST_MENTIONS]]
        _, late = await asyncio.wait(asked, timeout=PATIENCE)
        for task in late:
            task.cancel()


def _unknown(tx: Connection, handles: list[str]) -> list[str]:
    return [handle for handle in handles if accounts.find_by_handle(tx, handle) is None]


async def _try(app: web.Application, handle: str) -> None:
    try:
        await app[REMOTE].account(handle)
    except Refusal as refusal:
        log.info("%s is mentioned but not found: %s", handle, refusal)
