"""One HTTP exchange at a time, over kept connections: no redirects, no signatures, no opinions.

Every socket is opened by the guard's gate.  What goes wrong on the way comes out as `Unreachable`, or as
`Refused` where it was the gate that refused.
"""

import asyncio
import os
import socket
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from errno import errorcode
from functools import cached_property
from typing import Final

from aiohttp import (
    ClientConnectorCertificateError,
    ClientConnectorDNSError,
    ClientConnectorError,
    ClientError,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    StreamReader,
    TCPConnector,
)
from multidict import CIMultiDictProxy
from yarl import URL

from federation import answers
from federation.errors import FederationError, Refused, Unreachable
from federation.exchange import Exchange
from federation.guard import AddressRefused, Gate, Guard, Lookup, Resolver
from federation.peers import Peer

KEEP_ALIVE: Final = 60.0  # seconds
NAMES_KEPT: Final = 10_000
NAMES_KEPT_FOR: Final = 300  # seconds


@dataclass(frozen=True, slots=True)
class Limits:
    """`headers`: seconds until the headers of an answer are there, connecting included; `total`: seconds for one
    delivery, or a fetch with all its redirects; `connections`: how many are kept; `per_host`: how many at once."""

    headers: float = 10.0
    total: float = 20.0
    connections: int = 2000
    per_host: int = 4


@dataclass(frozen=True, slots=True)
class Reply:
    """`body` is whole for a GET that was answered 200, else its beginning."""

    url: URL
    status: int
    headers: CIMultiDictProxy[str]
    body: bytes


class Transport:
    """Made anywhere, used in one event loop."""

    def __init__(self, guard: Guard, limits: Limits, ca_file: str | None, lookup: Lookup = socket.getaddrinfo) -> None:
        self._limits = limits
        self._tls = True if ca_file is None else _trusting(ca_file)
        self._gate = Gate(guard)
        self._resolver = Resolver(guard, lookup)
        self._opened: ClientSession | None = None

    async def close(self) -> None:
        if self._opened is not None:
            await self._opened.close()
        await self._resolver.close()

    async def get(self, url: URL, host: str, peer: Peer, headers: Mapping[str, str], *, whole: bool = True) -> Reply:
        """The caller limits the total time.  whole: what is too large is refused, else cut.

        Raises: Unreachable, Refused, Malformed (see answers.body_of).
        """
        farewell = self._farewell(peer)
        headers = {**headers, "Accept-Encoding": "gzip", **farewell}
        try:
            async with asyncio.timeout(self._limits.headers) as deadline:
                with await self._exchange.ask("GET", url, headers, close=bool(farewell)) as response:
                    deadline.reschedule(None)
                    there = response.status == answers.OK
                    body = await (
                        answers.body_of(response, whole=whole) if there else answers.beginning(response.content)
                    )
                    return Reply(url, response.status, response.headers, body)
        except (ClientError, OSError) as error:  # TimeoutError is an OSError
            raise _trouble(host, error) from error

    async def save(
        self, url: URL, host: str, peer: Peer, headers: Mapping[str, str], sink: answers.Sink, most: int
    ) -> Reply:
        """As get, but what is answered 200 goes to `sink`, piece by piece, and is not in the reply."""
        farewell = self._farewell(peer)
        headers = {**headers, "Accept-Encoding": "identity", **farewell}
        try:
            async with asyncio.timeout(self._limits.headers) as deadline:
                with await self._exchange.ask("GET", url, headers, close=bool(farewell)) as response:
                    deadline.reschedule(None)
                    body = b""
                    if response.status == answers.OK:
                        await answers.pour(response, sink, most)
                    else:
                        body = await answers.beginning(response.content)
                    return Reply(url, response.status, response.headers, body)
        except (ClientError, OSError) as error:
            raise _trouble(host, error) from error

    async def post(self, url: URL, host: str, peer: Peer, headers: Mapping[str, str], body: bytes) -> Reply:
        """Raises: Unreachable, Refused."""
        farewell = self._farewell(peer)
        headers = {**headers, "Accept-Encoding": "identity", **farewell}
        try:
            async with asyncio.timeout(self._limits.headers):
                response = await self._exchange.ask("POST", url, headers, body, close=bool(farewell))
        except (ClientError, OSError) as error:
            raise _trouble(host, error) from error
        with response:
            return Reply(url, response.status, response.headers, await self._beginning(response.content))

    async def _beginning(self, content: StreamReader) -> bytes:
        """Whatever happens to the body, we have their answer."""
        if content.is_eof():  # all is here already: no time limit needed, which costs
            return await answers.beginning(content)
        with suppress(ClientError, OSError):
            async with asyncio.timeout(self._limits.total - self._limits.headers):
                return await answers.beginning(content)
        return b""

    def _farewell(self, peer: Peer) -> dict[str, str]:
        """With all connections in use, those to further hosts are not kept: each costs 50 KB with TLS."""
        now = asyncio.get_running_loop().time()
        if peer.warm_until < now and self._gate.opened >= self._limits.connections:
            return {"Connection": "close"}
        peer.warm_until = now + KEEP_ALIVE
        return {}

    @cached_property
    def _exchange(self) -> Exchange:
        return Exchange(self._session)

    @property
    def _session(self) -> ClientSession:
        if self._opened is None:
            connector = TCPConnector(
                resolver=self._resolver,
                socket_factory=self._gate.open,
                ssl=self._tls,
                limit=self._limits.connections,
                limit_per_host=self._limits.per_host,
                keepalive_timeout=KEEP_ALIVE,
                ttl_dns_cache=NAMES_KEPT_FOR,
                dns_cache_max_size=NAMES_KEPT,
            )
            self._opened = ClientSession(
                connector=connector,
                cookie_jar=DummyCookieJar(),
                auto_decompress=False,  # answers.body_of counts while it unpacks
                timeout=ClientTimeout(total=None),  # ours are simpler: one for all that happens until the headers
                trust_env=False,  # a proxy would open the sockets in our place
            )
        return self._opened


def _trusting(ca_file: str) -> ssl.SSLContext:
    """The authorities of the system and those in `ca_file`.  Raises: OSError."""
    context = ssl.create_default_context()
    context.load_verify_locations(ca_file)
    context.set_alpn_protocols(["http/1.1"])
    return context


def _trouble(host: str, error: Exception) -> FederationError:
    if isinstance(error, ClientConnectorError) and isinstance(error.os_error, AddressRefused):
        return Refused(str(error.os_error))
    if isinstance(error, TimeoutError):
        return Unreachable(host, "took too long")
    return Unreachable(host, _why(error)[:200])


def _why(error: Exception) -> str:
    """For an admin who reads it beside the name of the host."""
    if isinstance(error, ClientConnectorCertificateError):
        return f"its certificate is not good: {getattr(error.certificate_error, 'verify_message', error)}"
    if isinstance(error, ClientConnectorDNSError):
        return f"its name leads nowhere: {error.os_error.strerror}"
    if isinstance(error, ClientConnectorError):
        number = error.os_error.errno
        return os.strerror(number) if number and number in errorcode else f"no connection: {error.os_error}"
    return f"{type(error).__name__}: {error}"
