"""The whole check, one piece after the other; what it found is kept in state/integrity.json."""

import asyncio
from collections import Counter
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Text, bindparam, select
from sqlalchemy.exc import DatabaseError

from ops import damage, state
from ops.doctor import content
from ops.findings import Finding, Severity
from ops.integrity import counts, rows
from store.database import Database
from store.tables import account_keys

FILE: Final = "integrity.json"
PAUSE: Final = 0.001  # seconds between two pieces, for others
AMCHECK: Final = (
    "SELECT count(*) FROM pg_proc WHERE proname = 'bt_index_check' AND has_function_privilege(oid, 'execute')"
)
BTREES: Final = (
    "SELECT c.relname, bt_index_check(c.oid)::text FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
    " JOIN pg_am a ON a.oid = c.relam AND a.amname = 'btree'"
    " WHERE i.indisvalid AND c.relnamespace = current_schema()::text::regnamespace"
)
_KEYS = (
    select(account_keys.c.id, account_keys.c.private, account_keys.c.public)
    .where(account_keys.c.private.is_not(None), account_keys.c.id > bindparam("after", type_=Text))
    .order_by(account_keys.c.id)
    .limit(100)
)
REPAIR: Final = "`connectme db check --repair`"
RESTORE: Final = (
    "keep a copy, then restore: `connectme backup list`, `connectme backup restore` (docs/admin/restore.md)"
)


@dataclass(slots=True)
class Report:
    at: datetime
    findings: list[Finding] = field(default_factory=list)
    repaired: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0  # that it took

    def add(self, name: str, severity: Severity, says: str, evidence: str = "", remedy: str = "") -> None:
        self.findings.append(Finding(name, severity, says, evidence, remedy, fixable=remedy == REPAIR))

    @property
    def faults(self) -> list[Finding]:
        return [one for one in self.findings if one.severity in ("error", "warning")]

    def facts(self) -> dict[str, Any]:
        return {
            "at": self.at.isoformat(),
            "seconds": self.seconds,
            "findings": [asdict(one) for one in self.findings],
            "repaired": self.repaired,
        }


async def check(db: Database, now: datetime, *, repair: bool = False) -> Report:
    """repair: what can be repaired without loss; all else is told."""
    report = Report(now)
    trouble = await db.read(engine)
    if trouble:
        report.add("integrity.engine", "error", "the database itself is damaged", "; ".join(trouble), RESTORE)
        return report  # what else it says is not to be believed
    report.add("integrity.engine", "ok", "the engine finds no damage")
    await _orphans(db, report)
    await _twice(db, report)
    await _counts(db, report, repair=repair)
    await _targets(db, report, repair=repair)
    await _keys(db, report)
    if lost := await db.read(rows.lost, now):
        report.add("integrity.parents", "notice", f"{lost} comments wait for a parent that did not come for a month")
    return report


def keep(data_dir: Path, report: Report) -> None:
    """Damage that was met before and is not there any more is forgotten.  Raises: OSError."""
    if any(one.id == "integrity.engine" and one.severity == "ok" for one in report.findings):
        damage.forget(data_dir)
    state.write_json(state.folder(data_dir) / FILE, report.facts())


def engine(tx: Connection) -> list[str]:
    """What the engine finds wrong in its own pages.  On PostgreSQL with the extension amcheck, where it is there."""
    if tx.dialect.name == "sqlite":
        try:
            found = [str(row[0]) for row in tx.exec_driver_sql("PRAGMA integrity_check(20)")]
        except DatabaseError as error:
            return [str(error.orig)]
        return [] if found == ["ok"] else found
    if not tx.exec_driver_sql(AMCHECK).scalar_one():
        return []
    try:
        with tx.begin_nested():
            tx.exec_driver_sql(BTREES).all()
    except DatabaseError as error:  # what amcheck raises is what it found
        return [str(error.orig).splitlines()[0]]
    return []


async def _orphans(db: Database, report: Report) -> None:
    found = []
    for number in range(len(rows.KEYS)):
        if one := await db.read(rows.orphans, number):
            found.append(one)
        await asyncio.sleep(PAUSE)
    if not found:
        report.add("integrity.foreign_keys", "ok", "every row points at one that is there")
    for one in found:
        says = f"{one.number} rows of {one.table} name a {one.parent} that is not there"
        report.add("integrity.foreign_keys", "error", says, f"{one.table}: {one.columns}", RESTORE)


async def _twice(db: Database, report: Report) -> None:
    found = await db.read(rows.twice)
    if found:
        report.add("integrity.unique", "error", f"{len(found)} names are there twice", ", ".join(found[:10]), RESTORE)
    else:
        report.add("integrity.unique", "ok", "names and addresses are there once, whatever their case")


async def _counts(db: Database, report: Report, *, repair: bool) -> None:
    wrong: Counter[str] = Counter()
    for table in ("account", "post"):
        last: int | None = -1
        while last is not None:
            found = await db.read(counts.look, table, last)
            wrong.update({title: len(ids) for title, ids in found.wrong.items()})
            if repair and found.wrong:
                done = await db.write(counts.repair, found.wrong)
                report.repaired["integrity.counts"] = report.repaired.get("integrity.counts", 0) + done
            last = found.last
            await asyncio.sleep(PAUSE)
    if not wrong:
        report.add("integrity.counts", "ok", "all counters are right")
    for title, number in wrong.items():
        if not repair:
            report.add("integrity.counts", "warning", f"{number} counters are wrong: {title}", title, REPAIR)


async def _targets(db: Database, report: Report, *, repair: bool) -> None:
    number = await db.read(rows.without_target)
    if number and repair:
        report.repaired["integrity.deliveries"] = await db.write(rows.forget_without_target)
    elif number:
        report.add("integrity.deliveries", "warning", f"{number} deliveries have no target", "delivery", REPAIR)
    else:
        report.add("integrity.deliveries", "ok", "every delivery has a target")


async def _keys(db: Database, report: Report) -> None:
    after, bad = "", []
    while found := await db.read(_some_keys, after):
        bad += [f"{key}: {says}" for key, private, public in found if (says := content.trouble_of(private, public))]
        after = found[-1][0]
        await asyncio.sleep(PAUSE)
    if bad:
        report.add("integrity.keys", "error", f"{len(bad)} keys cannot be used", "; ".join(bad[:10]), RESTORE)
    else:
        report.add("integrity.keys", "ok", "all keys of our people can be used")


def _some_keys(tx: Connection, after: str) -> list[tuple[str, str, str]]:
    found = tx.execute(_KEYS, {"after": after})
    return [(row.id, row.private or "", row.public) for row in found]
