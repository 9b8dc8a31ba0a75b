"""Cuts lists of ids into pages, as the Mastodon API does, and lists of values into parameters."""

from collections.abc import Iterator, Sequence
from typing import Any, Final, TypeVar

from sqlalchemy import ColumnElement, Connection, Select, bindparam

from social.pages import Page
from store.ids import LARGEST
from store.tables.base import Id

MOST: Final = 200  # on one page, whatever is asked for
PARAMETERS: Final = 4_096  # in one list; SQLite and PostgreSQL take 32,766 in one statement

T = TypeVar("T")


class Paged:
    """A query of which pages are cut; its first column is an id.  Calling it gives the ids of a page, newest first."""

    def __init__(self, query: Select[Any], column: ColumnElement[int]) -> None:
        """`column` is what the pages are cut by, the id that the query selects."""
        below, above = bindparam("below", type_=Id), bindparam("above", type_=Id)
        part = query.where(column < below, column > above).limit(bindparam("most"))
        self._newest = part.order_by(column.desc())
        self._nearest = part.order_by(column)

    def __call__(self, tx: Connection, page: Page, **values: Any) -> list[int]:
        return [row[0] for row in self.rows(tx, page, **values)]

    def rows(self, tx: Connection, page: Page, **values: Any) -> Sequence[Any]:
        """The whole rows, newest first."""
        after = page.since_id if page.min_id is None else page.min_id
        asked = {
            **values,
            "below": LARGEST if page.max_id is None else _id(page.max_id),
            "above": 0 if after is None else _id(after),
            "most": max(0, min(page.limit, MOST)),
        }
        if page.min_id is None:
            return tx.execute(self._newest, asked).all()
        return tx.execute(self._nearest, asked).all()[::-1]


def padded(values: Sequence[T]) -> list[T]:
    """`values` for an IN (…), the last one repeated until there are 1, 2, 4, 8, … of them.

    So a query has a few texts instead of one for each length, and both drivers find it among the prepared ones.

    >>> padded([7, 8, 9])
    [7, 8, 9, 9]
    """
    if not values:
        return []
    return [*values, *([values[-1]] * ((1 << (len(values) - 1).bit_length()) - len(values)))]


def parted(values: Sequence[T]) -> Iterator[list[T]]:
    """Padded lists, together all of `values`, each short enough for a statement.  One, but for the longest."""
    for start in range(0, len(values), PARAMETERS):
        yield padded(values[start : start + PARAMETERS])


def _id(number: int) -> int:
    return max(0, min(number, LARGEST))  # beyond 63 bits there is nothing, and SQLite would complain
