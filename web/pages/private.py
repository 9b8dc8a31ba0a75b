"""/conversations: what was said between few people alone, the newest first."""

from typing import Final

from aiohttp import web

from social import conversations
from web.keys import DATABASE
from web.pages import addresses, frame
from web.pages.frame import older
from web.paging import page_of

routes = web.RouteTableDef()

_HERE: Final = "/conversations"


@routes.get(_HERE)
async def private(request: web.Request) -> web.Response:
    signed, page = await frame.member(request), page_of(request)
    found = await request.app[DATABASE].read(conversations.page, signed.account.id, page)
    more = older(request, [view.conversation.last_post_id for view in found], page)
    return frame.show(request, "conversations.html", place="thread", found=found, older=more)


@routes.post(_HERE + "/{id:[0-9]+}/{action:read|unread|remove}")
async def act(request: web.Request) -> web.Response:
    signed, given = await frame.posted(request)
    number, action = frame.number(request, "There is no such conversation"), request.match_info["action"]
    db, who = request.app[DATABASE], signed.account.id
    if action == "remove":
        await db.write(conversations.end, who, number)
    else:
        await db.write(conversations.mark, who, number, unread=action == "unread")
    return addresses.see_other(given.text("back"), _HERE)
