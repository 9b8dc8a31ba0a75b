"""Cuts lists of ids into pages, as the Mastodon API does, and lists of values into parameters."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, TypeVar

from sqlalchemy import ColumnElement, Connection, Select, bindparam

from social.pages import Page
from store.ids import LARGEST
from store.prepared import Prepared
from store.prepared import padded as padded  # noqa: PLC0414  where most look for it
from store.tables.base import Id

MOST: Final = 200  # on one page, whatever is asked for
PARAMETERS: Final = 4_096  # in one list; SQLite and PostgreSQL take 32,766 in one statement

T = TypeVar("T")


class Paged:
    """A query of which pages are cut; its first column is an id.  Calling it gives the ids of a page, newest first."""

    def __init__(
        self, query: Select[Any], column: ColumnElement[int], of: Callable[[Select[Any]], Select[Any]] | None = None
    ) -> None:
        """`column` is what the pages are cut by, the id that the query selects.  of: what is asked of a page's ids."""
        below, above = bindparam("below", type_=Id), bindparam("above", type_=Id)
        part = query.where(column < below, column > above).limit(bindparam("most"))
        self._newest, self._nearest = part.order_by(column.desc()), part.order_by(column)
        asked = [self._newest, self._nearest] if of is None else [of(self._newest), of(self._nearest)]
        self._prepared_newest, self._prepared_nearest = map(Prepared, asked)

    def __call__(self, tx: Connection, page: Page, **values: Any) -> list[int]:
        """values: numbers, words, None, and lists of them (store/prepared.py)."""
        found = [row[0] for row in self.prepared(tx, page, **values)]
        return found if page.min_id is None else found[::-1]

    def prepared(self, tx: Connection, page: Page, **values: Any) -> Sequence[Any]:
        """Rows as the driver gives them, as they are cut."""
        query = self._prepared_newest if page.min_id is None else self._prepared_nearest
        return query.rows(tx, **_asked(page, values))

    def rows(self, tx: Connection, page: Page, **values: Any) -> Sequence[Any]:
        """The whole rows, newest first."""
        asked = _asked(page, values)
        if page.min_id is None:
            return tx.execute(self._newest, asked).all()
        return tx.execute(self._nearest, asked).all()[::-1]


def _asked(page: Page, values: dict[str, Any]) -> dict[str, Any]:
    after = page.since_id if page.min_id is None else page.min_id
    return {
        **values,
        "below": LARGEST if page.max_id is None else _id(page.max_id),
        "above": 0 if after is None else _id(after),
        "most": max(0, min(page.limit, MOST)),
    }


def parted(values: Sequence[T]) -> Iterator[list[T]]:
    """Padded lists, together all of `values`, each short enough for a statement.  One, but for the longest."""
    for start in range(0, len(values), PARAMETERS):
        yield padded(values[start : start + PARAMETERS])


def _id(number: int) -> int:
    return max(0, min(number, LARGEST))  # beyond 63 bits there is nothing, and SQLite would complain
