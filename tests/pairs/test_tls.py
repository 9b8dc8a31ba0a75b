"""The same over https, with certificates of a throw-away authority: no setting for labs but the CA and the network."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
import trustme

from connectme.demo import Instance, converse
from tests.ports import free_port

pytestmark = pytest.mark.pairs


@asynccontextmanager
async def terminator(port: int, behind: int, authority: trustme.CA) -> AsyncIterator[None]:
    """What a reverse proxy does: TLS on `port`, plain HTTP to `behind`."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)

    async def pipe(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            while chunk := await source.read(65536):
                sink.write(chunk)
                await sink.drain()
        except (ConnectionError, ssl.SSLError):
            return
        finally:
            sink.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", behind)
        await asyncio.gather(pipe(reader, inner_writer), pipe(inner_reader, writer))

    server = await asyncio.start_server(serve, "127.0.0.1", port, ssl=context)
    try:
        yield
    finally:
        server.close()


async def test_two_servers_converse_over_tls(tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    async with AsyncExitStack() as stack:
        servers = []
        for name in ("alice", "bob"):
            outside, inside = free_port(), free_port()
            await stack.enter_async_context(terminator(outside, inside, authority))
            server = Instance(
                tmp_path / name,
                inside,
                DOMAIN=f"localhost:{outside}",
                BASE_URL=f"https://localhost:{outside}",
                CA_FILE=str(tmp_path / "ca.pem"),
                ALLOW_HTTP_FEDERATION="false",
            )
            server.domain = f"localhost:{outside}"
            server.person(name)
            server.start("--single-process")
            stack.callback(server.stop)
            stack.push_async_callback(server.close)
            await server.ready()
            servers.append(server)
        await converse(servers[0], servers[1])
