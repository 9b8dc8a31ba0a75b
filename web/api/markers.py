"""Markers: https://docs.joinmastodon.org/methods/markers/"""

from datetime import UTC, datetime

from aiohttp import web

from social import markers
from social.errors import Invalid
from social.markers import TIMELINES
from web import auth, params
from web.api import shapes
from web.api.answers import answer
from web.api.entities.list import marker
from web.api.spec import spec
from web.auth import Caller
from web.keys import DATABASE
from web.params import of_query

routes = web.RouteTableDef()


@routes.get("/api/v1/markers")
@spec(answers=shapes.Markers, query={"timeline": list[str]})
@auth.person("read:statuses")
async def get_markers(request: web.Request, caller: Caller) -> web.Response:
    """Of each timeline that is asked for, read or not: Elk looks into what it asked for."""
    asked = of_query(request).many("timeline")
    found = await request.app[DATABASE].read(markers.read, caller.account.id)
    return answer({name: marker(found[name]) for name in TIMELINES if name in asked})


@routes.post("/api/v1/markers")
@spec(answers=shapes.Markers, body=dict.fromkeys(TIMELINES, dict[str, str]))
@auth.person("write:statuses")
async def set_markers(request: web.Request, caller: Caller) -> web.Response:
    given = await params.read(request)
    moved: dict[str, int] = {}
    for name in TIMELINES:
        if (part := given.inner(name)) is not None:
            number = part.id("last_read_id")
            if number is None:
                raise Invalid(f"{name}[last_read_id] is missing")
            moved[name] = number
    found = await request.app[DATABASE].write(markers.set_, caller.account.id, moved, datetime.now(UTC))
    return answer({name: marker(it) for name, it in found.items()})
