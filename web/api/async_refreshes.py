"""Whether what was asked for in the background has come: https://docs.joinmastodon.org/methods/async_refreshes/"""

from datetime import UTC, datetime
from typing import Final

from aiohttp import web
from sqlalchemy import Connection

from social.completeness import Completeness
from social.errors import NotFound
from social.posts import find, refreshing
from web import auth
from web.api import shapes
from web.api.answers import answer
from web.api.spec import spec
from web.auth import Caller
from web.keys import DATABASE
from web.params import as_id

routes = web.RouteTableDef()

RETRY: Final = 3  # seconds until it is worth asking again
_CONTEXT: Final = "context-"


def header(post_id: int, found: int) -> dict[str, str]:
    """For an answer that will be better in a while."""
    return {"Mastodon-Async-Refresh": f'id="{_CONTEXT}{post_id}", retry={RETRY}, result_count={found}'}


@routes.get("/api/v1_alpha/async_refreshes/{id}")
@spec(answers=shapes.AsyncRefreshAnswer)
@auth.person("read")
async def get_async_refresh(request: web.Request, caller: Caller) -> web.Response:
    name = request.match_info["id"]
    post_id = as_id(name.removeprefix(_CONTEXT)) if name.startswith(_CONTEXT) else None
    if post_id is None:
        raise NotFound("Record not found")
    state = await request.app[DATABASE].read(_state, post_id, caller.account.id, datetime.now(UTC))
    return answer({"async_refresh": _async_refresh(name, state)})


def _async_refresh(name: str, state: Completeness) -> shapes.AsyncRefresh:
    return {"id": name, "status": "running" if state.running else "finished", "result_count": state.found}


def _state(tx: Connection, post_id: int, reader_id: int, now: datetime) -> Completeness:
    state = refreshing.completeness(tx, find.visible(tx, post_id, reader_id), now)
    if not state.asked:
        raise NotFound("Record not found")
    return state
