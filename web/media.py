"""Files of our people, served so that no browser could take one for anything but a picture, film or sound.

Types come from a fixed table (store/blobs.py), names are random, what is under a name never changes.
"""

import logging
from typing import Final

from aiohttp import web

from store.blobs import Blob, kind_of
from web.errors import PLAIN
from web.keys import BLOBS

log = logging.getLogger(__name__)
routes = web.RouteTableDef()

SAFE: Final = {
    **PLAIN,
    "Content-Security-Policy": "sandbox; default-src 'none'; img-src 'self'; media-src 'self'",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Accept-Ranges": "bytes",
}
FOR_EVER: Final = "public, max-age=31536000, immutable"


@routes.get("/media/{name}")
async def media(request: web.Request) -> web.StreamResponse:
    name, blobs = request.match_info["name"], request.app[BLOBS]
    kind = kind_of(name)
    if kind is None:
        raise web.HTTPNotFound
    headers = {**SAFE, "Content-Type": kind, "Cache-Control": FOR_EVER}
    place = blobs.path(name)
    if place is not None:
        if not place.is_file():
            raise web.HTTPNotFound
        return web.FileResponse(place, headers=headers)
    try:
        found = await blobs.look(name)
    except FileNotFoundError:
        raise web.HTTPNotFound from None
    except OSError as error:
        log.warning("a file cannot be read: %s", error)
        raise web.HTTPServiceUnavailable from None
    return await _streamed(request, found, headers)


async def _streamed(request: web.Request, found: Blob, headers: dict[str, str]) -> web.StreamResponse:
    """From a store elsewhere: whole, or the one part that was asked for."""
    plain = found.name.partition(".")[0]
    tag = f'"{plain}"'
    headers = {**headers, "ETag": tag}
    if any(known.value in (plain, "*") for known in request.if_none_match or ()):
        return web.Response(status=304, headers=headers)
    start, length, status = _part(request, found.size, tag)
    if status == 416:
        return web.Response(status=416, headers={**headers, "Content-Range": f"bytes */{found.size}"})
    if status == 206:
        headers["Content-Range"] = f"bytes {start}-{start + length - 1}/{found.size}"
    response = web.StreamResponse(status=status, headers=headers)
    response.content_length = length
    response.last_modified = found.modified
    await response.prepare(request)
    if request.method != "HEAD":
        async for chunk in request.app[BLOBS].read(found.name, start, length):
            await response.write(chunk)
    await response.write_eof()
    return response


def _part(request: web.Request, size: int, tag: str) -> tuple[int, int, int]:
    """(start, length, status)."""
    if request.headers.get("If-Range", tag) != tag:
        return 0, size, 200
    try:
        asked = request.http_range
    except ValueError:
        return 0, size, 200  # several ranges, or none that we understand: the whole is right, too
    if asked.start is None and asked.stop is None:
        return 0, size, 200
    start = max(size + asked.start, 0) if (asked.start or 0) < 0 else asked.start or 0
    stop = size if asked.stop is None else min(asked.stop, size)
    return (start, stop - start, 206) if start < stop else (0, 0, 416)
