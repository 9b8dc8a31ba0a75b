"""How far a change of the database is: DATA_DIR/state/change.json.

Written before each step begins, so that whoever comes after a kill knows what may have been begun.  Light: the
supervisor and the web processes read it.
"""

import fcntl
import os
import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from ops import state

FILE: Final = "change.json"
LOCK: Final = "change.lock"  # connectme/lock.py: whoever changes the tables has it alone
# rehearsing → snapshot → migrating → verifying → done; returning → returned brings a snapshot back; failed: as before.
FINAL: Final = frozenset({"done", "failed", "returned"})
BACK: Final = "start the version that you had before, or try once more with `connectme db upgrade`"
HARMLESS: Final = frozenset({"rehearsing", "snapshot"})  # for a server that runs meanwhile


@dataclass(frozen=True, slots=True)
class Progress:
    kind: str  # upgrade or rollback
    stage: str
    since: str  # when it began, ISO
    start: str | None = None  # the migration that the database was at
    to: str | None = None
    step: int = 0
    of: int = 0
    migration: str | None = None  # that runs now
    snapshot: str | None = None  # its name, once it is whole
    says: str = ""
    version: str = ""  # of the code
    pid: int = 0
    machine: str = ""

    @property
    def is_final(self) -> bool:
        return self.stage in FINAL

    @property
    def mark(self) -> str:
        """What the database says of it while it goes on: ops/change/mark.py."""
        return f"{self.since} on {self.machine}"

    @property
    def facts(self) -> Mapping[str, Any]:
        return {name: value for name, value in asdict(self).items() if value not in (None, "")}


def begun(kind: str, stage: str, **more: Any) -> Progress:
    since, machine = datetime.now(UTC).isoformat(timespec="seconds"), socket.gethostname()
    return Progress(kind, stage, since, pid=os.getpid(), machine=machine, **more)


def tell(data_dir: Path, progress: Progress, **changed: Any) -> Progress:
    """Writes it down, with what changed; returns what was written."""
    progress = replace(progress, **changed, pid=os.getpid())
    state.write_json(state.folder(data_dir) / FILE, asdict(progress))
    return progress


def last(data_dir: Path) -> Progress | None:
    """The last change, over or not; None: there was none."""
    found = state.read_json(data_dir / state.FOLDER / FILE)
    names = {field.name for field in fields(Progress)}
    if not isinstance(found, dict) or not {"kind", "stage", "since"} <= found.keys():
        return None
    return Progress(**{name: value for name, value in found.items() if name in names})


def unfinished(data_dir: Path) -> Progress | None:
    """A change that runs, or was killed."""
    found = last(data_dir)
    return None if found is None or found.is_final else found


def is_stopped(data_dir: Path) -> bool:
    """Was one interrupted, and does nobody go on with it?  Raises: OSError."""
    if unfinished(data_dir) is None:
        return False
    with (data_dir / state.FOLDER / LOCK).open("a", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def foreign(data_dir: Path, mark: str | None) -> str:
    """What to do about a change that the database speaks of, and this data folder has not begun; empty: nothing."""
    found = last(data_dir)
    if not mark or (found is not None and found.mark == mark):
        return ""
    return (
        f"a change of the database, begun {mark}, has not ended; if it was interrupted, run `connectme db upgrade`"
        " there and it goes on, or, when that machine is gone for good, `connectme db upgrade --take-over` here"
    )
