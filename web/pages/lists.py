"""/lists: a person's lists, the feed of each, and who is in it."""

from aiohttp import web
from sqlalchemy import Connection

from federation.origin import Origin
from social import accounts, lists
from social.errors import Invalid, NotFound, Refusal
from social.lists import Member
from social.pages import Page
from social.views import PostView
from store.tables import AccountList
from web.keys import DATABASE, ORIGIN
from web.pages import addresses, frame
from web.pages.frame import cursors, older
from web.paging import page_of

routes = web.RouteTableDef()

_POLICIES = {
    "list": "Answers to people of this list",
    "followed": "Answers to anybody whom I follow",
    "none": "No answers to others",
}


@routes.get("/lists")
async def all_lists(request: web.Request) -> web.Response:
    return await _all(request)


async def _all(request: web.Request, says: str = "", title: str = "") -> web.Response:
    signed = await frame.member(request)
    found = await request.app[DATABASE].read(lists.all_of, signed.account.id)
    status = 422 if says else 200
    return frame.show(request, "lists.html", status=status, found=found, says=says, title=title)


@routes.post("/lists")
async def create(request: web.Request) -> web.Response:
    signed, given = await frame.posted(request)
    title = given.text("title")
    try:
        made = await request.app[DATABASE].write(lists.create, signed.account.id, title)
    except Invalid as refusal:
        return await _all(request, _plainly(refusal), title)
    return addresses.see_other(f"/lists/{made.id}/edit")


@routes.get("/lists/{id:[0-9]+}")
async def feed(request: web.Request) -> web.Response:
    signed, page, number = await frame.member(request), page_of(request), frame.number(request, "There is no such list")
    it, found = await request.app[DATABASE].read(_feed, signed.account.id, number, page)
    more = older(request, cursors(found), page)
    return frame.show(request, "list.html", place="home", it=it, found=found, older=more)


def _feed(tx: Connection, owner_id: int, list_id: int, page: Page) -> tuple[AccountList, list[PostView]]:
    return lists.get(tx, owner_id, list_id), lists.feed(tx, owner_id, list_id, page)


@routes.get("/lists/{id:[0-9]+}/edit")
async def edit(request: web.Request) -> web.Response:
    return await _edit(request)


async def _edit(request: web.Request, says: str = "", typed: str = "") -> web.Response:
    signed, page, number = (
        await frame.member(request),
        page_of(request, 40),
        frame.number(request, "There is no such list"),
    )
    it, found = await request.app[DATABASE].read(_people, signed.account.id, number, page)
    return frame.show(
        request,
        "list_edit.html",
        status=422 if says else 200,
        it=it,
        found=[one.account for one in found],
        older=older(request, [one.id for one in found], page),
        policies=_POLICIES,
        says=says,
        typed=typed,
    )


def _people(tx: Connection, owner_id: int, list_id: int, page: Page) -> tuple[AccountList, list[Member]]:
    return lists.get(tx, owner_id, list_id), lists.members_page(tx, owner_id, list_id, page)


@routes.post("/lists/{id:[0-9]+}/edit")
async def save(request: web.Request) -> web.Response:
    signed, given = await frame.posted(request)
    number = frame.number(request, "There is no such list")
    wishes = given.text("title"), given.text("replies_policy") or None, given.flag("exclusive")
    try:
        await request.app[DATABASE].write(lists.change, signed.account.id, number, *wishes)
    except Invalid as refusal:
        return await _edit(request, _plainly(refusal))
    return addresses.see_other(f"/lists/{number}")


@routes.post("/lists/{id:[0-9]+}/add")
async def add(request: web.Request) -> web.Response:
    """Somebody by his handle."""
    signed, given = await frame.posted(request)
    number, handle = frame.number(request, "There is no such list"), given.text("handle").strip()
    try:
        await request.app[DATABASE].write(_add, request.app[ORIGIN], signed.account.id, number, handle)
    except Invalid as refusal:
        return await _edit(request, _plainly(refusal), handle)
    return addresses.see_other(f"/lists/{number}/edit")


def _add(tx: Connection, origin: Origin, owner_id: int, list_id: int, handle: str) -> None:
    """Raises: NotFound, when there is no such list; Invalid."""
    lists.get(tx, owner_id, list_id)
    found = accounts.find_by_handle(tx, handle, origin)
    if found is None or found.is_gone:
        raise Invalid("Nobody who is known here is called that")
    try:
        lists.add_members(tx, owner_id, list_id, [found.id])
    except NotFound:
        raise Invalid("Follow them first: a list holds people whom you follow") from None
    except Invalid:
        raise Invalid("They are in this list already") from None


@routes.post("/lists/{id:[0-9]+}/{action:remove|delete}")
async def act(request: web.Request) -> web.Response:
    signed, given = await frame.posted(request)
    number = frame.number(request, "There is no such list")
    if request.match_info["action"] == "delete":
        await request.app[DATABASE].write(lists.remove, signed.account.id, number)
        return addresses.see_other("/lists")
    who = given.id("account")
    await request.app[DATABASE].write(lists.remove_members, signed.account.id, number, [who] if who else [])
    return addresses.see_other(f"/lists/{number}/edit")


def _plainly(refusal: Refusal) -> str:
    return str(refusal).removeprefix("Validation failed: ")
