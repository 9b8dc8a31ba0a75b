"""Notifications: https://docs.joinmastodon.org/methods/notifications/"""

from aiohttp import web

from social import notifications
from social.errors import NotFound
from web import auth
from web.api import shapes
from web.api.answers import answer, framed, path_id
from web.api.entities.notification import notification
from web.api.spec import PAGE, spec
from web.auth import Caller
from web.keys import DATABASE
from web.paging import links, page_of
from web.params import of_query

routes = web.RouteTableDef()


@routes.get("/api/v1/notifications")
@spec(answers=list[shapes.Notification], query={**PAGE, "types": list[str], "exclude_types": list[str]})
@auth.person("read:notifications")
async def get_notifications(request: web.Request, caller: Caller) -> web.Response:
    page, asked = page_of(request, usual=40, most=80), of_query(request)
    kinds, without = asked.many("types") or notifications.KINDS, asked.many("exclude_types")
    found = await request.app[DATABASE].read(notifications.page, caller.account.id, page, kinds=kinds, without=without)
    frame, cursors = framed(request, caller.account), [view.notification.id for view in found]
    # A page may be short because some of it is about posts that are hidden by now: only an empty one is the last.
    return answer([notification(view, frame) for view in found], links(request, cursors, page, more=bool(found)))


@routes.get("/api/v1/notifications/{id}")
@spec(answers=shapes.Notification)
@auth.person("read:notifications")
async def get_notification(request: web.Request, caller: Caller) -> web.Response:
    found = await request.app[DATABASE].read(notifications.one, caller.account.id, path_id(request))
    if found is None:
        raise NotFound("Record not found")
    return answer(notification(found, framed(request, caller.account)))


@routes.post("/api/v1/notifications/clear")
@spec()
@auth.person("write:notifications")
async def clear(request: web.Request, caller: Caller) -> web.Response:
    await request.app[DATABASE].write(notifications.clear, caller.account.id)
    return answer({})


@routes.post("/api/v1/notifications/{id}/dismiss")
@spec()
@auth.person("write:notifications")
async def dismiss(request: web.Request, caller: Caller) -> web.Response:
    await request.app[DATABASE].write(notifications.dismiss, caller.account.id, path_id(request))
    return answer({})
