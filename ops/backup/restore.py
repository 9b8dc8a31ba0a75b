"""A backup becomes a new data folder, beside the one in use; swap.py puts it in its place.

A folder that is being filled has the file `.restoring` in it; the same command again begins anew.
"""

import asyncio
import shutil
import tarfile
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from sqlalchemy import make_url
from sqlalchemy.exc import SQLAlchemyError

from ops import copies, state
from ops.backup import facts, sealing
from ops.backup.create import DATABASE, MEDIA, SETTINGS, SPOOL
from ops.backup.manifest import BackupError, Manifest, Part, Untried
from ops.backup.places import Place

MARK: Final = ".restoring"
NOTE: Final = "restored.json"
NAMES: Final = {DATABASE["sqlite"]: "connectme.db", DATABASE["postgresql"]: "connectme.dump", SPOOL: "spool.db",
                MEDIA: "media.tar", SETTINGS: "settings-of-backup.json"}  # fmt: skip


def check_known(manifest: Manifest, newest_schema: str) -> None:
    """Raises: BackupError, for one that only a newer version can read."""
    if manifest.schema > newest_schema:
        raise BackupError(
            f"{manifest.name} was made by ConnectMe {manifest.version} (migration {manifest.schema}), and this version"
            f" knows migrations up to {newest_schema}; install that version, or a newer one"
        )


def restore(place: Place, manifest: Manifest, into: Path, passphrase: str, database: str = "") -> str:
    """Fills `into`; the address of the restored database.  database: of an empty one of PostgreSQL.

    Raises: BackupError; then `into` is not to be used, and the same command may be given again.
    """
    _begin(into, manifest.name)
    try:
        key = _key(place, manifest, passphrase)
        for part in manifest.parts:
            _fetch(place, manifest.name, part, into / NAMES.get(part.name, part.name), key)
        if (media := into / NAMES[MEDIA]).exists():
            _unpack(media, into / "media")
        url = _database(manifest, into, database)
        _compare(manifest, url)
        state.write_json(state.folder(into) / NOTE, _note(manifest, url))
    except copies.CopyError as error:
        raise BackupError(f"{manifest.name} is not restored: {error}") from error
    except tarfile.TarError as error:
        raise BackupError(f"the files in {manifest.name} are damaged ({error}); take another backup") from error
    except OSError as error:
        raise Untried(f"{manifest.name} is not restored: {error}; see the free space of {into.parent}") from error
    (into / MARK).unlink()
    return url


def _begin(into: Path, name: str) -> None:
    try:
        if into.exists() and any(into.iterdir()):
            if not (into / MARK).is_file():
                raise BackupError(f"{into} is not empty; restore into a new folder, then `connectme backup swap` it in")
            shutil.rmtree(into)
        into.mkdir(mode=0o700, parents=True, exist_ok=True)
        (into / MARK).write_text(name)
    except OSError as error:
        raise BackupError(f"{into} cannot be used ({error.strerror}); name another place") from error


def _key(place: Place, manifest: Manifest, passphrase: str) -> Any | None:
    if not manifest.encrypted:
        return None
    return sealing.unlock_key(place.raw(manifest.name, sealing.KEY_FILE), passphrase)


def _fetch(place: Place, name: str, part: Part, into: Path, key: Any | None) -> None:
    with place.opened(name, part.file) as source, into.open("wb") as kept:
        into.chmod(0o600)
        if sealing.decrypted(source, kept, key) != part.plain:
            raise BackupError(f"{part.file} of {name} is damaged; take another backup")


def _unpack(media: Path, into: Path) -> None:
    into.mkdir(mode=0o700)
    with tarfile.open(media) as tar:
        tar.extractall(into, filter="data")
    media.unlink()


def _database(manifest: Manifest, into: Path, database: str) -> str:
    if manifest.engine == "sqlite":
        file = into / NAMES[DATABASE["sqlite"]]
        if wrong := copies.check_sqlite(file):
            raise BackupError(f"the database in {manifest.name} is damaged ({wrong[0]}); take another backup")
        return f"sqlite:///{file.absolute()}"
    if not database:
        raise BackupError("this is a backup of PostgreSQL; name a new, empty database: --database postgresql://…")
    server = int(manifest.tools.get("postgresql", "0").partition(".")[0] or 0)
    copies.load(into / NAMES[DATABASE["postgresql"]], database, server=server)
    (into / NAMES[DATABASE["postgresql"]]).unlink()
    return database


def _compare(manifest: Manifest, url: str) -> None:
    try:
        found = facts.asked(url, facts.look)
    except (SQLAlchemyError, OSError) as error:
        raise BackupError(f"the restored database does not answer: {str(error).splitlines()[0]}") from error
    for table, number in manifest.rows.items():
        if (there := found.rows.get(table)) != number:
            says = "is missing" if there is None else f"has {there} rows"
            raise BackupError(
                f"the table {table} {says}, and the manifest of {manifest.name} says {number}; take another backup"
            )
    if (found.schema, found.instance) != (manifest.schema, manifest.instance):
        raise BackupError(
            f"the database in {manifest.name} is not the one that its manifest names; take another backup"
        )


def _note(manifest: Manifest, url: str) -> dict[str, Any]:
    served = manifest.engine == "postgresql"
    shown = make_url(url).render_as_string(hide_password=True)
    return {
        "backup": manifest.name,
        "created": manifest.created.isoformat(),
        "newest_id": manifest.newest_id,
        "newest_row": manifest.newest_row.isoformat() if manifest.newest_row else None,
        "engine": manifest.engine,
        "instance": manifest.instance,
        "domain": manifest.domain,
        "database": shown,
        "where": facts.asked(url, facts.where) if served else None,
    }


async def _admin(url: str, statement: str) -> None:
    import asyncpg  # noqa: PLC0415  an extra

    try:
        connection = await asyncpg.connect(url, timeout=20)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        raise Untried(f"PostgreSQL refused {statement!r}: {error}; the role needs the right CREATEDB") from error


def make_database(url: str, name: str) -> str:
    """A new, empty database beside that of `url`; its address.  Raises: BackupError."""
    asyncio.run(_admin(url, f'CREATE DATABASE "{name}" TEMPLATE template0'))
    return make_url(url).set(database=name).render_as_string(hide_password=False)


def drop_database(url: str, name: str) -> None:
    with suppress(BackupError):
        asyncio.run(_admin(url, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))
