"""`connectme media …`: how much room files take, and whether rows and files agree."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

import click

from connectme.cli.common import Context, as_json, emit, example, fail, passes
from connectme.cli.database import origin_of, with_database
from connectme.media.cache import Usage
from connectme.media.stores import open_cache, open_store
from connectme.media.work import MediaWork
from connectme.media.workshop import Workshop
from connectme.settings import Settings
from ops import files
from store.blobs import Blob, Blobs
from store.database import Database

FRESH = timedelta(days=1)  # a file whose row may not be written yet


@click.group()
def media() -> None:
    """Files of our people, and those of others that are kept for a while."""


@media.command(epilog=example("connectme media stats", "connectme media stats --json"))
@as_json
@passes
def stats(context: Context, *, as_json: bool) -> None:
    """How many files there are, and how much room they take."""
    settings = context.settings()
    try:
        blobs, cached = asyncio.run(_all(open_store(settings))), open_cache(settings).usage()
    except OSError as error:
        raise fail(f"the files cannot be listed: {error}") from None
    facts = {
        "files": len(blobs),
        "bytes": sum(blob.size for blob in blobs),
        "cached_files": cached.files,
        "cached_bytes": cached.bytes,
        "cache_limit": cached.limit,
    }
    emit(facts, _words(blobs, cached), as_json)


@media.command(epilog=example("connectme media prune", "connectme media prune --cache"))
@click.option("--cache", is_flag=True, help="Also forget every file of other servers; they are fetched again.")
@as_json
@passes
def prune(context: Context, *, cache: bool, as_json: bool) -> None:
    """Remove uploads that no post has for a day, and what was not looked at for long."""
    settings = context.settings()

    async def sweep(db: Database) -> None:
        workshop = Workshop(settings.data_dir / "incoming", open_store(settings))
        await MediaWork(db, origin_of(settings), workshop).sweep(datetime.now(UTC))

    with_database(settings, sweep)
    freed = open_cache(settings).prune(time.time(), 0 if cache else None)
    emit({"cache_freed": freed}, f"done; the cache is {_size(freed)} smaller", as_json)


@media.command(epilog=example("connectme media check", "connectme media check --remove"))
@click.option("--remove", is_flag=True, help="Remove files that nothing names.")
@as_json
@passes
def check(context: Context, *, remove: bool, as_json: bool) -> None:
    """Compare the files with the database: none may be missing.  Exit status 1 when one is."""
    settings = context.settings()
    missing, unused = with_database(settings, lambda db: _compare(db, settings, remove=remove))
    facts = {"missing": sorted(missing), "unused": sorted(unused), "removed": remove}
    emit(facts, f"{len(missing)} missing, {len(unused)} that nothing names{' (removed)' if remove else ''}", as_json)
    if missing:
        raise fail(f"missing: {', '.join(sorted(missing)[:10])}")


async def _compare(db: Database, settings: Settings, *, remove: bool) -> tuple[set[str], set[str]]:
    store = open_store(settings)
    there = await _all(store)  # before the names are read: what is written meanwhile is named then
    named = await db.read(files.names, origin_of(settings))
    before = datetime.now(UTC) - FRESH
    unused = {blob.name for blob in there if blob.name not in named and blob.modified < before}
    if remove:
        await store.delete(unused)
    return named - {blob.name for blob in there}, unused


async def _all(store: Blobs) -> list[Blob]:
    return [blob async for part in store.all() for blob in part]


def _words(blobs: list[Blob], cached: Usage) -> str:
    return (
        f"uploads  {len(blobs)} files, {_size(sum(blob.size for blob in blobs))}\n"
        f"cache    {cached.files} files, {_size(cached.bytes)} of {_size(cached.limit)}"
    )


def _size(number: int) -> str:
    return f"{number / (1 << 20):.1f} MB"
