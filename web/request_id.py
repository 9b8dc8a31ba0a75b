"""X-Request-Id: a name for each request, in its answer and in the lines of the log that belong to it.

A program that got an odd answer can say which it was.  Whatever stands in front of us may have named the request.
"""

import re
from contextvars import ContextVar
from functools import cache
from os import urandom
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:  # the supervisor, whose log asks for REQUEST, has no aiohttp
    from aiohttp import web

HEADER: Final = "X-Request-Id"
#: What is being answered here; empty elsewhere.
REQUEST: ContextVar[str] = ContextVar("request", default="")

_SANE = re.compile(r"[A-Za-z0-9_.:@/+=-]{1,128}", re.ASCII)


def name(request: "web.Request") -> str:
    """The same each time; from here on it is in the log."""
    key = _key()
    found = request.get(key)
    if found is None:
        asked = request.headers.get(HEADER)
        found = asked if asked is not None and _SANE.fullmatch(asked) else urandom(8).hex()
        request[key] = found
        REQUEST.set(found)
    return found


@cache
def _key() -> "web.RequestKey[str]":
    from aiohttp import web  # noqa: PLC0415  see above

    return web.RequestKey("request_id", str)


async def tell(request: "web.Request", response: "web.StreamResponse") -> None:
    """For `on_response_prepare`: also where a stream begins, and where nobody thought of it."""
    response.headers[HEADER] = name(request)
