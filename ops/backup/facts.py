"""What a database says of itself: for the manifest, and to compare a restored one with it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Concatenate, ParamSpec, TypeVar

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from sqlalchemy import Connection, func, inspect, select, text

import migrations
from federation.keys import load_private
from ops import identity
from ops.backup.manifest import BackupError
from social import accounts, instance
from store import ids
from store.database import Database
from store.tables import INSTANCE_ACTOR_ID, activities, handled, posts
from store.tables.base import metadata

P = ParamSpec("P")
T = TypeVar("T")

_NEWEST_POST, _NEWEST_ACTIVITY = select(func.max(posts.c.id)), select(func.max(activities.c.id))
_NEWEST_HANDLED = select(func.max(handled.c.at))


@dataclass(frozen=True, slots=True)
class Facts:
    schema: str
    domain: str
    base_url: str
    instance: str
    newest_id: int
    newest_row: datetime | None
    rows: dict[str, int]
    server: str  # version of PostgreSQL, or empty


def look(tx: Connection) -> Facts:
    """Counts every row: for a copy, or for a snapshot that others do not wait for.  Raises: BackupError."""
    found = [instance.fact(tx, name) for name in (identity.DOMAIN, identity.BASE_URL, identity.INSTANCE)]
    schema = migrations.current(tx)
    if schema is None or None in found:
        raise BackupError("the database is empty: there is nothing to save yet")
    newest = newest_id(tx)
    moments = [datetime.fromtimestamp(ids.moment_ms(newest) / 1000, UTC)] if newest else []
    if heard := tx.scalar(_NEWEST_HANDLED):
        moments.append(heard)
    server = str(tx.scalar(text("SHOW server_version"))) if tx.dialect.name == "postgresql" else ""
    domain, base_url, number = (str(one) for one in found)
    return Facts(schema, domain, base_url, number, newest, max(moments, default=None), rows(tx), server)


def newest_id(tx: Connection) -> int:
    """The largest of the ids by which others know what was made here."""
    return max(tx.scalar(_NEWEST_POST) or 0, tx.scalar(_NEWEST_ACTIVITY) or 0)


def rows(tx: Connection) -> dict[str, int]:
    """Of our tables; those that this version does not know of are left out."""
    there = set(inspect(tx).get_table_names())
    named = [table for name, table in sorted(metadata.tables.items()) if name in there]
    return {table.name: tx.scalar(select(func.count()).select_from(table)) or 0 for table in named}


_WHERE = text(
    "SELECT (SELECT system_identifier FROM pg_control_system()) || '/' || oid"
    " FROM pg_database WHERE datname = current_database()"
)


def where(tx: Connection) -> str:
    """Which database of all this is, by whatever address it was reached.  Of PostgreSQL."""
    return str(tx.scalar(_WHERE))


def own_key(tx: Connection) -> tuple[RSAPrivateKey, str]:
    """The key that signs for this server, and its id.  Raises: BackupError."""
    for key in accounts.keys_of(tx, INSTANCE_ACTOR_ID):
        if key.kind == "rsa" and key.private:
            loaded = load_private(key.id, key.private).key
            if isinstance(loaded, RSAPrivateKey):
                return loaded, key.id
    raise BackupError("the database has no key of the server itself; start the server once, it makes one")


def asked(url: str, f: Callable[Concatenate[Connection, P], T], *args: P.args, **more: P.kwargs) -> T:
    """What `f` finds in the database of `url`."""

    async def ask() -> Any:
        async with await Database.open(url) as db:
            return await db.read(f, *args, **more)

    found: T = asyncio.run(ask())
    return found
