"""Rows out of the trees of pages that a SQLite file is: what of a tree can be read, and what cannot.

tree of a table          leaves of (id, record); the pages above name the largest id below
tree of an index, or     records in order, on leaves and on the pages above
of a table without ids
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final, TypeAlias

from ops.salvage.pages import HEAD, Pages

Values: TypeAlias = tuple[Any, ...]
Row: TypeAlias = tuple[int | None, Values]  # its id, where it has one
Key: TypeAlias = tuple[Any, ...]  # by which a tree is ordered

INDEX_ABOVE: Final = 2  # kinds of pages
TABLE_ABOVE: Final = 5
INDEX: Final = 10
TABLE: Final = 13
_LARGEST: Final = 1 << 30  # bytes of a record that SQLite would take
_DEPTH: Final = 40
_RANK: Final = {type(None): 0, int: 1, float: 1, str: 2, bytes: 3}
_WHOLE: Final = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}  # bytes of the numbers


class Damaged(Exception):
    """A page or record that cannot be believed."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A page as it says of itself.  below: (page, its largest key) of those that it names."""

    number: int
    kind: int
    rows: list[Row]
    bad: int  # records on it that cannot be read
    below: list[tuple[int, Key | None]]


@dataclass(slots=True)
class Tree:
    """What came of a walk.  unread: stretches of keys (after, to) on pages that could not be read; None: no end."""

    root: int
    is_table: bool = True
    bad_pages: int = 0
    bad_rows: int = 0
    doubtful: bool = False  # something is not where it belongs
    unread: list[tuple[Key | None, Key | None]] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        return not (self.bad_pages or self.bad_rows or self.doubtful)


class Reader:
    """seen: pages that belong somewhere."""

    def __init__(self, pages: Pages) -> None:
        self._pages, self._usable = pages, pages.usable
        self.seen: set[int] = set()

    def walk(self, root: int, tree: Tree) -> Iterator[list[Row]]:
        """The rows page by page, in no order that counts; what could not be read is noted in `tree`."""
        todo: list[tuple[int, Key | None, Key | None, int]] = [(root, None, None, 0)]
        while todo:
            number, after, to, depth = todo.pop()
            try:
                if number in self.seen or depth > _DEPTH:
                    raise Damaged("it is named twice")  # noqa: TRY301  it is one of several reasons
                page = self.leaf(number)
                if (page.kind in (TABLE, TABLE_ABOVE)) != tree.is_table or not _fits(page, after, to):
                    raise Damaged("it is a page of another tree")  # noqa: TRY301
            except Damaged:
                tree.bad_pages += 1
                tree.unread.append((after, to))
                continue
            self.seen.add(number)
            tree.bad_rows += page.bad
            begin = after
            for below, end in page.below:
                todo.append((below, begin, end if end is not None else to, depth + 1))
                begin = end if end is not None else begin
            if page.rows:
                yield page.rows

    def leaf(self, number: int) -> Leaf:
        """Raises: Damaged."""
        page = self._pages.page(number) if 1 <= number <= self._pages.count else None
        if page is None:
            raise Damaged("it is not there")
        at = HEAD if number == 1 else 0
        kind, cells = page[at], int.from_bytes(page[at + 3 : at + 5], "big")
        if kind not in (INDEX_ABOVE, TABLE_ABOVE, INDEX, TABLE):
            raise Damaged("it is no page of a tree")
        above = kind in (INDEX_ABOVE, TABLE_ABOVE)
        begin = at + (12 if above else 8)
        if begin + 2 * cells > self._usable:
            raise Damaged("it has more on it than fits")
        starts = struct.unpack_from(f">{cells}H", page, begin)
        if any(not begin + 2 * cells <= start < self._usable - 3 for start in starts) or len(set(starts)) < cells:
            raise Damaged("its list of records is wrong")
        if not above:
            return self._bottom(number, kind, page, starts)
        return self._above(number, kind, page, starts, int.from_bytes(page[at + 8 : at + 12], "big"))

    def _bottom(self, number: int, kind: int, page: bytes, starts: tuple[int, ...]) -> Leaf:
        rows: list[Row] = []
        bad = 0
        for start in starts:
            try:
                size, at = varint(page, start)
                name = None
                if kind == TABLE:
                    name, at = varint(page, at)
                rows.append((name, record(self._payload(page, at, size, is_table=kind == TABLE))))
            except (Damaged, IndexError, struct.error, UnicodeDecodeError):
                bad += 1
        if starts and bad == len(starts):
            raise Damaged("nothing on it can be read")
        return Leaf(number, kind, rows, bad, [])

    def _above(self, number: int, kind: int, page: bytes, starts: tuple[int, ...], last: int) -> Leaf:
        below: list[tuple[int, Key | None]] = []
        rows: list[Row] = []
        bad = 0
        for start in starts:
            child = int.from_bytes(page[start : start + 4], "big")
            try:
                size, at = varint(page, start + 4)
                if kind == INDEX_ABOVE:
                    rows.append((None, record(self._payload(page, at, size, is_table=False))))
                below.append((child, (size,) if kind == TABLE_ABOVE else _key(rows[-1])))
            except (Damaged, IndexError, struct.error, UnicodeDecodeError):
                bad += 1
                below.append((child, None))
        return Leaf(number, kind, rows, bad, [*below, (last, None)])

    def _payload(self, page: bytes, at: int, size: int, *, is_table: bool) -> bytes:
        """With what of it is on other pages.  Raises: Damaged."""
        usable = self._usable
        if not 0 < size < _LARGEST:
            raise Damaged("no record is of that size")
        most = usable - 35 if is_table else (usable - 12) * 64 // 255 - 23
        if size <= most:
            if at + size > usable:
                raise Damaged("it ends after its page")
            return page[at : at + size]
        least = (usable - 12) * 32 // 255 - 23
        here = least + (size - least) % (usable - 4)
        here = here if here <= most else least
        parts, left, there = [page[at : at + here]], size - here, []
        (other,) = struct.unpack_from(">I", page, at + here)
        while left:
            more = self._pages.page(other) if 1 < other <= self._pages.count and other not in there else None
            if more is None or other in self.seen:
                raise Damaged("it goes on where nothing is")
            there.append(other)
            parts.append(more[4 : 4 + min(left, usable - 4)])
            left -= len(parts[-1])
            (other,) = struct.unpack_from(">I", more)
        if other:
            raise Damaged("it goes on after its end")
        self.seen.update(there)
        return b"".join(parts)


def _fits(page: Leaf, after: Key | None, to: Key | None) -> bool:
    """Are its keys in their order, and those that the pages above say?"""
    keys = [key for _, key in page.below if key is not None] or [_key(row) for row in page.rows]
    if any(one >= other for one, other in pairwise(keys)):
        return False
    return not keys or ((after is None or keys[0] > after) and (to is None or keys[-1] <= to))


def _key(row: Row) -> Key:
    """As SQLite orders them: nothing, numbers, texts, bytes."""
    name, values = row
    return (name,) if name is not None else tuple((_RANK[type(value)], value) for value in values)


def varint(page: bytes, at: int) -> tuple[int, int]:
    """The number there, and where the next thing begins.  Raises: IndexError."""
    value = page[at]
    if value < 0x80:
        return value, at + 1
    value &= 0x7F
    for place in range(at + 1, at + 8):
        byte = page[place]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, place + 1
    value = value << 8 | page[at + 8]
    return value - (1 << 64) if value >= 1 << 63 else value, at + 9


def record(payload: bytes) -> Values:
    """Raises: Damaged; IndexError, struct.error, UnicodeDecodeError."""
    end, at = varint(payload, 0)
    if not 0 < end <= len(payload):
        raise Damaged("its head is longer than itself")
    place = end
    values: list[Any] = []
    while at < end:
        kind, at = varint(payload, at)
        if kind >= 12:
            size = (kind - 12) >> 1
            piece = payload[place : place + size]
            values.append(piece.decode() if kind & 1 else piece)
        elif kind in _WHOLE:
            size = _WHOLE[kind]
            values.append(int.from_bytes(payload[place : place + size], "big", signed=True))
        elif kind == 7:
            size = 8
            values.append(struct.unpack_from(">d", payload, place)[0])
        elif kind in (0, 8, 9):
            size = 0
            values.append(None if kind == 0 else kind - 8)
        else:
            raise Damaged("no value is of that kind")
        place += size
    if at != end or place != len(payload):
        raise Damaged("it is not as long as it says")
    return tuple(values)
