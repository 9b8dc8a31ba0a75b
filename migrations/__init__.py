"""How the tables of the main database came to be.

Alembic is synchronous, so migrating is a unit like any other: `await db.write(migrations.upgrade)`.  Alembic itself is
imported when a migration runs, not before: it costs 0.3 s and 39 MB, and a server that is up to date never needs it.
"""

import re
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

if TYPE_CHECKING:
    from alembic.config import Config

HERE = Path(__file__).parent
_NUMBER = re.compile(r"(\d{4})_\w+\.py")


def newest() -> str:
    """The number of the newest migration that this code knows."""
    return max(
        (found[1] for path in (HERE / "versions").iterdir() if (found := _NUMBER.fullmatch(path.name))), default="0000"
    )


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
