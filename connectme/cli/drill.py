"""`connectme drill …`: the newest backup, started and tried."""

from datetime import UTC, datetime

import click

from connectme import backups, logging, schema
from connectme.cli.common import Context, as_json, emit, example, fail, passes, table
from ops import drill as drills
from ops.backup import records


@click.group()
def drill() -> None:
    """The newest backup, started and tried."""


@drill.command(epilog=example("connectme drill run", "connectme drill run --json"))
@as_json
@passes
def run(context: Context, *, as_json: bool) -> None:
    """Restore the newest backup into scratch, start it with no way out, and measure.  Exit status 1 when it fails."""
    settings = context.settings()
    logging.set_up(settings, "command", least="warning")
    with backups.alone(settings):
        place, scratch = backups.place_of(settings), backups.scratch_of(settings)
        report = drills.run(place, settings.data_dir, scratch, schema.newest(), datetime.now(UTC))
    says = (
        f"{report['backup']} serves {report['rto_seconds']} s after its restore began (RTO);"
        f" what came in the last {report['rpo_seconds']} s is not in it (RPO)"
    )
    if report["ok"] or as_json:
        emit(report, says, as_json)
    if not report["ok"]:
        raise fail(report["says"])


@drill.command("list", epilog=example("connectme drill list"))
@as_json
@passes
def list_(context: Context, *, as_json: bool) -> None:
    """The drills that were, the newest last."""
    found = records.drills(context.settings().data_dir)
    cells = [(d["at"], d["backup"], "ok" if d["ok"] else "failed", d["rto_seconds"], d["rpo_seconds"], d["says"])
             for d in found]  # fmt: skip
    emit(found, lambda: table(cells, "AT", "BACKUP", "RESULT", "RTO S", "RPO S", "SAYS"), as_json)
