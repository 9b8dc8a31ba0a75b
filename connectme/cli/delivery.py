"""`connectme delivery …`: what waits to be delivered to other servers."""

from datetime import UTC, datetime

import click
from sqlalchemy import Connection

from connectme.cli.common import Context, as_json, confirm, emit, example, passes, table, yes_option
from connectme.cli.database import with_database
from ops.backup import swap
from outbox import queue

host_option = click.option("--host", metavar="H", help="Only the mail of that server, like far.example.")


@click.group()
def delivery() -> None:
    """What waits to be delivered."""


@delivery.command(epilog=example("connectme delivery stats", "connectme delivery stats --json"))
@as_json
@passes
def stats(context: Context, *, as_json: bool) -> None:
    """How much waits, for how many servers, since when."""
    settings = context.settings()
    found = with_database(settings, lambda db: db.read(queue.totals))
    facts = {
        "waiting": found.waiting,
        "hosts": found.hosts,
        "failing_hosts": found.failing_hosts,
        "oldest": _moment(found.oldest),
        "held_since": (swap.held(settings.data_dir) or {}).get("since"),
    }
    lines = [f"{name.replace('_', ' '):<14} {'-' if value is None else value}" for name, value in facts.items()]
    emit(facts, "\n".join(lines), as_json)


@delivery.command("list", epilog=example("connectme delivery list", "connectme delivery list --host far.example"))
@host_option
@as_json
@passes
def list_(context: Context, host: str | None, *, as_json: bool) -> None:
    """The servers with mail or that were silent, the fullest first."""
    rows = with_database(context.settings(), lambda db: db.read(_stats, host))
    facts = [
        {
            "host": row.host,
            "waiting": row.waiting,
            "failures": row.failures,
            "due": _moment(row.due),
            "last_error": row.last_error,
        }
        for row in rows
    ]
    cells = [tuple(fact.values()) for fact in facts]
    emit(facts, lambda: table(cells, "HOST", "WAITING", "FAILURES", "NEXT TRY", "LAST ERROR"), as_json)


@delivery.command(epilog=example("connectme delivery retry", "connectme delivery retry --host far.example"))
@host_option
@as_json
@passes
def retry(context: Context, host: str | None, *, as_json: bool) -> None:
    """Try what waits now, instead of after the wait."""
    count = with_database(context.settings(), lambda db: db.write(queue.retry, _host(host), datetime.now(UTC)))
    emit({"hosts": count}, f"{count} servers are tried now", as_json)


@delivery.command(epilog=example("connectme delivery drop --host far.example --yes"))
@host_option
@yes_option
@as_json
@passes
def drop(context: Context, host: str | None, *, yes: bool, as_json: bool) -> None:
    """Forget what waits."""
    confirm(f"What waits for {host or 'all servers'} is then never delivered. Go on?", yes)
    count = with_database(context.settings(), lambda db: db.write(queue.drop, _host(host)))
    emit({"dropped": count}, f"{count} deliveries dropped", as_json)


@delivery.command(epilog=example("connectme delivery release"))
@as_json
@passes
def release(context: Context, *, as_json: bool) -> None:
    """Deliver again what was held since a backup was restored."""
    done = swap.release(context.settings().data_dir)
    emit({"released": done}, "deliveries go on" if done else "deliveries are not held", as_json)


def _stats(tx: Connection, host: str | None) -> list[queue.HostQueue]:
    found = queue.queue_stats(tx)
    return found if host is None else [row for row in found if row.host == _host(host)]


def _host(name: str | None) -> str | None:
    return None if name is None else name.strip().lower()


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat(timespec="seconds")
