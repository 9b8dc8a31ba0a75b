"""How the tables of the main database came to be.

Alembic is synchronous, so migrating is a unit like any other: `await db.write(migrations.upgrade)`.  Alembic itself is
imported when a migration runs, not before: it costs 0.3 s and 39 MB, and a server that is up to date never needs it.
"""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, inspect, text

from store.tables import metadata
from store.tables.search import INDEX

if TYPE_CHECKING:
    from alembic.config import Config

HERE = Path(__file__).parent
_NUMBER = re.compile(r"(\d{4})_\w+\.py")


def files() -> dict[str, Path]:
    """The migrations that this code knows, by their numbers, in their order."""
    return {found[1]: path for path in sorted((HERE / "versions").iterdir()) if (found := _NUMBER.fullmatch(path.name))}


def newest() -> str:
    """The number of the newest of them."""
    return max(files(), default="0000")


def current(tx: Connection) -> str | None:
    """The number that the database is at; None when it is empty."""
    if not inspect(tx).has_table("alembic_version"):
        return None
    number: str | None = tx.scalar(text("SELECT version_num FROM alembic_version"))
    return number


def upgrade(tx: Connection, to: str = "head") -> None:
    """Brings the tables to what this code expects."""
    from alembic import command  # noqa: PLC0415  see above

    command.upgrade(_config(tx), to)


def downgrade(tx: Connection, to: str) -> None:
    """Takes migrations back, down to the one numbered `to`, or to `base`."""
    from alembic import command  # noqa: PLC0415  see above

    command.downgrade(_config(tx), to)


def is_ours(name: str | None, kind: str, _parents: Any) -> bool:
    """The index of words is made by hand: SQLAlchemy has no word for it (store/tables/search.py)."""
    return not (kind == "table" and str(name).startswith(INDEX))


def differences(tx: Connection) -> list[Any]:
    """Between the tables and what this code expects of them; none, when it is at the newest migration."""
    from alembic.autogenerate import compare_metadata  # noqa: PLC0415  see above
    from alembic.migration import MigrationContext  # noqa: PLC0415

    return list(compare_metadata(MigrationContext.configure(tx, opts={"include_name": is_ours}), metadata))


def draft(tx: Connection, name: str) -> None:
    """Writes versions/NNNN_name.py from the difference between the tables and store.tables."""
    from alembic import command  # noqa: PLC0415  see above

    command.revision(_config(tx), message=name, autogenerate=True, rev_id=f"{int(newest()) + 1:04}")


def _config(tx: Connection) -> "Config":
    from alembic.config import Config  # noqa: PLC0415  see above

    config = Config()
    config.set_main_option("script_location", str(HERE))
    config.set_main_option("path_separator", "os")
    config.attributes["tx"] = tx
    return config
