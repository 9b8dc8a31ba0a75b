"""`connectme doctor --fix`: what is safe while the server runs, and cannot lose anything."""

import fcntl
import os
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, inspect

from ops import damage, identity, parts
from ops.doctor import content, embedded, places, postgresql
from ops.doctor.case import Case
from ops.findings import Finding, first_line
from social import fulltext
from store.database import Database
from store.tables import metadata
from store.tables.search import INDEX, MAKE

_AT_ONCE: Final = 1_000  # posts in one transaction


async def fix(case: Case, found: list[Finding]) -> dict[str, str]:
    """By id of the finding: what was done, or why it could not be."""
    done = {}
    for name in dict.fromkeys(one.id for one in found if one.fixable and one.severity != "ok"):
        try:
            done[name] = await FIXES[name](case)
        except Exception as error:  # noqa: BLE001  the others go on; the finding stays
            done[name] = f"not done: {first_line(error)}"
    return done


async def _owner(case: Case) -> str:
    folder = case.settings.data_dir
    whose, strangers = folder.stat(), places.strangers(folder)
    for path in strangers:
        os.chown(path, whose.st_uid, whose.st_gid, follow_symlinks=False)
    return f"{len(strangers)} files given to user {whose.st_uid}"


async def _private(case: Case) -> str:
    for path in places.exposed(case):
        path.chmod(path.stat().st_mode & (~0o077 if path.is_dir() else ~0o007))
    return "others cannot look into it any more"


async def _leftovers(case: Case) -> str:
    found = places.leftovers(case)
    for path in found:
        path.unlink(missing_ok=True)
    return f"{len(found)} files removed"


async def _rights(case: Case) -> str:
    file = case.settings.sqlite_file or Path()
    for path in (file.parent, file, Path(f"{file}-wal"), Path(f"{file}-shm")):
        if path.exists():
            path.chmod(path.stat().st_mode | (0o700 if path.is_dir() else 0o600))
    return f"the owner may write {file}"


async def _journal(case: Case) -> str:
    with embedded.opened(case.settings.sqlite_file or Path(), "rw") as connection:
        (mode,) = connection.execute("PRAGMA journal_mode = wal").fetchone()
    return f"the journal mode is {mode}"


async def _checkpoint(case: Case) -> str:
    for file in places.databases(case):
        with embedded.opened(file, "rw") as connection:
            busy, *_ = connection.execute("PRAGMA wal_checkpoint(truncate)").fetchone()
        if busy:
            raise sqlite3.OperationalError("somebody still reads from the log; try again")
    return "the log is in the database"


async def _spool(case: Case) -> str:
    """Raises: RuntimeError, while a server runs, and when it is not damage that keeps it from being read."""
    with (case.settings.data_dir / "connectme.lock").open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RuntimeError("stop the server first") from None
        aside = _put_aside(case.settings.data_dir / "spool.db", f"damaged-{case.now:%Y%m%dT%H%M%SZ}")
    return f"{aside} has what was there; the server makes a new one when it starts"


def _put_aside(file: Path, name: str) -> Path:
    if not damage.is_met(file):
        raise RuntimeError("the file is sound; something else keeps it from being read")
    for end in ("-wal", "-shm", ""):  # itself last: killed before, nothing is taken for the log of another file
        part = Path(f"{file}{end}")
        if part.exists():
            part.rename(f"{file}.{name}{end}")
    return Path(f"{file}.{name}")


async def _indexes(case: Case) -> str:
    async with await Database.open(case.settings.database_url) as db:
        names = await db.read(content.missing_indexes)
        for name in names:  # one transaction each: a large table holds up the writers for moments, not for all of them
            await db.write(_make_index, name)
        missing = parts.needed(identity.parts(), await db.read(content.parts_of))
    return f"{len(names)} indexes made" + (f"; still missing: {', '.join(missing)}" if missing else "")


def _make_index(tx: Connection, part: str) -> None:
    """Raises: SQLAlchemyError, where rows are alike that must not be."""
    if (rule := identity.unique().get(part)) is not None:
        table, name, columns = rule
        quoted = [tx.dialect.identifier_preparer.quote(word) for word in (name, table, *columns)]
        tx.exec_driver_sql(f"CREATE UNIQUE INDEX IF NOT EXISTS {quoted[0]} ON {quoted[1]} ({', '.join(quoted[2:])})")
    for table_ in metadata.tables.values():
        for index in table_.indexes:
            if index.name == part:
                index.create(tx, checkfirst=True)


async def _words(case: Case) -> str:
    """The index of words holds nothing that is not in the posts."""
    async with await Database.open(case.settings.database_url) as db:
        await db.write(_make_words)
        last: int | None = 0
        while last is not None:
            last = await db.write(fulltext.reindex, last, _AT_ONCE)
    return "the index is made anew; the worker fills it"


def _make_words(tx: Connection) -> None:
    if tx.dialect.name == "sqlite":  # the table itself first: it takes the others along
        for name in sorted(name for name in inspect(tx).get_table_names() if name.startswith(INDEX)):
            tx.exec_driver_sql(f'DROP TABLE IF EXISTS "{name}"')
    else:
        tx.exec_driver_sql(f"DROP TABLE IF EXISTS {INDEX}")
    for statement in MAKE[tx.dialect.name]:
        tx.exec_driver_sql(statement)


async def _reindex(case: Case) -> str:
    async with postgresql.connected(case.settings.database_url) as connection:
        names = [row[0] for row in await connection.fetch(postgresql.INVALID)]
        for name in names:
            await connection.execute(f'REINDEX INDEX CONCURRENTLY "{name}"', timeout=None)
    return f"{len(names)} indexes made anew"


FIXES: Final[dict[str, Callable[[Case], Awaitable[str]]]] = {
    "files.owner": _owner,
    "files.private": _private,
    "files.settled": _leftovers,
    "database.rights": _rights,
    "database.journal": _journal,
    "disk.log": _checkpoint,
    "spool.reads": _spool,
    "schema.needed": _indexes,
    "schema.parts": _indexes,
    "search.index": _words,
    "postgresql.indexes": _reindex,
}
