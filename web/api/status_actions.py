"""What a reader does with a status: https://docs.joinmastodon.org/methods/statuses/"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from aiohttp import web
from sqlalchemy import Connection

from social import boosts, marks, pins, reactions
from social.errors import Invalid, NotAllowed, NotFound
from social.pages import Page
from social.posts import around, find
from social.visibility import OPEN
from store.tables import Account, Post
from web import auth, params
from web.api import shapes
from web.api.answers import answer, framed_for, id_of, path_id, shown
from web.api.entities.account import shown_to
from web.api.spec import PAGE, spec
from web.auth import Caller
from web.keys import DATABASE
from web.paging import links, page_of

routes = web.RouteTableDef()

BOOSTABLE: Final = ("public", "unlisted", "private")  # visibilities of a boost


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
    said, usual = (await params.read(request)).text("visibility"), caller.user.default_visibility
    if said and said not in BOOSTABLE:
        raise Invalid(f"visibility is one of {', '.join(BOOSTABLE)}")
    return await _act(request, caller, boosts.boost, said or (usual if usual in BOOSTABLE else BOOSTABLE[-1]))


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


@routes.post("/api/v1/statuses/{id}/bookmark")
@spec(answers=shapes.Status)
@auth.person("write:bookmarks")
async def bookmark(request: web.Request, caller: Caller) -> web.Response:
    return await _act(request, caller, marks.bookmark)


@routes.post("/api/v1/statuses/{id}/unbookmark")
@spec(answers=shapes.Status)
@auth.person("write:bookmarks")
async def unbookmark(request: web.Request, caller: Caller) -> web.Response:
    return await _act(request, caller, marks.unbookmark)


@routes.post("/api/v1/statuses/{id}/mute")
@spec(answers=shapes.Status)
@auth.person("write:mutes")
async def mute(request: web.Request, caller: Caller) -> web.Response:
    """Of the conversation that the post is part of."""
    return await _act(request, caller, marks.mute_thread)


@routes.post("/api/v1/statuses/{id}/unmute")
@spec(answers=shapes.Status)
@auth.person("write:mutes")
async def unmute(request: web.Request, caller: Caller) -> web.Response:
    return await _act(request, caller, marks.unmute_thread)


async def _act(request: web.Request, caller: Caller, unit: Callable[..., Post], *more: Any) -> web.Response:
    """The post that `unit(tx, account_id, post_id, now, …)` gives."""
    done = await request.app[DATABASE].write(unit, caller.account.id, path_id(request), datetime.now(UTC), *more)
    return await shown(request, caller.account, done.id)


@routes.get("/api/v1/statuses/{id}/favourited_by")
@spec(answers=list[shapes.Account], query=PAGE)
@auth.anybody("read:statuses")
async def favourited_by(request: web.Request, reader: Account | None) -> web.Response:
    return await _people(request, reader, around.liked_by)


@routes.get("/api/v1/statuses/{id}/reblogged_by")
@spec(answers=list[shapes.Account], query=PAGE)
@auth.anybody("read:statuses")
async def reblogged_by(request: web.Request, reader: Account | None) -> web.Response:
    return await _people(request, reader, around.boosted_by)


async def _people(
    request: web.Request,
    reader: Account | None,
    unit: Callable[[Connection, int, int | None, Page], list[tuple[int, Account]]],
) -> web.Response:
    page = page_of(request, usual=40, most=80)
    found = await request.app[DATABASE].read(unit, path_id(request), id_of(reader), page)
    frame = await framed_for(request, reader, [it for _, it in found])
    return answer([shown_to(it, frame) for _, it in found], links(request, [number for number, _ in found], page))


@routes.post("/api/v1/statuses/{id}/translate")
@spec(partial="there is no translation service: always 404")
@auth.person("read:statuses")
async def translate(request: web.Request, caller: Caller) -> web.Response:
    """As Mastodon answers without a service: 403 for what is not public, 404 for the rest."""
    post = await request.app[DATABASE].read(find.original, path_id(request), caller.account.id)
    if post.visibility not in OPEN:
        raise NotAllowed("This action is not allowed")
    raise NotFound("Record not found", why="no translation service")
