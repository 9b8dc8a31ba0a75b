"""Announcements: https://docs.joinmastodon.org/methods/announcements/, and the emoji of this server."""

from datetime import UTC, datetime

from aiohttp import web

from social import announcements, emojis
from web import auth
from web.api import shapes
from web.api.answers import answer, path_id
from web.api.entities.announcement import announcement, custom_emoji
from web.api.spec import spec
from web.auth import Caller
from web.keys import DATABASE, ORIGIN

routes = web.RouteTableDef()


@routes.get("/api/v1/announcements")
@spec(answers=list[shapes.Announcement], partial="people and posts in the text are links only")
@auth.person("read:accounts")
async def get_announcements(request: web.Request, caller: Caller) -> web.Response:
    found = await request.app[DATABASE].read(announcements.active, caller.account.id, datetime.now(UTC))
    return answer([announcement(view, request.app[ORIGIN]) for view in found])


@routes.post("/api/v1/announcements/{id}/dismiss")
@spec()
@auth.person("write:accounts")
async def dismiss(request: web.Request, caller: Caller) -> web.Response:
    number, now = path_id(request), datetime.now(UTC)
    await request.app[DATABASE].write(announcements.dismiss, caller.account.id, number, now)
    return answer({})


@routes.put("/api/v1/announcements/{id}/reactions/{name}")
@spec()
@auth.person("write:favourites")
async def react(request: web.Request, caller: Caller) -> web.Response:
    number, name, now = path_id(request), _name(request), datetime.now(UTC)
    await request.app[DATABASE].write(announcements.react, caller.account.id, number, name, now)
    return answer({})


@routes.delete("/api/v1/announcements/{id}/reactions/{name}")
@spec()
@auth.person("write:favourites")
async def unreact(request: web.Request, caller: Caller) -> web.Response:
    number, name, now = path_id(request), _name(request), datetime.now(UTC)
    await request.app[DATABASE].write(announcements.unreact, caller.account.id, number, name, now)
    return answer({})


def _name(request: web.Request) -> str:
    return request.match_info["name"].replace("\0", "").strip(":")


@routes.get("/api/v1/custom_emojis")
@spec(answers=list[shapes.CustomEmoji])
@auth.public
async def get_emojis(request: web.Request) -> web.Response:
    return answer([custom_emoji(it, request.app[ORIGIN]) for it in await request.app[DATABASE].read(emojis.all_of)])
