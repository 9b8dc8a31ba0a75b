"""`connectme db plan|rehearse|upgrade|rollback`: changes of the database, with a way back."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime

import click

from connectme import logging, schema
from connectme.cli.common import Context, as_json, confirm, emit, example, fail, passes, table, yes_option
from connectme.cli.database import place_of
from connectme.lock import alone, changing
from connectme.settings import Settings
from ops.change import plan, progress, rehearsal, rollback, snapshots, upgrade
from ops.change.place import NotChanged, Place


@contextmanager
def said() -> Iterator[None]:
    """What was not done, in a line."""
    try:
        yield
    except NotChanged as error:
        raise fail(str(error)) from error


def _begun(context: Context) -> tuple[Settings, Place]:
    settings = context.settings()
    logging.set_up(settings, "command", least="warning")
    return settings, place_of(settings)


@click.command("plan", epilog=example("connectme db plan", "connectme db plan --json"))
@as_json
@passes
def plan_command(context: Context, *, as_json: bool) -> None:
    """What an upgrade would do: each migration, what it locks, how long it takes, the way back."""
    settings, place = _begun(context)
    found = schema.look(settings)
    with said():
        steps = [] if found.state == "empty" else plan.make(place, rehearsal.durations(place.data_dir))
    facts = {"found": found.found, "newest": found.newest, "migrations": [asdict(step) for step in steps]}
    emit(facts, "\n\n".join(map(_told, steps)) or "there is nothing to do", as_json)


def _told(step: plan.Step) -> str:
    rows = ", ".join(f"{name} (about {rows:,} rows)" for name, rows in step.rows.items()) or "no table that exists"
    took = "not rehearsed yet" if step.seconds is None else f"{step.seconds:.1f} s in the last rehearsal"
    return "\n".join(
        [
            f"{step.number} {step.name}",
            f"  why      {step.why}",
            f"  locks    {step.locks}",
            f"  touches  {rows}",
            f"  pause    {'none' if step.online else 'while it runs'}; {took}",
            f"  back     {step.back if step.reversible else 'by the snapshot alone'}",
        ]
    )


@click.command(epilog=example("connectme db rehearse", "connectme db rehearse --scratch postgresql://u@h/scratch"))
@click.option("--scratch", metavar="URL", help="An empty PostgreSQL, where the role may not make one.")
@as_json
@passes
def rehearse(context: Context, scratch: str | None, *, as_json: bool) -> None:
    """Try the upgrade on a copy: timed and checked.  The server may run.  Exit status 1: it would fail."""
    settings, place = _begun(context)
    schema.look(settings)
    with said():
        record = rehearsal.rehearse(place, datetime.now(UTC), scratch)
    lines = [
        (
            f"{'passed' if record.passed else 'FAILED'}: {record.start} to {record.to} in {record.seconds:.1f} s,"
            f" {record.copy_seconds:.1f} s of them for the copy; {record.bytes:,} bytes, then {record.bytes_after:,}"
        ),
        *(f"  {number}  {seconds:.2f} s" for number, seconds in record.migrations.items()),
        *(f"  {finding}" for finding in record.findings),
    ]
    emit(asdict(record), "\n".join(lines), as_json)
    if not record.passed:
        raise fail("the rehearsal failed; do not upgrade")


@click.command("upgrade", epilog=example("connectme db upgrade", "connectme db upgrade --if-needed"))
@click.option("--if-needed", is_flag=True, help="Say nothing when there is nothing to do.")
@click.option("--without-rehearsal", is_flag=True, help="Do not try it on a copy first.")
@click.option("--take-over", is_flag=True, help="The machine that began a change is gone for good: end it here.")
@as_json
@passes
def upgrade_command(
    context: Context, *, if_needed: bool, without_rehearsal: bool, take_over: bool, as_json: bool
) -> None:
    """Bring the database to the newest migration, with a snapshot; back by itself when it is no good.

    The old version of the server must be stopped; the new one may run, answers meanwhile, and opens afterwards.
    Interrupted, it goes on when it is called again.
    """
    settings, place = _begun(context)
    if take_over:
        schema.look(settings, marked=True)
        with said(), changing(settings):
            upgrade.take_over(place)
    found = schema.look(settings)
    if found.state == "current" and progress.unfinished(place.data_dir) is None:
        if if_needed and not as_json:
            return
        done, after = upgrade.Done(found.found, found.newest, 0, None), found
    else:
        with said(), changing(settings):
            done = upgrade.upgrade(place, rehearsed=not without_rehearsal)
        after = schema.look(settings)
    facts = {"from": done.start, "found": after.found, "newest": after.newest, "state": after.state}
    hint = f"; the snapshot {done.snapshot} is the way back: connectme db rollback" if done.snapshot else ""
    emit({**facts, "snapshot": done.snapshot}, f"the database is at migration {after.found}{hint}", as_json)


@click.command("rollback", epilog=example("connectme db rollback", "connectme db rollback --to NAME --yes"))
@click.option("--to", "name", metavar="NAME", help="The snapshot; by default the newest.")
@click.option("--list", "listed", is_flag=True, help="Show the snapshots, change nothing.")
@yes_option
@as_json
@passes
def rollback_command(context: Context, name: str | None, *, listed: bool, yes: bool, as_json: bool) -> None:
    """Bring back the database as it was before the last upgrade.  The server must be stopped.

    What other servers sent since then is handled again; what was made here since is lost, and is counted first.
    """
    settings, place = _begun(context)
    if listed:
        there = snapshots.found(place)
        shown = table([(one.name, one.at, one.schema, one.bytes) for one in there], "NAME", "AT", "MIGRATION", "BYTES")
        emit([asdict(one) for one in there], shown, as_json)
        return
    with said(), alone(settings), changing(settings):
        snapshot = rollback.choose(place, name)
        lost = rollback.loss(place, snapshot)
        if not yes:
            click.echo(_warning(snapshot.name, lost), err=True)
            confirm("Go back?", yes)
            _want_a_person()
        replaced, again = rollback.back(place, snapshot)
    facts = {"snapshot": snapshot.name, "schema": snapshot.schema, "replaced": replaced, **asdict(lost), "again": again}
    emit(facts, f"the database is as it was at {snapshot.at}; what it replaced is {replaced}", as_json)


def _want_a_person() -> None:
    """A script has to say --yes: nobody read the warning."""
    if not sys.stdin.isatty():
        raise fail("nothing was changed; say --yes to go back all the same")


def _warning(name: str, lost: rollback.Loss) -> str:
    made = "what was made here since then cannot be counted, for the database does not answer"
    if lost.posts is not None:
        made = f"{lost.posts} posts and {lost.accounts} accounts of people here"
    missing = "" if lost.complete else "; not all that came since then was kept, some of it is lost"
    return (
        f"going back to {name} loses: {made}, and uploads, likes, follows, edits, deletions and settings made since."
        f" {lost.replayed} messages of other servers are handled again{missing}."
    )
