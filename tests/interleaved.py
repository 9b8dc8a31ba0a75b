"""Two processes on one PostgreSQL, of which the one is stopped between two statements while the other does something.

Nothing is left to chance, and nothing waits for a clock: the other runs until it is done, or PostgreSQL says that it
waits for a lock.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event, text
from sqlalchemy.util import await_only

from social.errors import Refusal
from store import prepared
from store.database import Database

_WAITS = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")


class Two:
    """`here` and `there` are Databases of the same URL."""

    def __init__(self, here: Database, there: Database) -> None:
        self.here = here
        self.there = there
        self._hook: Callable[[], None] | None = None

    def see(self, *_: object) -> None:
        if self._hook is not None:
            self._hook()

    async def meet(
        self, f: Callable[..., Any], given: tuple[Any, ...], g: Callable[..., Any], also: tuple[Any, ...], *, at: int
    ) -> list[Any]:
        """What came of `f(tx, *given)` and `g(tx, *also)`, when all of `g` happens before the statement `at` of `f`."""
        outcomes, _ = await self.interrupt(f, given, g, also, at=at)
        return outcomes

    async def interrupt(
        self, f: Callable[..., Any], given: tuple[Any, ...], g: Callable[..., Any], also: tuple[Any, ...], *, at: int
    ) -> tuple[list[Any], bool]:
        """The same, and whether `f` has so many statements: the last is its COMMIT."""
        other: asyncio.Future[Any] | None = None
        number = 0

        def hook() -> None:
            nonlocal other, number
            if other is None and number == at:
                other = self.there.write(g, *also)
                await_only(self._until_it_waits(other))
            number += 1

        def unit(tx: Any) -> Any:
            found = f(tx, *given)
            self.see()
            return found

        self._hook = hook
        try:
            (first,) = await asyncio.gather(self.here.write(unit), return_exceptions=True)
        finally:
            self._hook = None
        if other is None:
            return [first], False
        (second,) = await asyncio.gather(other, return_exceptions=True)
        return [first, second], True

    async def _until_it_waits(self, other: "asyncio.Future[Any]") -> None:
        while not other.done() and not await self.there.read(lambda tx: tx.scalar(_WAITS)):
            pass


def is_clean(outcome: object) -> bool:
    """Nothing, or something that people can be told."""
    return not isinstance(outcome, Exception) or isinstance(outcome, Refusal)


@contextmanager
def watched(two: Two) -> Iterator[Two]:
    """It sees each statement before it is run."""
    prepared.WATCHERS.append(two.see)
    event.listen(Engine, "before_cursor_execute", two.see)
    yield two
    prepared.WATCHERS.remove(two.see)
    event.remove(Engine, "before_cursor_execute", two.see)
