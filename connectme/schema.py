"""Which migration the database is at, and which this code expects: asked cheaply, before anything is started.

`migrations` answers the same through SQLAlchemy; the supervisor must stay small and a start quick, so this
asks the driver directly (`tests/connectme/test_schema.py` compares the two).
"""

import re
import sqlite3
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from connectme.errors import Failure
from connectme.settings import Settings

NUMBERED = re.compile(r"(\d{4})_\w+\.py")
ASK = "SELECT version_num FROM alembic_version"
MISSING_DRIVER = "PostgreSQL needs the package asyncpg; install it with: pip install 'connectme[postgres]'"


class CannotUse(Failure):
    """The database is not one that this code can work with."""


@dataclass(frozen=True, slots=True)
class Schema:
    found: str | None  # number of the last migration that was run; None: none was
    newest: str  # that this code knows
    empty: bool  # nothing else is in the database, either

    @property
    def state(self) -> Literal["empty", "current", "behind", "newer", "foreign"]:
        if self.found is None:
            return "empty" if self.empty else "foreign"
        if self.found == self.newest:
            return "current"
        return "behind" if self.found < self.newest else "newer"


def look(settings: Settings) -> Schema:
    """Raises CannotUse when the database cannot be asked, or is from a newer version or of another program."""
    file = settings.sqlite_file
    if file:
        schema = _sqlite(file)
    else:
        import asyncio  # noqa: PLC0415  not for SQLite: it would triple the supervisor's memory

        schema = asyncio.run(_postgresql(settings.database_url))
    if schema.state == "newer":
        raise CannotUse(
            f"the database is at migration {schema.found}, and this version knows those up to {schema.newest};"
            " install the version that made it, or a newer one"
        )
    if schema.state == "foreign":
        raise CannotUse("the database has tables in it that are not ConnectMe's; name an empty one in database_url")
    return schema


def newest() -> str:
    """The number of the newest migration in this installation."""
    spec = find_spec("migrations")
    folder = Path(spec.origin or "").parent / "versions" if spec else Path()
    numbers = [found[1] for path in folder.glob("*.py") if (found := NUMBERED.fullmatch(path.name))]
    return max(numbers, default="0000")


def _sqlite(file: Path) -> Schema:
    if not file.exists():
        return Schema(None, newest(), empty=True)
    try:
        connection = sqlite3.connect(f"{file.as_uri()}?mode=rw", uri=True, timeout=5)
    except sqlite3.Error as error:
        raise CannotUse(f"{file} cannot be opened ({error}); correct its rights") from error
    try:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        row = connection.execute(ASK).fetchone() if "alembic_version" in tables else None
    except sqlite3.Error as error:
        raise CannotUse(f"{file} cannot be read ({error}); is it the right file?") from error
    finally:
        connection.close()
    return Schema(row[0] if row else None, newest(), empty=not tables - {"alembic_version"})


async def _postgresql(url: str) -> Schema:
    try:
        import asyncpg  # noqa: PLC0415  an extra
    except ImportError:
        raise CannotUse(MISSING_DRIVER) from None
    try:
        connection = await asyncpg.connect(url, timeout=10)
    except (OSError, TimeoutError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise CannotUse(
            f"the database does not answer ({_line(error)}); is it running, is database_url right?"
        ) from error
    try:
        rows = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = ANY(current_schemas(false))")
        tables = {row[0] for row in rows}
        found = await connection.fetchval(ASK) if "alembic_version" in tables else None
    finally:
        await connection.close()
    return Schema(found, newest(), empty=not tables - {"alembic_version"})


def _line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
