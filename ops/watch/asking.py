"""One HTTP request to a process of our own, over loopback or a Unix socket, or one message of a WebSocket.  By hand:
`http.client` would bring TLS and the parsers of mail along, which cost the supervisor eight megabytes.
"""

import base64
import os
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha1
from typing import Final

LARGEST: Final = 1 << 20  # bytes of an answer
SWITCHED: Final = 101  # Switching Protocols
_REQUEST = "GET {} HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\nConnection: close\r\n\r\n"
_SOCKET = (
    "GET {} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {}\r\n\r\n"
)
_MAGIC: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, 4.2.2
_BYE: Final = b"\x88\x82\0\0\0\0\x03\xe8"  # a frame that closes, with 1000, masked with nothing


@dataclass(frozen=True, slots=True)
class Heard:
    """`status` 0: nobody answered, in time and in HTTP."""

    status: int
    body: bytes
    seconds: float


def ask(bind: str, path: str, *, timeout: float) -> Heard:
    """bind: `address:port` or `unix:/path`, as the server listens.  `timeout` is for the whole of it."""
    begun = time.monotonic()
    try:
        with _connected(bind, timeout) as link:
            link.sendall(_REQUEST.format(path).encode())
            raw = _received(link, begun + timeout)
    except OSError:
        return Heard(0, b"", time.monotonic() - begun)
    status, head, body = _understood(raw)
    if b"\r\ntransfer-encoding: chunked" in head.lower():
        body = _joined(body)
    return Heard(status, body, time.monotonic() - begun)


def listen(bind: str, path: str, *, timeout: float) -> Heard:
    """A WebSocket, as far as its first message, which is then `body`.  `timeout` is for the whole of it."""
    begun, key = time.monotonic(), base64.b64encode(os.urandom(16))
    try:
        with _connected(bind, timeout) as link:
            link.sendall(_SOCKET.format(path, key.decode()).encode())
            raw = _received(link, begun + timeout, lambda raw: _refused(raw) or _message(raw) is not None)
            link.sendall(_BYE)
    except OSError:
        return Heard(0, b"", time.monotonic() - begun)
    status, head, _ = _understood(raw)
    accepted = base64.b64encode(sha1(key + _MAGIC, usedforsecurity=False).digest())
    if status == SWITCHED and accepted not in head:
        status = 0
    return Heard(status, _message(raw) or b"", time.monotonic() - begun)


def _understood(raw: bytes) -> tuple[int, bytes, bytes]:
    """Status, 0 where it is no HTTP; head and body."""
    head, _, body = raw.partition(b"\r\n\r\n")
    words = head.split(None, 2)
    good = len(words) > 1 and words[0].startswith(b"HTTP/1.") and words[1].isdigit()
    return (int(words[1]), head, body) if good else (0, b"", body)


def _refused(raw: bytes) -> bool:
    return b"\r\n\r\n" in raw and _understood(raw)[0] != SWITCHED


def _message(raw: bytes) -> bytes | None:
    """The first message after the head, a short text; None while it is not there.

    >>> _message(b"HTTP/1.1 101 x\\r\\n\\r\\n\\x81\\x02{}"), _message(b"HTTP/1.1 101 x\\r\\n\\r\\n\\x81\\x02{")
    (b'{}', None)
    """
    frame = raw.partition(b"\r\n\r\n")[2]
    if len(frame) < 2 or frame[0] != 0x81 or len(frame) < 2 + frame[1]:
        return None
    return frame[2 : 2 + frame[1]]


def _connected(bind: str, timeout: float) -> socket.socket:
    if bind.startswith("unix:"):
        link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        link.settimeout(timeout)
        try:
            link.connect(bind.removeprefix("unix:"))
        except OSError:
            link.close()
            raise
        return link
    host, _, port = bind.rpartition(":")
    place = {"0.0.0.0": "127.0.0.1", "[::]": "::1"}.get(host, host.strip("[]"))  # noqa: S104  compared, not bound
    return socket.create_connection((place, int(port)), timeout)


def _received(link: socket.socket, end: float, enough: Callable[[bytes], bool] | None = None) -> bytes:
    """All until the other end closes, or what has come is `enough`.  Raises: OSError."""
    parts: list[bytes] = []
    size = 0
    while (rest := end - time.monotonic()) > 0:
        link.settimeout(rest)
        part = link.recv(65536)
        if not part:
            return b"".join(parts)
        parts.append(part)
        size += len(part)
        if enough and enough(whole := b"".join(parts)):
            return whole
        if size > LARGEST:
            break
    raise TimeoutError


def _joined(body: bytes) -> bytes:
    """A body in chunks, as one.

    >>> _joined(b"3\\r\\nabc\\r\\n2\\r\\nde\\r\\n0\\r\\n\\r\\n")
    b'abcde'
    """
    found = b""
    while body:
        size, _, body = body.partition(b"\r\n")
        try:
            length = int(size.partition(b";")[0], 16)
        except ValueError:
            break
        if not length:
            break
        found, body = found + body[:length], body[length + 2 :]
    return found
