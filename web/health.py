"""Is this server alive, is it fit to serve, and its numbers.  For load balancers, supervisors and Prometheus."""

import hmac

import orjson
from aiohttp import web

from social.secrets import sha256
from web import client_address
from web.keys import BOARD, CONFIG, METRICS, READY, STARTED

routes = web.RouteTableDef()
_NO_STORE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


@routes.get("/livez")
async def livez(request: web.Request) -> web.Response:  # noqa: ARG001
    """The process runs and its loop turns."""
    return web.Response(text="ok\n", headers=_NO_STORE)


@routes.get("/health")
async def health(request: web.Request) -> web.Response:  # noqa: ARG001
    """As Mastodon has it: https://docs.joinmastodon.org/methods/health/"""
    return web.json_response({"status": "UP"}, headers={**_NO_STORE, "Access-Control-Allow-Origin": "*"})


@routes.get("/readyz")
async def readyz(request: web.Request) -> web.Response:
    """200 when every part works, 503 when one does not; each part with what is known of it.

    What is degraded works still, and needs somebody to look after it.
    """
    parts, board = await request.app[READY](), request.app[BOARD]
    ok = all(part.ok for part in parts.values())
    degraded = any(part.degraded for part in parts.values()) or not board.is_open
    body = {
        "status": ("degraded" if degraded else "ready") if ok else "not ready",
        "mode": board.name,
        "parts": {
            name: {"ok": part.ok, "degraded": part.degraded or not part.ok, "says": part.says}
            for name, part in parts.items()
        },
    }
    headers = _NO_STORE if ok else {**_NO_STORE, "Retry-After": "10"}
    return web.Response(
        body=orjson.dumps(body), status=200 if ok else 503, content_type="application/json", headers=headers
    )


@routes.get("/startupz")
async def startupz(request: web.Request) -> web.Response:
    """200 when it has started; 503 while it waits for its database, or changes it, with how far it is."""
    state = request.app[STARTED]()
    ok = state["status"] == "ready"
    headers = _NO_STORE if ok else {**_NO_STORE, "Retry-After": "10"}
    return web.Response(
        body=orjson.dumps(state), status=200 if ok else 503, content_type="application/json", headers=headers
    )


@routes.get("/metrics")
async def metrics(request: web.Request) -> web.Response:
    """Prometheus text; for this machine, or whoever has METRICS_TOKEN."""
    token = request.app[CONFIG].metrics_token
    kind, _, given = request.headers.get("Authorization", "").partition(" ")
    fits = token and kind.lower() == "bearer" and hmac.compare_digest(sha256(token), sha256(given.strip()))
    if not fits and not client_address.is_local(request):
        return web.json_response(
            {"error": "the numbers are for this machine, or with METRICS_TOKEN"}, status=403, headers=_NO_STORE
        )
    body = await request.app[METRICS]()
    return web.Response(body=body, headers={**_NO_STORE, "Content-Type": "text/plain; version=0.0.4; charset=utf-8"})
