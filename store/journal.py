"""What the inbox handled lately, so that it is handled again when an older database comes back.

A trigger in the spool's own file keeps each message that is done (docs/adr/0030): no code of the inbox knows of it, and
all processes obey it at once.  Moments are whole seconds by the clock of the machine.
"""

import time
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, inspect

from store.tables import spooled

MOST: Final = 256 << 20  # bytes of messages; of more the oldest go
AT_ONCE: Final = 500
MARGIN: Final = timedelta(minutes=1)  # handled twice is handled once, and clocks are set
LEFT_OUT: Final = (  # of a copy
    "DROP TRIGGER IF EXISTS keep_settled",
    "DROP TABLE IF EXISTS settled",
    "DROP TABLE IF EXISTS settled_since",
    "VACUUM",
)

_NOW: Final = "CAST(strftime('%s', 'now') AS INTEGER)"
_TOTAL: Final = "coalesce((SELECT total FROM settled ORDER BY seq DESC LIMIT 1), 0)"
_KEPT: Final = "SELECT count(*) FROM settled WHERE at >= ?"
_OLDEST: Final = (
    f"SELECT max(seq) FROM (SELECT seq, total FROM settled ORDER BY seq LIMIT ?) WHERE total <= {_TOTAL} - ?"  # noqa: S608
)
_LIVES: Final = {"attempts": "0", "due": "received", "error": "NULL"}  # it waits as if it came now


def begin(tx: Connection) -> None:
    """From now on, keeps what is done.  Nothing when it does that already."""
    found = inspect(tx)
    if not found.has_table(spooled.name):
        return
    names = _columns(tx, spooled.name)
    there = _columns(tx, "settled") if found.has_table("settled") else []
    if there == ["seq", "at", "total", *names] and found.has_table("settled_since"):
        return
    tx.exec_driver_sql("DROP TRIGGER IF EXISTS keep_settled")
    if "at" in there:  # the spool has columns that it did not have
        for name in names:
            if name not in there:
                tx.exec_driver_sql(f"ALTER TABLE settled ADD COLUMN {name}")
    else:  # from before a moment was kept with each
        tx.exec_driver_sql("DROP TABLE IF EXISTS settled")
        tx.exec_driver_sql(
            "CREATE TABLE settled (seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, total INTEGER NOT NULL,"
            f" {', '.join(names)})"
        )
        tx.exec_driver_sql("CREATE TABLE IF NOT EXISTS settled_since (at INTEGER NOT NULL)")
        _whole_after(tx, int(time.time()) - 1)
    old = ", ".join(f"old.{name}" for name in names)
    tx.exec_driver_sql(
        f"CREATE TRIGGER keep_settled BEFORE DELETE ON {spooled.name} WHEN old.id > 0 BEGIN"  # noqa: S608  our own names
        f" INSERT INTO settled (at, total, {', '.join(names)}) VALUES ({_NOW}, {_TOTAL} + length(old.body), {old}); END"
    )


def kept(tx: Connection, since: datetime) -> int:
    """How many messages would come again."""
    return int(tx.exec_driver_sql(_KEPT, _seconds(since)).scalar_one()) if _is_on(tx) else 0


def is_whole(tx: Connection, since: datetime) -> bool:
    """Is all that was handled since then kept?"""
    if not _is_on(tx):
        return False
    return int(tx.exec_driver_sql("SELECT at FROM settled_since").scalar_one()) < int(since.timestamp())


def again(tx: Connection, since: datetime) -> int:
    """Puts them back where messages wait, under their old ids, so in their old order; how many."""
    if not _is_on(tx):
        return 0
    names = _columns(tx, spooled.name)
    found = tx.exec_driver_sql(
        f"INSERT OR IGNORE INTO {spooled.name} ({', '.join(names)})"  # noqa: S608
        f" SELECT {', '.join(_LIVES.get(name, name) for name in names)} FROM settled WHERE at >= ?",
        _seconds(since),
    ).rowcount
    tx.exec_driver_sql("DELETE FROM settled WHERE at >= ?", _seconds(since))
    return found


def is_too_long(tx: Connection, most: int = MOST) -> bool:
    return bool(tx.exec_driver_sql(_OLDEST, (AT_ONCE, most)).scalar())


def trim(tx: Connection, most: int = MOST) -> int:
    """Drops some of the oldest, if there is more than that many bytes; how many."""
    last = tx.exec_driver_sql(_OLDEST, (AT_ONCE, most)).scalar()
    if last is None:
        return 0
    (at,) = tx.exec_driver_sql("SELECT at FROM settled WHERE seq = ?", (last,)).one()
    _whole_after(tx, at)
    return tx.exec_driver_sql("DELETE FROM settled WHERE seq <= ?", (last,)).rowcount


def _is_on(tx: Connection) -> bool:
    return inspect(tx).has_table("settled_since")


def _seconds(since: datetime) -> tuple[int]:
    return (int((since - MARGIN).timestamp()),)


def _whole_after(tx: Connection, second: int) -> None:
    tx.exec_driver_sql("DELETE FROM settled_since")
    tx.exec_driver_sql("INSERT INTO settled_since VALUES (?)", (second,))


def _columns(tx: Connection, table: str) -> list[str]:
    return [column["name"] for column in inspect(tx).get_columns(table)]
