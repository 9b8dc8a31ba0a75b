"""X-Request-Id: a name for each request, in its answer and in the lines of the log that belong to it.

A program that got an odd answer can say which it was.  Whatever stands in front of us may have named the request.
"""

import re
from os import urandom
from typing import Final

from aiohttp import web

from store.answering import REQUEST

HEADER: Final = "X-Request-Id"

_KEY = web.RequestKey("request_id", str)
_SANE = re.compile(r"[A-Za-z0-9_.:@/+=-]{1,128}", re.ASCII)


def name(request: web.Request) -> str:
    """The same each time; from here on it is in the log."""
    found = request.get(_KEY)
    if found is None:
        asked = request.headers.get(HEADER)
        found = asked if asked is not None and _SANE.fullmatch(asked) else urandom(8).hex()
        request[_KEY] = found
        REQUEST.set(found)
    return found


async def tell(request: web.Request, response: web.StreamResponse) -> None:
    """For `on_response_prepare`: also where a stream begins, and where nobody thought of it."""
    response.headers[HEADER] = name(request)
