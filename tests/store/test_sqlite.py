"""What holds for SQLite only."""

import asyncio
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from store.database import Database
from store.sqlite import SPARED
from store.tables import hosts, metadata
from tests.store.test_database import add, names

ROOT = Path(__file__).parents[2]

CRASHES = """
import asyncio, sys
from store.database import Database
from store.tables import metadata
from tests.store.test_database import add

async def main():
    db = await Database.open(sys.argv[1])
    await db.write(metadata.create_all)
    n = 0
    while True:
        for name in await asyncio.gather(*(db.write(add, f"h{n + i}") for i in range(20))):
            print(name, flush=True)
        n += 20

asyncio.run(main())
"""


@pytest.fixture
def file(tmp_path):
    return f"sqlite:///{tmp_path}/one.db"


def thread(tx):
    tx.exec_driver_sql("SELECT 1").all()
    return threading.get_ident()


def steps(tx, seen):
    """Some 30,000 steps of SQLite's machine; how often it has begun."""
    seen.append(threading.get_ident())
    tx.exec_driver_sql(
        "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 3000) SELECT count(*) FROM c"
    ).all()
    return len(seen)


async def test_a_whole_unit_that_writes_runs_in_the_connections_own_thread(file):
    """Pins that functions cross into aiosqlite's thread; see store.sqlite.CallingConnection."""
    db = await Database.open(file)
    wrote = [await db.write(lambda tx: threading.get_ident()) for _ in range(3)]
    assert len(set(wrote)) == 1
    assert threading.get_ident() not in wrote
    await db.close()


async def test_a_read_that_takes_long_begins_again_in_a_thread_and_goes_there_at_once_for_a_while(file, monkeypatch):
    db = await Database.open(file)
    here, seen = threading.get_ident(), []
    assert await db.read(thread) == here
    monkeypatch.setattr("store.sqlite.PATIENCE", 0)
    assert await db.read(steps, seen) == 2
    assert seen[0] == here != seen[1]
    monkeypatch.setattr("store.sqlite.PATIENCE", 60)
    assert [await db.read(steps, seen) for _ in range(SPARED)] == list(range(3, 3 + SPARED))
    assert here not in seen[1:]
    assert await db.read(thread) == here  # other units are not concerned
    await db.read(steps, seen)
    assert seen[-1] == here
    await db.close()


async def test_a_unit_that_takes_the_interruption_for_its_own_error_is_not_believed(file, monkeypatch):
    db, seen = await Database.open(file), []

    def swallows(tx):
        try:
            steps(tx, seen)
        except OperationalError:
            return "the database is broken"
        return "all is well"

    monkeypatch.setattr("store.sqlite.PATIENCE", 0)
    assert await db.read(swallows) == "all is well"
    assert len(seen) == 2
    await db.close()


async def test_nor_is_what_it_raises_instead(file, monkeypatch):
    db, seen = await Database.open(file), []

    def takes_it_for_absence(tx):
        try:
            steps(tx, seen)
        except OperationalError:
            raise LookupError("nobody of that name") from None
        if len(seen) < 3:
            raise LookupError("nobody of that name")

    monkeypatch.setattr("store.sqlite.PATIENCE", 0)
    with pytest.raises(LookupError):
        await db.read(takes_it_for_absence)
    assert len(seen) == 2  # what it says in the thread is meant
    await db.read(takes_it_for_absence)
    await db.close()


async def test_after_an_interruption_statements_are_prepared_once(file, monkeypatch):
    """Python 3.11 takes one that was interrupted for one in use, for ever."""
    db, prepared = await Database.open(file), []
    many = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 3000) SELECT n FROM c"

    def watched(tx):
        tx.connection.dbapi_connection.set_authorizer(lambda *_: prepared.append(1) or 0)

    def ask(tx):
        tx.exec_driver_sql(many).all()

    monkeypatch.setattr("store.sqlite.PATIENCE", 0)
    await db.read(ask)
    monkeypatch.setattr("store.sqlite.PATIENCE", 60)
    await db.read(watched)
    asked = []
    for number in range(3):
        await db.read(lambda tx, _: ask(tx), number)
        asked.append(len(prepared))
    assert asked[0] == asked[1] == asked[2] > 0
    await db.close()


async def test_a_read_waits_in_a_thread_for_another_who_has_the_file(file):
    db, seen = await Database.open(file), []

    def busy(tx):
        seen.append(threading.get_ident())
        if len(seen) == 1:
            error = sqlite3.OperationalError("database is locked")
            error.sqlite_errorcode = sqlite3.SQLITE_BUSY
            raise error
        return "read"

    def takes_it_for_absence(tx):
        try:
            return busy(tx)
        except sqlite3.Error:
            raise LookupError("nobody of that name") from None

    for unit in (busy, takes_it_for_absence):
        seen.clear()
        assert await db.read(unit) == "read"
        assert seen[0] == threading.get_ident() != seen[1]
    await db.close()


async def test_whoever_reads_without_a_pause_lets_others_have_their_turn(file, monkeypatch):
    db, turns = await Database.open(file), []
    monkeypatch.setattr("store.sqlite.PATIENCE", -1)

    async def other():
        while True:
            turns.append(1)
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    for _ in range(20):
        await db.read(lambda tx: None)
    task.cancel()
    assert len(turns) > 5
    await db.close()


async def test_the_pragmas_are_set(file, monkeypatch):
    db = await Database.open(f"{file}?synchronous=normal")

    def pragma(tx, name):
        return tx.exec_driver_sql(f"PRAGMA {name}").scalar()

    wanted = {"journal_mode": "wal", "query_only": 1, "busy_timeout": 0}  # the loop waits for nobody
    assert {name: await db.read(pragma, name) for name in wanted} == wanted
    wanted |= {"foreign_keys": 1, "synchronous": 1, "busy_timeout": 5000}
    monkeypatch.setattr("store.sqlite.PATIENCE", -1)
    await db.read(pragma, "busy_timeout")  # is late, and in a thread the next time
    assert {name: await db.read(pragma, name) for name in wanted} == wanted
    await db.close()


async def test_what_was_answered_survives_a_killed_process(file):
    with subprocess.Popen([sys.executable, "-c", CRASHES, file], cwd=ROOT, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        answered = [child.stdout.readline().strip() for _ in range(100)]
        child.kill()
    db = await Database.open(file)
    assert len(answered) == 100
    assert set(answered) <= await db.read(names)
    await db.close()


async def test_a_full_disk_fails_all_and_is_survived(file):
    """SQLite then rolls back the whole transaction by itself, savepoints included."""
    db = await Database.open(file)
    await db.write(metadata.create_all)

    def limit(tx, extra):
        pages = tx.exec_driver_sql("PRAGMA page_count").scalar()
        tx.exec_driver_sql(f"PRAGMA max_page_count = {pages + extra}")

    await db.write(limit, 0)
    outcomes = await asyncio.gather(*(db.write(add, f"{n}" + "x" * 9000) for n in range(8)), return_exceptions=True)
    assert any(isinstance(outcome, Exception) for outcome in outcomes)
    assert all(isinstance(outcome, str | OperationalError) for outcome in outcomes)
    await db.write(limit, 1000)
    assert await db.write(add, "a") == "a"
    kept = await db.read(lambda tx: tx.scalars(select(hosts.c.name)).all())
    assert set(kept) == {"a", *(outcome for outcome in outcomes if isinstance(outcome, str))}
    await db.close()


async def test_what_begin_and_commit_say_is_an_error_like_that_of_statements(file):
    """So that whoever waits for a database that is away waits for one that is locked or full, too."""
    db = await Database.open(file)
    await db.write(metadata.create_all)
    await db.write(lambda tx: tx.exec_driver_sql("PRAGMA busy_timeout = 0"))
    with closing(sqlite3.connect(file.removeprefix("sqlite:///"), isolation_level=None)) as another:
        another.execute("BEGIN IMMEDIATE")
        with pytest.raises(OperationalError, match="locked"):
            await db.write(add, "a")
    assert await db.write(add, "a") == "a"
    await db.close()


async def test_a_file_that_is_no_database_is_refused_and_leaves_no_thread(tmp_path):
    (tmp_path / "one.db").write_text("these are not the tables you are looking for" * 99)
    before = threading.active_count()
    with pytest.raises(sqlite3.DatabaseError):
        await Database.open(f"sqlite:///{tmp_path}/one.db")
    async with asyncio.timeout(60):  # a thread ends a little after it says so
        while threading.active_count() > before:
            await asyncio.sleep(0.01)
