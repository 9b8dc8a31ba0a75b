"""Lists: https://docs.joinmastodon.org/methods/lists/"""

from aiohttp import web

from social import lists
from social.errors import NotFound
from social.pages import Page
from social.paging import MOST
from web import auth, params
from web.api import shapes
from web.api.answers import answer, framed_for, path_id, statuses
from web.api.entities.account import shown_to
from web.api.entities.list import list_
from web.api.spec import PAGE, spec
from web.auth import Caller, Reader
from web.keys import DATABASE
from web.paging import links, page_of
from web.params import Params, as_id, of_query

routes = web.RouteTableDef()

_BODY = {"title": str, "replies_policy": str, "exclusive": bool}


@routes.get("/api/v1/lists")
@spec(answers=list[shapes.List])
@auth.person("read:lists")
async def get_lists(request: web.Request, caller: Caller) -> web.Response:
    return answer([list_(it) for it in await request.app[DATABASE].read(lists.all_of, caller.account.id)])


@routes.post("/api/v1/lists")
@spec(answers=shapes.List, body=_BODY)
@auth.person("write:lists")
async def create(request: web.Request, caller: Caller) -> web.Response:
    given = await params.read(request)
    made = await request.app[DATABASE].write(
        lists.create,
        caller.account.id,
        given.text("title"),
        given.text("replies_policy") or "list",
        given.flag("exclusive"),
    )
    return answer(list_(made))


@routes.get("/api/v1/lists/{id}")
@spec(answers=shapes.List)
@auth.person("read:lists")
async def get_list(request: web.Request, caller: Caller) -> web.Response:
    return answer(list_(await request.app[DATABASE].read(lists.get, caller.account.id, path_id(request))))


@routes.put("/api/v1/lists/{id}")
@spec(answers=shapes.List, body=_BODY)
@auth.person("write:lists")
async def update(request: web.Request, caller: Caller) -> web.Response:
    """What is not said stays as it is."""
    given = await params.read(request)
    changed = await request.app[DATABASE].write(
        lists.change,
        caller.account.id,
        path_id(request),
        given.text("title") if "title" in given else None,
        given.text("replies_policy") or None,
        given.flag("exclusive") if "exclusive" in given else None,
    )
    return answer(list_(changed))


@routes.delete("/api/v1/lists/{id}")
@spec()
@auth.person("write:lists")
async def delete(request: web.Request, caller: Caller) -> web.Response:
    await request.app[DATABASE].write(lists.remove, caller.account.id, path_id(request))
    return answer({})


@routes.get("/api/v1/lists/{id}/accounts")
@spec(answers=list[shapes.Account], query=PAGE)
@auth.person("read:lists")
async def get_accounts(request: web.Request, caller: Caller) -> web.Response:
    """`limit=0` asks for all; there are as many as fit on our longest page."""
    page = page_of(request, usual=40, most=80)
    if of_query(request).number("limit") == 0:
        page = Page(limit=MOST)
    found = await request.app[DATABASE].read(lists.members_page, caller.account.id, path_id(request), page)
    frame = await framed_for(request, caller.account, [one.account for one in found])
    entities = [shown_to(one.account, frame) for one in found]
    return answer(entities, links(request, [one.id for one in found], page))


@routes.post("/api/v1/lists/{id}/accounts")
@spec(body={"account_ids": list[str]})
@auth.person("write:lists")
async def add_accounts(request: web.Request, caller: Caller) -> web.Response:
    ids = [as_id(text) for text in (await params.read(request)).many("account_ids")]
    if None in ids:
        raise NotFound("Record not found")
    wanted = [number for number in ids if number is not None]
    await request.app[DATABASE].write(lists.add_members, caller.account.id, path_id(request), wanted)
    return answer({})


@routes.delete("/api/v1/lists/{id}/accounts")
@spec(body={"account_ids": list[str]})
@auth.person("write:lists")
async def remove_accounts(request: web.Request, caller: Caller) -> web.Response:
    ids = _known(await params.read(request))
    await request.app[DATABASE].write(lists.remove_members, caller.account.id, path_id(request), ids)
    return answer({})


@routes.get("/api/v1/accounts/{id}/lists")
@spec(answers=list[shapes.List])
@auth.person("read:lists")
async def of_account(request: web.Request, caller: Caller) -> web.Response:
    """The caller's lists in which the account is."""
    found = await request.app[DATABASE].read(lists.with_member, caller.account.id, path_id(request))
    return answer([list_(it) for it in found])


@routes.get("/api/v1/timelines/list/{id}")
@spec(answers=list[shapes.Status], query=PAGE)
@auth.reader("read:lists")
async def timeline(request: web.Request, reader: Reader) -> web.Response:
    page = page_of(request)
    who, found = await reader.read(lists.feed, path_id(request), page)
    return statuses(request, who, found, page)


def _known(given: Params) -> list[int]:
    return [number for text in given.many("account_ids") if (number := as_id(text)) is not None]
