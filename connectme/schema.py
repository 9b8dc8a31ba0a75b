"""Which migration the database is at, and which this code expects: asked cheaply, before anything is started.

`migrations` answers the same through SQLAlchemy; the supervisor must stay small and a start quick, so this
asks the driver directly (`tests/connectme/test_schema.py` compares the two).
"""

import os
import re
import sqlite3
from collections.abc import Collection
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from connectme.errors import Failure
from connectme.settings import Settings
from ops import belonging, parts
from ops.belonging import Ours, Seen
from ops.change import progress
from ops.doctor.words import ill
from ops.findings import first_line

if TYPE_CHECKING:
    import asyncpg

NUMBERED = re.compile(r"(\d{4})_\w+\.py")
MISSING_DRIVER = "PostgreSQL needs the package asyncpg; install it with: pip install 'connectme[postgres]'"


class CannotUse(Failure):
    """The database is not one that this code can work with."""


class WrongDatabase(CannotUse):
    """It is newer, foreign, somebody else's, or empty where a filled one was: see ops/belonging.py."""


class Away(CannotUse):
    """It does not answer, or lets nobody read or write: it may be back in a moment."""

    lasting: ClassVar[bool] = False


class Changing(Away):
    """It is brought to another migration just now, or has to be first."""


class ToChange(Changing):
    """Nobody does that yet, and this server may."""


@dataclass(frozen=True, slots=True)
class Schema:
    found: str | None  # number of the last migration that was run; None: none was
    newest: str  # that this code knows
    empty: bool  # nothing else is in the database, either
    parts: Collection[str] | None = None  # of its tables: ops/parts.py; None: not known

    @property
    def state(self) -> Literal["empty", "current", "behind", "newer", "foreign"]:
        if self.found is None:
            return "empty" if self.empty else "foreign"
        if self.found == self.newest:
            return "current"
        return "behind" if self.found < self.newest else "newer"


def look(settings: Settings, *, marked: bool = False) -> Schema:
    """marked: also while it says that another machine changes it.  Writes nothing.

    Raises: WrongDatabase; Away, when it cannot be asked.
    """
    if settings.sqlite_file:
        return _judged(settings, sqlite_seen(settings.sqlite_file), marked)
    import asyncio  # noqa: PLC0415  not for SQLite: it would triple the supervisor's memory

    return asyncio.run(looked(settings, marked=marked))


async def looked(settings: Settings, *, marked: bool = False) -> Schema:
    """The same, where a loop runs already."""
    if settings.sqlite_file:
        return look(settings, marked=marked)
    return _judged(settings, await postgresql_seen(settings.database_url), marked)


def _judged(settings: Settings, seen: Seen, marked: bool) -> Schema:
    ours = Ours(settings.domain, settings.base_url, newest())
    begun = progress.unfinished(settings.data_dir)
    if seen.empty and begun is not None and begun.stage == "returning":
        return Schema(None, ours.newest, empty=True)  # killed between emptying it and filling it from the snapshot
    if not marked and (why := progress.foreign(settings.data_dir, seen.change)):
        raise Changing(why)
    if wrong := belonging.judge(belonging.recall(settings.data_dir), seen, ours):
        raise WrongDatabase(belonging.refusal(wrong))
    return Schema(seen.version, ours.newest, seen.empty, seen.parts)


def newest() -> str:
    """The number of the newest migration in this installation."""
    spec = find_spec("migrations")
    folder = Path(spec.origin or "").parent / "versions" if spec else Path()
    numbers = [found[1] for path in folder.glob("*.py") if (found := NUMBERED.fullmatch(path.name))]
    return max(numbers, default="0000")


def sqlite_seen(file: Path) -> Seen:
    """Raises: Away."""
    if not file.exists():
        return Seen(str(file), None, empty=True, facts={}, keys=())
    writable(file)
    try:
        connection = sqlite3.connect(f"{file.as_uri()}?mode=rw", uri=True, timeout=5)
    except sqlite3.Error as error:
        raise Away(f"{file} cannot be opened ({error}); correct its rights") from error
    try:
        return belonging.read_sqlite(connection, str(file))
    except sqlite3.Error as error:
        raise Away(f"{file} cannot be read ({error}); is it the right file?") from error
    finally:
        connection.close()


def writable(file: Path) -> None:
    """Raises: Away, when the file, what SQLite puts beside it, or its folder cannot be written.  Opens nothing.

    To close a file would take the locks that this process may have on it by SQLite.
    """
    for one in (file, Path(f"{file}-wal"), Path(f"{file}-shm")):
        if one.exists() and not os.access(one, os.R_OK | os.W_OK):
            raise Away(f"{one} cannot be written; `connectme doctor` says how to mend it")
    if not os.access(file.parent, os.W_OK | os.X_OK):
        raise Away(f"the folder {file.parent} cannot be written; `connectme doctor` says how to mend it")


async def postgresql_seen(url: str) -> Seen:
    """Raises: Away."""
    try:
        import asyncpg  # noqa: PLC0415  an extra
    except ImportError:
        raise CannotUse(MISSING_DRIVER) from None
    try:
        connection = await asyncpg.connect(url, timeout=10)
    except (OSError, TimeoutError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise Away(
            f"the database does not answer ({first_line(error)}); is it running, is database_url right?"
        ) from error
    try:
        return await asked(connection)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise Away(f"the database cannot be read ({first_line(error)}); `connectme doctor` says more") from error
    finally:
        await connection.close()


async def asked(connection: "asyncpg.Connection") -> Seen:
    """Raises: CannotUse, for an encoding that has no place for what people write."""
    if (encoding := await connection.fetchval("SHOW server_encoding")) != "UTF8":
        raise CannotUse(belonging.refusal(ill("postgresql.encoding", "error", encoding, found=encoding)))
    rows = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = ANY(current_schemas(false))")
    tables = {row[0] for row in rows}
    found = await connection.fetchval(belonging.VERSION) if belonging.VERSION_TABLE in tables else None
    facts = dict(await connection.fetch(belonging.FACTS)) if "fact" in tables else {}
    public = [row[0] for row in await connection.fetch(belonging.KEYS)] if "account_key" in tables else []
    place = f"database {await connection.fetchval('SELECT current_database()')}"
    there = {row[0] for row in await connection.fetch(parts.POSTGRESQL)}
    return belonging.of_tables(place, tables, found, facts, public, there)
