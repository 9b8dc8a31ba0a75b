"""What was seen, in a file of its own that is there when the database is not: DATA_DIR/state/samples.db.

A ring for each resolution: a new sample takes the place of the oldest, so the file never grows beyond its size.
Days count probes of each component, good ones and all, for the bars of the status page.
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

FILE: Final = "samples.db"
FINE: Final = 10  # seconds between samples …
COARSE: Final = 300  # … and between averages of them
DAY: Final = 86_400
PLACES: Final = {FINE: DAY // FINE, COARSE: 90 * DAY // COARSE, DAY: 100}

_MAKE = """CREATE TABLE IF NOT EXISTS ring (
    step INTEGER NOT NULL, slot INTEGER NOT NULL, at INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (step, slot)
) WITHOUT ROWID"""
_PUT = "INSERT OR REPLACE INTO ring (step, slot, at, body) VALUES (?, ?, ?, ?)"
_SINCE = "SELECT at, body FROM ring WHERE step = ? AND at >= ? ORDER BY at"
_LAST = "SELECT max(at) FROM ring WHERE step = ?"
_AT = "SELECT body FROM ring WHERE step = ? AND slot = ? AND at = ?"

Values = Mapping[str, float]
Sample = tuple[int, dict[str, float]]  # seconds since 1970


@dataclass(slots=True)
class _Sum:
    """Of the samples since `at`."""

    at: int
    totals: dict[str, float] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)

    def add(self, values: Values) -> None:
        for name, value in values.items():
            self.totals[name] = self.totals.get(name, 0.0) + value
            self.numbers[name] = self.numbers.get(name, 0) + 1

    def means(self) -> dict[str, float]:
        return {name: round(total / self.numbers[name], 4) for name, total in self.totals.items()}


class Samples:
    """Written by one process, the one that watches; read by `read`."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._link = self._opened()
        self._sum: _Sum | None = None

    def close(self) -> None:
        self._link.close()

    def add(self, at: float, values: Values) -> None:
        """Raises: sqlite3.Error."""
        moment = int(at)
        with self._link:
            self._put(FINE, moment, values)
            begin = moment - moment % COARSE
            if self._sum is None or self._sum.at != begin:
                self._sum = _Sum(begin)
            self._sum.add(values)
            self._put(COARSE, begin, self._sum.means())

    def count(self, at: float, good: Mapping[str, bool], probes: int = 1) -> None:
        """So many probes of each component, that came out well or not, belong to the day of `at`."""
        day = int(at) - int(at) % DAY
        with self._link:
            row = self._link.execute(_AT, (DAY, day // DAY % PLACES[DAY], day)).fetchone()
            values = json.loads(row[0]) if row else {}
            for name, fine in good.items():
                values[name] = values.get(name, 0) + (probes if fine else 0)
                values[f"{name}/all"] = values.get(f"{name}/all", 0) + probes
            self._put(DAY, day, values)

    def last(self) -> int | None:
        """The moment of the newest sample."""
        found: int | None = self._link.execute(_LAST, (FINE,)).fetchone()[0]
        return found

    def since(self, step: int, begin: float) -> list[Sample]:
        return _read(self._link, step, begin)

    def _put(self, step: int, at: int, values: Values) -> None:
        body = json.dumps(values, separators=(",", ":"))
        self._link.execute(_PUT, (step, at // step % PLACES[step], at, body))

    def _opened(self) -> sqlite3.Connection:
        """A file that is damaged is put aside: what it remembers is worth less than watching.

        Raises: sqlite3.Error, when nothing is wrong with it but that the disk is full, or it may not be written.
        """
        try:
            return self._made()
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
                raise
            self._file.replace(self._file.with_suffix(".damaged"))
            for more in ("-wal", "-shm"):
                self._file.with_name(self._file.name + more).unlink(missing_ok=True)
            return self._made()

    def _made(self) -> sqlite3.Connection:
        link = sqlite3.connect(self._file, timeout=2, check_same_thread=False)
        try:
            link.execute("PRAGMA journal_mode = WAL")
            link.execute("PRAGMA synchronous = NORMAL")
            link.execute("PRAGMA cache_size = -256")
            link.execute(_MAKE)
        except sqlite3.Error:
            link.close()
            raise
        return link


def read(file: Path, step: int, begin: float) -> list[Sample]:
    """What another process wrote; none while there is none, or it cannot be read."""
    try:
        with _reading(file) as link:
            return _read(link, step, begin) if link else []
    except sqlite3.Error:
        return []


@contextmanager
def _reading(file: Path) -> Iterator[sqlite3.Connection | None]:
    if not file.exists():
        yield None
        return
    with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=1)) as link:
        yield link


def _read(link: sqlite3.Connection, step: int, begin: float) -> list[Sample]:
    try:
        return [(at, json.loads(body)) for at, body in link.execute(_SINCE, (step, int(begin)))]
    except (sqlite3.Error, ValueError):
        return []
