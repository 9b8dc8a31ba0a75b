"""Databases of both kinds, fresh for each test, and who we are."""

import asyncio
import gc
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import Engine, event

import migrations
from federation.origin import Origin
from store import prepared
from store.database import Database
from store.tables import spool_metadata
from tests import postgresql
from tests.inbox.far import Far
from tests.interleaved import Two, watched
from tests.postgresql import Rooms
from tests.statements import keep_compiled

# A fresh checkout builds Hypothesis' Unicode tables in its first test, which is slow but not wrong.
settings.register_profile("check", suppress_health_check=list(HealthCheck), deadline=None, derandomize=True)
settings.load_profile("check")

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


def pytest_collection_finish() -> None:
    """What is imported by now stays, so nobody need look through it for garbage: that took a fifteenth of the time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _compiled_once() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        keep_compiled(patch)
        yield


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """How many queries are counted must not depend on how busy the machine is: no read begins again."""
    monkeypatch.setattr("store.sqlite.PATIENCE", 60)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a throw-away server; `{}` stands for the database.  `template` in it is migrated."""
    if reason := postgresql.why_not():
        pytest.skip(f"PostgreSQL: {reason}")
    with postgresql.cluster() as url:
        yield url


@pytest.fixture(scope="session")
def postgres_template(postgres: str) -> str:
    postgresql.create(postgres, "template", "template1")
    asyncio.run(_migrate(postgres.format("template")))
    return "template"


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated file, to copy: migrating takes longer than most tests."""
    file = tmp_path_factory.mktemp("template") / "template.db"
    asyncio.run(_migrate(f"sqlite:///{file}"))
    return file


@pytest.fixture(scope="session")
def postgres_rooms(postgres: str, postgres_template: str) -> Iterator[Rooms]:
    with Rooms(postgres, postgres_template) as rooms:
        yield rooms


async def _migrate(url: str) -> None:
    async with await Database.open(url) as database:
        await database.write(migrations.upgrade)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A migrated database of the test's own.  SQLite has a real file: what we test is what runs."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "test.db")
        yield f"sqlite:///{tmp_path}/test.db"
        return
    yield request.getfixturevalue("postgresql_url")


@pytest.fixture
def postgresql_url(postgres_rooms: Rooms) -> Iterator[str]:
    yield postgres_rooms.enter()
    postgres_rooms.leave()


@pytest.fixture
async def db(url: str) -> AsyncIterator[Database]:
    """The main database, on each engine in turn."""
    database = await Database.open(url)
    yield database
    await database.close()


@pytest.fixture
async def two(postgresql_url: str) -> AsyncIterator[Two]:
    """Two processes on one PostgreSQL.  Not on SQLite, where who writes is alone."""
    async with await Database.open(postgresql_url) as here, await Database.open(postgresql_url) as there:
        with watched(Two(here, there)) as both:
            yield both


@pytest.fixture
async def sqlite_db(sqlite_template: Path, tmp_path: Path) -> AsyncIterator[Database]:
    """For tests of which the engine makes no difference: pages, API, what is above the units."""
    shutil.copy(sqlite_template, tmp_path / "main.db")
    async with await Database.open(f"sqlite:///{tmp_path}/main.db") as database:
        yield database


@pytest.fixture(scope="session")
def spool_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("spool") / "spool.db"
    asyncio.run(_fill_spool(f"sqlite:///{file}"))
    return file


async def _fill_spool(url: str) -> None:
    async with await Database.open(url) as database:
        await database.write(spool_metadata.create_all)


@pytest.fixture
async def spool(spool_template: Path, tmp_path: Path) -> AsyncIterator[Database]:
    shutil.copy(spool_template, tmp_path / "spool.db")
    async with await Database.open(f"sqlite:///{tmp_path}/spool.db") as database:
        yield database


@pytest.fixture
def queries(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The statements that SQLAlchemy ran so far; `queries.clear()` starts again."""
    for looks in ("inbox.rules", "web.barred", "connectme.sentinel"):  # what a server asks for itself, again and again
        monkeypatch.setattr(f"{looks}.EVERY", 3600.0)
    seen: list[str] = []

    def see(connection: object, cursor: object, statement: str, *more: object) -> None:
        seen.append(statement)

    event.listen(Engine, "before_cursor_execute", see)
    prepared.WATCHERS.append(seen.append)
    yield seen
    prepared.WATCHERS.remove(seen.append)
    event.remove(Engine, "before_cursor_execute", see)


@pytest.fixture
async def leap(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """leap(seconds): the clock of the loop is so far ahead, and what waits for it goes on, however busy the machine."""
    loop, ahead = asyncio.get_running_loop(), [0.0]
    monkeypatch.setattr(loop, "time", lambda real=loop.time: real() + sum(ahead))
    return ahead.append


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
