"""Reactions with an emoji, as Pleroma has them: https://docs.pleroma.social/backend/development/API/pleroma_api/"""

from collections.abc import Callable
from datetime import UTC, datetime

from aiohttp import web

from social import reactions
from social.reacted import Reacted, reacted
from store.tables import Account, Post
from web import auth
from web.api import shapes
from web.api.answers import answer, framed_for, id_of, path_id, shown
from web.api.entities.account import shown_to
from web.api.entities.frame import Frame
from web.api.spec import spec
from web.auth import Caller
from web.keys import DATABASE

routes = web.RouteTableDef()

PEOPLE = 40  # who are named


@routes.get("/api/v1/pleroma/statuses/{id}/reactions")
@spec(answers=list[shapes.EmojiReaction])
@auth.anybody("read:statuses")
async def get_reactions(request: web.Request, reader: Account | None) -> web.Response:
    return await _answer(request, reader, "")


@routes.get("/api/v1/pleroma/statuses/{id}/reactions/{emoji}")
@spec(answers=list[shapes.EmojiReaction])
@auth.anybody("read:statuses")
async def get_reaction(request: web.Request, reader: Account | None) -> web.Response:
    return await _answer(request, reader, request.match_info["emoji"])


@routes.put("/api/v1/pleroma/statuses/{id}/reactions/{emoji}")
@spec(answers=shapes.Status, partial="emoji of Unicode only")
@auth.person("write:statuses")
async def put_reaction(request: web.Request, caller: Caller) -> web.Response:
    return await _act(request, caller, reactions.react)


@routes.delete("/api/v1/pleroma/statuses/{id}/reactions/{emoji}")
@spec(answers=shapes.Status)
@auth.person("write:statuses")
async def delete_reaction(request: web.Request, caller: Caller) -> web.Response:
    return await _act(request, caller, reactions.unreact)


async def _act(request: web.Request, caller: Caller, unit: Callable[..., Post]) -> web.Response:
    emoji, now = request.match_info["emoji"], datetime.now(UTC)
    done = await request.app[DATABASE].write(unit, caller.account.id, path_id(request), emoji, now)
    return await shown(request, caller.account, done.id)


async def _answer(request: web.Request, reader: Account | None, only: str) -> web.Response:
    found = await request.app[DATABASE].read(reacted, path_id(request), id_of(reader))
    found = [it for it in found if only in ("", it.name)]
    frame = await framed_for(request, reader, [one for it in found for one in it.people[:PEOPLE]])
    return answer([_entity(it, frame) for it in found])


def _entity(it: Reacted, frame: Frame) -> shapes.EmojiReaction:
    return {
        "name": it.name,
        "count": len(it.people),
        "me": it.mine,
        "url": it.url,
        "accounts": [shown_to(one, frame) for one in it.people[:PEOPLE]],
    }
