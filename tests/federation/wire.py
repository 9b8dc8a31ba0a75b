"""A server of bytes: what it answers need not be HTTP, polite, or finished."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import orjson

ACTIVITY = "application/activity+json"


@dataclass(frozen=True)
class Request:
    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        return next((value for known, value in self.headers if known.lower() == name.lower()), None)

    @property
    def scheme(self) -> str | None:
        """Which signature it carries."""
        if self.header("Signature-Input"):
            return "rfc9421"
        return "cavage" if self.header("Signature") else None


Script = Callable[["Wire", Request], "bytes | Awaitable[bytes]"]


@dataclass
class Wire:
    """Listens on 127.0.0.1.  The script's bytes are sent as they are; a script may also write to `writer` itself."""

    script: Script
    port: int = 0
    requests: list[Request] = field(default_factory=list)
    writer: asyncio.StreamWriter | None = None
    connections: int = 0

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def url(self, path: str = "/") -> str:
        return f"http://{self.host}{path}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                request = await _read(reader)
                self.requests.append(request)
                self.writer = writer
                answer = self.script(self, request)
                writer.write(answer if isinstance(answer, bytes) else await answer)
                await writer.drain()
        writer.close()


async def _read(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, target, _ = head[0].split(" ")
    headers = [(name, value.strip()) for name, _, value in (line.partition(":") for line in head[1:] if line)]
    length = next((int(value) for name, value in headers if name.lower() == "content-length"), 0)
    return Request(method, target, headers, await reader.readexactly(length))


@asynccontextmanager
async def wire(script: Script) -> AsyncIterator[Wire]:
    here, tasks = Wire(script), set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.current_task())
        with suppress(asyncio.CancelledError):
            try:
                await here.serve(reader, writer)
            finally:
                writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    here.port = server.sockets[0].getsockname()[1]
    try:
        yield here
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def http(status: int = 200, body: bytes = b"", kind: str | None = None, **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} Word", f"Content-Length: {len(body)}"]
    if kind:
        lines.append(f"Content-Type: {kind}")
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def document(of: dict[str, object], kind: str = ACTIVITY, **headers: str) -> bytes:
    return http(200, orjson.dumps(of), kind, **headers)
