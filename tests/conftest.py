"""Databases of both kinds, fresh for each test, and who we are."""

import asyncio
import itertools
import shutil
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import Engine, event, make_url

import migrations
from federation.origin import Origin
from store import prepared
from store.database import Database
from store.tables import spool_metadata
from tests import postgresql
from tests.inbox.far import Far

# A fresh checkout builds Hypothesis' Unicode tables in its first test, which is slow but not wrong.
settings.register_profile("check", suppress_health_check=list(HealthCheck), deadline=None, derandomize=True)
settings.load_profile("check")

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
_names = itertools.count()


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a throw-away server; `{}` stands for the database.  `template` in it is migrated."""
    if reason := postgresql.why_not():
        pytest.skip(f"PostgreSQL: {reason}")
    with postgresql.cluster() as url:
        yield url


@pytest.fixture(scope="session")
def postgres_template(postgres: str) -> str:
    asyncio.run(_create(postgres, "template", "template1"))
    asyncio.run(_migrate(postgres.format("template")))
    return "template"


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated file, to copy: migrating takes longer than most tests."""
    file = tmp_path_factory.mktemp("template") / "template.db"
    asyncio.run(_migrate(f"sqlite:///{file}"))
    return file


async def _migrate(url: str) -> None:
    async with await Database.open(url) as database:
        await database.write(migrations.upgrade)


async def _create(server: str, name: str, template: str) -> None:
    place = make_url(server).query["host"]
    connection = await asyncpg.connect(host=place, user="test", database="postgres")
    await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    await connection.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A migrated database of the test's own.  SQLite has a real file: what we test is what runs."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "test.db")
        return f"sqlite:///{tmp_path}/test.db"
    server, name = request.getfixturevalue("postgres"), f"test{next(_names)}"
    asyncio.run(_create(server, name, request.getfixturevalue("postgres_template")))
    return str(server).format(name)


@pytest.fixture
async def db(url: str) -> AsyncIterator[Database]:
    """The main database, on each engine in turn."""
    database = await Database.open(url)
    yield database
    await database.close()


@pytest.fixture
async def sqlite_db(sqlite_template: Path, tmp_path: Path) -> AsyncIterator[Database]:
    """For tests of which the engine makes no difference: pages, API, what is above the units."""
    shutil.copy(sqlite_template, tmp_path / "main.db")
    async with await Database.open(f"sqlite:///{tmp_path}/main.db") as database:
        yield database


@pytest.fixture
async def spool(tmp_path: Path) -> AsyncIterator[Database]:
    async with await Database.open(f"sqlite:///{tmp_path}/spool.db") as database:
        await database.write(spool_metadata.create_all)
        yield database


@pytest.fixture
def queries() -> Iterator[list[str]]:
    """The statements that SQLAlchemy ran so far; `queries.clear()` starts again."""
    seen: list[str] = []

    def see(connection: object, cursor: object, statement: str, *more: object) -> None:
        seen.append(statement)

    event.listen(Engine, "before_cursor_execute", see)
    prepared.WATCHERS.append(seen.append)
    yield seen
    prepared.WATCHERS.remove(seen.append)
    event.remove(Engine, "before_cursor_execute", see)


@pytest.fixture
async def far() -> AsyncIterator[Far]:
    """Another server."""
    async with Far() as server:
        yield server


@pytest.fixture
async def other() -> AsyncIterator[Far]:
    """And one more."""
    async with Far() as server:
        yield server


@pytest.fixture
def origin() -> Origin:
    return Origin("ours.test", "https://ours.test")
