"""Two servers as separate processes: one on SQLite, the other on SQLite or PostgreSQL."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from connectme.demo import Instance, until
from tests import postgresql
from tests.commands import Near
from tests.ports import free_port

_numbers = itertools.count()


@dataclass
class Pair:
    """`person()` makes somebody new on a server: tests share the servers, not the people."""

    one: Instance
    other: Instance

    def person(self, server: Instance, name: str) -> str:
        unique = f"{name}{next(_numbers)}"
        server.person(unique, role="member")
        return unique

    async def friends(self) -> tuple[str, str]:
        """Two people who follow each other: the first on `one`, the second on `other`."""
        alice, bob = self.person(self.one, "alice"), self.person(self.other, "bob")
        here, there = await asyncio.gather(
            self.one.follow(alice, f"@{bob}@{self.other.domain}"),
            self.other.follow(bob, f"@{alice}@{self.one.domain}"),
        )
        await until(lambda: self.one.is_following(alice, here), "alice follows bob")
        await until(lambda: self.other.is_following(bob, there), "bob follows alice")
        return alice, bob


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    folder = tmp_path_factory.mktemp("pair")
    more = {} if request.param == "sqlite" else {"DATABASE_URL": a_postgresql(request)}
    one = Near(folder / "one", free_port(), RATE_LIMITS="false")
    other = Near(folder / "other", free_port(), RATE_LIMITS="false", **more)
    try:
        one.start("--single-process")
        other.start()
        yield Pair(one, other)
    finally:
        one.stop()
        other.stop()


def a_postgresql(request: pytest.FixtureRequest) -> str:
    if reason := postgresql.why_not():
        pytest.skip(f"PostgreSQL: {reason}")
    server, name = request.getfixturevalue("postgres"), f"pair{next(_numbers)}"
    postgresql.create(server, name, "template1")
    return str(server).format(name)


@pytest.fixture
async def pair(running: Pair) -> AsyncIterator[Pair]:
    await asyncio.gather(running.one.ready(), running.other.ready())
    yield running
    await running.one.close()
    await running.other.close()


@pytest.fixture
async def fresh(tmp_path: Path) -> AsyncIterator[Pair]:
    """A pair of the test's own, to be stopped and killed."""
    one = Instance(tmp_path / "one", free_port(), RATE_LIMITS="false")
    other = Instance(tmp_path / "other", free_port(), RATE_LIMITS="false")
    one.start()
    other.start("--single-process")
    try:
        await asyncio.gather(one.ready(), other.ready())
        yield Pair(one, other)
    finally:
        await one.close()
        await other.close()
        one.stop()
        other.stop()
