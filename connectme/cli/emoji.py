"""`connectme emoji …`: pictures that members write as :names:."""

from datetime import UTC, datetime
from pathlib import Path

import click

from connectme.cli.common import Context, as_json, emit, example, fail, passes, table
from connectme.cli.database import with_database
from connectme.media.stores import open_store
from connectme.media.workshop import Workshop
from connectme.settings import Settings
from social import emojis
from social.errors import Invalid
from store.database import Database
from store.tables import CustomEmoji


@click.group()
def emoji() -> None:
    """Pictures of this server that its members write as :names:."""


@emoji.command(epilog=example("connectme emoji add blobcat blobcat.png --category Cats"))
@click.argument("name")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--category", help="Below which heading programs offer it.")
@passes
def add(context: Context, name: str, file: Path, category: str | None) -> None:
    """FILE is a PNG, GIF or WebP of at most 256 KB."""
    settings = context.settings()
    if not file.is_file():
        raise fail(f"{file} is not a file")
    made = with_database(settings, lambda db: _add(db, settings, name, file, category))
    click.echo(f":{made.shortcode}: is there")


@emoji.command("list", epilog=example("connectme emoji list", "connectme emoji list --json"))
@as_json
@passes
def list_(context: Context, *, as_json: bool) -> None:
    """All emoji of this server."""
    found = with_database(context.settings(), lambda db: db.read(emojis.all_of))
    facts = [{"name": it.shortcode, "category": it.category, "file": it.file} for it in found]
    rows = [(it.shortcode, it.category or "", it.file) for it in found]
    emit(facts, lambda: table(rows, "NAME", "CATEGORY", "FILE"), as_json)


@emoji.command(epilog=example("connectme emoji remove blobcat"))
@click.argument("name")
@passes
def remove(context: Context, name: str) -> None:
    """Remove it and its picture; posts that have it show its name again."""
    settings = context.settings()

    async def run(db: Database) -> None:
        names = await db.write(emojis.remove, name)
        await open_store(settings).delete(names)

    with_database(settings, run)
    click.echo(f"{name}: removed")


async def _add(db: Database, settings: Settings, name: str, file: Path, category: str | None) -> CustomEmoji:
    """The file first: a row without a file is a broken picture, a file without a row is found (`media check`)."""
    emojis.check(name)
    workshop = Workshop(settings.data_dir / "incoming", open_store(settings))
    try:
        whole, still = await workshop.emoji(file)
        try:
            return await db.write(emojis.add, name, whole, still, category, datetime.now(UTC))
        except Invalid:
            await workshop.remove([one for one in (whole, still) if one])
            raise
    finally:
        await workshop.close()
