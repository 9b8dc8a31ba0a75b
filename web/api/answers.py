"""What all answers of the API have in common."""

from typing import Any

import orjson
from aiohttp import web

from social.errors import NotFound
from web.errors import CORS
from web.params import as_id

_PRIVATE = {**CORS, "Cache-Control": "private, no-store"}


def answer(body: Any, status: int = 200) -> web.Response:
    return web.Response(body=orjson.dumps(body), status=status, content_type="application/json", headers=_PRIVATE)


def path_id(request: web.Request) -> int:
    """The `{id}` of the path.  Raises: NotFound, when it cannot be one."""
    found = as_id(request.match_info["id"])
    if found is None:
        raise NotFound("Record not found")
    return found
