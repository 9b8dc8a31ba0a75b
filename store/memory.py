"""What was made of rows, kept while the rows stay the same.

A thing is remembered together with the row that it was made of, as the driver gave it, and is given back only for an
equal one.  So it is never stale, whichever process changed the row, and nothing has to be told to forget.

Only reads remember, and are reminded: what a transaction wrote may be undone.  All that read one database have one
memory, in whichever threads they are: a row that another saw later or earlier is not equal, or of the same thing.
"""

from typing import Any, Final, Generic, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import Connection

from store.kept import Kept

T = TypeVar("T")

READ_ONLY: Final = "read_only"  # the execution option of connections that cannot write: the Readers they belong to


class Readers:
    """Stands for all connections that read one database."""


class Memory(Generic[T]):
    def __init__(self, most: int) -> None:
        """most: the weight of what is kept for each database."""
        self._most = most
        self._kept: WeakKeyDictionary[Readers, Kept[Any, tuple[Any, T]]] = WeakKeyDictionary()

    def get(self, tx: Connection, key: object, row: tuple[Any, ...]) -> T | None:
        """What was made of `row`; None: nothing, or it has changed since."""
        kept = self._of(tx)
        found = None if kept is None else kept.get(key)
        return found[1] if found is not None and found[0] == row else None

    def put(self, tx: Connection, key: object, row: tuple[Any, ...], made: T, weight: int = 1) -> None:
        kept = self._of(tx)
        if kept is not None:
            kept.put(key, (row, made), weight)

    def forget(self) -> None:
        """Everything, as when the process had just begun."""
        self._kept.clear()

    def _of(self, tx: Connection) -> Kept[Any, tuple[Any, T]] | None:
        readers = tx.get_execution_options().get(READ_ONLY)
        if readers is None:
            return None
        kept = self._kept.get(readers)
        return self._kept.setdefault(readers, Kept(self._most)) if kept is None else kept
