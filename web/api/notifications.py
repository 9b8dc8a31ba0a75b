"""Notifications: https://docs.joinmastodon.org/methods/notifications/"""

from collections.abc import Sequence
from typing import Final

from aiohttp import web

from social import notifications
from social.errors import NotFound
from social.notifications import Choice, NotificationView
from store.tables import Account
from web import auth, params
from web.api import shapes
from web.api.answers import answer, framed_for, path_id
from web.api.entities.notification import notification, told_of
from web.api.spec import PAGE, spec
from web.auth import Caller, Reader
from web.keys import DATABASE
from web.paging import links, page_of
from web.params import of_query

routes = web.RouteTableDef()

CHOICE: Final = {"types": list[str], "exclude_types": list[str], "account_id": str, "include_filtered": bool}
SUPPORTED: Final = {"supported_types": list[str]}  # of others there is a text to show
USUAL_COUNT: Final = 100
MOST_COUNTED: Final = 1_000


def choice(request: web.Request) -> Choice:
    """Which ones the request asks for.  Raises: Invalid."""
    asked = of_query(request)
    kinds, without = asked.many("types") or notifications.KINDS, asked.many("exclude_types")
    return Choice(kinds, without, asked.id("account_id"), filtered_too=asked.flag("include_filtered"))


def supported(request: web.Request) -> list[str] | None:
    """The types that the program knows; None: it does not say."""
    asked = of_query(request)
    return asked.many("supported_types") if asked.said("supported_types") else None


def _people(found: Sequence[NotificationView]) -> list[Account]:
    return [one for view in found for one in told_of(view)]


def most_counted(request: web.Request) -> int:
    """Raises: Invalid."""
    limit = of_query(request).number("limit")
    return USUAL_COUNT if limit is None else max(1, min(limit, MOST_COUNTED))


@routes.get("/api/v1/notifications")
@spec(answers=list[shapes.Notification], query={**PAGE, **CHOICE, **SUPPORTED})
@auth.reader("read:notifications")
async def get_notifications(request: web.Request, reader: Reader) -> web.Response:
    page = page_of(request, usual=40, most=80)
    who, found = await reader.read(notifications.page, page, choice(request))
    frame, cursors = await framed_for(request, who, _people(found)), [view.notification.id for view in found]
    # A page may be short because some of it is about posts that are hidden by now: only an empty one is the last.
    known = supported(request)
    return answer([notification(view, frame, known) for view in found], links(request, cursors, page, more=bool(found)))


@routes.get("/api/v1/notifications/unread_count")
@spec(answers=shapes.Count, query={"limit": int, **CHOICE})
@auth.person("read:notifications")
async def unread_count(request: web.Request, caller: Caller) -> web.Response:
    chosen, most = choice(request), most_counted(request)
    found = await request.app[DATABASE].read(notifications.unread, caller.account.id, chosen, most)
    return answer(shapes.Count(count=found))


@routes.get("/api/v1/notifications/{id}")
@spec(answers=shapes.Notification, query=SUPPORTED)
@auth.person("read:notifications")
async def get_notification(request: web.Request, caller: Caller) -> web.Response:
    found = await request.app[DATABASE].read(notifications.one, caller.account.id, path_id(request))
    if found is None:
        raise NotFound("Record not found")
    frame = await framed_for(request, caller.account, _people([found]))
    return answer(notification(found, frame, supported(request)))


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


@routes.post("/api/v1/notifications/dismiss")
@spec(body={"id": str})
@auth.person("write:notifications")
async def dismiss_named(request: web.Request, caller: Caller) -> web.Response:
    """The old way, which some programs still go."""
    number = (await params.read(request)).id("id")
    if number is None:
        raise NotFound("Record not found")
    await request.app[DATABASE].write(notifications.dismiss, caller.account.id, number)
    return answer({})
