"""Statuses: https://docs.joinmastodon.org/methods/statuses/"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web
from sqlalchemy import Connection

from social import boosts, pins, reactions, views
from social.errors import Invalid, NotFound
from social.posts import delete, edit, find, threads
from social.posts.drafts import Draft, PollDraft
from social.views import PostView
from store.tables import Account
from web import auth, composing, params
from web.api.answers import answer, path_id
from web.api.entities.status import status
from web.keys import DATABASE, ORIGIN
from web.params import Params

routes = web.RouteTableDef()


@routes.post("/api/v1/statuses")
async def post_status(request: web.Request) -> web.Response:
    caller = await auth.caller(request, "write:statuses")
    draft = _draft(await params.read(request))
    post_id = await composing.write(request.app, caller.account, draft, request.headers.get("Idempotency-Key"))
    return await _shown(request, caller.account, post_id)


@routes.get("/api/v1/statuses/{id}")
async def get_status(request: web.Request) -> web.Response:
    reader = await auth.reader(request, "read:statuses")
    return await _shown(request, reader, path_id(request))


@routes.put("/api/v1/statuses/{id}")
async def put_status(request: web.Request) -> web.Response:
    caller = await auth.caller(request, "write:statuses")
    given, post_id, now = await params.read(request), path_id(request), datetime.now(UTC)
    await composing.meet(request.app, given.text("status"))
    await request.app[DATABASE].write(
        edit.edit, request.app[ORIGIN], caller.account.id, post_id, _draft(given, edits=True), now
    )
    return await _shown(request, caller.account, post_id)


@routes.delete("/api/v1/statuses/{id}")
async def delete_status(request: web.Request) -> web.Response:
    """Answers the post as it was, with its text, so that a client can offer to write it again."""
    caller = await auth.caller(request, "write:statuses")
    view = await request.app[DATABASE].write(_delete, caller.account.id, path_id(request), datetime.now(UTC))
    entity = status(view, request.app[ORIGIN], datetime.now(UTC))
    return answer({**entity, "text": view.parts.post.source or ""})


def _delete(tx: Connection, author_id: int, post_id: int, now: datetime) -> PostView:
    found = views.posts(tx, [post_id], author_id)
    if not found or found[0].parts.author.id != author_id:
        raise NotFound("Record not found")
    delete.delete(tx, author_id, post_id, now)
    return found[0]


@routes.get("/api/v1/statuses/{id}/context")
async def get_context(request: web.Request) -> web.Response:
    reader = await auth.reader(request, "read:statuses")
    above, below = await request.app[DATABASE].read(_context, path_id(request), reader.id if reader else None)
    origin, now = request.app[ORIGIN], datetime.now(UTC)
    return answer(
        {
            "ancestors": [status(view, origin, now) for view in above],
            "descendants": [status(view, origin, now) for view in below],
        }
    )


def _context(tx: Connection, post_id: int, reader_id: int | None) -> tuple[list[PostView], list[PostView]]:
    thread = threads.thread(tx, post_id, reader_id)
    found = {view.parts.post.id: view for view in views.posts(tx, [*thread.ancestors, *thread.descendants], reader_id)}
    return (
        [found[i] for i in thread.ancestors if i in found],
        [found[i] for i in thread.descendants if i in found],
    )


@routes.get("/api/v1/statuses/{id}/source")
async def get_source(request: web.Request) -> web.Response:
    caller = await auth.caller(request, "read:statuses")
    post = await request.app[DATABASE].read(find.visible, path_id(request), caller.account.id)
    if post.author_id != caller.account.id:
        raise NotFound("Record not found")
    return answer({"id": str(post.id), "text": post.source or "", "spoiler_text": post.summary})


@routes.post("/api/v1/statuses/{id}/favourite")
async def favourite(request: web.Request) -> web.Response:
    return await _act(request, "write:favourites", reactions.like)


@routes.post("/api/v1/statuses/{id}/unfavourite")
async def unfavourite(request: web.Request) -> web.Response:
    return await _act(request, "write:favourites", reactions.unlike)


@routes.post("/api/v1/statuses/{id}/reblog")
async def reblog(request: web.Request) -> web.Response:
    """Answers the boost, whose `.reblog` is the post."""
    caller = await auth.caller(request, "write:statuses")
    visibility = (await params.read(request)).text("visibility", "public") or "public"
    boost = await request.app[DATABASE].write(
        boosts.boost, caller.account.id, path_id(request), datetime.now(UTC), visibility
    )
    return await _shown(request, caller.account, boost.id)


@routes.post("/api/v1/statuses/{id}/unreblog")
async def unreblog(request: web.Request) -> web.Response:
    return await _act(request, "write:statuses", boosts.unboost)


@routes.post("/api/v1/statuses/{id}/pin")
async def pin(request: web.Request) -> web.Response:
    return await _act(request, "write:accounts", pins.pin)


@routes.post("/api/v1/statuses/{id}/unpin")
async def unpin(request: web.Request) -> web.Response:
    return await _act(request, "write:accounts", pins.unpin)


async def _act(request: web.Request, scope: str, unit: Callable[..., Any]) -> web.Response:
    """What `unit(tx, account_id, post_id, now)` does to a post, and the post after it."""
    caller = await auth.caller(request, scope)
    post_id = path_id(request)
    await request.app[DATABASE].write(unit, caller.account.id, post_id, datetime.now(UTC))
    return await _shown(request, caller.account, post_id)


async def _shown(request: web.Request, reader: Account | None, post_id: int) -> web.Response:
    found = await request.app[DATABASE].read(views.posts, [post_id], reader.id if reader else None)
    if not found:
        raise NotFound("Record not found")
    return answer(status(found[0], request.app[ORIGIN], datetime.now(UTC)))


def _draft(given: Params, *, edits: bool = False) -> Draft:
    return Draft(
        text=given.text("status"),
        visibility=given.text("visibility", "public") or "public",
        summary=given.text("spoiler_text"),
        sensitive=given.flag("sensitive"),
        language=given.text("language") or None,
        reply_to_id=None if edits else given.id("in_reply_to_id"),
        poll=_poll(given.inner("poll")),
    )


def _poll(given: Params | None) -> PollDraft | None:
    if given is None:
        return None
    seconds = given.number("expires_in")
    if seconds is None or seconds < 300 or seconds > 2629746:
        raise Invalid("poll[expires_in] is between 300 and 2629746 seconds")
    expires = datetime.now(UTC) + timedelta(seconds=seconds)
    return PollDraft(options=tuple(given.many("options")), multiple=given.flag("multiple"), expires_at=expires)
