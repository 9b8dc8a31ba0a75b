"""`connectme db …`: at which migration the database is, and bringing it to the newest."""

import asyncio
import tempfile
import time
from datetime import UTC, datetime

import click

import migrations
from connectme import schema
from connectme.cli import change, move, salvage
from connectme.cli.common import Context, as_json, confirm, emit, example, fail, passes, yes_option
from connectme.cli.database import opened, with_database
from ops import belonging, identity
from ops.integrity import check as integrity
from store.database import Database

REMEDIES = {
    "empty": "it is empty; run `connectme db upgrade`",
    "behind": "it is from an older version; run `connectme db upgrade`",
}


@click.group()
def db() -> None:
    """The database and its migrations."""


@db.command(epilog=example("connectme db status", "connectme db status --json"))
@as_json
@passes
def status(context: Context, *, as_json: bool) -> None:
    """At which migration the database is.  Exit status 1 when that is not the newest."""
    settings = context.settings()
    found = schema.look(settings)
    facts = {"database": settings.shown("database_url"), **_facts(found)}
    emit(facts, "\n".join(f"{name:<9} {value or 'none'}" for name, value in facts.items()), as_json)
    if found.state in REMEDIES:
        raise fail(f"the database is not ready: {REMEDIES[found.state]}")


db.add_command(change.plan_command)
db.add_command(change.rehearse)
db.add_command(change.upgrade_command)
db.add_command(change.rollback_command)
db.add_command(move.move)
db.add_command(salvage.salvage)


@db.command(epilog=example("connectme db check", "connectme db check --repair --dry-run"))
@click.option("--repair", is_flag=True, help="Mend what can be mended without losing anything.")
@click.option("--dry-run", is_flag=True, help="With --repair: say only what would be mended.")
@as_json
@passes
def check(context: Context, *, repair: bool, dry_run: bool, as_json: bool) -> None:
    """Look whether what the database says is true, while the server runs.  Exit status 1 when something is not.

    Damage, rows that point at nothing, names that are there twice, counters, keys, deliveries.
    """
    settings = context.settings()

    async def examine(db: Database) -> integrity.Report:
        begun = time.monotonic()
        found = await integrity.check(db, datetime.now(UTC), repair=repair and not dry_run)
        found.seconds = round(time.monotonic() - begun, 1)
        integrity.keep(settings.data_dir, found)
        return found

    report = with_database(settings, examine)
    emit(report.facts(), lambda: _findings(report, mend=repair and dry_run), as_json)
    if report.faults:
        raise fail(f"{len(report.faults)} faults: {', '.join(sorted({one.id for one in report.faults}))}")


def _findings(report: integrity.Report, *, mend: bool) -> str:
    lines = [f"repaired {name}: {number} rows" for name, number in report.repaired.items()]
    for one in report.findings:
        lines.append(f"{one.severity:<8} {one.id}: {one.says}")
        lines += [f"         seen: {one.evidence}"] if one.evidence else []
        lines += ["         would be mended"] if mend and one.fixable else []
        lines += [f"         do:   {one.remedy}"] if one.remedy and not (mend and one.fixable) else []
    return "\n".join(lines)


@db.command(epilog=example("connectme db adopt", "connectme db adopt --yes --json"))
@yes_option
@as_json
@passes
def adopt(context: Context, *, yes: bool, as_json: bool) -> None:
    """Say that the database that is set now is the one of this data folder, whatever was here before.

    Writes a note in the data folder, nothing in the database.
    """
    settings = context.settings()
    before = belonging.recall(settings.data_dir)
    what = f"the database of {before.domain} (instance {before.instance[:8]})" if before else "no database"
    confirm(f"This data folder belongs to {what}. Shall it belong to {settings.shown('database_url')}?", yes)
    belonging.forget(settings.data_dir)
    if schema.look(settings).state == "current":
        asyncio.run(opened(settings, lambda db: identity.remember(db, settings.data_dir)))
    after = belonging.recall(settings.data_dir)
    facts = {"before": before and before.instance, "after": after and after.instance}
    emit(
        facts,
        f"the data folder belongs to {f'instance {after.instance[:8]}' if after else 'the next database'}",
        as_json,
    )


def _facts(found: schema.Schema) -> dict[str, str | None]:
    return {"found": found.found, "newest": found.newest, "state": found.state}


@db.command(hidden=True, epilog=example('make migration name="host last heard"'))
@click.argument("name")
def draft(name: str) -> None:
    """Write migrations/versions/NNNN_name.py from what store.tables has and the migrations have not."""
    if not name.strip():
        raise click.UsageError('say what it is for: make migration name="host last heard"')
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_draft(f"sqlite:///{folder}/scratch.db", name.strip()))


async def _draft(url: str, name: str) -> None:
    async with await Database.open(url) as scratch:
        await scratch.write(migrations.upgrade)
        await scratch.write(migrations.draft, name)
