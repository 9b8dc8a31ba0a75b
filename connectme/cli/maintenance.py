"""`connectme maintenance …`: how much of the server is open.  Works while the server runs, and while it does not."""

import time
from dataclasses import asdict
from datetime import UTC, datetime

import click

from connectme.cli.common import Context, as_json, emit, example, fail, passes
from ops import modes
from ops.modes import Mode, Name

message_option = click.option("--message", default="", metavar="TEXT", help="What people read who come meanwhile.")


@click.group()
def maintenance() -> None:
    """How much of the server is open.

    A running server notices within a second.  Messages of other servers are taken and kept in each mode.
    """


@maintenance.command(epilog=example('connectme maintenance on --message "Back at 14:00 UTC."'))
@message_option
@passes
def on(context: Context, message: str) -> None:
    """Close it: pages and programs are told when to come back, workers rest."""
    _say(context, "maintenance", message)


@maintenance.command("read-only", epilog=example('connectme maintenance read-only --message "Moving house."'))
@message_option
@passes
def read_only(context: Context, message: str) -> None:
    """Reading goes on; nothing is changed."""
    _say(context, "read-only", message)


@maintenance.command(epilog=example("connectme maintenance off"))
@passes
def off(context: Context) -> None:
    """Open it again.  What the server itself closed (a full disk, no database) stays closed until that is mended."""
    _say(context, "normal", "")


@maintenance.command(epilog=example("connectme maintenance status --json"))
@as_json
@passes
def status(context: Context, *, as_json: bool) -> None:
    """Which mode holds, since when, and why."""
    mode = modes.read(context.settings().data_dir)
    emit(asdict(mode), lambda: _line(mode), as_json)


def _say(context: Context, name: Name, message: str) -> None:
    data_dir = context.settings().data_dir
    try:
        holds = modes.say(data_dir, Mode(name, time.time(), message, by="person"))
    except OSError as error:
        raise fail(
            f"{data_dir / 'state'} cannot be written ({error.strerror}); correct its rights, or make room"
        ) from error
    click.echo(_line(holds))


def _line(mode: Mode) -> str:
    if mode.is_normal:
        return "normal: everything is open"
    since = f" since {datetime.fromtimestamp(mode.since, UTC):%Y-%m-%d %H:%M:%S} UTC" if mode.since else ""
    words = "; ".join(filter(None, [mode.reason, mode.message]))
    return f"{mode.name}{since}, by {'a person' if mode.by == 'person' else 'the server itself'}" + (
        f": {words}" if words else ""
    )
