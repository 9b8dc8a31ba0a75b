"""What Database promises, on both engines."""

import asyncio
import threading
import time

import pytest
from sqlalchemy import func, insert, select, text
from sqlalchemy.exc import DBAPIError

from store import units
from store.database import Database
from store.events import announce
from store.tables import hosts
from store.units import MOST, Unit

COUNT = select(func.count()).select_from(hosts)


def add(tx, name):
    tx.execute(insert(hosts), {"name": name, "failures": 0})
    return name


def add_and_fail(tx, name):
    add(tx, name)
    raise KeyError(name)


def names(tx):
    return set(tx.scalars(select(hosts.c.name)))


async def test_a_failing_unit_takes_nobody_with_it(db):
    outcomes = await asyncio.gather(
        *(db.write(add_and_fail if n == 7 else add, f"h{n}") for n in range(20)), return_exceptions=True
    )
    assert isinstance(outcomes.pop(7), KeyError)
    assert set(outcomes) == await db.read(names) == {f"h{n}" for n in range(20) if n != 7}


async def test_a_stray_next_harms_nobody(db):
    def stray(tx):
        return next(iter(()))

    async with asyncio.timeout(60):
        outcomes = await asyncio.gather(db.write(stray), db.write(add, "a"), return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [RuntimeError, str]
        for ask in (db.read, db.write):
            with pytest.raises(RuntimeError):
                await ask(stray)


async def test_a_failing_statement_takes_nobody_with_it(db):
    outcomes = await asyncio.gather(*(db.write(add, name) for name in ("a", "b", "a", "c")), return_exceptions=True)
    assert isinstance(outcomes[2], DBAPIError)
    assert await db.read(names) == {"a", "b", "c"}


async def test_writes_that_arrive_together_are_committed_together(db, monkeypatch):
    groups, write = [], db._engine.write

    async def counting(group):
        groups.append(len(group))
        await write(group)

    monkeypatch.setattr(db._engine, "write", counting)
    await asyncio.gather(*(db.write(add, f"h{n}") for n in range(MOST + 1)))
    assert sum(groups) >= MOST + 1  # those for which there was no time come again
    assert groups[0] == MOST
    assert len(await db.read(names)) == MOST + 1


async def test_a_slow_unit_sends_the_rest_to_the_next_group(db):
    def slow(tx, name):
        time.sleep(0.02)
        return add(tx, name)

    assert await asyncio.gather(*(db.write(slow, f"h{n}") for n in range(4))) == ["h0", "h1", "h2", "h3"]


async def test_when_the_commit_fails_every_caller_hears_of_it(db, monkeypatch):
    monkeypatch.setattr(units, "LONGEST", 60)  # one group, however slow this machine

    def break_at_commit(tx):
        if tx.dialect.name == "sqlite":
            tx.exec_driver_sql("PRAGMA defer_foreign_keys = on")
            tx.exec_driver_sql("INSERT INTO pin VALUES (1, 1, 1)")
        else:
            tx.exec_driver_sql("CREATE TABLE late (id int REFERENCES post DEFERRABLE INITIALLY DEFERRED)")
            tx.exec_driver_sql("INSERT INTO late VALUES (1)")

    heard = []
    db.listeners.append(heard.append)

    def add_and_tell(tx, name):
        announce(tx, name)
        return add(tx, name)

    outcomes = await asyncio.gather(
        db.write(add_and_tell, "a"), db.write(break_at_commit), db.write(add, "b"), return_exceptions=True
    )
    assert all(isinstance(outcome, Exception) for outcome in outcomes)
    assert heard == []
    assert await db.read(names) == set()
    assert await db.write(add, "after") == "after"


async def test_events_are_told_after_the_commit_and_only_then(db):
    def tell(tx, name, fails=False):
        announce(tx, name)
        (add_and_fail if fails else add)(tx, name)

    heard = []
    db.listeners.append(heard.append)
    await asyncio.gather(db.write(tell, "a"), db.write(tell, "b", fails=True), return_exceptions=True)
    assert heard == ["a"]


async def test_a_listener_that_fails_harms_nobody(db, caplog):
    def tell(tx):
        announce(tx, "news")

    db.listeners.append(lambda event: 1 / 0)
    await db.write(tell)
    assert "news was not heard" in caplog.text


async def test_a_cancelled_caller_leaves_whole_units_only(db):
    started = threading.Event()

    def two(tx, name):
        add(tx, f"{name}1")
        started.set()
        add(tx, f"{name}2")

    early = db.write(two, "early")
    early.cancel()
    await asyncio.sleep(0)  # its lane finds nothing to do, and just now ends
    late = db.write(two, "late")
    async with asyncio.timeout(60):
        while not started.is_set():
            await asyncio.sleep(0)
    late.cancel()
    async with asyncio.timeout(60):
        await asyncio.gather(early, late, return_exceptions=True)
        await db.write(add, "other")
    assert await db.read(names) == {"late1", "late2", "other"}


async def test_a_cancelled_read_leaves_the_reader_usable(db):
    for _ in range(20):
        reading = asyncio.create_task(db.read(names))
        await asyncio.sleep(0)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
    assert await db.read(names) == set()


async def test_a_read_cannot_change_anything(db):
    with pytest.raises(DBAPIError):
        await db.read(add, "a")
    assert await db.read(names) == set()


async def test_a_read_sees_one_moment(db, monkeypatch):
    reading, written = threading.Event(), threading.Event()
    if db._engine.lanes > 1:
        pytest.skip("a PostgreSQL unit holds the loop's thread; its isolation level is asked for instead")

    def twice(tx):
        first = tx.scalar(COUNT)
        reading.set()
        assert written.wait(60)
        return first, tx.scalar(COUNT)

    written.set()
    monkeypatch.setattr("store.sqlite.PATIENCE", -1)  # what is late goes to a thread the next time
    assert await db.read(twice) == (0, 0)
    written.clear()
    reading.clear()
    both = asyncio.create_task(db.read(twice))
    while not reading.is_set():
        await asyncio.sleep(0)
    await db.write(add, "a")
    written.set()
    assert await both == (0, 0)


async def test_isolation_of_a_read_on_postgresql(db):
    if db._engine.lanes == 1:
        pytest.skip("SQLite: see the test above")
    show = text("SELECT current_setting('transaction_isolation') || current_setting('transaction_read_only')")
    assert await db.read(lambda tx: tx.scalar(show)) == "repeatable readon"


async def test_a_lost_race_is_run_again(db, monkeypatch):
    monkeypatch.setattr(db._engine, "is_transient", lambda error: isinstance(error, TimeoutError))
    tries = []

    def lucky_at_last(tx):
        tries.append(1)
        if len(tries) < 3:
            raise TimeoutError
        return add(tx, "a")

    assert await asyncio.gather(db.write(lucky_at_last), db.write(add, "b")) == ["a", "b"]

    def unlucky(tx):
        raise TimeoutError

    with pytest.raises(TimeoutError):
        await db.write(unlucky)


async def test_close_finishes_what_waits(db):
    waiting = [db.write(add, f"h{n}") for n in range(10)]
    await db.close()
    assert len(await asyncio.gather(*waiting)) == 10
    with pytest.raises(RuntimeError):
        await db.write(add, "late")


async def test_two_databases_write_to_one(url, db):
    """As two processes do."""
    other = await Database.open(url)
    each = [(one, f"{n}-{i}") for n in range(30) for i, one in enumerate((db, other))]
    await asyncio.gather(*(one.write(add, name) for one, name in each))
    assert len(await other.read(names)) == 60
    await other.close()


def test_a_unit_is_done_even_when_it_returns_none():
    unit = Unit(lambda tx: None, None)
    assert not unit.done
    unit.results = (None,)
    assert unit.done


async def test_an_error_does_not_repeat_what_was_to_be_stored(db):
    """Errors are logged, and rows hold private words."""

    def wrong(tx):
        tx.execute(text("INSERT INTO nowhere (words) VALUES (:words)"), {"words": "private words"})

    with pytest.raises(DBAPIError) as caught:
        await db.write(wrong)
    assert "private words" not in str(caught.value)
