"""A consistent copy of a live database, and a new one from a copy.  For backups, rehearsals and moves.

    copy = copy_sqlite(live, into)              SQLite: a file like it
    dump(url, into); load(into, other_url)      PostgreSQL: pg_dump's custom format, and back into an empty database

SQLite is copied by its backup API, in steps, inside one read transaction: in WAL mode that holds nobody up, and what
others write meanwhile does not start the copy anew, as it would between steps without that transaction.  VACUUM INTO
costs the same or more (300 MB: 0.85 s and 0.99 s), cannot make pauses for the readers of the disk, and is no copy page
by page: what is damaged in the original would not be seen in it.

All of it blocks: call it from a thread or a process of its own.
"""

import os
import re
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Final

from sqlalchemy import URL, make_url

PAGES: Final = 256  # of a step: 1 MB
REST: Final = 0.5  # of the time of a step, in which others have disk and processor
DEBIAN: Final = Path("/usr/lib/postgresql")
VERSION: Final = re.compile(r"\b(\d+)(?:\.\d+)?")


class CopyError(Exception):
    """It was not done, and nothing of it is left.  `str` is a line for the administrator."""


def copy_sqlite(
    source: Path,
    into: Path,
    *,
    rest: float = REST,
    seen: Callable[[int, int], None] | None = None,
    then: Sequence[str] = (),
) -> None:
    """`into` must not exist; it is durable, and one file, when this returns.

    rest: pauses, as a part of the time that copying takes; 0: as fast as it can.
    seen: hears (pages copied, pages of all) after each step.
    then: statements for the copy alone.
    Raises: CopyError.
    """
    if into.exists():
        raise CopyError(f"{into} is there already; name another place")
    if not source.is_file():
        raise CopyError(f"there is no file {source}")
    try:
        with (
            unfinished(into) as beside,
            closing(_reader(source)) as live,
            closing(sqlite3.connect(beside, isolation_level=None)) as copy,
        ):
            copy.execute("PRAGMA synchronous = off")  # one fsync at the end
            _copy(live, copy, rest, seen)
            for statement in then:
                copy.execute(statement)
            copy.execute("PRAGMA journal_mode = delete")  # no -wal beside it
    except sqlite3.Error as error:
        raise CopyError(f"{source} cannot be copied to {into.parent} ({error}){_hint(into, str(error))}") from error
    except OSError as error:
        raise CopyError(
            f"{into} cannot be written ({error.strerror or error}); see its rights and free space"
        ) from error


def _reader(source: Path) -> sqlite3.Connection:
    live = sqlite3.connect(f"{source.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None, timeout=10)
    live.execute("PRAGMA query_only = on")
    live.execute("BEGIN")
    live.execute("SELECT count(*) FROM sqlite_master").fetchone()  # now there is a snapshot
    return live


def _copy(
    live: sqlite3.Connection, copy: sqlite3.Connection, rest: float, seen: Callable[[int, int], None] | None
) -> None:
    began = time.monotonic()

    def after(_status: int, remaining: int, total: int) -> None:
        nonlocal began
        if seen is not None:
            seen(total - remaining, total)
        if rest and remaining:
            time.sleep(min((time.monotonic() - began) * rest, 0.25))
        began = time.monotonic()

    live.backup(copy, pages=PAGES, progress=after, sleep=0.05)


@contextmanager
def unfinished(into: Path) -> Iterator[Path]:
    """A place beside `into`, which gets that name when all is well and durable, and vanishes when not."""
    beside = into.with_name(f".{into.name}.unfinished")
    beside.unlink(missing_ok=True)
    try:
        yield beside
        with beside.open("rb+") as written:
            os.fsync(written.fileno())
        beside.replace(into)
    finally:
        for piece in (beside, *(beside.with_name(beside.name + end) for end in ("-journal", "-wal", "-shm"))):
            with suppress(FileNotFoundError):
                piece.unlink()


def check_sqlite(file: Path) -> list[str]:
    """What SQLite's own check finds wrong; empty: nothing."""
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=rw", uri=True)) as opened:
            wrong = [str(row[0]) for row in opened.execute("PRAGMA integrity_check(20)") if row[0] != "ok"]
            keys = opened.execute("PRAGMA foreign_key_check").fetchmany(20)
    except sqlite3.Error as error:
        return [str(error)]
    return wrong + [f"a row of {table} names one of {other} that is not there" for table, _, other, _ in keys]


def rows_sqlite(file: Path) -> dict[str, int]:
    """How many rows each table has.  Ask it of a copy: it reads the whole file.  Raises: CopyError."""
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as opened:
            tables = opened.execute(
                "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table'"
                " AND name NOT LIKE 'sqlite_%' ORDER BY name"
            ).fetchall()
            return {name: opened.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for (name,) in tables}  # noqa: S608
    except sqlite3.Error as error:
        raise CopyError(f"{file} cannot be read ({error})") from error


def program(name: str, server: int = 0) -> Path:
    """`pg_dump`, `pg_restore` or `psql`: the oldest that is not older than the server (its major version).

    Raises: CopyError.
    """
    on_path = [Path(found)] if (found := shutil.which(name)) else []
    there = [*on_path, *sorted(DEBIAN.glob(f"*/bin/{name}"))]
    versions = sorted((number, path) for path in there if (number := _version(path)))
    for number, path in versions:
        if number >= server:
            return path
    if not versions:
        raise CopyError(f"{name} is not installed; install PostgreSQL's client programs (Debian: postgresql-client)")
    raise CopyError(
        f"{name} is of PostgreSQL {versions[-1][0]} and the server is of {server}, which it cannot read;"
        f" install postgresql-client-{server}"
    )


def _version(path: Path) -> int:
    try:
        said = subprocess.run([path, "--version"], capture_output=True, text=True, check=True, timeout=20).stdout  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return 0
    found = VERSION.search(said.partition(")")[2])
    return int(found[1]) if found else 0


def dump(url: str, into: Path, *, server: int = 0, snapshot: str | None = None) -> None:
    """The database of `url` in pg_dump's custom format: one moment of it, while others write.

    server:   its major version.
    snapshot: what pg_export_snapshot() said, for a moment that the caller also looks at.
    Raises:   CopyError.
    """
    if into.exists():
        raise CopyError(f"{into} is there already; name another place")
    more = ["--snapshot", snapshot] if snapshot else []
    try:
        with unfinished(into) as beside:
            _run(url, [program("pg_dump", server), "--format=custom", "--no-owner", "--no-acl", "--compress=1",
                       "--lock-wait-timeout=60000", *more, "--file", beside])  # fmt: skip
    except OSError as error:
        raise CopyError(
            f"{into} cannot be written ({error.strerror or error}); see its rights and free space"
        ) from error


def load(file: Path, url: str, *, server: int = 0) -> None:
    """Fills the empty database of `url` from what `dump` wrote: all of it, or nothing.  Raises: CopyError."""
    _run(url, [program("pg_restore", server), "--no-owner", "--no-acl", "--single-transaction", "--exit-on-error",
               "--dbname", make_url(url).database or "", file])  # fmt: skip


def _run(url: str, argv: list[str | Path]) -> None:
    """Neither address nor password is in the arguments, which everybody on the machine can read."""
    done = subprocess.run(  # noqa: S603  our own command
        argv, env={**os.environ, **libpq(make_url(url))}, capture_output=True, text=True, errors="replace", check=False
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        said = next((line for line in lines if "error:" in line), lines[-1])
        raise CopyError(f"{said}{_hint(None, done.stderr)}")


def libpq(url: URL) -> dict[str, str]:
    """The same address as variables of PostgreSQL's programs."""
    query = {name: value if isinstance(value, str) else ",".join(value) for name, value in url.query.items()}
    given = {
        "PGHOST": query.get("host") or url.host,
        "PGPORT": query.get("port") or (str(url.port) if url.port else None),
        "PGUSER": query.get("user") or url.username,
        "PGPASSWORD": url.password,
        "PGDATABASE": url.database,
        "PGSSLMODE": query.get("sslmode") or query.get("ssl"),
        "PGCONNECT_TIMEOUT": "20",
    }
    return {name: str(value) for name, value in given.items() if value}


def _hint(into: Path | None, said: str) -> str:
    low = said.lower()
    if "full" in low or "no space" in low:
        return f"; make room{f' in {into.parent}' if into else ' there'}, or name another place"
    if "permission denied" in low or "readonly" in low or "unable to open" in low:
        return "; correct the rights, or run this as the user that the server runs as"
    return ""
