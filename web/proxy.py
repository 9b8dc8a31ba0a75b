"""Files of other servers, as our people see them: from us, so that no other server learns who looks at what.

/proxy/SIGNATURE/ADDRESS; we made the signature (federation/origin.py), so nobody can make us fetch anything else.
"""

import base64
import hmac

from aiohttp import web

from social.errors import NotFound
from store.blobs import KINDS
from web.keys import ORIGIN, PROXY
from web.media import SAFE

routes = web.RouteTableDef()


@routes.get("/proxy/{mark}/{name}")
async def proxied(request: web.Request) -> web.StreamResponse:
    try:
        url = base64.b64decode(request.match_info["name"] + "==", b"-_").decode()
        right = request.app[ORIGIN].sign(url)
    except ValueError:
        raise NotFound("Record not found") from None
    if not hmac.compare_digest(request.match_info["mark"].encode("utf-8", "replace"), right.encode()):
        raise NotFound("Record not found")
    place = await request.app[PROXY].get(url)
    headers = {**SAFE, "Content-Type": KINDS[place.suffix[1:]], "Cache-Control": "public, max-age=604800, immutable"}
    return web.FileResponse(place, headers=headers)
