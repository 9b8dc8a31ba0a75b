"""Scheduled statuses: https://docs.joinmastodon.org/methods/scheduled_statuses/"""

from datetime import UTC, datetime

from aiohttp import web

from social import scheduled
from social.errors import Invalid
from web import auth, params
from web.api import shapes
from web.api.answers import answer, framed, path_id
from web.api.entities.scheduled import scheduled_status
from web.api.spec import PAGE, spec
from web.auth import Caller
from web.keys import DATABASE
from web.paging import links, page_of

routes = web.RouteTableDef()


@routes.get("/api/v1/scheduled_statuses")
@spec(answers=list[shapes.ScheduledStatus], query=PAGE)
@auth.person("read:statuses")
async def get_all(request: web.Request, caller: Caller) -> web.Response:
    page = page_of(request)
    found = await request.app[DATABASE].read(scheduled.page, caller.account.id, page)
    frame = framed(request, caller.account)
    return answer([scheduled_status(it, frame) for it in found], links(request, [it.row.id for it in found], page))


@routes.get("/api/v1/scheduled_statuses/{id}")
@spec(answers=shapes.ScheduledStatus)
@auth.person("read:statuses")
async def get_one(request: web.Request, caller: Caller) -> web.Response:
    return await shown(request, caller, path_id(request))


@routes.put("/api/v1/scheduled_statuses/{id}")
@spec(answers=shapes.ScheduledStatus, body={"scheduled_at": str})
@auth.person("write:statuses")
async def put(request: web.Request, caller: Caller) -> web.Response:
    at = moment_of((await params.read(request)).text("scheduled_at"))
    db, number = request.app[DATABASE], path_id(request)
    await db.write(scheduled.move, caller.account.id, number, at, datetime.now(UTC))
    return await shown(request, caller, number)


@routes.delete("/api/v1/scheduled_statuses/{id}")
@spec()
@auth.person("write:statuses")
async def cancel(request: web.Request, caller: Caller) -> web.Response:
    await request.app[DATABASE].write(scheduled.cancel, caller.account.id, path_id(request))
    return answer({})


async def shown(request: web.Request, caller: Caller, number: int) -> web.Response:
    """Raises: NotFound."""
    view = await request.app[DATABASE].read(scheduled.get, caller.account.id, number)
    return answer(scheduled_status(view, framed(request, caller.account)))


def moment_of(text: str) -> datetime:
    """ISO 8601; in UTC where it does not say.  Raises: Invalid.

    >>> moment_of("2026-12-24T18:00:00+01:00").isoformat(), moment_of("2026-12-24").isoformat()
    ('2026-12-24T17:00:00+00:00', '2026-12-24T00:00:00+00:00')
    """
    try:
        found = datetime.fromisoformat(text.strip())
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Invalid("scheduled_at is a moment like 2026-12-24T18:00:00Z") from None
