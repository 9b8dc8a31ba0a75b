"""One HTTP request to a process of our own, over loopback or a Unix socket.  By hand: `http.client` would bring TLS and
the parsers of mail along, which cost the supervisor eight megabytes.
"""

import socket
import time
from dataclasses import dataclass
from typing import Final

LARGEST: Final = 1 << 20  # bytes of an answer
_REQUEST = "GET {} HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\nConnection: close\r\n\r\n"


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
    head, _, body = raw.partition(b"\r\n\r\n")
    words = head.split(None, 2)
    good = len(words) > 1 and words[0].startswith(b"HTTP/1.") and words[1].isdigit()
    if good and b"\r\ntransfer-encoding: chunked" in head.lower():
        body = _joined(body)
    return Heard(int(words[1]) if good else 0, body, time.monotonic() - begun)


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


def _received(link: socket.socket, end: float) -> bytes:
    parts: list[bytes] = []
    size = 0
    while (rest := end - time.monotonic()) > 0:
        link.settimeout(rest)
        part = link.recv(65536)
        if not part:
            return b"".join(parts)
        parts.append(part)
        size += len(part)
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
