"""Statuses: https://docs.joinmastodon.org/methods/statuses/"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from aiohttp import web
from sqlalchemy import Connection

from social import boosts, pins, reactions, views
from social.errors import Invalid, NotFound
from social.posts import delete, drafts, edit, find, threads
from social.posts.drafts import Draft, PollDraft
from social.views import PostView
from store.tables import Account, Post
from web import auth, composing, params
from web.api import shapes
from web.api.answers import answer, framed, id_of, path_id
from web.api.entities.status import status
from web.api.spec import spec
from web.auth import Caller
from web.keys import DATABASE, ORIGIN
from web.params import Params

routes = web.RouteTableDef()

SHORTEST_POLL: Final = 300  # seconds
_DRAFT: Final = {
    "status": str,
    "visibility": str,
    "spoiler_text": str,
    "sensitive": bool,
    "language": str,
    "in_reply_to_id": str,
    "poll": dict[str, Any],
}
LONGEST_POLL: Final = int(drafts.LONGEST_POLL.total_seconds())


@routes.post("/api/v1/statuses")
@spec(answers=shapes.Status, body=_DRAFT, partial="no media; `scheduled_at` is refused")
@auth.person("write:statuses")
async def post_status(request: web.Request, caller: Caller) -> web.Response:
    given = await params.read(request)
    if given.text("scheduled_at"):
        raise Invalid("Posts cannot be scheduled here yet")  # better than to post them at once
    key = request.headers.get("Idempotency-Key")
    post_id = await composing.write(request.app, caller.account, _draft(given, caller), key)
    return await _shown(request, caller.account, post_id)


@routes.get("/api/v1/statuses/{id}")
@spec(answers=shapes.Status)
@auth.anybody("read:statuses")
async def get_status(request: web.Request, reader: Account | None) -> web.Response:
    return await _shown(request, reader, path_id(request))


@routes.put("/api/v1/statuses/{id}")
@spec(answers=shapes.Status, body=_DRAFT)
@auth.person("write:statuses")
async def put_status(request: web.Request, caller: Caller) -> web.Response:
    db, now = request.app[DATABASE], datetime.now(UTC)
    given, old = await params.read(request), await db.read(find.own, path_id(request), caller.account.id)
    draft = drafts.check(_edited(given, old), now, may_be_empty=True)
    await composing.meet(request.app, draft.text)
    await db.write(edit.edit, request.app[ORIGIN], caller.account.id, old.id, draft, now)
    return await _shown(request, caller.account, old.id)


@routes.delete("/api/v1/statuses/{id}")
@spec(answers=shapes.DeletedStatus)
@auth.person("write:statuses")
async def delete_status(request: web.Request, caller: Caller) -> web.Response:
    """Answers the post as it was, with its text, so that a client can offer to write it again."""
    view = await request.app[DATABASE].write(_delete, caller.account.id, path_id(request), datetime.now(UTC))
    return answer({**status(view, framed(request, caller.account)), "text": view.parts.post.source or ""})


def _delete(tx: Connection, author_id: int, post_id: int, now: datetime) -> PostView:
    found = views.post(tx, post_id, author_id)
    if found is None or found.parts.author.id != author_id:
        raise NotFound("Record not found")
    if found.boost_of is not None:
        boosts.unboost(tx, author_id, post_id, now)
    else:
        delete.delete(tx, author_id, post_id, now)
    return found


@routes.get("/api/v1/statuses/{id}/context")
@spec(answers=shapes.Context)
@auth.anybody("read:statuses")
async def get_context(request: web.Request, reader: Account | None) -> web.Response:
    above, below = await request.app[DATABASE].read(_context, path_id(request), id_of(reader))
    frame = framed(request, reader)
    return answer(
        {
            "ancestors": [status(view, frame) for view in above],
            "descendants": [status(view, frame) for view in below],
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
@spec(answers=shapes.StatusSource)
@auth.person("read:statuses")
async def get_source(request: web.Request, caller: Caller) -> web.Response:
    post = await request.app[DATABASE].read(find.own, path_id(request), caller.account.id)
    return answer({"id": str(post.id), "text": post.source or "", "spoiler_text": post.summary})


@routes.post("/api/v1/statuses/{id}/favourite")
@spec(answers=shapes.Status)
@auth.person("write:favourites")
async def favourite(request: web.Request, caller: Caller) -> web.Response:
    return await _act(request, caller, reactions.like)


@routes.post("/api/v1/statuses/{id}/unfavourite")
@spec(answers=shapes.Status)
@auth.person("write:favourites")
async def unfavourite(request: web.Request, caller: Caller) -> web.Response:
    return await _act(request, caller, reactions.unlike)


@routes.post("/api/v1/statuses/{id}/reblog")
@spec(answers=shapes.Status, body={"visibility": str})
@auth.person("write:statuses")
async def reblog(request: web.Request, caller: Caller) -> web.Response:
    """Answers the boost, whose `.reblog` is the post."""
    visibility = (await params.read(request)).text("visibility") or "public"
    return await _act(request, caller, boosts.boost, visibility)


@routes.post("/api/v1/statuses/{id}/unreblog")
@spec(answers=shapes.Status)
@auth.person("write:statuses")
async def unreblog(request: web.Request, caller: Caller) -> web.Response:
    return await _act(request, caller, boosts.unboost)


@routes.post("/api/v1/statuses/{id}/pin")
@spec(answers=shapes.Status)
@auth.person("write:accounts")
async def pin(request: web.Request, caller: Caller) -> web.Response:
    return await _act(request, caller, pins.pin)


@routes.post("/api/v1/statuses/{id}/unpin")
@spec(answers=shapes.Status)
@auth.person("write:accounts")
async def unpin(request: web.Request, caller: Caller) -> web.Response:
    return await _act(request, caller, pins.unpin)


async def _act(request: web.Request, caller: Caller, unit: Callable[..., Post], *more: Any) -> web.Response:
    """The post that `unit(tx, account_id, post_id, now, …)` gives."""
    done = await request.app[DATABASE].write(unit, caller.account.id, path_id(request), datetime.now(UTC), *more)
    return await _shown(request, caller.account, done.id)


async def _shown(request: web.Request, reader: Account | None, post_id: int) -> web.Response:
    found = await request.app[DATABASE].read(views.post, post_id, id_of(reader))
    if found is None:
        raise NotFound("Record not found")
    return answer(status(found, framed(request, reader)))


def _draft(given: Params, caller: Caller) -> Draft:
    """What is not said is as the author has it in his settings."""
    return Draft(
        text=given.text("status"),
        visibility=given.text("visibility") or caller.user.default_visibility,
        summary=given.text("spoiler_text"),
        sensitive=given.flag("sensitive", default=caller.user.default_sensitive),
        language=given.text("language") or caller.user.default_language,
        reply_to_id=given.id("in_reply_to_id"),
        poll=_poll(given),
    )


def _edited(given: Params, old: Post) -> Draft:
    """What is not said stays as it is."""
    return Draft(
        text=given.text("status", old.source or ""),
        visibility=old.visibility,
        summary=given.text("spoiler_text", old.summary),
        sensitive=given.flag("sensitive", default=old.sensitive and "spoiler_text" not in given),
        language=given.text("language") or old.language,
        poll=_poll(given),
    )


def _poll(given: Params) -> PollDraft | None:
    asked = given.inner("poll")
    if asked is None:
        return None
    seconds = asked.number("expires_in")
    if seconds is None or not SHORTEST_POLL <= seconds <= LONGEST_POLL:
        raise Invalid(f"poll[expires_in] is between {SHORTEST_POLL} and {LONGEST_POLL} seconds")
    expires = datetime.now(UTC) + timedelta(seconds=seconds)
    return PollDraft(options=tuple(asked.many("options")), multiple=asked.flag("multiple"), expires_at=expires)
