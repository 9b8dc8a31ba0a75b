"""kill -9 of one process after another, at random moments, while other servers and a member's program talk to it.

What was acknowledged is there, once, and what was posted is at both followers; they have nothing that ours has not.
`SEED=NUMBER` kills in the same order again.
"""

import asyncio
import os
import random
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from connectme.demo import until
from tests import postgresql
from tests.outage import traffic
from tests.outage.fault import Engine, Fault
from tests.outage.replaying import Lane, settled
from tests.outage.scene import Scene
from tests.outage.server import place_of, postmaster
from tests.outage.traffic import Count

pytestmark = pytest.mark.slow
KILLS = 12  # of each server
AT_WORK = 0.75  # of them; the others come while it still begins
LONGEST = 2.0  # seconds before each
ENOUGH = 100  # messages and posts that were acknowledged
PAUSE = 0.03  # seconds between two messages of a peer, and two posts
_LOCAL = "SELECT uri FROM post WHERE local"


@dataclass(frozen=True, slots=True)
class Outcome:
    killed: list[str]
    count: Count
    strangers: set[str]  # posts that a follower has, and we have not


async def a_child(scene: Scene, kind: str) -> None:
    """Whoever it is that runs now; nobody, when the last one was killed just before."""
    for number in _children(scene.server.pid):
        if f"connectme.child\0{kind}\0".encode() in _argv(number):
            os.kill(number, signal.SIGKILL)


async def the_supervisor(scene: Scene) -> None:
    await asyncio.to_thread(scene.server.kill)
    scene.server.start()


async def the_database(scene: Scene) -> None:
    os.kill(postmaster(scene), signal.SIGKILL)

    async def started() -> bool:
        """Not before the last process of the old one has gone."""
        try:
            await asyncio.to_thread(postgresql.start, place_of(scene))
        except postgresql.Failed:
            return False
        return True

    await until(started, "PostgreSQL starts again")


VICTIMS: dict[str, Callable] = {
    "web": lambda scene: a_child(scene, "web"),
    "worker": lambda scene: a_child(scene, "worker"),
    "supervisor": the_supervisor,
    "postgresql": the_database,
}


async def killing(engine: Engine, folder: Path, seed: int) -> Outcome:
    chance, lane = random.Random(f"{seed} {engine}"), Lane(folder, engine)
    victims = [name for name in VICTIMS if name != "postgresql" or engine == "PostgreSQL"]
    killed = [*victims, *(chance.choice(victims) for _ in range(KILLS - len(victims)))]
    chance.shuffle(killed)
    await asyncio.to_thread(lane.make_ready)
    try:
        async with lane.scene(Fault("Killed", engine, None, (), "", None), every=10) as scene:
            for name in killed:
                if chance.random() < AT_WORK:
                    await scene.traffic.flows(1)
                await asyncio.sleep(chance.uniform(0.1, LONGEST))
                await VICTIMS[name](scene)
            await scene.is_back()
            while sum(scene.traffic.numbers) <= ENOUGH:
                await scene.traffic.flows()
            count = await settled(scene)
            ours = set(await scene.column(_LOCAL))
            return Outcome(killed, count, {uri for peer in scene.traffic.peers for uri in peer.got} - ours)
    finally:
        await asyncio.to_thread(lane.close)


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory) -> dict[str, Outcome]:
    """Of both at once, for most of the time nobody works."""
    seed = int(os.environ.get("SEED") or random.randrange(1 << 32))
    print(f"SEED={seed}")
    engines: list[Engine] = ["SQLite"] if postgresql.why_not() else ["SQLite", "PostgreSQL"]

    async def run() -> list[Outcome]:
        return await asyncio.gather(*(killing(one, tmp_path_factory.mktemp(one.lower()), seed) for one in engines))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(traffic, "PAUSE", PAUSE)
        return dict(zip(engines, asyncio.run(run()), strict=True))


@pytest.mark.parametrize("engine", ["SQLite", "PostgreSQL"])
def test_what_was_acknowledged_is_there_once_whoever_was_killed(outcomes, engine):
    if engine not in outcomes:
        pytest.skip(f"PostgreSQL: {postgresql.why_not()}")
    outcome = outcomes[engine]
    print(f"{outcome.count.acknowledged} acknowledged; killed: {', '.join(outcome.killed)}")
    assert outcome.count.acknowledged > ENOUGH
    assert (outcome.count.lost, outcome.count.doubled, outcome.count.undelivered) == ([], [], [])
    assert outcome.strangers == set()


def _children(parent: int) -> list[int]:
    try:
        return [int(one) for one in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]
    except OSError:
        return []


def _argv(number: int) -> bytes:
    try:
        return Path(f"/proc/{number}/cmdline").read_bytes()
    except OSError:
        return b""
