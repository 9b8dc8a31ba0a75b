"""Polls: https://docs.joinmastodon.org/methods/polls/"""

from datetime import UTC, datetime

from aiohttp import web

from social import polls, views
from social.errors import Invalid, NotFound
from store.tables import Account
from web import auth, params
from web.api.answers import answer, path_id
from web.api.entities.status import poll
from web.keys import DATABASE, ORIGIN

routes = web.RouteTableDef()


@routes.get("/api/v1/polls/{id}")
async def get_poll(request: web.Request) -> web.Response:
    return await _shown(request, await auth.reader(request, "read:statuses"))


@routes.post("/api/v1/polls/{id}/votes")
async def vote(request: web.Request) -> web.Response:
    caller = await auth.caller(request, "write:statuses")
    words = (await params.read(request)).many("choices")
    if not words or not all(word.isascii() and word.isdigit() and len(word) < 3 for word in words):
        raise Invalid("choices are numbers of options, beginning with 0")
    choices = sorted({int(word) for word in words})
    await request.app[DATABASE].write(
        polls.vote, request.app[ORIGIN], caller.account.id, path_id(request), choices, datetime.now(UTC)
    )
    return await _shown(request, caller.account)


async def _shown(request: web.Request, reader: Account | None) -> web.Response:
    found = await request.app[DATABASE].read(views.posts, [path_id(request)], reader.id if reader else None)
    if not found or found[0].parts.poll is None:
        raise NotFound("Record not found")
    return answer(poll(found[0].parts.poll, found[0].voted if reader else None, datetime.now(UTC)))
