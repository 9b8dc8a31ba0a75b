"""Statuses: https://docs.joinmastodon.org/methods/statuses/"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

from aiohttp import web
from sqlalchemy import Connection

from federation.origin import Origin
from social import boosts, preferences, quotes, views
from social.completeness import Completeness
from social.errors import Invalid, NotFound
from social.posts import delete, drafts, edit, find, refreshing, threads
from social.posts.drafts import Draft, FileChange, PollDraft
from social.views import PostView
from store.tables import Account, Edit, Post
from web import auth, composing, params
from web.api import async_refreshes, scheduled_statuses, shapes
from web.api.answers import answer, framed, id_of, path_id, shown
from web.api.entities.completeness import completeness
from web.api.entities.edit import status_edit
from web.api.entities.status import status
from web.api.pieces import piece
from web.api.spec import spec
from web.auth import AnyReader, Caller, Writer
from web.keys import DATABASE, ORIGIN
from web.params import Params, as_id, of_query

routes = web.RouteTableDef()

SHORTEST_POLL: Final = 300  # seconds
_DRAFT: Final = {
    "status": str,
    "spoiler_text": str,
    "sensitive": bool,
    "language": str,
    "poll": dict[str, Any],
    "media_ids": list[str],
    "quote_approval_policy": str,
}
_NEW: Final = {
    **_DRAFT,
    "visibility": str,
    "in_reply_to_id": str,
    "quoted_status_id": str,
    "scheduled_at": str,
    "local_only": bool,
}
_EDITED: Final = {**_DRAFT, "media_attributes": list[dict[str, Any]]}
LONGEST_POLL: Final = int(drafts.LONGEST_POLL.total_seconds())
MOST_AT_ONCE: Final = 20  # as Mastodon has it


@routes.post("/api/v1/statuses")
@spec(answers=(shapes.Status, shapes.ScheduledStatus), body=_NEW)
@auth.writer("write:statuses")
async def post_status(request: web.Request, writer: Writer) -> web.Response:
    """A post, or with `scheduled_at` one that waits for its moment."""
    given = await params.read(request)
    key = request.headers.get("Idempotency-Key")
    if said := given.text("scheduled_at"):
        caller, at, now = await writer.caller(), scheduled_statuses.moment_of(said), datetime.now(UTC)
        number = await composing.schedule(request.app, caller.account, _draft(given, caller, now), at, key)
        return await scheduled_statuses.shown(request, caller, number)
    caller, view = await composing.show(writer, given.text("status"), partial(_draft, given), key)
    if view is None:
        raise NotFound("Record not found")
    return answer(status(view, framed(request, caller.account)))


@routes.get("/api/v1/statuses")
@spec(answers=list[shapes.Status], query={"id": list[str]})
@auth.anybody("read:statuses")
async def get_statuses(request: web.Request, reader: Account | None) -> web.Response:
    """Those of the asked ones that there are for the reader."""
    asked = list(dict.fromkeys(of_query(request).many("id")))
    if len(asked) > MOST_AT_ONCE:
        raise Invalid(f"At most {MOST_AT_ONCE} posts at once")
    ids = [number for text in asked if (number := as_id(text)) is not None]
    found = await request.app[DATABASE].read(views.posts, ids, id_of(reader))
    frame = framed(request, reader)
    return answer([status(view, frame) for view in found])


@routes.get("/api/v1/statuses/{id}")
@spec(answers=shapes.Status)
@auth.anybody("read:statuses")
async def get_status(request: web.Request, reader: Account | None) -> web.Response:
    return await shown(request, reader, path_id(request))


@routes.put("/api/v1/statuses/{id}")
@spec(answers=shapes.Status, body=_EDITED)
@auth.person("write:statuses")
async def put_status(request: web.Request, caller: Caller) -> web.Response:
    db, now = request.app[DATABASE], datetime.now(UTC)
    given, old = await params.read(request), await db.read(find.own, path_id(request), caller.account.id)
    draft = drafts.check(_edited(given, old, now), now, may_be_empty=True)
    await composing.meet(request.app, draft.text)
    policy = given.text("quote_approval_policy")
    await db.write(_edit, request.app[ORIGIN], caller.account.id, old.id, draft, policy, now)
    return await shown(request, caller.account, old.id)


def _edit(
    tx: Connection, origin: Origin, author_id: int, post_id: int, draft: Draft, policy: str, now: datetime
) -> Post:
    """policy: who may quote it from now on; empty: as before."""
    if policy:
        quotes.set_policy(tx, author_id, post_id, policy, now)
    return edit.edit(tx, origin, author_id, post_id, draft, now)


@routes.delete("/api/v1/statuses/{id}")
@spec(answers=shapes.DeletedStatus, query={"delete_media": bool})
@auth.person("write:statuses")
async def delete_status(request: web.Request, caller: Caller) -> web.Response:
    """Answers the post as it was, with its text, so that a client can offer to write it again."""
    keep = not (await params.read(request)).flag("delete_media")
    view = await request.app[DATABASE].write(_delete, caller.account.id, path_id(request), datetime.now(UTC), keep)
    return answer({**status(view, framed(request, caller.account)), "text": view.parts.post.source or ""})


def _delete(tx: Connection, author_id: int, post_id: int, now: datetime, keep_files: bool) -> PostView:
    found = views.post(tx, post_id, author_id)
    if found is None or found.parts.author.id != author_id:
        raise NotFound("Record not found")
    if found.boost_of is not None:
        boosts.unboost(tx, author_id, post_id, now)
    else:
        delete.delete(tx, author_id, post_id, now, keep_files=keep_files)
    return found


@routes.get("/api/v1/statuses/{id}/context")
@spec(answers=shapes.Context)
@auth.any_reader("read:statuses")
async def get_context(request: web.Request, reader: AnyReader) -> web.Response:
    """For whoever signed in, the rest of the conversation is asked for in the background."""
    db, post_id, now = request.app[DATABASE], path_id(request), datetime.now(UTC)
    who, (above, below, state, due) = await reader.read(_context, post_id, now)
    asked = due and who is not None and await db.write(refreshing.ask, who.id, post_id, now)
    found = 0 if asked else state.found
    frame = framed(request, who)
    running = who is not None and (asked or state.running)
    return answer(
        {
            "ancestors": [piece(view, frame) for view in above],
            "descendants": [piece(view, frame) for view in below],
            "completeness": completeness(state),
        },
        async_refreshes.header(post_id, found) if running else None,
    )


def _context(
    tx: Connection, reader_id: int | None, post_id: int, now: datetime
) -> tuple[list[PostView], list[PostView], Completeness, bool]:
    post = find.visible(tx, post_id, reader_id)
    thread, (state, due) = threads.around(tx, post, reader_id), refreshing.state(tx, post, now)
    found = {view.parts.post.id: view for view in views.posts(tx, [*thread.ancestors, *thread.descendants], reader_id)}
    return (
        [found[i] for i in thread.ancestors if i in found],
        [found[i] for i in thread.descendants if i in found],
        state,
        reader_id is not None and due,
    )


@routes.get("/api/v1/statuses/{id}/history")
@spec(answers=list[shapes.StatusEdit])
@auth.anybody("read:statuses")
async def get_history(request: web.Request, reader: Account | None) -> web.Response:
    """Each text that the post had, the oldest first; the last is what it says now."""
    view, edits = await request.app[DATABASE].read(_history, path_id(request), id_of(reader))
    frame = framed(request, reader)
    return answer([status_edit(it, view, frame) for it in edits])


def _history(tx: Connection, post_id: int, reader_id: int | None) -> tuple[PostView, Sequence[Edit]]:
    view = views.post(tx, post_id, reader_id)
    if view is None:
        raise NotFound("Record not found")
    return view, edit.history(tx, post_id, reader_id)


@routes.get("/api/v1/statuses/{id}/source")
@spec(answers=shapes.StatusSource)
@auth.person("read:statuses")
async def get_source(request: web.Request, caller: Caller) -> web.Response:
    post = await request.app[DATABASE].read(find.own, path_id(request), caller.account.id)
    return answer({"id": str(post.id), "text": post.source or "", "spoiler_text": post.summary})


def _draft(given: Params, caller: Caller, now: datetime) -> Draft:
    """What is not said is as the author has it in his settings."""
    return Draft(
        text=given.text("status"),
        visibility=given.text("visibility") or caller.user.default_visibility,
        summary=given.text("spoiler_text"),
        sensitive=given.flag("sensitive", default=caller.user.default_sensitive),
        language=given.text("language") or caller.user.default_language,
        reply_to_id=given.id("in_reply_to_id"),
        poll=_poll(given, now),
        media_ids=_media_ids(given) or (),
        local_only=given.flag("local_only"),
        app_id=caller.app.id,
        quoted_id=given.id("quoted_status_id"),
        quote_policy=given.text("quote_approval_policy") or preferences.of(caller.user).quote_policy,
    )


def _edited(given: Params, old: Post, now: datetime) -> Draft:
    """Whoever sends the words anew sends all: a warning, files and a poll that do not come with them are taken away.

    So it is with Mastodon: a form cannot say that a list is empty, and some programs leave out what is nothing.  Else,
    what is not said stays as it is.
    """
    anew = "status" in given
    summary = given.text("spoiler_text", "" if anew else old.summary)
    kept = old.sensitive and summary == old.summary and "spoiler_text" not in given
    return Draft(
        text=given.text("status", old.source or ""),
        visibility=old.visibility,
        summary=summary,
        sensitive=given.flag("sensitive", default=kept),
        language=given.text("language") or old.language,
        poll=_poll(given, now),
        ends_poll=anew,
        media_ids=() if anew and "media_attributes" not in given and "media_ids" not in given else _media_ids(given),
        file_changes=_file_changes(given),
    )


def _media_ids(given: Params) -> tuple[int, ...] | None:
    """None: nothing is said of them."""
    if "media_ids" not in given:
        return None
    named = [(text, as_id(text)) for text in given.many("media_ids") if text]
    if wrong := [text for text, number in named if number is None]:
        raise Invalid(f"Media {wrong[0][:40]!r} not found")
    return tuple(dict.fromkeys(number for _, number in named if number is not None))


def _file_changes(given: Params) -> tuple[FileChange, ...]:
    if "media_attributes" not in given:
        return ()
    return tuple(
        FileChange(number, one.text("description") if "description" in one else None, _focus(one))
        for one in given.inners("media_attributes")
        if (number := one.id("id")) is not None
    )


def _focus(given: Params) -> tuple[float, float] | None:
    """`0.5,-0.25`: where the middle of a cut picture should be."""
    said = given.text("focus")
    if not said:
        return None
    try:
        x, y = (float(part) for part in said.split(","))
    except ValueError:
        raise Invalid("focus is two numbers between -1 and 1, like 0.5,-0.25") from None
    return x, y


def _poll(given: Params, now: datetime) -> PollDraft | None:
    asked = given.inner("poll")
    if asked is None:
        return None
    seconds = asked.number("expires_in")
    if seconds is None or not SHORTEST_POLL <= seconds <= LONGEST_POLL:
        raise Invalid(f"poll[expires_in] is between {SHORTEST_POLL} and {LONGEST_POLL} seconds")
    return PollDraft(
        options=tuple(asked.many("options")),
        expires_at=now + timedelta(seconds=seconds),
        multiple=asked.flag("multiple"),
        hide_totals=asked.flag("hide_totals"),
    )
