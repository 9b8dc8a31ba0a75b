"""Polls: https://docs.joinmastodon.org/methods/polls/"""

from datetime import UTC, datetime

from aiohttp import web

from social import polls, views
from social.errors import Invalid, NotFound
from store.tables import Account
from web import auth, params
from web.api import shapes
from web.api.answers import answer, framed, id_of, path_id
from web.api.entities.status import poll
from web.api.spec import spec
from web.auth import Caller
from web.keys import DATABASE

routes = web.RouteTableDef()


@routes.get("/api/v1/polls/{id}")
@spec(answers=shapes.Poll)
@auth.anybody("read:statuses")
async def get_poll(request: web.Request, reader: Account | None) -> web.Response:
    return await _shown(request, reader)


@routes.post("/api/v1/polls/{id}/votes")
@spec(answers=shapes.Poll, body={"choices": list[int]})
@auth.person("write:statuses")
async def vote(request: web.Request, caller: Caller) -> web.Response:
    words = (await params.read(request)).many("choices")
    if not words or not all(word.isascii() and word.isdigit() and len(word) < 3 for word in words):
        raise Invalid("choices are numbers of options, beginning with 0")
    choices = sorted({int(word) for word in words})
    await request.app[DATABASE].write(polls.vote, caller.account.id, path_id(request), choices, datetime.now(UTC))
    return await _shown(request, caller.account)


async def _shown(request: web.Request, reader: Account | None) -> web.Response:
    found = await request.app[DATABASE].read(views.post, path_id(request), id_of(reader))
    if found is None or found.parts.poll is None:
        raise NotFound("Record not found")
    return answer(poll(found, found.parts.poll, framed(request, reader)))
