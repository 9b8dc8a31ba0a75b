"""Filters: https://docs.joinmastodon.org/methods/filters/"""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from aiohttp import web

from social.errors import Invalid, NotFound
from social.filters import keeping as filters
from social.filters.keeping import Changes, KeywordChange
from web import auth, params
from web.api import shapes
from web.api.answers import answer, path_id
from web.api.entities.filter import filter_, filter_status, keyword
from web.api.spec import spec
from web.auth import Caller
from web.keys import DATABASE
from web.params import Params, as_id

routes = web.RouteTableDef()

LONGEST: Final = 100 * 365 * 86_400  # seconds that a filter lasts
_BODY = {
    "title": str,
    "context": list[str],
    "filter_action": str,
    "expires_in": int,
    "keywords_attributes": list[dict[str, Any]],
}
_KEYWORD = {"keyword": str, "whole_word": bool}


@routes.get("/api/v2/filters")
@spec(answers=list[shapes.Filter])
@auth.person("read:filters")
async def get_filters(request: web.Request, caller: Caller) -> web.Response:
    return answer([filter_(kept) for kept in await request.app[DATABASE].read(filters.all_of, caller.account.id)])


@routes.post("/api/v2/filters")
@spec(answers=shapes.Filter, body=_BODY)
@auth.person("write:filters")
async def create(request: web.Request, caller: Caller) -> web.Response:
    wishes = _changes(await params.read(request))
    return answer(filter_(await request.app[DATABASE].write(filters.create, caller.account.id, wishes)))


@routes.get("/api/v2/filters/{id}")
@spec(answers=shapes.Filter)
@auth.person("read:filters")
async def get_filter(request: web.Request, caller: Caller) -> web.Response:
    return answer(filter_(await request.app[DATABASE].read(filters.get, caller.account.id, path_id(request))))


@routes.put("/api/v2/filters/{id}")
@spec(answers=shapes.Filter, body=_BODY)
@auth.person("write:filters")
async def update(request: web.Request, caller: Caller) -> web.Response:
    wishes, number = _changes(await params.read(request)), path_id(request)
    return answer(filter_(await request.app[DATABASE].write(filters.change, caller.account.id, number, wishes)))


@routes.delete("/api/v2/filters/{id}")
@spec()
@auth.person("write:filters")
async def delete(request: web.Request, caller: Caller) -> web.Response:
    await request.app[DATABASE].write(filters.remove, caller.account.id, path_id(request))
    return answer({})


@routes.get("/api/v2/filters/{id}/keywords")
@spec(answers=list[shapes.FilterKeyword])
@auth.person("read:filters")
async def get_keywords(request: web.Request, caller: Caller) -> web.Response:
    kept = await request.app[DATABASE].read(filters.get, caller.account.id, path_id(request))
    return answer([keyword(one) for one in kept.keywords])


@routes.post("/api/v2/filters/{id}/keywords")
@spec(answers=shapes.FilterKeyword, body=_KEYWORD)
@auth.person("write:filters")
async def add_keyword(request: web.Request, caller: Caller) -> web.Response:
    given, number = await params.read(request), path_id(request)
    word, whole = given.text("keyword"), given.flag("whole_word", default=True)
    made = await request.app[DATABASE].write(filters.add_keyword, caller.account.id, number, word, whole)
    return answer(keyword(made))


@routes.get("/api/v2/filters/{id}/statuses")
@spec(answers=list[shapes.FilterStatus])
@auth.person("read:filters")
async def get_statuses(request: web.Request, caller: Caller) -> web.Response:
    kept = await request.app[DATABASE].read(filters.get, caller.account.id, path_id(request))
    return answer([filter_status(one) for one in kept.posts])


@routes.post("/api/v2/filters/{id}/statuses")
@spec(answers=shapes.FilterStatus, body={"status_id": str})
@auth.person("write:filters")
async def add_status(request: web.Request, caller: Caller) -> web.Response:
    number, post_id = path_id(request), as_id((await params.read(request)).text("status_id"))
    if post_id is None:
        raise NotFound("Record not found")
    made = await request.app[DATABASE].write(filters.add_post, caller.account.id, number, post_id)
    return answer(filter_status(made))


@routes.get("/api/v2/filters/keywords/{id}")
@spec(answers=shapes.FilterKeyword)
@auth.person("read:filters")
async def get_keyword(request: web.Request, caller: Caller) -> web.Response:
    _, found = await request.app[DATABASE].read(filters.keyword, caller.account.id, path_id(request))
    return answer(keyword(found))


@routes.put("/api/v2/filters/keywords/{id}")
@spec(answers=shapes.FilterKeyword, body=_KEYWORD)
@auth.person("write:filters")
async def update_keyword(request: web.Request, caller: Caller) -> web.Response:
    given, number = await params.read(request), path_id(request)
    whole = given.flag("whole_word") if "whole_word" in given else None
    word = given.text("keyword") if "keyword" in given else None
    changed = await request.app[DATABASE].write(filters.change_keyword, caller.account.id, number, word, whole)
    return answer(keyword(changed))


@routes.delete("/api/v2/filters/keywords/{id}")
@spec()
@auth.person("write:filters")
async def delete_keyword(request: web.Request, caller: Caller) -> web.Response:
    await request.app[DATABASE].write(filters.remove_keyword, caller.account.id, path_id(request))
    return answer({})


@routes.get("/api/v2/filters/statuses/{id}")
@spec(answers=shapes.FilterStatus)
@auth.person("read:filters")
async def get_status(request: web.Request, caller: Caller) -> web.Response:
    return answer(filter_status(await request.app[DATABASE].read(filters.post, caller.account.id, path_id(request))))


@routes.delete("/api/v2/filters/statuses/{id}")
@spec()
@auth.person("write:filters")
async def delete_status(request: web.Request, caller: Caller) -> web.Response:
    await request.app[DATABASE].write(filters.remove_post, caller.account.id, path_id(request))
    return answer({})


def _changes(given: Params) -> Changes:
    return Changes(
        title=given.text("title") if "title" in given else None,
        contexts=tuple(given.many("context")) if "context" in given else None,
        action=given.text("filter_action") or None,
        expiry=given.said("expires_in"),
        expires_at=expiry(given),
        keywords=[_keyword(one) for one in given.inners("keywords_attributes")]
        if "keywords_attributes" in given
        else (),
    )


def _keyword(given: Params) -> KeywordChange:
    return KeywordChange(
        given.id("id"),
        given.text("keyword") if "keyword" in given else None,
        given.flag("whole_word") if "whole_word" in given else None,
        given.flag("_destroy"),
    )


def expiry(given: Params) -> datetime | None:
    """When it ends that begins now; None: never.  Raises: Invalid."""
    seconds = given.number("expires_in")
    if seconds is None:
        return None
    if not 0 <= seconds <= LONGEST:
        raise Invalid("expires_in is a number of seconds")
    return datetime.now(UTC) + timedelta(seconds=seconds)
