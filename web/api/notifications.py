"""Notifications: https://docs.joinmastodon.org/methods/notifications/"""

from datetime import UTC, datetime

from aiohttp import web

from social import notifications
from social.errors import NotFound
from web import auth
from web.api.answers import answer, path_id
from web.api.entities.notification import notification
from web.keys import DATABASE, ORIGIN
from web.paging import linked, page_of
from web.params import of_query

routes = web.RouteTableDef()


@routes.get("/api/v1/notifications")
async def get_notifications(request: web.Request) -> web.Response:
    caller, page = await auth.caller(request, "read:notifications"), page_of(request, usual=40, most=80)
    asked = of_query(request)
    found = await request.app[DATABASE].read(
        notifications.page,
        caller.account.id,
        page,
        kinds=asked.many("types") or notifications.KINDS,
        without=asked.many("exclude_types"),
    )
    origin, now = request.app[ORIGIN], datetime.now(UTC)
    return linked(request, [notification(v, origin, now) for v in found], [v.notification.id for v in found], page)


@routes.get("/api/v1/notifications/{id}")
async def get_notification(request: web.Request) -> web.Response:
    caller = await auth.caller(request, "read:notifications")
    found = await request.app[DATABASE].read(notifications.one, caller.account.id, path_id(request))
    if found is None:
        raise NotFound("Record not found")
    return answer(notification(found, request.app[ORIGIN], datetime.now(UTC)))


@routes.post("/api/v1/notifications/clear")
async def clear(request: web.Request) -> web.Response:
    caller = await auth.caller(request, "write:notifications")
    await request.app[DATABASE].write(notifications.clear, caller.account.id)
    return answer({})


@routes.post("/api/v1/notifications/{id}/dismiss")
async def dismiss(request: web.Request) -> web.Response:
    caller = await auth.caller(request, "write:notifications")
    await request.app[DATABASE].write(notifications.dismiss, caller.account.id, path_id(request))
    return answer({})
