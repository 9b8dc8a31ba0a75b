"""What arrives in one process reaches the streams of another."""

import asyncio

import orjson
import pytest
from aiohttp import ClientWebSocketResponse

from tests.pairs.conftest import Pair

pytestmark = pytest.mark.pairs


async def until_heard(ws: ClientWebSocketResponse, *events: str) -> dict[str, str]:
    """The payloads of the next of each of `events`, which come in any order."""
    found: dict[str, str] = {}
    async with asyncio.timeout(120):
        while not found.keys() >= set(events):
            said = orjson.loads((await ws.receive()).data)
            found.setdefault(said["event"], said["payload"])
    return found


async def test_a_post_from_elsewhere_arrives_in_the_worker_and_is_streamed_by_the_web_process(pair: Pair) -> None:
    """`other` runs web and worker as processes of their own; `one` has both in one."""
    alice, bob = await pair.friends()
    async with pair.other.session.ws_connect(
        pair.other.base / "api/v1/streaming" % {"stream": "user"}, protocols=(pair.other.tokens[bob],)
    ) as ws:
        words = f"@{bob}@{pair.other.domain} while it happens"
        post = await pair.one.api(alice, "POST", "/api/v1/statuses", status=words)
        found = await until_heard(ws, "notification", "update")
        assert all("while it happens" in payload for payload in found.values())
        await pair.one.api(alice, "PUT", f"/api/v1/statuses/{post['id']}", status="changed")
        assert "changed" in (await until_heard(ws, "status.update"))["status.update"]
        await pair.one.api(alice, "DELETE", f"/api/v1/statuses/{post['id']}")
        assert (await until_heard(ws, "delete"))["delete"] == orjson.loads(found["update"])["id"]
