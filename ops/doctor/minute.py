"""The checks that are made at every start and, by the supervisor, each minute: they cost some milliseconds.  Light."""

from datetime import UTC, datetime
from typing import Final

from ops import findings
from ops.doctor import embedded, locks, places, records
from ops.doctor.case import Case, Settings, run
from ops.findings import Finding

CHECKS: Final = (*places.CHECKS, *embedded.CHECKS, *locks.CHECKS, *records.CHECKS)


def look(settings: Settings, newest: str, now: datetime | None = None) -> list[Finding]:
    """newest: the number of the newest migration that this code knows (connectme.schema.newest())."""
    return run(CHECKS, Case(settings, newest, now or datetime.now(UTC)))


def look_and_keep(settings: Settings, newest: str, now: datetime | None = None) -> list[Finding]:
    """The same, kept in state/findings.json.  Raises: OSError, when that cannot be written."""
    now = now or datetime.now(UTC)
    found = look(settings, newest, now)
    if settings.data_dir.is_dir():
        findings.keep(settings.data_dir, found, now)
    return found
