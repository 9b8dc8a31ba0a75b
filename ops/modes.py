"""How much of the server is open: normal, read-only, maintenance or emergency.  Kept in a file, not in the database.

    a person says  `connectme maintenance on`      ┐
                                                   ├─ the stricter of the two holds
    the server says what it found (connectme/sentinel.py) ┘

Light.  What a person said is never taken back by the server, and what the server found never hides a person's word.
"""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal

from ops import state

Name = Literal["normal", "read-only", "maintenance", "emergency"]
By = Literal["person", "server"]
NAMES: Final[tuple[Name, ...]] = ("normal", "read-only", "maintenance", "emergency")  # each is stricter than the last
FILE: Final = "mode.json"
_WORDS: Final[dict[Name, str]] = {
    "normal": "",
    "read-only": "This server can be read, and takes nothing new for the moment.",
    "maintenance": "This server is being worked on, and will be back.",
    "emergency": "The database of this server does not answer. Nothing is lost; please try again in a minute.",
}
_NOW: Final = ("investigating", "identified", "monitoring", "in_progress", "verifying")
LOOK: Final = 0.5  # seconds between two looks at the file


@dataclass(frozen=True, slots=True)
class Mode:
    """since: seconds since 1970.  message: for people who come.  reason: for the admin."""

    name: Name = "normal"
    since: float = 0.0
    message: str = ""
    reason: str = ""
    by: By = "server"

    @property
    def is_normal(self) -> bool:
        return self.name == "normal"

    @property
    def is_shut(self) -> bool:
        """Is nothing served that needs the database?"""
        return self.name in ("maintenance", "emergency")

    @property
    def takes_writes(self) -> bool:
        return self.name == "normal"


NORMAL: Final = Mode()


def stricter(person: Mode, server: Mode) -> Mode:
    """Where both say the same, the person's words are shown.

    >>> stricter(Mode("read-only", by="person"), Mode("emergency")).name
    'emergency'
    """
    return server if NAMES.index(server.name) > NAMES.index(person.name) else person


def read(data_dir: Path) -> Mode:
    """The one that holds, as the file has it."""
    return stricter(*_both(data_dir))


def server(data_dir: Path) -> Mode:
    """What the server itself found when it last looked."""
    return _both(data_dir)[1]


def say(data_dir: Path, mode: Mode) -> Mode:
    """Keeps what `mode.by` says, and returns what holds now.  Raises: OSError."""
    with _alone(data_dir):
        person, server = _both(data_dir)
        person, server = (mode, server) if mode.by == "person" else (person, mode)
        holds = stricter(person, server)
        found = {**asdict(holds), "person": asdict(person), "server": asdict(server)}
        state.write_json(state.folder(data_dir) / FILE, found)
    return holds


class Board:
    """What holds in this process: `board.mode`, an attribute, for the hot path.

    The server's own word is that of this process, for each finds out by itself; the person's comes from the file,
    which is looked at when its time of change is another one.
    """

    def __init__(self, data_dir: Path, server: Mode = NORMAL) -> None:
        self.mode: Mode = NORMAL
        self.is_open = True
        self.server = server
        self._person = NORMAL
        self._file = data_dir / state.FOLDER / FILE
        self._data_dir = data_dir
        self._changed: tuple[int, int] | None = None
        self.look()

    def look(self) -> Mode:
        """Costs a stat, unless the file changed."""
        try:
            found = self._file.stat()
            changed = found.st_mtime_ns, found.st_ino
        except OSError:
            changed = None
        if changed != self._changed:
            self._person, self._changed = _both(self._data_dir)[0], changed
        self.mode = stricter(self._person, self.server)
        self.is_open = self.mode.is_normal
        return self.mode

    @property
    def name(self) -> Name:
        return self.mode.name

    @property
    def words(self) -> str:
        """For people who come: what is, what was said about it, and what is known."""
        return " ".join(filter(None, [_WORDS[self.mode.name], self.mode.message, incident(self._data_dir)]))

    def found(self, name: Name, reason: str = "", message: str = "") -> Mode:
        """What the server itself finds; returns what holds."""
        if (name, reason) != (self.server.name, self.server.reason):
            since = self.server.since if name == self.server.name else time.time()
            self.server = Mode(name, since, message, reason)
        return self.look()


def incident(data_dir: Path) -> str:
    """The newest word on what is known to be wrong; empty when nothing is (ops/incidents.py writes it)."""
    try:
        kept = state.read_json(data_dir / state.FOLDER / "incidents.json")
        for one in reversed(kept["incidents"] if isinstance(kept, dict) else []):
            last = one["updates"][-1]
            if not one.get("draft") and last["status"] in _NOW:
                return f"{one['title']}: {last['says']}"
    except (OSError, KeyError, IndexError, TypeError):
        return ""
    return ""


def _both(data_dir: Path) -> tuple[Mode, Mode]:
    try:
        found = state.read_json(data_dir / state.FOLDER / FILE)
    except OSError:  # not to be read: nobody said anything that we know of
        found = None
    kept = found if isinstance(found, dict) else {}
    return _mode(kept.get("person"), "person"), _mode(kept.get("server"), "server")


def _mode(found: Any, by: By) -> Mode:
    """A note that is damaged says nothing."""
    if not isinstance(found, dict) or found.get("name") not in NAMES:
        return Mode(by=by)
    since = found.get("since")
    return Mode(
        found["name"],
        float(since) if isinstance(since, int | float) else 0.0,
        str(found.get("message") or ""),
        str(found.get("reason") or ""),
        by,
    )


@contextmanager
def _alone(data_dir: Path) -> Iterator[None]:
    with (state.folder(data_dir) / "mode.lock").open("a", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
