"""Is this the right database?  It carries the domain it was made for, and an id of its own; others are refused.

A server that starts on the wrong database would sign with the wrong keys, and tell the world so.  What the data folder
remembers of its database, and how the two are compared, is in ops/belonging.py.
"""

import logging
import secrets
from pathlib import Path

from sqlalchemy import Connection, PrimaryKeyConstraint, UniqueConstraint, inspect

import migrations
from federation.origin import Origin
from ops import belonging
from ops.belonging import Identity, Ours, Seen
from social import instance
from store.database import Database
from store.tables import metadata

DOMAIN, BASE_URL, INSTANCE, PROXY_KEY = "domain", "base_url", "instance", "proxy_key"


log = logging.getLogger(__name__)


class WrongDatabase(Exception):
    """The server must not start.  `str` says what to do."""


def check(tx: Connection, origin: Origin, known: Identity | None = None) -> None:
    """Raises: WrongDatabase, when it was made for somebody else, or is not the `known` one.  Writes nothing."""
    wrong = belonging.judge(known, seen(tx), Ours(origin.domain, origin.base_url, migrations.newest()))
    if wrong is not None:
        raise WrongDatabase(belonging.refusal(wrong))


def claim(tx: Connection, origin: Origin) -> None:
    """Makes an empty database ours.  Does nothing to one that is.  Raises: WrongDatabase."""
    for name, value in ((DOMAIN, origin.domain), (BASE_URL, origin.base_url), (INSTANCE, secrets.token_hex(16))):
        instance.note(tx, name, value)
    note_proxy_key(tx)
    check(tx, origin)


def seen(tx: Connection) -> Seen:
    tables = set(inspect(tx).get_table_names())
    facts = {row[0]: row[1] for row in tx.exec_driver_sql(belonging.FACTS)} if "fact" in tables else {}
    public = [key for (key,) in tx.exec_driver_sql(belonging.KEYS)] if "account_key" in tables else []
    empty = not tables - {belonging.VERSION_TABLE}
    return Seen(_place(tx), migrations.current(tx), empty, facts, belonging.fingerprints(public))


def identity(tx: Connection) -> Identity | None:
    """To remember; None while the database is nobody's."""
    found = seen(tx)
    if found.instance is None or found.version is None:
        return None
    domain, base_url = found.facts.get(DOMAIN, ""), found.facts.get(BASE_URL, "")
    return Identity(found.instance, domain, base_url, found.keys, found.version, parts())


async def remember(db: Database, data_dir: Path) -> None:
    """The data folder belongs to this database from now on, once it is somebody's."""
    if found := await db.read(identity):
        try:
            belonging.remember(data_dir, found)
        except OSError as error:
            log.warning("the data folder cannot be written (%s); run `connectme doctor`", error)


def parts() -> tuple[str, ...]:
    """What the newest migration leaves, in the words of ops/parts.py."""
    tables = metadata.tables.values()
    indexes = {str(index.name) for table in tables for index in table.indexes}
    columns = {f"{table.name}.{column.name}" for table in tables for column in table.columns}
    return tuple(sorted({*metadata.tables, *indexes, *columns, *unique()}))


def unique() -> dict[str, tuple[str, str, list[str]]]:
    """What no two rows of a table have alike: table, name and columns, by their word in ops/parts.py."""
    found = {}
    for table in metadata.tables.values():
        of_some = {index.name for index in table.indexes if index.dialect_options["sqlite"]["where"] is not None}
        rules = [one for one in table.constraints if isinstance(one, PrimaryKeyConstraint | UniqueConstraint)]
        for rule in [*rules, *(index for index in table.indexes if index.unique and index.name not in of_some)]:
            columns = sorted(column.name for column in rule.columns)
            found[f"{table.name}({', '.join(columns)})"] = table.name, str(rule.name), columns
    return found


def note_proxy_key(tx: Connection) -> None:
    """What signs the addresses of /proxy, in all processes alike; made once."""
    instance.note(tx, PROXY_KEY, secrets.token_hex(32))


def proxy_key(tx: Connection) -> bytes | None:
    found = instance.fact(tx, PROXY_KEY)
    return None if found is None else bytes.fromhex(found)


def _place(tx: Connection) -> str:
    """The file, or the name of the database."""
    if tx.dialect.name == "sqlite":
        return str(tx.exec_driver_sql("PRAGMA database_list").all()[0][2])
    return str(tx.exec_driver_sql("SELECT current_database()").scalar_one())


def instance_id(tx: Connection) -> str:
    """Which database this is: made once, kept for ever; empty in one from before there was such a thing."""
    return instance.fact(tx, INSTANCE) or ""
