"""What other parts of operations wrote down: changes, backups, drills, integrity; and the spool.  Light.

A note that is missing says that the thing was never done; one in another form is passed over.
"""

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from ops import state
from ops.change import progress
from ops.doctor.case import Case, age
from ops.doctor.embedded import opened
from ops.doctor.words import ill, well
from ops.findings import Finding, Severity
from ops.watch import looks, samples

DAILY: Final = timedelta(days=1)  # a backup, where somebody else has to make it …
WEEKLY: Final = timedelta(days=7)  # … and a drill
HOURS_LATE: Final = timedelta(hours=2)  # of a backup, after it was due
LATE: Final = timedelta(days=1)  # of a drill, of a check of the data
FILLS: Final = 24.0, 3.0  # hours until the disk is full: soon, very soon
RECENT: Final = 900.0  # seconds: samples that end before tell nothing of now
WAITS: Final = timedelta(minutes=5)  # in the spool
MANY: Final = 1_000  # messages at rest
TOLD: Final = timedelta(days=1)  # that a repair did not get all
_SPOOL: Final = "SELECT count(*), min(received) FROM spooled WHERE id > 0"
_RESTING: Final = "SELECT count(*) FROM spooled WHERE id < 0"


def change(case: Case) -> Iterator[Finding]:
    if found := progress.unfinished(case.settings.data_dir):
        step = f"{found.step} of {found.of}"
        yield ill("schema.change", "error", str(dict(found.facts)), since=found.since, step=step)


def backups(case: Case) -> Iterator[Finding]:
    newest = looks.newest_backup(_folder(case), case.now)
    since = newest or _began(case)
    if since is None:
        return  # a server that never ran has nothing to lose
    old = case.now - since
    evidence = f"the newest is of {since:%Y-%m-%d %H:%M} UTC" if newest else "none was ever made"
    every = timedelta(hours=case.settings.backup_every_hours)
    if old > (every or DAILY) + HOURS_LATE:
        words = age(old.total_seconds()) if newest else "not there, and the server"
        yield ill("backup.age", _by(every), evidence, age=words)
    else:
        yield well("backup.age", evidence)


def drills(case: Case) -> Iterator[Finding]:
    last = looks.last_drill(_folder(case))
    when = looks.moment(last) if last else None
    if last and when and not looks.is_good(last):
        why = str(last.get("says") or "see `connectme drill list`")
        yield ill("drill.last", "error", f"{when:%Y-%m-%d %H:%M} UTC: {why}", why=why)
    proved = [at for one in _drills(case) if looks.is_good(one) and (at := looks.moment(one)) and at <= case.now]
    since = max(proved) if proved else _began(case)
    if since is None:
        return
    old = case.now - since
    evidence = f"the last that worked was on {since:%Y-%m-%d}" if proved else "none ever worked"
    every = timedelta(days=case.settings.drill_every_days)
    if old > (every or WEEKLY) + LATE:
        yield ill("drill.age", _by(every), evidence, age=age(old.total_seconds()))
    else:
        yield well("drill.age", evidence)


def integrity(case: Case) -> Iterator[Finding]:
    last, every = looks.last_check(_folder(case)), timedelta(days=case.settings.check_every_days)
    since = last.at if last else _began(case)
    if every and since and case.now - since > every + LATE:
        evidence = f"the last was on {since:%Y-%m-%d}" if last else "none was ever made"
        yield ill("integrity.age", "warning", evidence, age=age((case.now - since).total_seconds()))
    if last is None:
        return
    when = last.at.isoformat()[:16]
    if last.faults:
        evidence = "; ".join(f"{one.get('id')}: {one.get('says')}" for one in last.faults[:5])
        yield ill("integrity.last", "warning", evidence, when=when, number=len(last.faults))
    else:
        yield well("integrity.last", when)


def filling(case: Case) -> Iterator[Finding]:
    """By the estimate that the alert disk-filling goes by, of the disk with DATA_DIR."""
    now = case.now.timestamp()
    past = looks.free_bytes(samples.read(_folder(case) / samples.FILE, samples.COARSE, now - looks.TREND))
    hours = looks.hours_until_full(past)
    if hours is None or now - past[-1][0] > RECENT:
        return
    span = age(past[-1][0] - past[0][0])
    if hours < FILLS[0]:
        severity: Severity = "error" if hours < FILLS[1] else "warning"
        evidence = f"full in about {hours:.0f} hours at the rate of the last {span}"
        yield ill("disk.filling", severity, evidence, hours=f"{hours:.0f}", folder=case.settings.data_dir)
    else:
        yield well(
            "disk.filling",
            f"it does not fill at the rate of the last {span}"
            if hours > 24 * 365
            else f"full in about {age(hours * 3600)} at the rate of the last {span}",
        )


def repair(case: Case) -> Iterator[Finding]:
    """The look back upon the last outage; when it is over, for a day what came of it."""
    found = _note(case, "repair.json")
    if not isinstance(found, dict):
        return
    says, reason = str(found.get("says")), str(found.get("reason"))
    ended = datetime.fromisoformat(found["finished_at"]) if found.get("finished_at") else None
    if ended is None:
        yield ill("repair.running", "notice", says, reason=reason)
    elif found.get("failed") and case.now - ended < TOLD:
        hosts = [f"{host}: {why}" for host, why in dict(found.get("troubles") or {}).items()]
        yield ill("repair.done", "notice", "; ".join([says, *hosts[:5]]), reason=reason, number=found["failed"])
    else:
        yield well("repair.done", says)


def spool(case: Case) -> Iterator[Finding]:
    file = case.settings.data_dir / "spool.db"
    if not file.exists() or not file.stat().st_size:
        return
    try:
        with opened(file) as connection:
            number, oldest = connection.execute(_SPOOL).fetchone()
            (resting,) = connection.execute(_RESTING).fetchone()
    except sqlite3.Error as error:
        yield ill("spool.reads", "error", f"{file}: {error}", file=file)
        return
    yield well("spool.reads", str(file))
    waits = case.now - datetime.fromtimestamp(oldest / 1_000_000, UTC) if oldest else timedelta()
    if waits > WAITS:
        long = age(waits.total_seconds())
        yield ill("queue.spool", "warning", f"{number} messages, {long}", number=number, age=long)
    else:
        yield well("queue.spool", f"{number} messages wait")
    if resting > MANY:
        yield ill("queue.resting", "notice", str(file), number=resting, file=file)


def _by(every: timedelta) -> Severity:
    """Who does it?  Where the server does not, others may, and it is told for them to know."""
    return "warning" if every else "notice"


def _folder(case: Case) -> Path:
    return case.settings.data_dir / state.FOLDER


def _note(case: Case, name: str) -> Any:
    return state.read_json(_folder(case) / name)


def _drills(case: Case) -> list[dict[str, Any]]:
    return looks.entries(_note(case, "drills.json"))


def _began(case: Case) -> datetime | None:
    """Since when there is something to lose: the data folder knows its database."""
    file = _folder(case) / "identity.json"
    return datetime.fromtimestamp(file.stat().st_mtime, UTC) if file.exists() else None


CHECKS: Final = (change, backups, drills, integrity, filling, repair, spool)
