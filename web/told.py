"""What whoever runs this server is told of its health, and tells its members.  connectme/keeper.py has it from the
files of operations, which are there without the database.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

Sample = tuple[int, Mapping[str, float]]  # seconds since 1970
Note = Mapping[str, Any]  # as a command wrote it down


@dataclass(frozen=True, slots=True)
class Step:
    status: str
    says: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Told:
    """An incident, or planned work."""

    id: str
    title: str
    impact: str  # none, minor, major, critical, maintenance
    components: tuple[str, ...]
    steps: tuple[Step, ...]  # the newest last
    draft: bool
    is_open: bool
    begins: datetime | None
    ends: datetime | None
    announced_as: int = 0  # the announcement that says the same to members; 0: there is none

    def is_ahead(self, now: datetime) -> bool:
        return self.begins is not None and now < self.begins

    @property
    def status(self) -> str:
        return self.steps[-1].status


@dataclass(frozen=True, slots=True)
class Notes:
    """findings: of `connectme doctor`.  alerts: (what it says, what to do, since when) of each that is open."""

    mode: str
    alerts: Sequence[tuple[str, str, datetime]]
    findings: Sequence[Note]
    found_at: datetime | None
    backups: Sequence[Note]
    drills: Sequence[Note]
    check: Note | None  # of the data; with `when` it was made, and the `faults` that it found


class Keeper(Protocol):
    """Each call reads or writes a file or two.  Raises: Invalid, for what cannot be said so."""

    def file(self, name: str) -> bytes | None:
        """Of the status page; None while there is none."""

    def banners(self, now: datetime) -> Sequence[Told]:
        """What stands on top of all pages."""

    def incidents(self) -> Sequence[Told]: ...

    def samples(self, begin: float) -> Sequence[Sample]: ...

    def notes(self) -> Notes: ...

    def components(self) -> Mapping[str, str]: ...

    def open(self, title: str, says: str, impact: str, components: Sequence[str], now: datetime) -> None: ...

    def plan(
        self, title: str, says: str, begins: datetime, ends: datetime, components: Sequence[str], now: datetime
    ) -> None: ...

    def update(self, incident_id: str, says: str, status: str, now: datetime) -> None: ...

    def resolve(self, incident_id: str, says: str, now: datetime) -> None: ...

    def forget(self, incident_id: str, now: datetime) -> None: ...
