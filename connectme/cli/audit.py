"""`connectme audit …`: what moderators did."""

from dataclasses import asdict

import click

from connectme.cli.common import Context, as_json, emit, example, passes, table
from connectme.cli.database import with_database
from social.moderation import audit as log


@click.group()
def audit() -> None:
    """What moderators did."""


@audit.command("list", epilog=example("connectme audit list", "connectme audit list --limit 1000 --json"))
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="How many, the last ones.")
@as_json
@passes
def list_(context: Context, limit: int, *, as_json: bool) -> None:
    """Who did what, to whom, when; the last first."""
    found = with_database(context.settings(), lambda db: db.read(log.newest, limit))
    facts = [{**asdict(one), "created_at": one.created_at.isoformat()} for one in found]
    rows = [
        (one.created_at.isoformat(" ", "seconds"), one.who, one.action, f"{one.kind} {one.subject}") for one in found
    ]
    emit(facts, lambda: table(rows, "WHEN", "WHO", "DID", "TO"), as_json)
