"""Whether what was asked for in the background has come: https://docs.joinmastodon.org/methods/async_refreshes/"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from aiohttp import web
from sqlalchemy import Connection

from social import backfills
from social.completeness import Completeness
from social.errors import NotFound
from social.posts import find, refreshing
from web import auth
from web.api import shapes
from web.api.answers import answer
from web.api.people import is_shown
from web.api.spec import spec
from web.auth import Caller
from web.keys import DATABASE
from web.params import as_id

routes = web.RouteTableDef()

RETRY: Final = 3  # seconds until it is worth asking again
_CONTEXT: Final = "context-"
_ACCOUNT: Final = "account-"


def header(post_id: int, found: int) -> dict[str, str]:
    """For a conversation that will be more complete in a while."""
    return _header(f"{_CONTEXT}{post_id}", found)


def of_account(account_id: int, found: int) -> dict[str, str]:
    """For somebody's posts, of which there will be older ones in a while."""
    return _header(f"{_ACCOUNT}{account_id}", found)


def _header(name: str, found: int) -> dict[str, str]:
    return {"Mastodon-Async-Refresh": f'id="{name}", retry={RETRY}, result_count={found}'}


@routes.get("/api/v1_alpha/async_refreshes/{id}")
@spec(answers=shapes.AsyncRefreshAnswer)
@auth.person("read")
async def get_async_refresh(request: web.Request, caller: Caller) -> web.Response:
    name = request.match_info["id"]
    kind, dash, number = name.partition("-")
    unit, found = _STATES.get(f"{kind}{dash}"), as_id(number)
    if unit is None or found is None:
        raise NotFound("Record not found")
    state = await request.app[DATABASE].read(unit, found, caller.account.id, datetime.now(UTC))
    status = "running" if state.running else "finished"
    refresh: shapes.AsyncRefresh = {"id": name, "status": status, "result_count": state.found}
    return answer({"async_refresh": refresh})


def _thread(tx: Connection, post_id: int, reader_id: int, now: datetime) -> Completeness:
    state = refreshing.completeness(tx, find.visible(tx, post_id, reader_id), now)
    if not state.asked:
        raise NotFound("Record not found")
    return state


def _backfill(tx: Connection, account_id: int, _: int, now: datetime) -> backfills.State:
    is_shown(tx, account_id)
    state = backfills.state(tx, account_id, now)
    if not state.asked:
        raise NotFound("Record not found")
    return state


_STATES: Final[dict[str, Callable[[Connection, int, int, datetime], Completeness | backfills.State]]] = {
    _CONTEXT: _thread,
    _ACCOUNT: _backfill,
}
