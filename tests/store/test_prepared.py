"""The short way to rows: the same rows on each engine, whatever the lengths of lists; errors as everywhere else."""

import asyncio
from datetime import timedelta
from threading import Barrier, get_ident

import pytest
import sqlalchemy
from sqlalchemy import bindparam, delete, literal, select, union_all, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError, IntegrityError

from store import prepared
from store.database import Database
from store.memory import Memory
from store.prepared import Change, Prepared, padded
from store.rows import many, one
from store.tables import Account, Job, accounts, blank_post, jobs, posts
from store.tables.base import Id, Instant
from tests.conftest import NOW
from tests.people import add, remote

IDS = bindparam("ids", expanding=True, type_=Id)
WHO = bindparam("who", type_=Id)
WHEN = bindparam("when", type_=Instant)
HOSTS = bindparam("hosts", expanding=True)
SOME = select(accounts.c.id, literal("x"), accounts.c.host).where(
    accounts.c.id.in_(IDS), accounts.c.host.in_(HOSTS), accounts.c.kind.in_(("Person", "Group"))
)
BOTH = union_all(SOME.where(accounts.c.id > WHO), SOME.where(accounts.c.id == WHO))


async def test_rows_are_those_of_the_query(db):
    people = [remote(f"u{n}", host=f"h{n % 2}.test", id=n) for n in range(1, 8)]
    await db.write(add, *people)
    short, both = Prepared(SOME), Prepared(BOTH)
    for ids in ([1], [1, 2, 3], [7, 2], [99], list(range(1, 8))):
        for hosts in (["h0.test"], ["h0.test", "h1.test"]):
            asked = {"ids": padded(ids), "hosts": hosts}

            def compare(tx, asked=asked):
                ours = sorted(map(tuple, short.rows(tx, **asked)))
                assert ours == sorted(map(tuple, tx.execute(SOME, asked)))
                for who in (None, 2):
                    ours = sorted(map(tuple, both.rows(tx, who=who, **asked)))
                    assert ours == sorted(map(tuple, tx.execute(BOTH, {**asked, "who": who})))

            await db.read(compare)
    assert len(short._texts) == 8  # of 1, 2, 4, 8 ids with 1, 2 hosts


async def test_typed_rows_have_values_of_their_types(db):
    await db.write(add, *(remote(f"u{n}", id=n) for n in (1, 2)))
    whole = select(accounts).where(accounts.c.id.in_(IDS)).order_by(accounts.c.id)

    def compare(tx):
        found = many(tx, Prepared(whole), Account, ids=[1, 2])
        assert found == many(tx, whole, Account, ids=[1, 2])
        assert len(found) == 2
        assert one(tx, Prepared(whole), Account, ids=[9]) is None

    await db.read(compare)


async def test_errors_are_those_of_sqlalchemy(db):
    broken = Prepared(select(literal(1)).select_from(accounts).where(accounts.c.id == WHO))
    await db.read(lambda tx: broken.rows(tx, who=1) and None)
    with pytest.raises(DBAPIError):
        await db.read(lambda tx: broken.rows(tx, who=[object()][0]) and None)


async def test_who_counts_statements_sees_them(db, queries):
    await db.read(lambda tx: Prepared(SOME).rows(tx, ids=[1], hosts=["x"]) and None)
    assert len(queries) == 1
    assert len(prepared.WATCHERS) == 1


async def test_what_was_made_of_a_row_is_given_back_for_an_equal_row_only_and_writes_remember_nothing(db):
    memory: Memory[str] = Memory(4)

    def look(tx, row):
        return memory.get(tx, 1, row)

    await db.write(memory.put, 1, (1, "a"), "made while writing")
    assert await db.read(look, (1, "a")) is None
    await db.read(lambda tx: [memory.put(tx, n, (n, "a"), f"made of {n}") for n in range(9)] and None)

    def all_of_it(tx):
        return [n for n in range(9) if memory.get(tx, n, (n, "a"))]

    assert 8 in await db.read(all_of_it)
    assert len(await db.read(all_of_it)) <= 4
    assert await db.read(lambda tx: memory.get(tx, 8, (8, "b"))) is None


async def test_all_who_read_one_database_remember_together_and_no_others(sqlite_db, tmp_path, monkeypatch):
    memory: Memory[str] = Memory(4)
    both, threads = Barrier(2), []

    def read(tx, mine, others):
        memory.put(tx, mine, (mine,), f"made of {mine}")
        if threads:
            both.wait(60)
        threads.append(get_ident())
        return memory.get(tx, others, (others,))

    monkeypatch.setattr("store.sqlite.PATIENCE", -1)  # what is late goes to a thread the next time
    assert await sqlite_db.read(read, 3, 1) is None
    assert await asyncio.gather(sqlite_db.read(read, 1, 3), sqlite_db.read(read, 2, 1)) == ["made of 3", "made of 1"]
    assert len(set(threads)) == 3
    async with await Database.open(f"sqlite:///{tmp_path}/other.db") as other:
        assert await other.read(lambda tx: memory.get(tx, 1, (1,))) is None


async def test_typed_rows_are_those_of_the_query(db):
    person = remote("bob", id=1, also_known_as=["https://far.test/old"], fetched_at=NOW)
    await db.write(add, person)
    query = Prepared(select(accounts).where(accounts.c.fetched_at == WHEN))
    found = await db.read(lambda tx: query.typed(tx, when=NOW))
    assert [Account(*row) for row in found] == [person]


async def test_a_row_as_the_driver_gave_it_can_be_told_later(db):
    person = remote("bob", id=1, also_known_as=["https://far.test/old"], fetched_at=NOW)
    await db.write(add, person)
    query = Prepared(select(accounts).where(accounts.c.id.in_(IDS)))
    found = await db.read(lambda tx: [query.told(tx, row, ids=[1]) for row in query.rows(tx, ids=[1])])
    assert [Account(*row) for row in found] == [person]


async def test_changes_take_what_sqlalchemy_takes_and_say_how_many(db):
    put, more = Change(insert(jobs).on_conflict_do_nothing(index_elements=["key"])), {"attempts": 0, "error": None}
    row = {"id": 1, "kind": "x", "key": "x 1", "payload": {"list": [1, None]}, "due": NOW, **more}
    later = Change(update(jobs).where(jobs.c.id.in_(IDS)).values(due=WHEN, attempts=jobs.c.attempts + 1))
    assert await db.write(lambda tx: put.run(tx, **row)) == 1
    assert await db.write(lambda tx: put.run(tx, **row)) == 0
    await db.write(lambda tx: put.each(tx, [{**row, "id": n, "key": f"x {n}"} for n in (1, 2, 3)]) and None)
    await db.write(lambda tx: put.each(tx, []) and None)
    then = NOW + timedelta(hours=1)
    assert await db.write(lambda tx: later.run(tx, ids=padded([1, 2, 9]), when=then)) == 2
    found = await db.read(lambda tx: [Job(*row) for row in tx.execute(select(jobs).order_by(jobs.c.id))])
    assert [(job.id, job.due, job.attempts) for job in found] == [(1, then, 1), (2, then, 1), (3, NOW, 0)]
    assert found[0].payload == {"list": [1, None]}
    assert await db.write(lambda tx: Change(delete(jobs).where(jobs.c.id.in_(IDS))).run(tx, ids=[1, 2])) == 2


async def test_a_change_that_fails_leaves_nothing_and_is_called_as_everywhere_else(db):
    await db.write(add, remote("bob", id=1))
    put = Change(sqlalchemy.insert(posts))
    row = blank_post(id=5, uri="https://far.test/1", author_id=1, published=NOW, thread_id=5, local=False)

    def twice(tx):
        put.run(tx, **row)
        put.run(tx, **row)

    with pytest.raises(IntegrityError):
        await db.write(twice)
    assert await db.read(lambda tx: tx.scalar(select(posts.c.id))) is None
