"""Who keeps the embedded database from being written: asked of Linux, then tried.  Light."""

import os
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ops.doctor.case import Case
from ops.doctor.embedded import opened
from ops.doctor.words import ill, well
from ops.findings import Finding

LOCKS: Final = Path("/proc/locks")
_WRITER: Final = 120  # the byte of the -shm that whoever writes has locked (WAL_WRITE_LOCK of SQLite)
_LINE: Final = re.compile(r"\d+: POSIX +\S+ +WRITE +(\d+) +(\S+) +(\d+) +(\S+)", re.ASCII)


def locked(case: Case) -> Iterator[Finding]:
    """A writer that lasts longer than `opened` waits.

    It is tried while somebody has the lock, and then alone: who opens a file that nobody else has open changes it when
    it is closed.
    """
    file = case.settings.sqlite_file
    if file is None or (who := writer(file)) in (None, os.getpid()):
        return
    try:
        with opened(file, "rw") as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
    except sqlite3.OperationalError as error:
        if "locked" not in str(error):
            return  # `reads` and `rights` say why
        who = writer(file) or who or 0
        name = _name(who)
        yield ill("database.locked", "error", f"{file}: {name}", file=file, who=name, number=who or "PID")
        return
    yield well("database.locked", str(file))


def writer(file: Path) -> int | None:
    """The process that writes just now; 0: one that cannot be seen from here.  None: nobody, or it is not known."""
    try:
        found = os.stat(f"{file}-shm")
        lines = LOCKS.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return None
    place = f"{os.major(found.st_dev):02x}:{os.minor(found.st_dev):02x}:{found.st_ino}"
    for line in lines:
        match = _LINE.match(line)
        if match and match[2] == place and int(match[3]) <= _WRITER and match[4] in ("EOF", str(_WRITER)):
            return int(match[1])
    return None


def _name(number: int) -> str:
    if not number:
        return "a process of another container"
    try:
        name = Path(f"/proc/{number}/comm").read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        name = "?"
    return f"process {number} ({name})"


CHECKS: Final = (locked,)
