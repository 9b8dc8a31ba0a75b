"""The spool's file has no migrations: its columns are added when they are missing, and what waits there stays."""

from sqlalchemy import inspect, select

from connectme.house import _spool_tables
from connectme.worker import trim_journal
from inbox import spool as spooling
from store import journal
from store.database import Database
from store.tables import Spooled, spooled
from tests.conftest import NOW
from tests.inbox.world import BOB

_NEW = ("signed", "introduction")


def _as_it_was(tx):
    for name in _NEW:
        tx.exec_driver_sql(f"ALTER TABLE spooled DROP COLUMN {name}")
    row = "1, 'https://far.test/users/bob', X'7b7d', 0, 0, 0, NULL, NULL, NULL"
    tx.exec_driver_sql(f"INSERT INTO spooled VALUES ({row})")


async def test_columns_that_came_later_are_added_and_nothing_is_lost(spool: Database):
    await spool.write(_as_it_was)
    await spool.write(_spool_tables)
    await spool.write(_spool_tables)
    assert set(_NEW) <= await spool.read(lambda tx: {one["name"] for one in inspect(tx).get_columns("spooled")})
    row = spooling.row(BOB.uri, b"{}", NOW, None, None, signed=NOW)
    await spool.write(spooling.keep, [row])
    found = await spool.read(lambda tx: [Spooled(*one) for one in tx.execute(select(spooled).order_by(spooled.c.id))])
    assert [(one.body, one.signed, one.introduction) for one in found] == [(b"{}", None, None), (b"{}", NOW, None)]


async def test_of_what_was_handled_the_worker_keeps_so_much_and_no_more(spool: Database):
    await spool.write(_spool_tables)
    rows = [spooling.row(BOB.uri, b"0123456789", NOW, None, None) for _ in range(2 * journal.AT_ONCE + 50)]
    await spool.write(spooling.keep, rows)
    await spool.write(spooling.settle, [one["id"] for one in rows], [])
    await trim_journal(spool, NOW, 100)
    assert await spool.read(journal.kept, NOW) == 10
    await trim_journal(spool, NOW, 100)
    assert await spool.read(journal.kept, NOW) == 10
