"""Turns refusals into answers.  The only place that pairs our errors with status codes.

Routes are wrapped one by one (`guarded`) rather than by a middleware, so that the inbox, which has its own answers,
pays nothing for it.
"""

import logging
import sqlite3
from collections.abc import Awaitable, Callable, Iterable
from functools import wraps
from ipaddress import ip_address
from typing import Final, TypeAlias
from urllib.parse import urlsplit

import orjson
from aiohttp import web
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, NotSupportedError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from federation.errors import FederationError, Forged, Malformed, Refused, Unreachable
from social.errors import Gone, Invalid, NotAllowed, NotFound, Refusal, Unauthorised, Unavailable
from store.races import hangs_on_nothing
from web import request_id
from web.barred import BARRED, SAYS
from web.keys import BOARD, ORIGIN

log = logging.getLogger(__name__)

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]
Render: TypeAlias = Callable[[web.Request, int, str], web.Response]

STATUS: dict[type[Refusal], int] = {
    Unauthorised: 401,
    NotAllowed: 403,
    NotFound: 404,
    Gone: 410,
    Invalid: 422,
    Unavailable: 503,
}
_SIGNED: Final[dict[type[FederationError], int]] = {Malformed: 400, Forged: 401, Refused: 403, Unreachable: 503}
CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": (
        "Link, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, Retry-After, X-Request-Id, "
        "Idempotency-Key, Mastodon-Async-Refresh, Deprecation"
    ),
}
# What every answer has that is not a page.
PLAIN = {**CORS, "X-Content-Type-Options": "nosniff"}

_BROKEN = "Something broke here. It was written down; please try again later."
_AWAY = "The database of this server does not answer. Nothing is lost; please try again in a minute."
_OTHER_NAME = "This server is {}, and answers under no other name."
# What answers in each mode: nothing of it needs the database, or it says by itself how it is.
_ALWAYS: Final = (
    "/livez", "/readyz", "/startupz", "/probez/", "/health", "/metrics", "/status", "/static/", "/favicon.ico",
    "/robots.txt", "/inbox/echo",
    "/nodeinfo/", "/.well-known/nodeinfo", "/.well-known/host-meta", "/.well-known/change-password",
    "/api/v1/streaming/health",
    "/api/v2/summary.json", "/api/v2/status.json", "/api/v2/components.json", "/api/v2/incidents",
    "/api/v2/scheduled-maintenances",
)  # fmt: skip
_OUR_MISTAKES = (DataError, IntegrityError, NotSupportedError, ProgrammingError)
_TROUBLE = ("08", "53", "57")  # classes of SQLSTATE: connection, resources, operator


def guarded(routes: Iterable[web.RouteDef], render: Render, *, any_name: bool = False) -> list[web.RouteDef]:
    """The same routes; what their handlers raise is shown by `render(request, status, text)`.

    any_name: they answer under any name that leads here, and to any network (probes know addresses only).
    """
    return [web.RouteDef(r.method, r.path, guard(r.handler, render, any_name=any_name), r.kwargs) for r in routes]


def guard(handler: Handler, render: Render, *, any_name: bool = False) -> Handler:
    @wraps(handler)
    async def guarded_handler(request: web.Request) -> web.StreamResponse:
        request_id.name(request)
        try:
            if not (any_name or _is_meant(request)):
                return render(request, 421, _OTHER_NAME.format(request.app[ORIGIN].base_url))
            if not any_name and request.app[BARRED].shuts_out(request):
                return render(request, 403, SAYS)
            if not request.app[BOARD].is_open and (says := _why_shut(request)):
                return render(request, 503, says)
            return await handler(request)
        except web.HTTPException as answer:
            if answer.status < 400:
                raise
            return render(request, answer.status, answer.reason)
        except Refusal as refusal:
            log.info("%s: %s (%s)", request.path, refusal, refusal.why)
            return render(request, STATUS[type(refusal)], str(refusal))
        except FederationError as error:
            log.info("%s: %s", request.path, error)
            return render(request, _SIGNED.get(type(error), 401), str(error))
        except Exception as error:
            log.exception("%s %s", request.method, request.path)
            return render(request, *_says(error))

    return guarded_handler


def as_json(request: web.Request, status: int, text: str) -> web.Response:  # noqa: ARG001  a Render
    """`{"error": text}`, readable by scripts of any page."""
    headers = {**PLAIN, "Cache-Control": "no-store"}
    if status == 503:
        headers["Retry-After"] = "60"
    return web.Response(
        body=orjson.dumps({"error": text}), status=status, content_type="application/json", headers=headers
    )


def _says(error: Exception) -> tuple[int, str]:
    if hangs_on_nothing(error):  # who asks, or what he asks for, went after we had looked
        return 404, "Record not found"
    return (503, _AWAY) if is_away(error) else (500, _BROKEN)


def is_away(error: Exception) -> bool:
    """Is it the database that does not answer, rather than a mistake of ours?"""
    cause = getattr(error, "orig", None) or error
    if str(getattr(cause, "sqlstate", None) or "").startswith(_TROUBLE):
        return True
    return isinstance(error, DBAPIError | sqlite3.Error | PoolTimeout | OSError) and not isinstance(
        error, _OUR_MISTAKES
    )


def _why_shut(request: web.Request) -> str:
    """Why this is not answered in the mode that holds; empty when it is."""
    board = request.app[BOARD]
    if request.path.startswith(_ALWAYS) or request.method == "OPTIONS":
        return ""
    if board.name == "read-only" and request.method in ("GET", "HEAD"):
        return ""
    return board.words


def _is_meant(request: web.Request) -> bool:
    """Was this server asked, under its own name or a bare address?

    Under somebody else's name a page of his could pass for one of ours (DNS rebinding), so it gets nothing.
    """
    asked, origin = request.headers.get("Host", "").lower(), request.app[ORIGIN]
    if asked in ("", origin.host, origin.domain.lower()):
        return True
    try:
        name = urlsplit(f"//{asked}").hostname or ""
        if name in ("localhost", *(urlsplit(f"//{ours}").hostname for ours in (origin.host, origin.domain))):
            return True
        ip_address(name)
    except ValueError:
        return False
    return True
