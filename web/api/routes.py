"""All of the API: every file of this package, its preflight, and what is not there."""

from aiohttp import web

from web.api import accounts, apps, instance, notifications, polls, search, statuses, timelines
from web.errors import CORS, as_json, guarded
from web.limits import limited
from web.oauth import tokens

_PREFLIGHT = {
    **CORS,
    "Access-Control-Allow-Methods": "GET, POST, PUT, PATCH, DELETE",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Idempotency-Key",
    "Access-Control-Max-Age": "86400",
}
_FILES = (apps, instance, accounts, statuses, timelines, notifications, polls, search, tokens)


async def _preflight(request: web.Request) -> web.Response:  # noqa: ARG001
    return web.Response(status=204, headers=_PREFLIGHT)


async def _missing(request: web.Request) -> web.Response:
    return as_json(request, 404, "Record not found")


def routes() -> list[web.RouteDef]:
    found = [route for file in _FILES for route in file.routes if isinstance(route, web.RouteDef)]
    return [
        *(web.RouteDef(r.method, r.path, limited(r.handler), r.kwargs) for r in guarded(found, as_json)),
        web.options("/api/{tail:.*}", _preflight),
        web.options("/oauth/{tail:.*}", _preflight),
        web.route("*", "/api/{tail:.*}", _missing),
    ]
