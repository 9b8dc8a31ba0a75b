"""Servers on loopback: `site` on SQLite; `both_sites` on each engine, where the engine could make a difference."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Connection

from federation.keys import KeyPair
from federation.origin import Origin
from ops import identity
from social import accounts
from store.database import Database
from tests.people import OURS, rsa_pem
from tests.web.site import Site, running


@pytest.fixture(scope="session")
def claimed(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database that is ours already: making the keys of a new server takes longer than most tests."""
    file = tmp_path_factory.mktemp("claimed") / "claimed.db"
    shutil.copy(sqlite_template, file)
    asyncio.run(_claim(f"sqlite:///{file}"))
    return file


async def _claim(url: str) -> None:
    async with await Database.open(url) as database:
        await database.write(_ours)


def _ours(tx: Connection) -> None:
    origin, pair = Origin("ours.test", OURS), rsa_pem("server")
    identity.claim(tx, origin)
    accounts.create_instance_actor(tx, origin, [KeyPair("rsa", *pair)], datetime.now(UTC))


@pytest.fixture
def server(claimed: Path, spool_template: Path, tmp_path: Path) -> Callable[..., AbstractAsyncContextManager[Site]]:
    """`async with server(AUTHORIZED_FETCH="true") as site:`"""
    shutil.copy(claimed, tmp_path / "ours.db")
    shutil.copy(spool_template, tmp_path / "spool.db")
    return partial(running, f"sqlite:///{tmp_path}/ours.db", tmp_path)


@pytest.fixture
async def site(server: Callable[..., AbstractAsyncContextManager[Site]]) -> AsyncIterator[Site]:
    async with server() as running_site:
        yield running_site


@pytest.fixture
async def both_sites(url: str, tmp_path: Path) -> AsyncIterator[Site]:
    """Without rate limits, behind which a test of many requests would test nothing."""
    await _claim(url)
    async with running(url, tmp_path, RATE_LIMITS="false") as running_site:
        yield running_site
