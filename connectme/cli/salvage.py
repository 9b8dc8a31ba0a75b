"""`connectme db salvage`: after a restore, what the damaged file still has.  docs/admin/restore.md."""

from datetime import UTC, datetime
from pathlib import Path

import click

from connectme import lock, logging
from connectme.cli.change import said
from connectme.cli.common import Context, as_json, emit, example, fail, passes
from connectme.cli.database import place_of, with_database
from connectme.settings import Settings
from ops.integrity import check as integrity
from ops.salvage import salvage as salvaging
from ops.salvage import words
from store.database import Database


@click.command("salvage", epilog=example(
    "connectme db salvage --from /var/lib/connectme/replaced-by-20261127T020000Z/connectme.db --dry-run"))  # fmt: skip
@click.option("--from", "damaged", metavar="FILE", required=True, type=click.Path(path_type=Path, dir_okay=False),
              help="The damaged file.  It is only read.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Say only what would be taken.")
@as_json
@passes
def salvage(context: Context, damaged: Path, *, dry_run: bool, as_json: bool) -> None:
    """Take what a damaged SQLite file still has into the database restored in its place.  The server must be stopped.

    Give it after `connectme backup swap` and before the server starts: then also what was changed or deleted since the
    backup is known.  Counters are counted anew, and all is checked.  A second time it finds nothing more.
    """
    settings = context.settings()
    logging.set_up(settings, "command", least="warning")
    with said(), lock.alone(settings):
        with_database(settings, _looks)  # it is the right one, and its tables are of this version
        done = salvaging.salvage(
            place_of(settings), damaged.absolute(), files=not settings.media_store, only_look=dry_run
        )
        report = None if dry_run else with_database(settings, lambda db: _checked(settings, db))
    facts = {**words.facts(done), "check": report.facts() if report else None}
    emit(facts, lambda: "\n".join(words.lines(done, only_look=dry_run)), as_json)
    if report and (wrong := [one for one in report.faults if one.severity == "error"]):
        raise fail(f"the check finds: {'; '.join(one.says for one in wrong)}; see `connectme db check`")


async def _looks(_db: Database) -> None: ...


async def _checked(settings: Settings, db: Database) -> integrity.Report:
    await integrity.check(db, datetime.now(UTC), repair=True)
    found = await integrity.check(db, datetime.now(UTC))
    integrity.keep(settings.data_dir, found)
    return found
