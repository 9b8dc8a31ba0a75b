"""A row as both engines mean it: what of each differs is turned into whole numbers, texts, bytes and floats.

a moment → microseconds · a truth → 0 or 1 · JSON → its text · -0.0 → 0.0, for SQLite keeps no other
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any, Final, TypeAlias

from sqlalchemy import Boolean, Column, Float, Table

from store.tables.base import Instant

Row: TypeAlias = tuple[Any, ...]
Turn: TypeAlias = Callable[[Any], Any]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TICK: Final = timedelta(microseconds=1)
_SUM: Final = 16  # bytes


def moment(microseconds: int) -> datetime:
    """
    >>> moment(-1), ticks(moment(253_402_300_799_999_999)) == 253_402_300_799_999_999
    (datetime.datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=datetime.timezone.utc), True)
    """
    return _EPOCH + timedelta(microseconds=microseconds)


def ticks(at: datetime) -> int:
    return (at - _EPOCH) // _TICK


def real(number: float) -> float:
    """
    >>> real(-0.0), real(0.5)
    (0.0, 0.5)
    """
    return number + 0.0


def turned(rows: Iterable[Row], turns: list[tuple[int, Turn]]) -> list[Row]:
    """turns: of the columns that need one, by their places.  NULL stays."""
    if not turns:
        return [tuple(row) for row in rows]
    found = []
    for row in rows:
        values = list(row)
        for place, turn in turns:
            if values[place] is not None:
                values[place] = turn(values[place])
        found.append(tuple(values))
    return found


def from_postgresql(column: Column[Any]) -> Turn | None:
    if isinstance(column.type, Instant):
        return ticks
    if isinstance(column.type, Boolean):
        return int
    return real if isinstance(column.type, Float) else None


def to_postgresql(column: Column[Any]) -> Turn | None:
    if isinstance(column.type, Instant):
        return moment
    return bool if isinstance(column.type, Boolean) else None


def turns(table: Table, of: Callable[[Column[Any]], Turn | None]) -> list[tuple[int, Turn]]:
    return [(place, turn) for place, column in enumerate(table.columns) if (turn := of(column)) is not None]


class Sum:
    """How many rows, and what is in them, whatever their order: each engine sorts texts in its own way."""

    def __init__(self) -> None:
        self.rows = 0
        self._sum = 0

    def add(self, rows: Iterable[Row]) -> None:
        for row in rows:
            self.rows += 1
            self._sum += int.from_bytes(blake2b(repr(row).encode(), digest_size=_SUM).digest())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sum) and (self.rows, self.hex()) == (other.rows, other.hex())

    def __hash__(self) -> int:
        return hash((self.rows, self.hex()))

    def hex(self) -> str:
        """
        >>> one, other = Sum(), Sum()
        >>> one.add([(1, "a"), (2, None)]), other.add([(2, None), (1, "a")])
        (None, None)
        >>> one == other, one == Sum(), len(one.hex())
        (True, False, 32)
        """
        return f"{self._sum % (1 << 8 * _SUM):032x}"
