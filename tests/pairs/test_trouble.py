"""Two servers when something breaks: a peer is away, a process is killed in the midst of its work."""

import asyncio
import json
from contextlib import suppress

import aiohttp
import pytest

from connectme.demo import Instance, until
from tests.pairs.conftest import Pair
from tests.pairs.test_conversations import post

pytestmark = [pytest.mark.pairs, pytest.mark.slow]


async def arrived(server: Instance, name: str, wanted: set[str]) -> bool:
    home = {one["content"] for one in await server.home(name)}
    return {f"<p>{words}</p>" for words in wanted} <= home


async def test_what_is_said_while_a_peer_is_down_arrives_when_it_is_back(fresh: Pair) -> None:
    alice, bob = await fresh.friends()
    fresh.other.stop()
    await fresh.other.close()
    for number in range(3):
        await post(fresh.one, alice, f"While you were away {number}")
    await until(lambda: waits(fresh.one), "the mail waits")

    fresh.other.start("--single-process")
    await fresh.other.ready()
    # It says something itself: whoever is heard from is spoken to again at once, whatever his back-off.
    await post(fresh.other, bob, "I am back")
    wanted = {f"While you were away {number}" for number in range(3)}
    await until(lambda: arrived(fresh.other, bob, wanted), "all three arrive")


async def waits(server: Instance) -> bool:
    return bool(json.loads(server.command("delivery", "stats", "--json"))["failing_hosts"] > 0)


@pytest.mark.parametrize("victim", ["sender", "receiver"])
async def test_nothing_acknowledged_is_missing_after_kill_9(fresh: Pair, victim: str) -> None:
    alice, bob = await fresh.friends()
    killed = fresh.one if victim == "sender" else fresh.other
    acknowledged: set[str] = set()

    async def talk() -> None:
        for number in range(200):
            with suppress(RuntimeError, OSError, aiohttp.ClientError, TimeoutError):
                await post(fresh.one, alice, f"Post {number}")
                acknowledged.add(f"Post {number}")
            if number == 60:
                killed.kill()
                killed.start()

    talking = asyncio.create_task(talk())
    await talking
    await asyncio.gather(fresh.one.ready(), fresh.other.ready())
    await post(fresh.other, bob, "Still here")
    assert len(acknowledged) >= 60

    async def all_there() -> bool:
        found: set[str] = set()
        page: list[dict[str, str]] = await fresh.other.home(bob)
        while page:
            found |= {one["content"].removeprefix("<p>").removesuffix("</p>") for one in page}
            page = await fresh.other.api(
                bob, "GET", "/api/v1/timelines/home", limit=40, max_id=min(int(one["id"]) for one in page)
            )
        return acknowledged <= found

    await until(all_there, "every post that was acknowledged arrives")
