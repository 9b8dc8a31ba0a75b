"""What reached this server of a request that it sent to itself, through what stands in front: for `connectme doctor`.

Only who has the key of the server's own actor gets an answer, so it tells nobody anything; nothing is kept.  It lies
below /inbox so that what a proxy does to deliveries it does to this.
"""

from typing import Final

from aiohttp import web

from federation.parsing import parse_object
from web import client_address
from web.errors import as_json
from web.keys import OURSELVES

routes = web.RouteTableDef()
LARGEST: Final = 4096  # bytes


@routes.post("/inbox/echo")
async def echo(request: web.Request) -> web.Response:
    """401 with the reason, when the signature did not survive the way."""
    if (request.content_length or 0) > LARGEST:
        return as_json(request, 413, f"more than {LARGEST} bytes")
    body = await request.read()
    await request.app[OURSELVES](request, body)
    seen = {
        "token": str(parse_object(body).get("token")),
        "host": request.headers.get("Host", ""),
        "peer": request.remote or "",
        "trusted": client_address.has_trusted_peer(request),
        "forwarded": request.headers.get("X-Forwarded-For", ""),
        "scheme": request.headers.get("X-Forwarded-Proto", ""),
        "address": client_address.address(request),
    }
    return web.json_response(seen, headers={"Cache-Control": "no-store"})
