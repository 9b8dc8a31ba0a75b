"""Is a database whole, is it what this code expects, and does it answer what readers ask?"""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, inspect, select, text
from sqlalchemy.exc import SQLAlchemyError

import migrations
from ops import copies
from ops.change import engine
from ops.change.place import NotChanged, Place
from ops.change.plan import changes_rows
from social import instance, timelines
from social.errors import Refusal
from social.pages import Page
from social.posts.threads import thread
from store.tables import posts
from store.tables.search import INDEX

_MOST: Final = 20  # findings of one kind
_NEWEST = select(posts.c.id).where(posts.c.listed).order_by(posts.c.id.desc()).limit(1)
_INVALID = text("SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid")
_UNPROVED = text("SELECT conrelid::regclass::text || '.' || conname FROM pg_constraint WHERE NOT convalidated")


def verify(place: Place, rows: Mapping[str, int], numbers: Iterable[str]) -> list[str]:
    """What is wrong after migrating; empty: nothing.

    rows:    of each table before.
    numbers: of the migrations that ran, which may say that they change them.
    """
    found = _whole(place)
    try:
        found += engine.read(place.url, answers)
        found += _lost(rows, count(place), numbers)
    except NotChanged as error:
        found.append(str(error))
    return found


def answers(tx: Connection) -> list[str]:
    """Is it what this code expects, and does it answer what readers ask?"""
    return _drift(tx) or _smoke(tx)


def count(place: Place) -> dict[str, int]:
    """The rows of each table.  Reads all of it."""
    return engine.read(place.url, _count)


def _count(tx: Connection) -> dict[str, int]:
    names = [name for name in inspect(tx).get_table_names() if name != "alembic_version" and not name.startswith(INDEX)]
    quote = tx.dialect.identifier_preparer.quote
    return {name: tx.scalar(text(f"SELECT count(*) FROM {quote(name)}")) or 0 for name in sorted(names)}  # noqa: S608


def _whole(place: Place) -> list[str]:
    file: Path | None = place.file
    if file is not None:
        return copies.check_sqlite(file)
    return engine.read(place.url, _valid)


def _valid(tx: Connection) -> list[str]:
    return [
        *(f"the index {name} is not valid" for name in tx.scalars(_INVALID)),
        *(f"the constraint {name} was not validated" for name in tx.scalars(_UNPROVED)),
    ]


def _drift(tx: Connection) -> list[str]:
    at = migrations.current(tx)
    if at != migrations.newest():
        return [f"it is at migration {at}, not {migrations.newest()}"]
    return [f"it is not what this version expects: {_shown(one)}" for one in migrations.differences(tx)[:_MOST]]


def _shown(difference: Any) -> str:
    return " ".join(str(part) for part in difference) if isinstance(difference, tuple) else str(difference)


def _smoke(tx: Connection) -> list[str]:
    """What the first page, a feed and a conversation ask."""
    found: list[str] = []
    owner = _asked(found, "who its owner is", lambda: instance.owner(tx))
    _asked(found, "its first page", lambda: instance.usage(tx))
    _asked(found, "the public feed", lambda: timelines.public_page(tx, None, Page()))
    if owner is not None:
        _asked(found, "a home feed", lambda: timelines.home_page(tx, owner.id, Page()))
    newest = _asked(found, "the newest post", lambda: tx.scalar(_NEWEST))
    if newest is not None:
        _asked(found, "a conversation", lambda: thread(tx, newest, None))
    return found


def _asked(found: list[str], what: str, ask: Callable[[], Any]) -> Any:
    try:
        return ask()
    except Refusal:
        return None  # that is an answer, too: the newest post may be of somebody who is suspended
    except SQLAlchemyError as error:
        found.append(f"{what} cannot be read: {str(error).splitlines()[0]}")
        return None


def _lost(before: Mapping[str, int], after: Mapping[str, int], numbers: Iterable[str]) -> list[str]:
    may = {name for number in numbers for name in changes_rows(number)}
    return [
        f"{name} had {rows} rows and has {after.get(name, 0)}, and no migration says that it changes them"
        for name, rows in before.items()
        if name not in may and after.get(name, 0) != rows
    ]
