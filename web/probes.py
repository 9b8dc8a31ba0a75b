"""What the supervisor has this process try, for want of the database and of what reads buckets (ops/watch/probes.py).

For this machine alone: each costs a little.
"""

import logging
from functools import cache
from pathlib import Path
from typing import Final

from aiohttp import web
from sqlalchemy.exc import SQLAlchemyError

from social import fulltext
from store.blobs import PROBE, Blobs
from web import client_address
from web.errors import as_json
from web.keys import BLOBS, DATABASE

log = logging.getLogger(__name__)
routes = web.RouteTableDef()
_PICTURE: Final = Path(__file__).parent / "static" / "favicon.png"
_NO_STORE: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


@routes.get("/probez/media")
async def media(request: web.Request) -> web.Response:
    """A small picture goes where files are kept, and comes back; it stays, to be asked for at /media/NAME."""
    if not client_address.is_local(request):
        return _refused(request)
    blobs, writes = request.app[BLOBS], True
    try:
        await blobs.put(PROBE, _PICTURE)
    except OSError as error:
        writes = False
        log.warning("a file cannot be written: %s", error)
    reads = await _comes_back(blobs)
    found = {"name": PROBE, "bytes": len(_content()), "writes": writes, "reads": reads}
    return web.json_response(found, headers=_NO_STORE)


@routes.get("/probez/search")
async def search(request: web.Request) -> web.Response:
    """A word is looked up; `first` is the first of the posts that wait for the index."""
    if not client_address.is_local(request):
        return _refused(request)
    db = request.app[DATABASE]
    try:
        await db.read(fulltext.answers)
        waiting, first = await db.read(fulltext.waiting)
    except (SQLAlchemyError, OSError) as error:
        log.warning("the index of words does not answer: %s", error)
        return web.json_response({"answers": False}, headers=_NO_STORE)
    found = {"answers": True, "waiting": waiting, "first": first and str(first)}
    return web.json_response(found, headers=_NO_STORE)


async def _comes_back(blobs: Blobs) -> bool:
    try:
        found = b"".join([part async for part in blobs.read(PROBE, 0, len(_content()))])
    except OSError as error:
        log.warning("a file cannot be read: %s", error)
        return False
    return found == _content()


@cache
def _content() -> bytes:
    return _PICTURE.read_bytes()


def _refused(request: web.Request) -> web.Response:
    return as_json(request, 403, "This is for the machine itself")
