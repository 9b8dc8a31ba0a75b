"""Turns refusals into answers.  The only place that pairs our errors with status codes.

Routes are wrapped one by one (`guarded`) rather than by a middleware, so that the inbox, which has its own answers,
pays nothing for it.
"""

import logging
from collections.abc import Awaitable, Callable, Iterable
from functools import wraps
from typing import TypeAlias

import orjson
from aiohttp import web
from sqlalchemy.exc import InterfaceError, OperationalError

from federation.errors import FederationError, Unreachable
from social.errors import Gone, Invalid, NotAllowed, NotFound, Refusal, Unauthorised, Unavailable

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
CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": (
        "Link, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, Retry-After, X-Request-Id, "
        "Idempotency-Key, Mastodon-Async-Refresh, Deprecation"
    ),
}
_BROKEN = "Something broke here. It was written down; please try again later."
_AWAY = "The database of this server does not answer. Nothing is lost; please try again in a minute."


def guarded(routes: Iterable[web.RouteDef], render: Render) -> list[web.RouteDef]:
    """The same routes; what their handlers raise is shown by `render(request, status, text)`."""
    return [web.RouteDef(r.method, r.path, guard(r.handler, render), r.kwargs) for r in routes]


def guard(handler: Handler, render: Render) -> Handler:
    @wraps(handler)
    async def guarded_handler(request: web.Request) -> web.StreamResponse:
        try:
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
            return render(request, 503 if isinstance(error, Unreachable) else 401, str(error))
        except (OperationalError, InterfaceError, OSError):
            log.exception("%s: the database is away", request.path)
            return render(request, 503, _AWAY)
        except Exception:
            log.exception("%s %s", request.method, request.path)
            return render(request, 500, _BROKEN)

    return guarded_handler


def as_json(request: web.Request, status: int, text: str) -> web.Response:  # noqa: ARG001  a Render
    """`{"error": text}`, readable by scripts of any page."""
    headers = {**CORS, "Cache-Control": "no-store"}
    if status == 503:
        headers["Retry-After"] = "60"
    return web.Response(
        body=orjson.dumps({"error": text}), status=status, content_type="application/json", headers=headers
    )
