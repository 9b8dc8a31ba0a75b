"""Notifications in groups: https://docs.joinmastodon.org/methods/grouped_notifications/"""

from collections.abc import Collection, Sequence

from aiohttp import web

from social import grouping, notifications
from social.errors import Invalid
from social.grouping import Group
from social.notifications import GROUPED
from store.tables import Account
from web import auth
from web.api import shapes
from web.api.answers import answer, framed_for
from web.api.entities.account import shown_to
from web.api.entities.notification import grouped, told_of
from web.api.notifications import CHOICE, SUPPORTED, choice, most_counted, supported
from web.api.spec import PAGE, spec
from web.auth import Caller
from web.keys import DATABASE
from web.paging import links, page_of
from web.params import of_query

routes = web.RouteTableDef()


def _people(groups: Sequence[Group]) -> list[Account]:
    return [one for group in groups for one in (*group.sample, *told_of(group.head))]


def _kinds(request: web.Request) -> Collection[str]:
    return of_query(request).many("grouped_types") or GROUPED


@routes.get("/api/v2/notifications")
@spec(
    answers=shapes.GroupedNotificationsResults,
    query={**PAGE, **CHOICE, **SUPPORTED, "grouped_types": list[str], "expand_accounts": str},
)
@auth.person("read:notifications")
async def get_groups(request: web.Request, caller: Caller) -> web.Response:
    page, kinds = page_of(request, usual=40, most=80), _kinds(request)
    expand = of_query(request).text("expand_accounts", "full")
    if expand not in ("full", "partial_avatars"):
        raise Invalid("expand_accounts should be full or partial_avatars")
    found = await request.app[DATABASE].read(grouping.page, caller.account.id, page, choice(request), kinds)
    frame = await framed_for(request, caller.account, _people(found))
    entity = grouped(found, frame, partly=expand != "full", supported=supported(request))
    cursors = [number for group in found for number in (group.newest, group.oldest) if number is not None]
    # As with single ones: some of a page may be hidden, so only an empty one is the last.
    return answer(entity, links(request, cursors, page, more=bool(found)))


@routes.get("/api/v2/notifications/unread_count")
@spec(answers=shapes.Count, query={"limit": int, **CHOICE, "grouped_types": list[str]})
@auth.person("read:notifications")
async def unread_count(request: web.Request, caller: Caller) -> web.Response:
    chosen, most, kinds = choice(request), most_counted(request), _kinds(request)
    found = await request.app[DATABASE].read(grouping.unread, caller.account.id, chosen, most, kinds)
    return answer(shapes.Count(count=found))


def _key(request: web.Request) -> str:
    """PostgreSQL takes no NUL in a text, and no key has one."""
    return request.match_info["group_key"].replace("\0", "")


@routes.get("/api/v2/notifications/{group_key}")
@spec(answers=shapes.GroupedNotificationsResults, query=SUPPORTED)
@auth.person("read:notifications")
async def get_group(request: web.Request, caller: Caller) -> web.Response:
    key = _key(request)
    found = await request.app[DATABASE].read(grouping.one, caller.account.id, key)
    frame = await framed_for(request, caller.account, _people([found]))
    return answer(grouped([found], frame, partly=False, supported=supported(request)))


@routes.get("/api/v2/notifications/{group_key}/accounts")
@spec(answers=list[shapes.Account])
@auth.person("read:notifications")  # as Mastodon does; its documentation says write
async def get_accounts(request: web.Request, caller: Caller) -> web.Response:
    found = await request.app[DATABASE].read(grouping.senders, caller.account.id, _key(request))
    frame = await framed_for(request, caller.account, found)
    return answer([shown_to(one, frame) for one in found])


@routes.post("/api/v2/notifications/clear")
@spec()
@auth.person("write:notifications")
async def clear(request: web.Request, caller: Caller) -> web.Response:
    await request.app[DATABASE].write(notifications.clear, caller.account.id)
    return answer({})


@routes.post("/api/v2/notifications/{group_key}/dismiss")
@spec()
@auth.person("write:notifications")
async def dismiss(request: web.Request, caller: Caller) -> web.Response:
    await request.app[DATABASE].write(grouping.dismiss, caller.account.id, _key(request))
    return answer({})
