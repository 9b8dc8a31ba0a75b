"""Every address that people, programs and servers find here, but the inbox."""

from functools import cache
from urllib.parse import quote

from aiohttp import HttpVersion11, web

from web import activitypub, discovery, echo, health, media, pages, probes, proxy, request_id, status
from web.api import routes as api
from web.errors import Handler, as_json, guard, guarded
from web.keys import ORIGIN
from web.limits import limited

# Read by programs alone, in any page's script: what is not there is said in JSON.
_FOR_PROGRAMS = ("/.well-known/{tail:.*}", "/nodeinfo/{tail:.*}", "/media/{tail:.*}", "/proxy/{tail:.*}")


def add(app: web.Application) -> None:
    """Adds all routes; the last ones answer what no other does."""
    pages.prepare(app)
    app.on_response_prepare.append(request_id.tell)
    for resource in _resources():
        app.router.register_resource(resource)
    for route in app.router.routes():
        route._expect_handler = _expected  # noqa: SLF001  it cannot be said for all at once


@cache
def _resources() -> tuple[web.AbstractResource, ...]:
    """Nothing in them knows its application, so one that is opened anew in the same process takes the same."""
    router = web.UrlDispatcher()
    plain = _defined(health.routes, probes.routes, status.routes, echo.routes)
    router.add_routes(guarded(plain, as_json, any_name=True))
    router.add_routes(guarded(_defined(discovery.routes, activitypub.routes, media.routes, proxy.routes), as_json))
    router.add_routes(api.routes())
    router.add_routes(pages.routes())
    router.add_routes(
        [
            web.get("/users/{name}", _either(_to_profile, activitypub.actor)),
            web.get("/users/{name}/posts/{id}", _either(_to_thread, activitypub.post)),
            web.get("/users/{name}/featured_collections/{id}", _either(_to_collection, activitypub.collection)),
            web.get("/collections/{id}", _either(pages.collection, activitypub.collection)),
            web.get("/@{name}", _either(pages.profile, activitypub.actor)),
            web.get("/@{name}/{id:[0-9]+}", _either(pages.thread, activitypub.post)),
        ]
    )
    missing = guard(_missing, as_json)
    for place, handler in [
        *((place, missing) for place in _FOR_PROGRAMS),
        *((p, limited(missing)) for p in api.PLACES),
    ]:
        router.add_routes([web.options(place, api.preflight), web.route("*", place, handler)])
    router.add_route("*", "/{tail:.*}", _either(pages.not_found, _missing))
    return tuple(router.resources())


def _either(page: Handler, document: Handler) -> Handler:
    return activitypub.negotiated(guard(page, pages.show_error), guard(document, as_json))


async def _to_profile(request: web.Request) -> web.Response:
    return _redirect(request, f"/@{quote(request.match_info['name'])}")


async def _to_thread(request: web.Request) -> web.Response:
    return _redirect(request, f"/@{quote(request.match_info['name'])}/{quote(request.match_info['id'])}")


async def _to_collection(request: web.Request) -> web.Response:
    return _redirect(request, f"/collections/{quote(request.match_info['id'])}")


def _redirect(request: web.Request, path: str) -> web.Response:
    return web.Response(status=302, headers={"Location": request.app[ORIGIN].url(path)})


async def _missing(request: web.Request) -> web.Response:
    return as_json(request, 404, "Record not found")


async def _expected(request: web.Request) -> None:
    """As aiohttp does, which breaks on what is no text.  Source: RFC 9110, section 10.1.1."""
    if request.version < HttpVersion11:
        return
    if request.headers.get("Expect", "").lower() != "100-continue":
        raise web.HTTPExpectationFailed
    await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    request.writer.output_size = 0  # the answer itself did not begin


def _defined(*tables: web.RouteTableDef) -> list[web.RouteDef]:
    return [route for table in tables for route in table if isinstance(route, web.RouteDef)]
