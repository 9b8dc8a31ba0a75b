"""Our client and a wire that answers it, and the ways of the slow, the silent and the endless."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from ipaddress import ip_network
from typing import Any

from federation.client import Client, Limits
from federation.guard import Guard
from tests.federation.signing import NOW, private
from tests.federation.wire import Request, Script, Wire, document, wire

LAB = Guard(private_networks=(ip_network("127.0.0.0/8"),), allow_http=True)
IMPATIENT = Limits(headers=0.15, total=0.3)
KEY = private()
BODY = b'{"type":"Create"}'


@asynccontextmanager
async def client(**options: Any) -> AsyncIterator[Client]:
    made = Client(**{"guard": LAB, "user_agent": "test", "key": KEY, "clock": lambda: NOW, **options})
    try:
        yield made
    finally:
        await made.close()


@asynccontextmanager
async def talking(script: Script, **options: Any) -> AsyncIterator[tuple[Client, Wire]]:
    async with wire(script) as there, client(**options) as ours:
        yield ours, there


def always(answer: bytes) -> Script:
    return lambda there, request: answer


def itself(there: Wire, request: Request) -> bytes:
    """An honest server: each document has the id of its place."""
    return document({"id": there.url(request.target), "type": "Note"})


def resolving(names: dict[str, str]) -> Callable[..., list[Any]]:
    """A name server that knows these names."""

    def lookup(host: str, port: int, *more: Any) -> list[Any]:
        return socket.getaddrinfo(names[host], port, *more)

    return lookup


async def silence(there: Wire, request: Request) -> bytes:
    return await asyncio.get_running_loop().create_future()


async def drip(there: Wire, request: Request, start: bytes) -> bytes:
    there.writer.write(start)
    with suppress(ConnectionError):
        while not there.writer.is_closing():
            await there.writer.drain()
            there.writer.write(b"x")
            await asyncio.sleep(0.01)
    return b""


def endless(there: Wire, request: Request) -> Any:
    async def pour() -> bytes:
        start = b"HTTP/1.1 200 OK\r\nContent-Type: application/activity+json\r\nTransfer-Encoding: chunked\r\n\r\n"
        there.writer.write(start)
        with suppress(ConnectionError):
            while not there.writer.is_closing():
                there.writer.write(b"4000\r\n" + b" " * 0x4000 + b"\r\n")
                await there.writer.drain()
        return b""

    return pour()
