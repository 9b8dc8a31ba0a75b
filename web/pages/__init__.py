"""The pages for people: server-rendered, complete without scripts.

Each action is a form that is answered by a redirect (303).  `profile` and `thread` share their addresses with
documents for servers, so web/routes.py adds them.
"""

from aiohttp import web

from web.errors import as_json, guarded
from web.pages import (
    admin,
    announced,
    codes,
    collections,
    consent,
    entry,
    exporting,
    feeds,
    filters,
    health,
    importing,
    kept_back,
    later,
    leaving,
    lists,
    looking,
    marked,
    moving,
    people,
    posts,
    private,
    quoting,
    reading,
    reporting,
    rss,
    security,
    settings,
    signing_up,
    site,
    staff,
    static,
    topics,
    unheard,
    writing,
)
from web.pages.collections import collection
from web.pages.frame import look, prepare, show_error
from web.pages.people import profile
from web.pages.posts import thread

__all__ = ["collection", "not_found", "prepare", "profile", "routes", "show_error", "thread"]

_FILES = (
    static, announced, rss, feeds, site, entry, consent, writing, posts, quoting, people, collections, looking, lists,
    marked, later, private, topics, kept_back, reporting, settings, filters, reading, unheard, security, codes,
    signing_up, moving, leaving, exporting, importing, health, staff,
)  # fmt: skip


def routes() -> list[web.RouteDef]:
    found = [route for file in (*_FILES, *admin.FILES) for route in file.routes if isinstance(route, web.RouteDef)]
    return guarded(found, show_error)


async def not_found(request: web.Request) -> web.Response:
    """What no other route answers."""
    if "text/html" not in request.headers.get("Accept", ""):
        return as_json(request, 404, "Not found")
    await look(request)
    return show_error(request, 404, "There is no such page. Perhaps it was moved, or the address has a slip.")
