"""One open connection: bytes out at once, or an end with a reason.

What is sent to many is made into bytes once and written to each transport as it is, past the writer of aiohttp, which
would frame it anew for each.  Nothing is compressed, and a write is never half a frame, so both get along.
"""

import asyncio
from contextlib import suppress
from typing import Final, TypeAlias

import orjson
from aiohttp import WSCloseCode, web

from social.apps import Bearer
from web.streaming.channels import Channel, may_be_notified

QUEUE: Final = 256 * 1024  # bytes that wait for one reader, beside what the system keeps for him
LONGEST_REASON: Final = 120  # bytes: a frame that closes has room for 123 (RFC 6455, 5.5)
FAREWELL: Final = 2.0  # seconds to say why
TOO_SLOW: Final = WSCloseCode.TRY_AGAIN_LATER
Shown: TypeAlias = tuple[str, ...]


def text_frame(text: bytes) -> bytes:
    """An unmasked text frame of a WebSocket (RFC 6455, 5.2).

    >>> text_frame(b"{}"), text_frame(b"x" * 300)[:4]
    (b'\\x81\\x02{}', b'\\x81~\\x01,')
    """
    size = len(text)
    if size < 126:
        return b"\x81%c%b" % (size, text)
    if size < 1 << 16:
        return b"\x81\x7e%b%b" % (size.to_bytes(2, "big"), text)
    return b"\x81\x7f%b%b" % (size.to_bytes(8, "big"), text)


def chunk(body: bytes) -> bytes:
    """A chunk of a response of HTTP/1.1 (RFC 9112, 7.1).

    >>> chunk(b":thump\\n")
    b'7\\r\\n:thump\\n\\r\\n'
    """
    return b"%x\r\n%b\r\n" % (len(body), body)


class Listener:
    """Somebody who listens, in whichever way."""

    __slots__ = ("_transport", "account_id", "bearer", "channels", "ended", "notified")

    def __init__(self, bearer: Bearer, transport: asyncio.Transport) -> None:
        self.bearer = bearer
        self.account_id = bearer.token.account_id or 0
        self.notified = may_be_notified(bearer)
        self.channels: dict[Channel, Shown] = {}
        self.ended = False
        self._transport = transport

    @staticmethod
    def frame(shown: Shown, event: str, payload: bytes | None) -> bytes:
        """A message as it goes over the wire; the same for all connections of a kind.

        payload: JSON, or a bare id; None where there is none.
        """
        raise NotImplementedError

    def send(self, frame: bytes) -> None:
        """A reader who takes too long to read is let go: he may come back, and reads his feed then."""
        transport = self._transport
        if self.ended or transport.is_closing():
            return
        transport.write(frame)
        if transport.get_write_buffer_size() > QUEUE:
            self.end(TOO_SLOW, "you read too slowly")

    def end(self, code: int, reason: str) -> None:
        """Returns at once; the connection closes soon."""
        raise NotImplementedError


class Socket(Listener):
    """A WebSocket."""

    __slots__ = ("_closing", "_socket")

    def __init__(self, bearer: Bearer, transport: asyncio.Transport, socket: web.WebSocketResponse) -> None:
        super().__init__(bearer, transport)
        self._socket = socket
        self._closing: asyncio.Task[None] | None = None

    @staticmethod
    def frame(shown: Shown, event: str, payload: bytes | None) -> bytes:
        """The payload is a string that holds JSON."""
        said: dict[str, object] = {"stream": shown, "event": event}
        if payload is not None:
            said["payload"] = payload.decode()
        return text_frame(orjson.dumps(said))

    def end(self, code: int, reason: str) -> None:
        if not self.ended:
            self.ended = True
            self._closing = asyncio.create_task(self._close(code, reason))

    async def _close(self, code: int, reason: str) -> None:
        with suppress(TimeoutError, OSError):
            async with asyncio.timeout(FAREWELL):
                await self._socket.close(code=code, message=reason.encode()[:LONGEST_REASON])
                return
        self._transport.abort()


class Trial(Socket):
    """A WebSocket of nobody, who wants to see that messages arrive."""

    __slots__ = ()

    def __init__(self, transport: asyncio.Transport, socket: web.WebSocketResponse) -> None:
        self.account_id, self.notified, self.channels, self.ended = 0, False, {}, False
        self._transport, self._socket, self._closing = transport, socket, None


class EventSource(Listener):
    """Server-sent events."""

    __slots__ = ("over",)

    def __init__(self, bearer: Bearer, transport: asyncio.Transport) -> None:
        super().__init__(bearer, transport)
        self.over = asyncio.Event()

    @staticmethod
    def frame(shown: Shown, event: str, payload: bytes | None) -> bytes:  # noqa: ARG004  the address says it
        return chunk(b"event: %s\ndata: %s\n\n" % (event.encode(), payload if payload is not None else b"undefined"))

    def end(self, code: int, reason: str) -> None:
        if self.ended:
            return
        self.ended = True
        self.over.set()
        if code == TOO_SLOW or self._transport.is_closing():
            self._transport.abort()
        else:
            if code == WSCloseCode.SERVICE_RESTART:
                self._transport.write(self.frame((), "closed", orjson.dumps({"error": reason})))
            self._transport.write(chunk(b": %s\n" % reason.encode()))

    @property
    def is_gone(self) -> bool:
        return self.ended or self._transport.is_closing()
