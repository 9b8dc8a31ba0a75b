"""`connectme repair`: what was said elsewhere while this server was away, asked for again."""

import re
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from connectme.cli.common import Context, as_json, emit, example, fail, passes
from connectme.cli.database import with_database
from social import repairs
from store.database import Database
from store.tables import Repair

_SPAN = re.compile(r"(\d{1,4})([hd])")


class Moment(click.ParamType[datetime]):
    name = "T"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        if span := _SPAN.fullmatch(value):
            return datetime.now(UTC) - timedelta(hours=int(span[1]) * (24 if span[2] == "d" else 1))
        try:
            found = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is neither a moment like 2026-11-26T20:00 nor a span like 12h or 3d", param, ctx)
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


@click.command(
    epilog=example("connectme repair", "connectme repair --since 12h", "connectme repair --since 2026-11-26")
)
@click.option("--since", type=Moment(), help="Ask for what was said since then: a moment in UTC, or a span (12h, 3d).")
@as_json
@passes
def repair(context: Context, since: datetime | None, *, as_json: bool) -> None:
    """How far the look back upon the last outage is; with --since, begin one by hand.

    The worker begins one by itself after an outage of ten minutes and after a restore. The outboxes of those whom
    people here follow are read, politely, and the liveliest conversations refreshed.
    """
    now = datetime.now(UTC)
    if since is not None and not now - repairs.OLDEST <= since < now:
        raise fail(f"--since is to be within the last {repairs.OLDEST.days} days")

    async def work(db: Database) -> Repair | None:
        if since is None:
            return await db.read(repairs.newest)
        return await db.write(repairs.begin, since, now, "asked for by hand", now)

    found = with_database(context.settings(), work)
    emit(asdict(found) if found else None, "nothing was ever asked for" if found is None else words(found), as_json)


def words(found: Repair) -> str:
    """A line for each thing; hosts that made trouble last."""
    state = f"done at {found.finished_at:%Y-%m-%d %H:%M} UTC" if found.finished_at else f"goes on ({found.stage})"
    lines = [
        f"{found.reason}: what was said from {found.begins:%Y-%m-%d %H:%M} to {found.ends:%Y-%m-%d %H:%M} UTC",
        f"{state}; {repairs.summary(found)}",
        *(f"  {host}: {why}" for host, why in sorted(found.troubles.items())),
    ]
    return "\n".join(lines)
