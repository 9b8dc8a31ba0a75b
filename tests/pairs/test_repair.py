"""A server was away for so long that the other gave up: what was said meanwhile comes home all the same."""

import json
import os

import pytest

from connectme.demo import until
from tests.pairs.conftest import Pair
from tests.pairs.test_conversations import post

pytestmark = [pytest.mark.pairs, pytest.mark.slow]


async def test_what_others_gave_up_to_send_is_fetched_when_the_server_is_back(fresh: Pair) -> None:
    alice, bob = await fresh.friends()
    regretted = await post(fresh.one, alice, "Regretted")
    await post(fresh.one, alice, "Before")
    await until(lambda: fresh.other.seen(bob, "Before"), "the last post that came")
    fresh.other.stop()
    await fresh.other.close()
    mark = fresh.other.folder / "state" / "alive"
    os.utime(mark, (mark.stat().st_mtime - 3600,) * 2)  # it is an hour later
    said = [f"While you were away {number}" for number in range(5)]
    for number, words in enumerate(said):
        await post(fresh.one, alice, words, visibility="private" if number == 2 else "public")
    await fresh.one.api(alice, "DELETE", f"/api/v1/statuses/{regretted['id']}")
    fresh.one.command("delivery", "drop", "--yes")

    fresh.other.start("--single-process")
    await fresh.other.ready()
    await until(lambda: fresh.other.seen(bob, said[-1]), "what was missed is there")
    await until(lambda: _done(fresh), "the repair is done")
    await until(lambda: _is_gone(fresh, bob), "what was deleted meanwhile is gone")
    assert [one["content"] for one in await fresh.other.home(bob)] == [
        f"<p>{words}</p>" for words in reversed(["Before", *said])
    ]
    fresh.other.command("repair", "--since", "2h")
    await until(lambda: _done(fresh, 2), "once more, by hand")
    assert len(await fresh.other.home(bob)) == 1 + len(said)


async def _is_gone(pair: Pair, name: str) -> bool:
    return await pair.other.seen(name, "Regretted") is None


async def _done(pair: Pair, hours: int = 0) -> bool:
    found = json.loads(pair.other.command("repair", "--json"))
    by_hand = bool(found) and found["reason"] == "asked for by hand"
    return bool(found and found["finished_at"] and by_hand == bool(hours))
