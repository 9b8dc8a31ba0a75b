"""Every address that people, programs and servers find here, but the inbox."""

from aiohttp import web

from web import activitypub, discovery, health, pages
from web.api import routes as api
from web.errors import Handler, as_json, guard, guarded
from web.keys import ORIGIN


def add(app: web.Application) -> None:
    """Adds all routes; the last one answers what no other does."""
    pages.prepare(app)
    app.router.add_routes(guarded(_defined(discovery.routes, health.routes, activitypub.routes), as_json))
    app.router.add_routes(api.routes())
    app.router.add_routes(pages.routes())
    app.router.add_routes(
        [
            web.get("/users/{name}", _either(_to_profile, activitypub.actor)),
            web.get("/users/{name}/posts/{id}", _either(_to_thread, activitypub.post)),
            web.get("/@{name}", _either(pages.profile, activitypub.actor)),
            web.get("/@{name}/{id:[0-9]+}", _either(pages.thread, activitypub.post)),
            web.route("*", "/{tail:.*}", guard(pages.not_found, pages.show_error)),
        ]
    )


def _either(page: Handler, document: Handler) -> Handler:
    return activitypub.negotiated(guard(page, pages.show_error), guard(document, as_json))


async def _to_profile(request: web.Request) -> web.Response:
    raise web.HTTPFound(request.app[ORIGIN].profile(request.match_info["name"]))


async def _to_thread(request: web.Request) -> web.Response:
    raise web.HTTPFound(f"{request.app[ORIGIN].profile(request.match_info['name'])}/{request.match_info['id']}")


def _defined(*tables: web.RouteTableDef) -> list[web.RouteDef]:
    return [route for table in tables for route in table if isinstance(route, web.RouteDef)]
