"""What was made of rows, kept while the rows stay the same.

A thing is remembered together with the row that it was made of, as the driver gave it, and is given back only for an
equal one.  So it is never stale, whichever process changed the row, and nothing has to be told to forget.

Only reads remember: what a transaction wrote may be undone.
"""

from typing import Any, Final, Generic, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine

T = TypeVar("T")

READ_ONLY: Final = "read_only"  # the execution option of connections that cannot write


class Memory(Generic[T]):
    def __init__(self, most: int) -> None:
        """most: things kept for each database connection or pool."""
        self._most = most
        self._kept: WeakKeyDictionary[Engine, dict[Any, tuple[Any, T]]] = WeakKeyDictionary()

    def get(self, tx: Connection, key: object, row: tuple[Any, ...]) -> T | None:
        """What was made of `row`; None: nothing, or it has changed since."""
        found = self._of(tx).get(key)
        return found[1] if found is not None and found[0] == row else None

    def put(self, tx: Connection, key: object, row: tuple[Any, ...], made: T) -> None:
        if not tx.get_execution_options().get(READ_ONLY):
            return
        kept = self._of(tx)
        kept.pop(key, None)
        if len(kept) >= self._most:  # the older half goes
            for old in list(kept)[: self._most // 2]:
                kept.pop(old, None)
        kept[key] = (row, made)

    def forget(self) -> None:
        """Everything, as when the process had just begun."""
        self._kept.clear()

    def _of(self, tx: Connection) -> dict[Any, tuple[Any, T]]:
        found = self._kept.get(tx.engine)
        if found is None:
            found = self._kept[tx.engine] = {}
        return found
