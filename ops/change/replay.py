"""What the inbox handled since a snapshot, so that it can be handled again when the snapshot is brought back.

A trigger in the spool's own file keeps each message that is done (docs/adr, "Snapshots and what comes after them"): no
code of the inbox knows of it, all processes obey it at once, and without it nothing is slower.
"""

from typing import Final

from sqlalchemy import Connection, inspect

from store.tables import spooled

MOST: Final = 256 << 20  # bytes of messages; what is handled after that cannot come again
_KEPT: Final = "settled"
_TRIGGER: Final = "keep_settled"


def begin(tx: Connection) -> None:
    """From now on, keeps what is done.  What is kept already stays: an older snapshot may want it."""
    if not inspect(tx).has_table(spooled.name):
        return
    names = _names(tx)
    tx.exec_driver_sql(
        f"CREATE TABLE IF NOT EXISTS {_KEPT} (seq INTEGER PRIMARY KEY, total INTEGER NOT NULL, {', '.join(names)})"
    )
    total = f"coalesce((SELECT total FROM {_KEPT} ORDER BY seq DESC LIMIT 1), 0)"  # noqa: S608  our own names
    values = ", ".join(f"old.{name}" for name in names)
    tx.exec_driver_sql(
        f"CREATE TRIGGER IF NOT EXISTS {_TRIGGER} BEFORE DELETE ON {spooled.name}"  # noqa: S608
        f" WHEN old.id > 0 AND {total} < {MOST} BEGIN"
        f" INSERT INTO {_KEPT} (total, {', '.join(names)}) VALUES ({total} + length(old.body), {values}); END"
    )


def kept(tx: Connection) -> int:
    """How many messages would come again."""
    if not inspect(tx).has_table(_KEPT):
        return 0
    return int(tx.exec_driver_sql(f"SELECT count(*) FROM {_KEPT}").scalar_one())  # noqa: S608


def is_whole(tx: Connection) -> bool:
    """Is all that was handled since kept?  Not when nothing is kept any more, or there was too much of it."""
    if not inspect(tx).has_table(_KEPT):
        return False
    return int(tx.exec_driver_sql(f"SELECT coalesce(max(total), 0) FROM {_KEPT}").scalar_one()) < MOST  # noqa: S608


def again(tx: Connection) -> int:
    """Puts them back where messages wait, under their old ids, so in their old order; how many."""
    found = kept(tx)
    if found:
        names = _names(tx)
        values = ["0" if name == "attempts" else "received" if name == "due" else name for name in names]
        tx.exec_driver_sql(
            f"INSERT OR IGNORE INTO {spooled.name} ({', '.join(names)}) SELECT {', '.join(values)} FROM {_KEPT}"  # noqa: S608
        )
        tx.exec_driver_sql(f"DELETE FROM {_KEPT}")  # noqa: S608
    return found


def end(tx: Connection) -> None:
    """The change is good: nobody wants to go back.  Does nothing when nothing is kept."""
    tx.exec_driver_sql(f"DROP TRIGGER IF EXISTS {_TRIGGER}")
    tx.exec_driver_sql(f"DROP TABLE IF EXISTS {_KEPT}")


def _names(tx: Connection) -> list[str]:
    return [column["name"] for column in inspect(tx).get_columns(spooled.name)]
