"""POST /inbox, /users/NAME/inbox, /actor/inbox: what can be refused is refused here, the cheapest first.

202 kept (duplicates and unknown types included); 400 not JSON, or no usable id or actor; 401 not signed, or not well;
403 from a blocked host; 404, 410 nobody of that name, or no more; 413 too large; 415 wrong type; 503 could not be
kept, or its key cannot be had now: try again.  A refusal says why in one line: {"error": "…"}, and 401 how to sign
(RFC 9421 section 5.1).
"""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Final

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from sqlalchemy.exc import SQLAlchemyError

from federation.errors import FederationError, Forged, Malformed, Refused
from federation.signatures import ACCEPT_SIGNATURE_OF_BODY
from inbox import spool
from inbox.keys import NoKey, Unchecked
from inbox.receive import Parcel, Receiver
from social import accounts
from social.errors import NotFound
from store.database import Database

log = logging.getLogger(__name__)

LARGEST: Final = 1 << 20  # bytes
SLOWEST: Final = 30.0  # seconds for a body
RETRY: Final = "60"  # seconds
_TYPES: Final = ("application/activity+json", "application/ld+json")
HERE, UNKNOWN, GONE = 0, 404, 410
# Seconds that the state of a name is remembered.
_FRESH: Final = {HERE: 60.0, GONE: 60.0, UNKNOWN: 2.0}
_NAMES: Final = 10_000
_STATUS: Final[dict[type[FederationError], tuple[int, str]]] = {
    Malformed: (400, "malformed"),
    Forged: (401, "signature"),
    NoKey: (401, "signature"),
    Refused: (403, "blocked"),
}


class Recipients:
    """Who has an inbox here: remembered for a minute, and believed to be here while the database is away."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._known: dict[str, tuple[int, float]] = {}

    async def status(self, name: str) -> int:
        """HERE, UNKNOWN or GONE."""
        found = self._known.get(name)
        now = time.monotonic()
        if found is not None and found[1] > now:
            return found[0]
        try:
            status = HERE if (await self._db.read(accounts.local, name)).deleted_at is None else GONE
        except NotFound:
            status = UNKNOWN
        except (SQLAlchemyError, OSError):
            return HERE
        if len(self._known) >= _NAMES:
            self._known.clear()
        self._known[name] = status, now + _FRESH[status]
        return status


RECEIVER = web.AppKey("RECEIVER", Receiver)
RECIPIENTS = web.AppKey("RECIPIENTS", Recipients)
# Where a request comes from, when proxies stand in front.
ADDRESS = web.AppKey[Callable[[web.Request], str]]("ADDRESS")
# Does nobody get anything there?
SHUTS_OUT = web.AppKey[Callable[[web.Request], bool]]("SHUTS_OUT")
# Is the database away?
IS_AWAY = web.AppKey[Callable[[], bool]]("IS_AWAY")
# Called when a message is turned away that should have been kept.
MISSED = web.AppKey[Callable[[], None]]("MISSED")

routes = web.RouteTableDef()


@routes.post("/inbox")
@routes.post("/actor/inbox")
async def shared_inbox(request: web.Request) -> web.Response:
    return await _receive(request, None)


@routes.post("/users/{name}/inbox")
async def personal_inbox(request: web.Request) -> web.Response:
    name = request.match_info["name"]
    status = await request.app[RECIPIENTS].status(name)
    if status == HERE:
        return await _receive(request, name)
    return _refuse(request, status, "recipient", "this account is gone" if status == GONE else "nobody has this name")


async def _receive(request: web.Request, recipient: str | None) -> web.Response:
    headers = request.headers
    if request.app[SHUTS_OUT](request):
        return _refuse(request, 403, "place", "nothing is taken from that network")
    if (request.content_length or 0) > LARGEST:
        return _refuse(request, 413, "size", f"more than {LARGEST} bytes")
    if headers.get("Content-Encoding", "identity").lower() != "identity":
        return _refuse(request, 415, "encoding", "send it without Content-Encoding")
    if headers.get("Content-Type", "").partition(";")[0].strip().lower() not in _TYPES:
        return _refuse(request, 415, "type", "send application/activity+json")
    body = await _body(request)
    if isinstance(body, web.Response):
        return body
    parcel = Parcel(
        target=request.raw_path,
        headers=tuple(headers.items()),
        body=body,
        address=request.app[ADDRESS](request),
        recipient=recipient,
        sync=headers.get("Collection-Synchronization"),
    )
    return await _take(request, parcel)


async def _take(request: web.Request, parcel: Parcel) -> web.Response:
    try:
        await request.app[RECEIVER].receive(parcel)
    except Unchecked as error:
        # While the database is there it is the other server that has trouble, or whoever names its keys.
        return _later(request, "unchecked", f"{error}; send it again later", missed=request.app[IS_AWAY]())
    except (Malformed, Forged, Refused) as error:
        status, reason = _STATUS[type(error)]
        return _refuse(request, status, reason, str(error))
    except (spool.Full, SQLAlchemyError, OSError) as error:
        log.error("the spool cannot keep messages: %s", error)  # noqa: TRY400  the trace says no more
        says = "this server cannot keep messages now; send it again later"
        return _later(request, "not_kept", says, missed=True)
    return web.Response(status=202)


def _later(request: web.Request, reason: str, says: str, *, missed: bool) -> web.Response:
    response = _refuse(request, 503, reason, says)
    response.headers["Retry-After"] = RETRY
    if missed:
        request.app[MISSED]()
    return response


async def _body(request: web.Request) -> bytes | web.Response:
    """All of it, in bounded size and time."""
    content = request.content
    if content.is_eof():  # it came with the head of the request, as nearly always
        body = content.read_nowait()
        return body if len(body) <= LARGEST else _refuse(request, 413, "size", f"more than {LARGEST} bytes")
    parts, size = [], 0
    try:
        async with asyncio.timeout(SLOWEST):
            while chunk := await content.readany():
                size += len(chunk)
                if size > LARGEST:
                    return _refuse(request, 413, "size", f"more than {LARGEST} bytes")
                parts.append(chunk)
    except TimeoutError:
        return _refuse(request, 408, "slow", "the body did not come in time")
    except (web.RequestPayloadError, HttpProcessingError, ConnectionError):
        return _refuse(request, 400, "malformed", "the body broke off")
    return b"".join(parts)


def _refuse(request: web.Request, status: int, reason: str, says: str) -> web.Response:
    request.app[RECEIVER].counts.add("refused", reason)
    response = web.json_response({"error": " ".join(says.split())[:300]}, status=status)
    if status == 401:
        response.headers["Accept-Signature"] = ACCEPT_SIGNATURE_OF_BODY
    return response
