"""The database itself says that it is being changed, and where: state/change.json is in the data folder of one machine.

It is set before the snapshot, which so has it too, and is taken away when the change is good, or was taken back.  So
another machine neither serves nor changes a database that somebody is half through with; and whoever was killed knows
whether it may go on: without the mark others have ended what it began, and its snapshot is of long ago.
"""

from typing import Final

from sqlalchemy import Connection, delete, inspect

from ops.change.progress import Progress
from social import instance
from store.tables import facts

NAME: Final = "change"  # of a fact; ops/belonging.py asks for it
_CLEAR: Final = delete(facts).where(facts.c.name == NAME)


def put(tx: Connection, now: Progress) -> None:
    if inspect(tx).has_table(facts.name):
        clear(tx)
        instance.note(tx, NAME, now.mark)


def found(tx: Connection) -> str | None:
    return instance.fact(tx, NAME) if inspect(tx).has_table(facts.name) else None


def clear(tx: Connection, only: str = "") -> None:
    """Any, or that one."""
    if inspect(tx).has_table(facts.name):
        tx.execute(_CLEAR.where(facts.c.value == only) if only else _CLEAR)
