"""A process that changes the database kills itself in the midst of a step (kill -9), once: `arm(file)`.

The file says in which: copy, rehearsal, snapshot, migration, checks, return.  It is gone then.
"""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from sqlalchemy import Engine, event

from ops import copies
from ops.change import checks, progress, snapshots


def arm(file: Path) -> None:
    def die() -> None:
        file.unlink()
        os.kill(os.getpid(), signal.SIGKILL)

    _STEPS[file.read_text(encoding="ascii")](die)


def _stage() -> str:
    found = progress.unfinished(Path(os.environ["CONNECTME_DATA_DIR"]))
    return found.stage if found else ""


def _instead(module: ModuleType, name: str, die: Callable[[], None], stage: str = "") -> None:
    """Of what it does; in that stage alone."""
    real = getattr(module, name)

    def dies(*args: object, **more: object) -> object:
        if stage in ("", _stage()):
            die()
        return real(*args, **more)

    setattr(module, name, dies)


def _copy(die: Callable[[], None]) -> None:
    _instead(copies, "_copy", die)
    _instead(copies, "load", die)


def _rehearsal(die: Callable[[], None]) -> None:
    _instead(checks, "verify", die)


def _snapshot(die: Callable[[], None]) -> None:
    """The copy is there, and what it is was not noted."""
    _instead(checks, "count", die, "snapshot")


def _migration(die: Callable[[], None]) -> None:
    seen: list[str] = []

    def see(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        if statement.startswith("ALTER TABLE") and _stage() == "migrating":
            seen.append(statement)
            if len(seen) == 2:
                die()

    event.listen(Engine, "after_cursor_execute", see)


def _checks(die: Callable[[], None]) -> None:
    _instead(checks, "verify", die, "verifying")


def _return(die: Callable[[], None]) -> None:
    """The result is no good; SQLite: the snapshot lies beside; PostgreSQL: the database is empty."""
    real = checks.verify
    checks.verify = lambda *args: ["a row is missing"] if _stage() == "verifying" else real(*args)
    _instead(snapshots, "_keep", die, "returning")
    _instead(copies, "load", die, "returning")


_STEPS = {
    "copy": _copy,
    "rehearsal": _rehearsal,
    "snapshot": _snapshot,
    "migration": _migration,
    "checks": _checks,
    "return": _return,
}
