"""All of the API: every file of this package, and what browsers ask before they use it."""

import re
from datetime import UTC, date, datetime, time

from aiohttp import web

from web import auth
from web.api import (
    accounts,
    announcements,
    annual_reports,
    apps,
    async_refreshes,
    bookmarks,
    cards,
    collections,
    conversations,
    credentials,
    discovery,
    featured_tags,
    filters,
    filters_v1,
    finding,
    grouped_notifications,
    instance,
    keeping,
    lists,
    markers,
    media,
    notification_policy,
    notifications,
    oembed,
    openapi,
    peers,
    polls,
    preferences,
    push,
    quotes,
    reactions,
    reports,
    scheduled_statuses,
    search,
    signing_up,
    status_actions,
    statuses,
    tags,
    timelines,
    trends,
)
from web.api.admin import accounts as admin_accounts
from web.api.admin import domains as admin_domains
from web.api.admin import emails as admin_emails
from web.api.admin import figures as admin_figures
from web.api.admin import hashtags as admin_hashtags
from web.api.admin import ip_blocks as admin_ip_blocks
from web.api.admin import reports as admin_reports
from web.api.admin import trends as admin_trends
from web.api.spec import SPECS
from web.errors import PLAIN, Handler, as_json, guarded
from web.limits import limited
from web.oauth import tokens
from web.streaming import routes as streaming

PLACES = ("/api/{tail:.*}", "/oauth/{tail:.*}")

_CHANGES = ("PUT", "PATCH")

_PREFLIGHT = {
    **PLAIN,
    "Access-Control-Allow-Methods": "GET, POST, PUT, PATCH, DELETE",
    "Access-Control-Max-Age": "86400",
    "Vary": "Access-Control-Request-Headers",
}
_USUAL_HEADERS = "Authorization, Content-Type, Idempotency-Key"
_HEADERS = re.compile(r"[A-Za-z0-9\-_]+( *, *[A-Za-z0-9\-_]+)*")
_FILES = (
    admin_accounts,
    admin_domains,
    admin_emails,
    admin_figures,
    admin_hashtags,
    admin_ip_blocks,
    admin_reports,
    admin_trends,
    accounts,
    announcements,
    annual_reports,
    apps,
    async_refreshes,
    bookmarks,
    cards,
    collections,
    conversations,
    credentials,
    discovery,
    featured_tags,
    filters,
    filters_v1,
    finding,
    instance,
    keeping,
    lists,
    markers,
    notification_policy,
    media,
    grouped_notifications,
    notifications,
    oembed,
    openapi,
    peers,
    polls,
    preferences,
    push,
    quotes,
    scheduled_statuses,
    reactions,
    reports,
    search,
    signing_up,
    status_actions,
    statuses,
    streaming,
    tags,
    timelines,
    tokens,
    trends,
)


def defined() -> list[web.RouteDef]:
    """The routes as their files define them.  Raises: LookupError, when one does not say for whom it is."""
    found = [route for file in _FILES for route in file.routes if isinstance(route, web.RouteDef)]
    for route in found:
        if route.handler not in auth.DECLARED:
            raise LookupError(f"{route.method} {route.path} does not say for whom it is: see web/auth.py")
    return found


def routes() -> tuple[web.RouteDef, ...]:
    """Each as clients know it from Rails: also with a slash at its end (Mastodon.py asks for /api/v1/instance/), and
    what changes something by PUT and by PATCH (masto.js knows PUT alone).
    """
    found = defined()
    return tuple(
        web.RouteDef(method, path, handler, route.kwargs)
        for plain, route in zip(found, guarded(found, _refusal), strict=True)
        for handler in [_dated(limited(route.handler), SPECS[plain.handler].old)]
        for method in (_CHANGES if route.method in _CHANGES else (route.method,))
        for path in _with_slash(route.path)
    )


def _refusal(request: web.Request, status: int, text: str) -> web.Response:
    """Says of which kind the token is that it wants (RFC 6750, section 3): some programs take less for broken."""
    response = as_json(request, status, text)
    if status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _with_slash(path: str) -> tuple[str, ...]:
    """A path with names in it is a pattern, which costs time at the start and in each request: one for both."""
    return (path + "{slash:/?}",) if "{" in path else (path, f"{path}/")


def _dated(handler: Handler, old: date | None) -> Handler:
    """Says in each answer since when there is something better: RFC 9745."""
    if old is None:
        return handler
    since = f"@{int(datetime.combine(old, time(), UTC).timestamp())}"

    async def dated(request: web.Request) -> web.StreamResponse:
        response = await handler(request)
        response.headers["Deprecation"] = since
        return response

    return dated


async def preflight(request: web.Request) -> web.Response:
    """What a browser asks before a script of another site may ask (CORS): any header will do."""
    asked = request.headers.get("Access-Control-Request-Headers", "")
    headers = asked if _HEADERS.fullmatch(asked) else _USUAL_HEADERS
    return web.Response(status=204, headers={**_PREFLIGHT, "Access-Control-Allow-Headers": headers})
