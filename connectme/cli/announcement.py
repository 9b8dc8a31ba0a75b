"""`connectme announcement …`: what all members are told.  A running server shows it at once."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

import click

from connectme.bus import Bus
from connectme.cli.common import Context, as_json, emit, example, passes, table
from connectme.cli.database import origin_of, with_database
from connectme.settings import Settings
from social import announcements
from store.database import Database
from store.wires import open_wire

T = TypeVar("T")

_WHEN = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"])


@click.group()
def announcement() -> None:
    """What all members are told, until it ends or each has put it away."""


@announcement.command(
    epilog=example(
        'connectme announcement create "New rules from Monday on."',
        'connectme announcement create "We meet in Bern" --starts 2026-06-05 --ends 2026-06-07 --all-day',
    )
)
@click.argument("text")
@click.option("--starts", type=_WHEN, help="When what it tells about begins, in UTC.")
@click.option("--ends", type=_WHEN, help="When it is over, in UTC; then this is not shown any more.")
@click.option("--all-day", is_flag=True, help="Of both, the day alone counts.")
@as_json
@passes
def create(
    context: Context, text: str, starts: datetime | None, ends: datetime | None, *, all_day: bool, as_json: bool
) -> None:
    """Tell all members TEXT: links, #hashtags and :emoji: work."""
    settings, now = context.settings(), datetime.now(UTC)
    unit = partial(announcements.create, all_day=all_day)
    made = _told(settings, lambda db: db.write(unit, origin_of(settings), text, now, _utc(starts), _utc(ends)))
    emit({"id": str(made.id)}, f"{made.id}: told", as_json)


@announcement.command("list", epilog=example("connectme announcement list", "connectme announcement list --json"))
@as_json
@passes
def list_(context: Context, *, as_json: bool) -> None:
    """All announcements, those that ended too."""
    found = with_database(context.settings(), lambda db: db.read(announcements.all_of))
    facts = [
        {"id": str(it.id), "text": it.source, "starts": it.starts_at, "ends": it.ends_at, "all_day": it.all_day}
        for it in found
    ]
    rows = [(it.id, _day(it.starts_at), _day(it.ends_at), " ".join(it.source.split())[:60]) for it in found]
    emit(facts, lambda: table(rows, "ID", "STARTS", "ENDS", "TEXT"), as_json)


@announcement.command(epilog=example("connectme announcement delete 116610000000000000"))
@click.argument("number", metavar="ID", type=click.IntRange(1, (1 << 63) - 1))
@passes
def delete(context: Context, number: int) -> None:
    """Show it to nobody any more, and forget it."""
    _told(context.settings(), lambda db: db.write(announcements.remove, number))
    click.echo(f"{number}: deleted")


def _told(settings: Settings, f: Callable[[Database], Awaitable[T]]) -> T:
    """`f(db)`; what it announces reaches the streams of a running server."""

    async def run(db: Database) -> T:
        bus = Bus(open_wire(settings.database_url, settings.data_dir / "live"))
        db.listeners.append(bus.tell)
        try:
            return await f(db)
        finally:
            await bus.close()

    return with_database(settings, run)


def _utc(when: datetime | None) -> datetime | None:
    return None if when is None else when.replace(tzinfo=UTC)


def _day(when: datetime | None) -> str:
    return "" if when is None else f"{when:%Y-%m-%d %H:%M}"
