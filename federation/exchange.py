"""One request over a kept connection: what a post to a thousand servers does a thousand times.

The connections are aiohttp's (found, opened, kept and counted by its connector), and so is the reader of answers; the
request is written here.  A request of aiohttp's session costs five times as much Python, nearly all of it for what we
do not have: redirects that are followed, cookies, proxies, forms, bodies of unknown length.
"""

import asyncio
from collections.abc import Mapping
from typing import Final, Literal, Self

from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientOSError,
    ClientRequest,
    ClientSession,
    ClientTimeout,
    ServerDisconnectedError,
    StreamReader,
)
from aiohttp.connector import Connection as Kept
from aiohttp.http import HttpProcessingError, RawResponseMessage
from multidict import CIMultiDictProxy
from yarl import URL

from federation.answers import cleaned
from federation.errors import Malformed

HOSTS_KEPT: Final = 2_000
_NO_LIMIT: Final = ClientTimeout(total=None)  # the caller's is for all that happens until the headers
_SWITCHING: Final = 101
_FIRST_FINAL: Final = 200


class Response:
    """The head of an answer; `content` is its body.  `release` it."""

    __slots__ = ("_close", "_connection", "content", "headers", "status")

    def __init__(self, message: RawResponseMessage, content: StreamReader, connection: Kept, *, close: bool):
        self.status: int = message.code
        self.headers: CIMultiDictProxy[str] = message.headers
        self.content = content
        self._connection = connection
        self._close = close

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def release(self) -> None:
        """Keeps the connection, if it can be: not when there is more to come, nor while some of ours is not sent."""
        transport = self._connection.transport
        if transport is not None and transport.get_write_buffer_size():
            transport.abort()  # a mere close would wait until they took the rest
            self._close = True
        if self._close:
            self._connection.close()
        else:
            self._connection.release()


class Exchange:
    """Over the connections of `session`."""

    def __init__(self, session: ClientSession) -> None:
        self._session = session
        self._loop = asyncio.get_running_loop()
        self._places: dict[tuple[str, str | None, int | None], ClientRequest] = {}

    async def ask(
        self, method: Literal["GET", "POST"], url: URL, headers: Mapping[str, str], body: bytes = b"", *, close: bool
    ) -> Response:
        """Once more when the connection ends: it was a kept one that they closed in this very moment, most likely, and
        a delivery may arrive twice (an activity is known by its id).

        close: the connection is not for others; `headers` say so, too.
        """
        request = _request(method, url, headers, body)
        try:
            return await self._exchange(url, request, close=close)
        except ClientConnectorError:
            raise
        except (ClientOSError, ServerDisconnectedError):
            return await self._exchange(url, request, close=close)

    async def _exchange(self, url: URL, request: bytes, *, close: bool) -> Response:
        connector = self._session.connector
        if connector is None:
            raise ServerDisconnectedError("the client is closed")
        connection = await connector.connect(self._place(url), [], _NO_LIMIT)
        try:
            message, content = await _answer(connection, request)
            return Response(message, content, connection, close=close)
        except HttpProcessingError as error:
            connection.close()
            raise ClientError(cleaned(f"no HTTP: {error.message}")) from error
        except BaseException:
            connection.close()
            raise

    def _place(self, url: URL) -> ClientRequest:
        """Where to connect to, as the connector wants to be told."""
        key = (url.scheme, url.raw_host, url.port)
        found = self._places.get(key)
        if found is None:
            if len(self._places) >= HOSTS_KEPT:
                self._places.clear()
            found = ClientRequest("GET", url.origin(), loop=self._loop, session=self._session)
            self._places[key] = found
        return found


async def _answer(connection: Kept, request: bytes) -> tuple[RawResponseMessage, StreamReader]:
    handler, transport = connection.protocol, connection.transport
    if handler is None or transport is None or transport.is_closing() or len(handler):
        raise ServerDisconnectedError  # or it said something before it was asked, which is no answer
    handler.set_response_params(read_until_eof=True, auto_decompress=False)
    transport.write(request)
    while True:
        message, content = await handler.read()
        if message.code >= _FIRST_FINAL or message.code == _SWITCHING:
            return message, content


def _request(method: str, url: URL, headers: Mapping[str, str], body: bytes) -> bytes:
    """With the Host that is signed, if it is.  Raises: Malformed, when a header spans lines."""
    lines = [f"{method} {url.raw_path_qs} HTTP/1.1", *[f"{name}: {value}" for name, value in headers.items()]]
    if "Host" not in headers:
        lines.insert(1, f"Host: {url.host_port_subcomponent}")
    lines += (f"Content-Length: {len(body)}", "", "") if method == "POST" else ("", "")
    head = "\r\n".join(lines)
    if head.count("\n") != len(lines) - 1 or head.count("\r") != len(lines) - 1 or "\0" in head:
        raise Malformed("headers", "a line break")
    return head.encode("utf-8", "surrogateescape") + body
