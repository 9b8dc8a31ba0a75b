"""`connectme backup …`: copies of everything, what is proved of them, and the way back.  docs/admin/backup.md."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from connectme import backups, lock, logging, schema
from connectme.cli.common import Context, as_json, confirm, emit, example, fail, passes, table, yes_option
from connectme.cli.database import with_database
from connectme.settings import Settings
from ops import belonging, damage
from ops.backup import create as creating
from ops.backup import escrow as escrows
from ops.backup import places, records, retention, sealing
from ops.backup import restore as restoring
from ops.backup import swap as swapping
from ops.backup import verify as verifying
from ops.backup.manifest import LEVELS, BackupError, Manifest, Untried
from ops.backup.places import Place

place_option = click.option("--from", "other", metavar="FOLDER", help="Where the backups are, instead of BACKUP_STORE.")


@contextmanager
def plainly() -> Iterator[None]:
    try:
        yield
    except BackupError as error:
        raise fail(str(error)) from error


@click.group()
def backup() -> None:
    """Copies of everything, proved by restoring them."""


@backup.command(epilog=example("connectme backup create", "connectme backup create --then-prune"))
@click.option("--then-prune", is_flag=True, help="Afterwards read it back (E2), and remove the superfluous ones.")
@as_json
@passes
def create(context: Context, *, then_prune: bool, as_json: bool) -> None:
    """Save database, spool, files and settings, while the server runs."""
    settings = _set_up(context)
    now = datetime.now(UTC)
    place = backups.place_of(settings)
    with backups.alone(settings):
        try:
            made = creating.create(backups.source_of(settings), place, now)
            records.note(settings.data_dir, made, "E1", now)
            if then_prune:
                verifying.verify(place, made, "E2", backups.scratch_of(settings), schema.newest())
                records.note(settings.data_dir, made, "E2", now)
                _prune(settings, place)
        except BackupError as error:
            records.note_failure(settings.data_dir, str(error), now)
            raise fail(str(error)) from error
    emit(_facts(settings, made), f"{made.name}: {_mb(made.size)}, {'E2' if then_prune else 'E1'}", as_json)


@backup.command("list", epilog=example("connectme backup list", "connectme backup list --json"))
@place_option
@as_json
@passes
def list_(context: Context, other: str | None, *, as_json: bool) -> None:
    """The backups there are, the newest last, and what is proved of each."""
    settings = context.settings()
    place = backups.place_of(settings, other)
    with plainly():
        facts = [_looked(settings, place, name) for name in place.names()]
    cells = [(f["name"], f["size"] and _mb(f["size"]), f["level"], f["proved"], f["damage"]) for f in facts]
    emit(facts, lambda: table(cells, "NAME", "SIZE", "LEVEL", "PROVED", "WRONG"), as_json)


@backup.command(epilog=example("connectme backup verify", "connectme backup verify 20261127T020000Z --level E4"))
@click.argument("name", required=False)
@click.option("--level", type=click.Choice(LEVELS[1:]), default="E3", show_default=True, help="How much to prove.")
@place_option
@as_json
@passes
def verify(context: Context, name: str | None, level: str, other: str | None, *, as_json: bool) -> None:
    """Prove a backup, by default the newest: E2 read back, E3 restored into scratch, E4 started there."""
    settings = _set_up(context)
    place = backups.place_of(settings, other)
    with plainly(), backups.alone(settings):
        name = name or places.newest(place)
        try:
            manifest = places.look(place, name)
            evidence = verifying.verify(place, manifest, level, backups.scratch_of(settings), schema.newest())
        except Untried:
            raise
        except BackupError as error:
            records.note_damage(settings.data_dir, name, str(error))
            raise
        records.note(settings.data_dir, manifest, level, datetime.now(UTC))
    facts = {"name": name, "level": level, "seconds": round(evidence.seconds, 1), "rto_seconds": evidence.rto_seconds}
    emit(facts, f"{name}: {level} in {evidence.seconds:.1f} s", as_json)


@backup.command(epilog=example("connectme backup prune"))
@as_json
@passes
def prune(context: Context, *, as_json: bool) -> None:
    """Remove those that are not kept by BACKUP_KEEP_DAILY, _WEEKLY, _MONTHLY.  Never the newest that is proved."""
    settings = _set_up(context)
    with plainly(), backups.alone(settings):
        gone = _prune(settings, backups.place_of(settings))
    emit({"removed": gone}, f"{len(gone)} removed", as_json)


@backup.command("restore", epilog=example("connectme backup restore 20261127T020000Z --into ./restored"))
@click.argument("name")
@click.option("--into", required=True, type=click.Path(path_type=Path, file_okay=False), help="A new folder.")
@click.option(
    "--database",
    default="",
    metavar="URL",
    envvar="RESTORE_DATABASE",
    show_envvar=True,
    help="A new, empty database, for a backup of PostgreSQL.  With a password in it, say it by the environment.",
)
@click.option("--other-instance", is_flag=True, help="It is meant to be the backup of another instance.")
@place_option
@as_json
@passes
def restore(context: Context, name: str, into: Path, database: str, other: str | None, *,
            other_instance: bool, as_json: bool) -> None:  # fmt: skip
    """Restore into a new folder, beside what is in use.  `connectme backup swap` then puts it in its place."""
    settings = _set_up(context)
    place = backups.place_of(settings, other)
    with plainly():
        manifest = places.look(place, name)
        restoring.check_known(manifest, schema.newest())
        _ours(settings, manifest, other_instance=other_instance)
        if into.resolve() == settings.data_dir.resolve():
            raise BackupError(f"{into} is the folder in use; restore into a new one, then swap it in")
        restoring.restore(place, manifest, into.absolute(), settings.backup_passphrase, database)
    then = f"connectme backup swap {into}" if not database else f"set database_url, then connectme backup swap {into}"
    emit({"into": str(into), "name": name}, f"{name} is restored in {into}; stop the server, then: {then}", as_json)


@backup.command(epilog=example("connectme backup swap ./restored"))
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--other-instance", is_flag=True, help="It is meant to be the backup of another instance.")
@yes_option
@as_json
@passes
def swap(context: Context, folder: Path, *, other_instance: bool, yes: bool, as_json: bool) -> None:
    """Put a restored folder in the place of the data folder.  The server must be stopped.

    What was there is kept beside it.  Deliveries are held afterwards, until `connectme delivery release`.
    """
    settings = _set_up(context)
    confirm(f"{settings.data_dir} is then as it was in the backup. Go on?", yes)
    with plainly(), lock.alone(settings):
        here = swapping.Here(settings.data_dir, settings.database_url, settings.sqlite_file, _instance(settings))
        met = damage.of(settings.data_dir, settings.sqlite_file)
        done = swapping.swap(folder.absolute(), here, datetime.now(UTC), other_instance=other_instance)
        if other_instance:
            belonging.forget(settings.data_dir)
    hurt = _damaged(settings, done.away, met)
    then = "Start the server, look at it, then: connectme delivery release"
    if hurt:
        then = f"It is damaged; before you start the server: connectme db salvage --from {hurt}\n{then}"
    missing = "" if done.whole or other_instance else "; not all that came since then was kept, some of it is lost"
    kept = f"{done.again} messages of other servers are handled again{missing}"
    says = f"done; what was there is in {done.away}. {kept}. {then}"
    facts = {"replaced": str(done.away), "again": done.again, "whole": done.whole, "damaged": hurt and str(hurt)}
    emit(facts, says, as_json)


def _damaged(settings: Settings, away: Path, met: str) -> Path | None:
    """The database that was replaced, if it is damaged."""
    file = away / settings.sqlite_file.name if settings.sqlite_file else None
    return file if file is not None and file.is_file() and (met or damage.is_met(file)) else None


@backup.command(epilog=example("connectme backup escrow /media/stick/keys.json"))
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--plain", is_flag=True, help="Not encrypted: for paper in a safe.")
@as_json
@passes
def escrow(context: Context, file: Path, *, plain: bool, as_json: bool) -> None:
    """Only the keys of our people, and the domain, into a small file: without them nobody can be who he was."""
    settings = context.settings()
    if not plain and not settings.backup_passphrase:
        raise fail(
            "no BACKUP_PASSPHRASE is set; set one, or say --plain: these keys are the identity of everybody here"
        )
    held = with_database(settings, lambda db: db.read(escrows.look))
    content = json.dumps(held, indent=1).encode()
    if not plain:
        content = sealing.lock(content, settings.backup_passphrase)
    try:
        with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            out.write(content)
    except OSError as error:
        raise fail(f"{file} cannot be written ({error.strerror}); name a new file") from error
    emit({"file": str(file), "keys": len(held["keys"])}, f"{len(held['keys'])} keys are in {file}", as_json)


def _set_up(context: Context) -> Settings:
    settings = context.settings()
    logging.set_up(settings, "command", least="warning")
    return settings


def _prune(settings: Settings, place: Place) -> list[str]:
    levels = {name: facts.get("level", "E1") for name, facts in records.backups(settings.data_dir).items()}
    names = place.names()
    gone = retention.superfluous(names, levels, backups.keep_of(settings))
    for name in gone:
        place.delete(name)
    records.forget(settings.data_dir, {*gone, *(set(levels) - set(names))})
    return gone


def _instance(settings: Settings) -> str:
    known = belonging.recall(settings.data_dir)
    return "" if known is None else known.instance


def _ours(settings: Settings, manifest: Manifest, *, other_instance: bool) -> None:
    ours = _instance(settings)
    if not other_instance and (ours not in ("", manifest.instance) or manifest.domain != settings.domain):
        raise BackupError(
            f"{manifest.name} is a backup of {manifest.domain}, another instance than {settings.domain} here;"
            " if that is meant, say --other-instance"
        )


def _looked(settings: Settings, place: Place, name: str) -> dict[str, Any]:
    try:
        return _facts(settings, places.look(place, name))
    except BackupError as error:
        return {"name": name, "size": None, "level": None, "proved": None, "damage": str(error)}


def _facts(settings: Settings, manifest: Manifest) -> dict[str, Any]:
    known = records.backups(settings.data_dir).get(manifest.name, {})
    return {
        "name": manifest.name,
        "size": manifest.size,
        "level": known.get("level", "E1"),
        "proved": known.get("proved"),
        "damage": known.get("damage"),
        "encrypted": manifest.encrypted,
        "schema": manifest.schema,
        "version": manifest.version,
        "newest_row": manifest.newest_row,
    }


def _mb(size: int) -> str:
    return f"{size / (1 << 20):.1f} MB"
