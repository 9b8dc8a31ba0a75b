"""The doors to streams: https://docs.joinmastodon.org/methods/streaming/"""

import asyncio
import secrets
from contextlib import suppress
from typing import Final

import orjson
from aiohttp import HttpVersion11, WSMsgType, web

from federation import parsing
from federation.errors import Malformed
from social import lists
from social.apps import Bearer
from social.errors import NotFound, Unauthorised
from web import auth, client_address
from web.api.spec import spec
from web.auth import DECLARED
from web.errors import PLAIN, Handler, as_json
from web.keys import DATABASE
from web.streaming.channels import Channel, Subscription, Unavailable, choose
from web.streaming.connections import EventSource, Socket, Trial, chunk
from web.streaming.hub import TRIAL, Hub, Tried

HUB = web.AppKey("HUB", Hub)
PING: Final = 30.0  # seconds between two questions whether a WebSocket is still there
THUMP: Final = 15.0  # seconds between two lines that keep an event stream from looking dead
TRIED: Final = 5.0  # seconds until who only tries a stream is thought to have seen enough
LONGEST: Final = 4_096  # bytes of a frame from a client
MOST: Final = 100  # streams on one connection

routes = web.RouteTableDef()
_PATHS: Final = {
    "user": "user",
    "user/notification": "user:notification",
    "public": "public",
    "public/local": "public:local",
    "public/remote": "public:remote",
    "hashtag": "hashtag",
    "hashtag/local": "hashtag:local",
    "list": "list",
    "direct": "direct",
}
_TRUE: Final = ("true", "1", "t", "on")
_EVENTS: Final = {**PLAIN, "Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}


@routes.get("/api/v1/streaming/health")
@spec()
@auth.public
async def health(request: web.Request) -> web.StreamResponse:
    """Also as a WebSocket, on which one message comes: for the supervisor, and for who tries the proxy."""
    if _wants_socket(request):
        return await _tried(request)
    return web.Response(text="OK", headers={**PLAIN, "Cache-Control": "no-store"})


async def _tried(request: web.Request) -> web.StreamResponse:
    hub, place = request.app[HUB], client_address.network(request)
    if hub.is_full(0, place):
        return _too_many(request)
    answer = web.WebSocketResponse(compress=False, max_msg_size=LONGEST)
    await answer.prepare(request)
    if request.transport is None:
        return answer
    connection, channel = Trial(request.transport, answer), Channel(TRIAL, secrets.token_hex(8))
    hub.add(connection, place)
    try:
        hub.subscribe(connection, Subscription(channel, (TRIAL,)))
        hub.hear(Tried(str(channel.of)))
        with suppress(TimeoutError):
            async with asyncio.timeout(TRIED):
                await answer.receive()
    finally:
        hub.remove(connection)
    return answer


def _for_streams(handler: Handler) -> Handler:
    """The token may come by other ways than usual, so the handler looks for it itself."""
    DECLARED[handler] = "a person's token; read:statuses or read:notifications for what is his own"
    return handler


@routes.get("/api/v1/streaming")
@spec(query={"access_token": str, "stream": str, "tag": str, "list": str}, status=101)
@_for_streams
async def socket(request: web.Request) -> web.StreamResponse:
    """Many streams over one WebSocket."""
    bearer, protocol = await _bearer(request)
    hub, place = request.app[HUB], client_address.network(request)
    first = request.query.get("stream")
    if first is not None and not _wants_socket(request):
        return await _event_stream(request, bearer, first)
    if hub.is_full(bearer.token.account_id or 0, place):
        return _too_many(request)
    answer = web.WebSocketResponse(
        protocols=(protocol,) if protocol else (), heartbeat=PING, compress=False, max_msg_size=LONGEST
    )
    await answer.prepare(request)
    if request.transport is None:
        return answer
    connection = Socket(bearer, request.transport, answer)
    hub.add(connection, place)
    try:
        if first:
            await _obey(request, answer, connection, {**request.query, "type": "subscribe"})
        async for message in answer:
            if message.type is WSMsgType.TEXT:
                await _obey(request, answer, connection, _understood(message.data))
    finally:
        hub.remove(connection)
    return answer


async def _obey(
    request: web.Request, answer: web.WebSocketResponse, connection: Socket, asked: dict[str, str] | None
) -> None:
    """Subscribes or unsubscribes.  What cannot be done is told, and the connection stays."""
    try:
        await _change(request, connection, asked or {})
    except Unavailable as refused:
        with suppress(ConnectionError):  # it closes
            await answer.send_str(orjson.dumps({"error": str(refused), "status": refused.status}).decode())


async def _change(request: web.Request, connection: Socket, asked: dict[str, str]) -> None:
    """Raises: Unavailable."""
    hub, kind = request.app[HUB], asked.get("type")
    if kind not in ("subscribe", "unsubscribe"):
        raise Unavailable(400, "Expected JSON with a type, subscribe or unsubscribe, and a stream")
    wanted = choose(connection.bearer, asked.get("stream", ""), asked)
    if kind == "unsubscribe":
        hub.unsubscribe(connection, wanted.channel)
        return
    if len(connection.channels) >= MOST and wanted.channel not in connection.channels:
        raise Unavailable(429, "Too many streams on one connection")
    await _check_list(request, connection.bearer, wanted)
    hub.subscribe(connection, wanted)


def _understood(text: str) -> dict[str, str] | None:
    try:
        said = parsing.parse_object(text.encode())
    except (Malformed, UnicodeEncodeError):
        return None
    return {name: value for name, value in said.items() if isinstance(value, str)}


async def _event_stream(request: web.Request, bearer: Bearer, name: str) -> web.StreamResponse:
    """One stream as server-sent events."""
    hub, place = request.app[HUB], client_address.network(request)
    if request.query.get("only_media", "").lower() in _TRUE and name.startswith("public"):
        name += ":media"
    try:
        wanted = choose(bearer, name, request.query)
        await _check_list(request, bearer, wanted)
    except Unavailable as refused:
        return as_json(request, refused.status, str(refused))
    if request.version < HttpVersion11:
        return as_json(request, 505, "Streams need HTTP/1.1")
    if hub.is_full(bearer.token.account_id or 0, place):
        return _too_many(request)
    answer = web.StreamResponse(headers=_EVENTS)
    answer.enable_chunked_encoding()
    with suppress(ConnectionError):  # gone already
        await answer.prepare(request)
        await answer.write(b":)\n")
    if request.transport is not None:
        connection = EventSource(bearer, request.transport)
        hub.add(connection, place)
        try:
            hub.subscribe(connection, wanted)
            await _keep_alive(connection)
        finally:
            hub.remove(connection)
    return answer


async def _keep_alive(connection: EventSource) -> None:
    while not connection.is_gone:
        with suppress(TimeoutError):
            async with asyncio.timeout(THUMP):
                await connection.over.wait()
        connection.send(chunk(b":thump\n"))


async def _bearer(request: web.Request) -> tuple[Bearer, str]:
    """Who listens, and the subprotocol in which the token came, if it did.  Raises: Unauthorised, NotAllowed."""
    protocol = ""
    if "Authorization" in request.headers:
        found = await auth.bearer(request)
    else:
        protocol = request.headers.get("Sec-WebSocket-Protocol", "").partition(",")[0].strip()
        token = request.query.get("access_token") or protocol
        if not token:
            raise Unauthorised("Missing access token")
        found = await auth.known(request, token)
    if found is None or found.account is None:
        raise Unauthorised("Invalid access token")
    return found, protocol


async def _check_list(request: web.Request, bearer: Bearer, wanted: Subscription) -> None:
    """Raises: Unavailable, for a list that is not his."""
    if wanted.channel.name != "list":
        return
    try:
        await request.app[DATABASE].read(lists.get, bearer.token.account_id or 0, int(wanted.channel.of))
    except NotFound:
        raise Unavailable(401, "Not authorized to stream this list") from None


def _wants_socket(request: web.Request) -> bool:
    return request.headers.get("Upgrade", "").lower() == "websocket"


def _too_many(request: web.Request) -> web.Response:
    answer = as_json(request, 429, "Too many streams are open")
    answer.headers["Retry-After"] = "60"
    return answer


def _sse(name: str) -> Handler:
    async def stream(request: web.Request) -> web.StreamResponse:
        bearer, _ = await _bearer(request)
        return await _event_stream(request, bearer, name)

    return spec(query={"access_token": str, "tag": str, "list": str, "only_media": bool})(_for_streams(stream))


for _path, _name in _PATHS.items():
    routes.get(f"/api/v1/streaming/{_path}")(_sse(_name))
