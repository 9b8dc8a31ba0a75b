"""/status and its JSON and feed: files that the supervisor makes, served without the database."""

from typing import Final

from aiohttp import web

from web.errors import CORS, Handler, as_json
from web.keys import KEEPER

routes = web.RouteTableDef()

_COMMON: Final = {"X-Content-Type-Options": "nosniff", "Cache-Control": "public, max-age=15", **CORS}
_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_DOCUMENTS: Final = (
    "summary", "status", "components", "incidents", "incidents/unresolved", "scheduled-maintenances",
    "scheduled-maintenances/upcoming", "scheduled-maintenances/active",
)  # fmt: skip


def _serves(name: str, kind: str) -> Handler:
    async def serve(request: web.Request) -> web.Response:
        keeper = request.app.get(KEEPER)
        body = keeper.file(name) if keeper else None
        if body is None:
            return as_json(request, 503, "The status page is not made yet; please ask again in a minute")
        headers = {**_COMMON, "Content-Security-Policy": _POLICY} if kind == "text/html" else _COMMON
        return web.Response(body=body, content_type=kind, charset="utf-8", headers=headers)

    return serve


routes.get("/status")(_serves("index.html", "text/html"))
routes.get("/status/feed.atom")(_serves("feed.atom", "application/atom+xml"))
for _document in _DOCUMENTS:
    routes.get(f"/api/v2/{_document}.json")(_serves(f"api/v2/{_document}.json", "application/json"))
