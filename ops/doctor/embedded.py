"""The embedded database, by Python's own driver: can it be read, is it the right one, is all there?  Light."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, urlsplit

from ops import belonging, damage, parts
from ops.change import progress
from ops.doctor.case import Case
from ops.doctor.words import ill, well
from ops.findings import Finding, Severity

PATIENCE: Final = 1.0  # seconds for a lock
_LOOK: Final = 0.5  # seconds of looking for damage
_STEPS: Final = 10_000  # of SQLite's machine between two looks at the clock


@contextmanager
def opened(file: Path, mode: str = "ro") -> Iterator[sqlite3.Connection]:
    """Raises: sqlite3.Error."""
    with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode={mode}", uri=True, timeout=PATIENCE)) as connection:
        yield connection


def reads(case: Case) -> Iterator[Finding]:
    """Is it there, can it be read, is all of it there, and whose is it?"""
    file, known = case.settings.sqlite_file, case.known
    if file is None:
        return
    if not file.exists():
        lost = belonging.judge(known, belonging.of_tables(str(file), set(), None, {}, []), case.ours)
        yield lost or ill("database.there", "notice", str(file), file=file)
        return
    try:
        with opened(file) as connection:
            seen = belonging.read_sqlite(connection, str(file))
            cut = damage.cut_short(file, lambda pragma: int(connection.execute(pragma).fetchone()[0]))
    except sqlite3.Error as error:
        yield ill("database.reads", "error", f"{file}: {error}", file=file)
        return
    yield well("database.reads", str(file))
    if cut:
        yield ill("database.sound", "error", cut, file=file)
    yield from identity(case, seen)


def identity(case: Case, seen: belonging.Seen) -> Iterator[Finding]:
    """For PostgreSQL, too."""
    known, begun = case.known, progress.unfinished(case.settings.data_dir)
    if seen.empty and begun is not None and begun.stage == "returning":
        return  # it is filled from the snapshot next: schema.change
    if wrong := belonging.judge(known, seen, case.ours):
        yield wrong
        return
    if progress.foreign(case.settings.data_dir, seen.change):
        yield ill("schema.change", "error", f"the database says so: {seen.change}", since=seen.change, step="unknown")
    whose = f"{seen.facts.get('domain', 'nobody yet')} (instance {(seen.instance or 'none')[:8]})"
    yield well("identity.other", f"{seen.place}: {whose}")
    if seen.version != case.newest:
        severity: Severity = "warning" if seen.version is None or case.settings.sqlite_file else "error"
        evidence = f"{seen.place}: {seen.version or 'no migration ran'}"
        yield ill("schema.version", severity, evidence, found=seen.version or "none", newest=case.newest)
        return
    yield well("schema.version", f"migration {seen.version}")
    if known is not None and known.schema == seen.version and seen.parts is not None:
        yield from parts.judged(known.parts, seen.parts)


def journal(case: Case) -> Iterator[Finding]:
    file = case.settings.sqlite_file
    if file is None or not file.exists() or not file.stat().st_size:
        return
    try:
        with opened(file) as connection:
            (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
            connection.execute("PRAGMA foreign_keys = on")
            (keys,) = connection.execute("PRAGMA foreign_keys").fetchone() or (0,)
    except sqlite3.Error:
        return  # `reads` says why
    yield (
        well("database.journal", mode)
        if mode == "wal"
        else ill("database.journal", "warning", f"PRAGMA journal_mode: {mode}", file=file, mode=mode)
    )
    if not keys:
        yield ill("database.foreign_keys", "error", f"SQLite {sqlite3.sqlite_version}")
    [synchronous] = parse_qs(urlsplit(case.settings.database_url).query).get("synchronous", ["full"])
    if synchronous.lower() not in ("full", "extra"):
        yield ill("database.synchronous", "warning", "DATABASE_URL", mode=synchronous)


def met(case: Case) -> Iterator[Finding]:
    """What the server met while it worked.  For PostgreSQL, too."""
    file = case.settings.sqlite_file
    if says := damage.of(case.settings.data_dir, file):
        yield ill("database.sound", "error", says, file=file or "the database")


def sound(case: Case) -> Iterator[Finding]:
    """Looks for damage, for half a second: all of a small database, the beginning of a large one."""
    file = case.settings.sqlite_file
    if file is None or not file.exists():
        return
    end = time.monotonic() + _LOOK
    try:
        with opened(file) as connection:
            connection.set_progress_handler(lambda: time.monotonic() > end, _STEPS)
            rows = [row[0] for row in connection.execute("PRAGMA quick_check(5)")]
    except sqlite3.OperationalError as error:
        if "interrupted" in str(error):
            yield well("database.sound", "its beginning; `connectme db check` reads all of it")
        return  # else `reads` says why
    except sqlite3.DatabaseError as error:
        rows = [str(error)]
    if rows == ["ok"]:
        yield well("database.sound", "PRAGMA quick_check: ok")
    else:
        yield ill("database.sound", "error", "; ".join(str(row) for row in rows).replace("\n", " "), file=file)


CHECKS: Final = (reads, journal, met)
THOROUGH: Final = (sound,)
