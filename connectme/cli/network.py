"""`connectme network …`: networks that admins block; also for one who shut himself out."""

import click

from connectme.cli.common import Context, as_json, emit, example, fail, passes, table
from connectme.cli.database import with_database
from social.moderation import places


@click.group()
def network() -> None:
    """Networks whose people may not sign up, wait, or get nothing here."""


@network.command("list", epilog=example("connectme network list", "connectme network list --json"))
@as_json
@passes
def list_(context: Context, *, as_json: bool) -> None:
    """All blocked networks."""
    found = with_database(context.settings(), lambda db: db.read(places.all_of))
    facts = [
        {"network": it.network, "severity": it.severity, "comment": it.comment, "expires": it.expires_at}
        for it in found
    ]
    rows = [(it.network, it.severity, it.expires_at.date() if it.expires_at else "", it.comment) for it in found]
    emit(facts, lambda: table(rows, "NETWORK", "SEVERITY", "UNTIL", "COMMENT"), as_json)


@network.command(epilog=example("connectme network unblock 192.0.2.0/24"))
@click.argument("name", metavar="NETWORK")
@passes
def unblock(context: Context, name: str) -> None:
    """Lift the block of exactly that network.  A running server heeds it within seconds."""
    if not with_database(context.settings(), lambda db: db.write(places.lift, name)):
        raise fail(f"there is no block on {name}; `connectme network list` shows those there are")
    click.echo(f"no block on {name} any more")
