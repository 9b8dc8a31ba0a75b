"""What of the news is kept back, and what becomes of it: https://docs.joinmastodon.org/methods/notifications/#get-policy

Version 1 of the policy is what the release candidates of Mastodon 4.3 had; some programs still ask for it.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from aiohttp import web
from sqlalchemy import Connection

from social import filtering, notification_requests
from social.errors import Invalid, NotFound
from social.filtering import ACCEPT, DROP, FILTER, REASONS, Summary
from store.tables import NotificationPolicy
from web import auth, params
from web.api import shapes
from web.api.answers import answer, framed_for, path_id
from web.api.entities.notification import policy, policy_v1, request_entity
from web.api.spec import PAGE, spec
from web.auth import Caller
from web.keys import DATABASE
from web.paging import links, page_of
from web.params import Params, as_id

routes = web.RouteTableDef()

MOST_AT_ONCE: Final = 100  # requests that are accepted or dismissed
_V1: Final = {name: name.replace("for_", "filter_", 1) for name in REASONS[:4]}


@routes.get("/api/v2/notifications/policy")
@spec(answers=shapes.NotificationPolicy)
@auth.person("read:notifications")
async def get_policy(request: web.Request, caller: Caller) -> web.Response:
    return answer(policy(*await request.app[DATABASE].read(_look, caller.account.id)))


@routes.patch("/api/v2/notifications/policy")
@spec(answers=shapes.NotificationPolicy, body=dict.fromkeys(REASONS, str))
@auth.person("write:notifications")
async def set_policy(request: web.Request, caller: Caller) -> web.Response:
    given = await params.read(request)
    changes = {name: given.text(name) for name in REASONS if name in given}
    return answer(policy(*await request.app[DATABASE].write(_set, caller.account.id, changes)))


@routes.get("/api/v1/notifications/policy")
@spec(answers=shapes.NotificationPolicyV1)
@auth.person("read:notifications")
async def get_policy_v1(request: web.Request, caller: Caller) -> web.Response:
    return answer(policy_v1(*await request.app[DATABASE].read(_look, caller.account.id)))


@routes.patch("/api/v1/notifications/policy")
@spec(answers=shapes.NotificationPolicyV1, body=dict.fromkeys(_V1.values(), bool))
@auth.person("write:notifications")
async def set_policy_v1(request: web.Request, caller: Caller) -> web.Response:
    """Who drops goes on dropping: this version knows no such thing."""
    given = await params.read(request)
    asked = {new: given.flag(old) for new, old in _V1.items() if old in given}
    return answer(policy_v1(*await request.app[DATABASE].write(_set_v1, caller.account.id, asked)))


def _look(tx: Connection, account_id: int) -> tuple[NotificationPolicy, Summary]:
    return filtering.policy(tx, account_id), filtering.summary(tx, account_id)


def _set(tx: Connection, account_id: int, changes: dict[str, str]) -> tuple[NotificationPolicy, Summary]:
    return filtering.set_policy(tx, account_id, changes), filtering.summary(tx, account_id)


def _set_v1(tx: Connection, account_id: int, asked: dict[str, bool]) -> tuple[NotificationPolicy, Summary]:
    now = filtering.policy(tx, account_id)
    changes = {
        name: FILTER if wanted else ACCEPT
        for name, wanted in asked.items()
        if not (wanted and getattr(now, name) == DROP)
    }
    return _set(tx, account_id, changes)


@routes.get("/api/v1/notifications/requests")
@spec(answers=list[shapes.NotificationRequest], query=PAGE)
@auth.person("read:notifications")
async def get_requests(request: web.Request, caller: Caller) -> web.Response:
    page = page_of(request, usual=40, most=80)
    found = await request.app[DATABASE].read(notification_requests.page, caller.account.id, page)
    frame = await framed_for(request, caller.account, [view.account for view in found])
    cursors = [view.request.id for view in found]
    return answer([request_entity(view, frame) for view in found], links(request, cursors, page))


@routes.get("/api/v1/notifications/requests/merged")
@spec(answers=shapes.Merged)
@auth.person("read:notifications")
async def merged(request: web.Request, caller: Caller) -> web.Response:  # noqa: ARG001
    """Always: who accepts is answered when it is done."""
    return answer(shapes.Merged(merged=True))


@routes.get("/api/v1/notifications/requests/{id}")
@spec(answers=shapes.NotificationRequest)
@auth.person("read:notifications")
async def get_request(request: web.Request, caller: Caller) -> web.Response:
    found = await request.app[DATABASE].read(notification_requests.one, caller.account.id, path_id(request))
    return answer(request_entity(found, await framed_for(request, caller.account, [found.account])))


@routes.post("/api/v1/notifications/requests/accept")
@spec(body={"id": list[str]})
@auth.person("write:notifications")
async def accept_some(request: web.Request, caller: Caller) -> web.Response:
    ids = _ids(await params.read(request))
    await request.app[DATABASE].write(notification_requests.accept, caller.account.id, ids, datetime.now(UTC))
    return answer({})


@routes.post("/api/v1/notifications/requests/dismiss")
@spec(body={"id": list[str]})
@auth.person("write:notifications")
async def dismiss_some(request: web.Request, caller: Caller) -> web.Response:
    ids = _ids(await params.read(request))
    await request.app[DATABASE].write(notification_requests.dismiss, caller.account.id, ids)
    return answer({})


@routes.post("/api/v1/notifications/requests/{id}/accept")
@spec()
@auth.person("write:notifications")
async def accept(request: web.Request, caller: Caller) -> web.Response:
    unit, now = notification_requests.accept, datetime.now(UTC)
    if not await request.app[DATABASE].write(unit, caller.account.id, [path_id(request)], now):
        raise NotFound("Record not found")
    return answer({})


@routes.post("/api/v1/notifications/requests/{id}/dismiss")
@spec()
@auth.person("write:notifications")
async def dismiss(request: web.Request, caller: Caller) -> web.Response:
    if not await request.app[DATABASE].write(notification_requests.dismiss, caller.account.id, [path_id(request)]):
        raise NotFound("Record not found")
    return answer({})


def _ids(given: Params) -> Sequence[int]:
    """Those that are ids.  Raises: Invalid."""
    asked = given.many("id")
    if len(asked) > MOST_AT_ONCE:
        raise Invalid(f"At most {MOST_AT_ONCE} at once")
    return [number for text in asked if (number := as_id(text)) is not None]
