"""Timelines: https://docs.joinmastodon.org/methods/timelines/"""

from aiohttp import web

from social import tagged, timelines
from social.tagged import Asked
from social.text import normalise_tag
from web import auth
from web.api import shapes
from web.api.answers import statuses
from web.api.spec import PAGE, spec
from web.auth import AnyReader, Reader
from web.paging import page_of
from web.params import Params, of_query

routes = web.RouteTableDef()

_ONLY = {"local": bool, "remote": bool, "only_media": bool}


@routes.get("/api/v1/timelines/home")
@spec(answers=list[shapes.Status], query=PAGE)
@auth.reader("read:statuses")
async def home(request: web.Request, reader: Reader) -> web.Response:
    page = page_of(request)
    who, views = await reader.read(timelines.home_page, page)
    return statuses(request, who, views, page)


@routes.get("/api/v1/timelines/public")
@spec(answers=list[shapes.Status], query={**PAGE, **_ONLY})
@auth.any_reader("read:statuses")
async def public(request: web.Request, reader: AnyReader) -> web.Response:
    page, asked = page_of(request), of_query(request)
    who, views = await reader.read(
        timelines.public_page,
        page,
        local_only=asked.flag("local"),
        remote_only=asked.flag("remote"),
        only_media=asked.flag("only_media"),
    )
    return statuses(request, who, views, page)


@routes.get("/api/v1/timelines/tag/{name}")
@spec(answers=list[shapes.Status], query={**PAGE, **_ONLY, "any": list[str], "all": list[str], "none": list[str]})
@auth.any_reader("read:statuses")
async def tag(request: web.Request, reader: AnyReader) -> web.Response:
    page, asked = page_of(request), of_query(request)
    wanted = Asked(
        normalise_tag(request.match_info["name"].replace("\0", "")),
        any=_names(asked, "any"),
        all=_names(asked, "all"),
        none=_names(asked, "none"),
        local_only=asked.flag("local"),
        remote_only=asked.flag("remote"),
        only_media=asked.flag("only_media"),
    )
    who, views = await reader.read(tagged.page, wanted, page)
    return statuses(request, who, views, page)


def _names(asked: Params, list_: str) -> tuple[str, ...]:
    return tuple(normalise_tag(name) for name in asked.many(list_))
