"""How a command gets at the database: whether the server runs or not, and without harm to it."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from typing import TypeVar

from sqlalchemy.exc import SQLAlchemyError

from connectme import __version__, logging, schema
from connectme.cli.common import fail
from connectme.lock import changing
from connectme.settings import Settings
from federation.origin import Origin
from ops import belonging, identity
from ops.change import upgrade
from ops.change.place import Locked, NotChanged, Place
from social.errors import Refusal
from store.database import Database

T = TypeVar("T")

BEHIND = "the database is from an older version; run `connectme db upgrade` (`connectme serve` does it for SQLite)"


def with_database(settings: Settings, f: Callable[[Database], Awaitable[T]]) -> T:
    """What `f(db)` returns.  An empty database is filled first, where none was before; one that is behind, that was
    made for another domain, or is not the one of DATA_DIR, is refused.

    Raises: Failure; ClickException for a refusal by social/.
    """
    logging.set_up(settings, "command", least="warning")
    state = schema.look(settings).state
    if state == "empty":
        fill(settings)
    elif state == "behind":
        raise fail(BEHIND)

    async def on_the_right_one(db: Database) -> T:
        await db.read(identity.check, origin_of(settings), belonging.recall(settings.data_dir))
        found = await f(db)
        await identity.remember(db, settings.data_dir)
        return found

    try:
        return asyncio.run(opened(settings, on_the_right_one))
    except (Refusal, identity.WrongDatabase) as refusal:
        raise fail(str(refusal)) from refusal
    except (SQLAlchemyError, sqlite3.Error, OSError) as error:
        raise fail(f"the database refused: {str(error).splitlines()[0]}") from error


def place_of(settings: Settings) -> Place:
    return Place(settings.database_url, settings.data_dir, settings.spool_url, __version__)


def fill(settings: Settings) -> None:
    """Brings the database to the newest migration.  Raises: Failure; Away, when it may work later."""
    if settings.sqlite_file:
        settings.sqlite_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        with changing(settings):
            upgrade.upgrade(place_of(settings))
    except Locked as error:
        raise schema.Away(str(error)) from error
    except NotChanged as error:
        raise schema.CannotUse(str(error)) from error


async def opened(settings: Settings, f: Callable[[Database], Awaitable[T]]) -> T:
    async with await Database.open(settings.database_url) as db:
        return await f(db)


def origin_of(settings: Settings) -> Origin:
    return Origin(settings.domain, settings.base_url)
