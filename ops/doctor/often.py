"""The checks that are made at every start and, by the supervisor, every twenty seconds: they cost some milliseconds.

Light.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

from ops import findings
from ops.doctor import embedded, locks, places, records
from ops.doctor.case import Case, Settings, run
from ops.findings import Finding

CHECKS: Final = (*places.CHECKS, *embedded.CHECKS, *locks.CHECKS, *records.CHECKS)


SERVED: Final = "postgresql.json"  # what a server process found (connectme/examining.py), for want of a driver here
FRESH: Final = timedelta(minutes=3)


def look(settings: Settings, newest: str, now: datetime | None = None) -> list[Finding]:
    """newest: the number of the newest migration that this code knows (connectme.schema.newest())."""
    case = Case(settings, newest, now or datetime.now(UTC))
    return [*run(CHECKS, case), *_served(case)]


def look_and_keep(settings: Settings, newest: str, now: datetime | None = None) -> list[Finding]:
    """The same, kept in state/findings.json.  Raises: OSError, when that cannot be written."""
    now = now or datetime.now(UTC)
    found = look(settings, newest, now)
    if settings.data_dir.is_dir():
        findings.keep(settings.data_dir, found, now)
    return found


def _served(case: Case) -> tuple[Finding, ...]:
    """Nothing when it is old: then no server runs, or none can reach the database, and others say so."""
    if case.settings.sqlite_file is not None:
        return ()
    kept = findings.kept(case.settings.data_dir, SERVED)
    return kept.findings if kept is not None and case.now - kept.at < FRESH else ()
