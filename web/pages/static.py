"""The few files that pages need: a fixed map, so that no path leads anywhere else (security row 83)."""

from typing import Final

from aiohttp import web

from web.keys import CONFIG
from web.pages.frame import FOLDER

routes = web.RouteTableDef()

_KINDS: Final = {".css": "text/css", ".svg": "image/svg+xml", ".png": "image/png", ".ico": "image/x-icon"}
_FILES: Final = {
    file.name: (file.read_bytes(), _KINDS[file.suffix])
    for file in (FOLDER / "static").iterdir()
    if file.suffix in _KINDS
}
_FOR_EVER = "public, max-age=31536000, immutable"
_FOR_A_DAY = "public, max-age=86400"
_ROBOTS = "User-agent: *\n" + "".join(
    f"Disallow: {path}\n" for path in ("/api/", "/oauth/", "/settings/", "/search", "/compose", "/login", "/setup")
)


@routes.get("/static/{name}")
async def static(request: web.Request) -> web.Response:
    return _file(request.match_info["name"], for_ever="v" in request.query)


@routes.get("/favicon.ico")
async def favicon(request: web.Request) -> web.Response:  # noqa: ARG001
    return _file("favicon.png", for_ever=False)


@routes.get("/robots.txt")
async def robots(request: web.Request) -> web.Response:  # noqa: ARG001
    return web.Response(text=_ROBOTS, headers={"Cache-Control": _FOR_A_DAY})


@routes.get("/manifest.webmanifest")
async def manifest(request: web.Request) -> web.Response:
    """What a telephone needs to keep the pages as a program, and to offer it where something is shared."""
    title = request.app[CONFIG].title
    icons = [{"src": f"/static/icon-{size}.png", "sizes": f"{size}x{size}", "type": "image/png"} for size in (192, 512)]
    told = {
        "id": "/home",
        "name": title,
        "short_name": title,
        "start_url": "/home",
        "scope": "/",
        "display": "minimal-ui",
        "background_color": "#f5f4f1",
        "theme_color": "#f5f4f1",
        "icons": icons,
        "shortcuts": [{"name": "Write", "url": "/compose"}, {"name": "News", "url": "/notifications"}],
        "share_target": {
            "action": "/share",
            "method": "GET",
            "enctype": "application/x-www-form-urlencoded",
            "params": {name: name for name in ("title", "text", "url")},
        },
    }
    headers = {"Cache-Control": _FOR_A_DAY, "X-Content-Type-Options": "nosniff"}
    return web.json_response(told, content_type="application/manifest+json", headers=headers)


def _file(name: str, *, for_ever: bool) -> web.Response:
    if name not in _FILES:
        raise web.HTTPNotFound
    body, kind = _FILES[name]
    headers = {
        "Cache-Control": _FOR_EVER if for_ever else _FOR_A_DAY,
        "X-Content-Type-Options": "nosniff",
        "Access-Control-Allow-Origin": "*",
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    }
    return web.Response(body=body, content_type=kind, headers=headers)
