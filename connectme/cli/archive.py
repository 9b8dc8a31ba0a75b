"""`connectme export` and `connectme import`: all that one person has here, taken along or brought along."""

from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import click

from connectme.archive.bringing import Bringer, Came
from connectme.archive.reading import read
from connectme.archive.writing import Writer, Written
from connectme.cli.common import Context, as_json, emit, example, fail, passes
from connectme.cli.database import origin_of, with_database
from connectme.media.stores import open_store
from connectme.media.workshop import Workshop
from social import accounts, imports
from store.database import Database


@click.command(epilog=example("connectme export alice alice.zip"))
@click.argument("account")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@as_json
@passes
def export(context: Context, account: str, file: Path, *, as_json: bool) -> None:
    """Write all that ACCOUNT has here into a new FILE, a ZIP.

    In the form of Mastodon's archives: profile, posts with their files, boosts, likes; and as tables (CSV) whom one
    follows, mutes and blocks, lists and bookmarks. Private posts are in it: give it to nobody else.
    """
    settings = context.settings()

    async def work(db: Database) -> Written:
        found = await db.read(accounts.local, account)
        return await Writer(db, origin_of(settings), open_store(settings), found).write(file)

    made = with_database(settings, work)
    lost = f"; {made.lost} files are not where they should be: `connectme media check`" if made.lost else ""
    says = f"{file}: {made.posts} posts and boosts, {made.files} files, {made.bytes / (1 << 20):.1f} MB{lost}"
    emit({"file": str(file), **asdict(made)}, says, as_json)


@click.command("import", epilog=example("connectme import alice archive-from-mastodon.zip"))
@click.argument("account")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--dry-run", is_flag=True, help="Only say what is in it.")
@as_json
@passes
def import_(context: Context, account: str, file: Path, *, dry_run: bool, as_json: bool) -> None:
    """Bring an archive (a ZIP, of Mastodon or of ConnectMe) into ACCOUNT.

    Posts keep their dates and their files, and nobody is told of them: they are on the profile, and in no feed. Answers
    to other people, boosts, polls and private mentions stay behind. Given again, it goes on where it was. Whom one
    follows and the like is done by the worker, afterwards.
    """
    settings, now = context.settings(), datetime.now(UTC)
    archive = read(file, now)

    async def work(db: Database) -> Came:
        found = await db.read(accounts.local, account)
        if found.is_gone or found.moved_to is not None:
            raise fail(f"{account} is suspended, deleted or moved away; nothing is brought there")
        if dry_run:
            read_in = partial(imports.read, origin=origin_of(settings), own=found.handle)
            return Came(rows={kind: len(read_in(table, kind)) for kind, table in archive.tables.items()})
        workshop = Workshop(settings.data_dir / "incoming", open_store(settings))
        try:
            return await Bringer(db, origin_of(settings), workshop, found).bring(file, archive, now)
        finally:
            await workshop.close()

    came = with_database(settings, work)
    if dry_run:
        says = [f"{len(archive.posts)} posts would come"]
    else:
        says = [f"{came.posts} posts came, with {came.files} files; {came.here} were here already"]
    if came.lost:
        says.append(f"{came.lost} files are not in the archive, or are none that this server takes")
    says += [f"left out: {number} {why}" for why, number in archive.left_out.most_common()]
    says += [
        f"{kind}: {number} rows{'' if dry_run else ', done by the worker now'}" for kind, number in came.rows.items()
    ]
    facts = {**asdict(came), "in_archive": len(archive.posts), "left_out": dict(archive.left_out)}
    emit(facts, "\n".join(says), as_json)
