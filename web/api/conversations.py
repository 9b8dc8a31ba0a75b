"""Conversations: https://docs.joinmastodon.org/methods/conversations/"""

from aiohttp import web

from social import conversations
from web import auth
from web.api import shapes
from web.api.answers import answer, framed_for, path_id
from web.api.entities.conversation import conversation
from web.api.spec import PAGE, spec
from web.auth import Caller
from web.keys import DATABASE
from web.paging import links, page_of

routes = web.RouteTableDef()


@routes.get("/api/v1/conversations")
@spec(answers=list[shapes.Conversation], query=PAGE)
@auth.person("read:statuses")
async def get_conversations(request: web.Request, caller: Caller) -> web.Response:
    """Cut by the ids of the last posts, which only the Link header tells."""
    page = page_of(request)
    found = await request.app[DATABASE].read(conversations.page, caller.account.id, page)
    frame = await framed_for(request, caller.account, [one for view in found for one in view.accounts])
    cursors = [view.conversation.last_post_id for view in found]
    return answer([conversation(view, frame) for view in found], links(request, cursors, page))


@routes.delete("/api/v1/conversations/{id}")
@spec()
@auth.person("write:conversations")
async def end(request: web.Request, caller: Caller) -> web.Response:
    await request.app[DATABASE].write(conversations.end, caller.account.id, path_id(request))
    return answer({})


@routes.post("/api/v1/conversations/{id}/read")
@spec(answers=shapes.Conversation)
@auth.person("write:conversations")
async def read(request: web.Request, caller: Caller) -> web.Response:
    return await _mark(request, caller, unread=False)


@routes.post("/api/v1/conversations/{id}/unread")
@spec(answers=shapes.Conversation)
@auth.person("write:conversations")
async def unread(request: web.Request, caller: Caller) -> web.Response:
    return await _mark(request, caller, unread=True)


async def _mark(request: web.Request, caller: Caller, *, unread: bool) -> web.Response:
    view = await request.app[DATABASE].write(conversations.mark, caller.account.id, path_id(request), unread=unread)
    return answer(conversation(view, await framed_for(request, caller.account, view.accounts)))
