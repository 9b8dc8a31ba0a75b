"""Filters as they were before they had several keywords: https://docs.joinmastodon.org/methods/filters/#v1

Each keyword is a filter here, with its number.
"""

from datetime import date
from typing import Final

from aiohttp import web
from sqlalchemy import Connection

from social.errors import Invalid
from social.filters import keeping as filters
from social.filters.keeping import Changes, KeywordChange
from social.filters.loading import Kept
from store.tables import FilterKeyword
from web import auth, params
from web.api import shapes
from web.api.answers import answer, path_id
from web.api.entities.filter import v1_filter
from web.api.filters import expiry
from web.api.spec import spec
from web.auth import Caller
from web.keys import DATABASE
from web.params import Params

routes = web.RouteTableDef()

_BODY = {"phrase": str, "context": list[str], "irreversible": bool, "whole_word": bool, "expires_in": int}
_OLD: Final = date(2022, 11, 14)


@routes.get("/api/v1/filters")
@spec(answers=list[shapes.V1Filter], old=_OLD)
@auth.person("read:filters")
async def get_filters(request: web.Request, caller: Caller) -> web.Response:
    found = await request.app[DATABASE].read(filters.all_of, caller.account.id)
    return answer([v1_filter(kept, one) for kept in found for one in kept.keywords])


@routes.post("/api/v1/filters")
@spec(answers=shapes.V1Filter, body=_BODY, old=_OLD)
@auth.person("write:filters")
async def create(request: web.Request, caller: Caller) -> web.Response:
    given = await params.read(request)
    phrase = given.text("phrase")
    word = KeywordChange(None, phrase, given.flag("whole_word", default=True))
    wishes = Changes(
        phrase[:100],
        tuple(given.many("context")),
        "hide" if given.flag("irreversible") else "warn",
        True,
        expiry(given),
        [word],
    )
    kept = await request.app[DATABASE].write(filters.create, caller.account.id, wishes)
    return answer(v1_filter(kept, kept.keywords[0]))


@routes.get("/api/v1/filters/{id}")
@spec(answers=shapes.V1Filter, old=_OLD)
@auth.person("read:filters")
async def get_filter(request: web.Request, caller: Caller) -> web.Response:
    found = await request.app[DATABASE].read(filters.keyword, caller.account.id, path_id(request))
    return answer(v1_filter(*found))


@routes.put("/api/v1/filters/{id}")
@spec(answers=shapes.V1Filter, body=_BODY, old=_OLD)
@auth.person("write:filters")
async def update(request: web.Request, caller: Caller) -> web.Response:
    given, number = await params.read(request), path_id(request)
    word = KeywordChange(
        number,
        given.text("phrase") if "phrase" in given else None,
        given.flag("whole_word") if "whole_word" in given else None,
    )
    found = await request.app[DATABASE].write(_update, caller.account.id, number, _changes(given), word)
    return answer(v1_filter(*found))


def _changes(given: Params) -> Changes:
    action = None
    if "irreversible" in given:
        action = "hide" if given.flag("irreversible") else "warn"
    contexts = tuple(given.many("context")) if "context" in given else None
    return Changes(None, contexts, action, given.said("expires_in"), expiry(given))


def _update(
    tx: Connection, owner_id: int, number: int, wishes: Changes, word: KeywordChange
) -> tuple[Kept, FilterKeyword]:
    """What belongs to the whole filter is not changed through one keyword of several.  Raises: NotFound, Invalid."""
    kept, _ = filters.keyword(tx, owner_id, number)
    if wishes != Changes() and len(kept.keywords) > 1:
        raise Invalid("These parameters cannot be changed here because the filter has several keywords")
    filters.change(tx, owner_id, kept.filter.id, wishes)
    filters.change(tx, owner_id, kept.filter.id, Changes(keywords=[word]))
    return filters.keyword(tx, owner_id, number)


@routes.delete("/api/v1/filters/{id}")
@spec(old=_OLD)
@auth.person("write:filters")
async def delete(request: web.Request, caller: Caller) -> web.Response:
    await request.app[DATABASE].write(_remove, caller.account.id, path_id(request))
    return answer({})


def _remove(tx: Connection, owner_id: int, number: int) -> None:
    """The last keyword takes its filter along, if nothing else is in it.  Raises: NotFound."""
    kept, _ = filters.keyword(tx, owner_id, number)
    if len(kept.keywords) > 1 or kept.posts:
        filters.remove_keyword(tx, owner_id, number)
    else:
        filters.remove(tx, owner_id, kept.filter.id)
