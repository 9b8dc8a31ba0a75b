"""Announcements: https://docs.joinmastodon.org/methods/announcements/, and the emoji of this server."""

from datetime import UTC, datetime

from aiohttp import web
from sqlalchemy import Connection

from federation.origin import Origin
from social import announcements, emojis
from social.announcements import AnnouncementView
from web import auth
from web.api import shapes
from web.api.answers import answer, framed, path_id
from web.api.entities.announcement import announcement, custom_emoji
from web.api.spec import spec
from web.auth import Caller
from web.keys import DATABASE, ORIGIN

routes = web.RouteTableDef()


@routes.get("/api/v1/announcements")
@spec(answers=list[shapes.Announcement])
@auth.person("read:accounts")
async def get_announcements(request: web.Request, caller: Caller) -> web.Response:
    frame = framed(request, caller.account)
    found = await request.app[DATABASE].read(_active, frame.origin, caller.account.id, frame.now)
    return answer([announcement(view, frame) for view in found])


def _active(tx: Connection, origin: Origin, reader_id: int, now: datetime) -> list[AnnouncementView]:
    return announcements.whole(tx, origin, announcements.active(tx, reader_id, now), reader_id)


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
