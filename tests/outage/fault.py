"""What can be done wrongly to a database, as a list: who makes a fault says how it is told, and mended."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ops.findings import Finding

if TYPE_CHECKING:
    from tests.outage.scene import Scene

Engine = Literal["SQLite", "PostgreSQL"]


@dataclass(frozen=True, slots=True)
class Fault:
    """`make` begins with `scene.begins()`, from where seconds are counted; `mend` does what the finding's remedy says.

    told:    all of these tell of it: "refused" (the server does not start), a mode, "alert RULE", "status page",
             "doctor CHECK" (that the supervisor hears of)
    finding: the check of `connectme doctor` that names it; empty: nobody need ask, it is mended by the server itself
    shut:    nothing is taken meanwhile, not even for the spool
    loses:   what came between the last backup and the fault may be on pages that are gone
    disk_mb: the data folder is on a disk of its own, so large
    cannot:  why it cannot be made here; empty: it can
    """

    name: str
    engine: Engine
    make: "Callable[[Scene], Awaitable[None]]"
    told: tuple[str, ...]
    finding: str
    mend: "Callable[[Scene, Finding], Awaitable[None]]"
    shut: bool = False
    loses: bool = False
    disk_mb: int = 0
    cannot: Callable[[], str] = lambda: ""

    @property
    def id(self) -> str:
        return f"{self.engine.lower()}-{re.sub(r'[^a-z0-9]+', '-', self.name.lower()).strip('-')}"


def quoted(finding: Finding, begins: str) -> str:
    """The command that begins so, out of what the doctor says to do.  Raises: AssertionError."""
    commands: list[str] = re.findall(r"`([^`]+)`", finding.remedy)
    found = [one for one in commands if one.startswith(begins)]
    assert found, f"{finding.id} says nothing of {begins!r}: {finding.remedy}"
    return found[0]


def says(finding: Finding, *words: str) -> None:
    """Raises: AssertionError, when the doctor does not say to do this."""
    for word in words:
        assert word in finding.remedy, f"{finding.id} says nothing of {word!r}: {finding.remedy}"
