"""How much a backup is worth: E2 read back · E3 restored into scratch · E4 booted there, and it signs."""

import fcntl
import os
import shutil
import signal
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from federation.keys import load_public
from ops.backup import facts, restore
from ops.backup.booting import Booted, booted
from ops.backup.booting import Place as At
from ops.backup.manifest import BackupError, Manifest, Untried
from ops.backup.places import Place
from ops.backup.sealing import CHUNK, Sum

_TRY: Final = "try-"


@dataclass(frozen=True, slots=True)
class Scratch:
    """Where a backup is tried.  database_url: a PostgreSQL in which a database can be made, or empty."""

    folder: Path
    database_url: str = ""
    passphrase: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    level: str
    seconds: float
    rto_seconds: float | None = None  # from the backup to the first page of a timeline


def verify(place: Place, manifest: Manifest, level: str, scratch: Scratch, newest_schema: str) -> Evidence:
    """Raises: BackupError, with what is wrong."""
    began = time.monotonic()
    _read_back(place, manifest)
    if level == "E2":
        return Evidence(level, time.monotonic() - began)
    restore.check_known(manifest, newest_schema)
    rto = _tried(place, manifest, scratch, boot=level == "E4")
    return Evidence(level, time.monotonic() - began, rto)


def _read_back(place: Place, manifest: Manifest) -> None:
    for part in manifest.parts:
        with place.opened(manifest.name, part.file) as stream:
            read = Sum(stream)
            while read.read(CHUNK):
                pass
        if (read.size, read.hex()) != (part.size, part.sha256):
            raise BackupError(
                f"{part.file} of {manifest.name} is not what was written ({read.size} bytes, {part.size} expected, or"
                " another checksum); it is no good: take another backup, and look at the disk"
            )


def _tried(place: Place, manifest: Manifest, scratch: Scratch, *, boot: bool) -> float | None:
    began = time.monotonic()
    scratch.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for left in scratch.folder.glob(f"{_TRY}*"):  # by one that was killed: there is only one at a time
        _stop(left / "data")
        _remove(left, scratch)
    near = Path(tempfile.mkdtemp(dir=scratch.folder, prefix=_TRY))
    url = ""
    try:
        if manifest.engine == "postgresql":
            if not scratch.database_url:
                raise Untried("this is a backup of PostgreSQL, and none is set here to try it in (DATABASE_URL)")
            url = restore.make_database(scratch.database_url, _database(near))
        found = restore.restore(place, manifest, near / "data", scratch.passphrase, url)
        return _boot(manifest, near / "data", found, began) if boot else None
    finally:
        _remove(near, scratch)


def _database(near: Path) -> str:
    """The name of that beside it, of a backup of PostgreSQL."""
    return f"connectme_try_{near.name.removeprefix(_TRY).lower()}"


def _stop(data: Path) -> None:
    """The server that a killed trial left behind: who holds the lock of its folder."""
    with suppress(OSError, ValueError), (data / "connectme.lock").open("rb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            os.kill(int(lock.read()), signal.SIGTERM)
            fcntl.flock(lock, fcntl.LOCK_SH)  # until it has ended


def _remove(near: Path, scratch: Scratch) -> None:
    if scratch.database_url:
        restore.drop_database(scratch.database_url, _database(near))
    shutil.rmtree(near, ignore_errors=True)


def _boot(manifest: Manifest, data_dir: Path, url: str, began: float) -> float:
    with booted(At(data_dir, url, manifest.domain, manifest.base_url)) as server:
        server.timeline()
        rto = time.monotonic() - began
        _keys(manifest, server, url)
    return rto


def _keys(manifest: Manifest, server: Booted, url: str) -> None:
    """The key that others see verifies what was signed when the backup was made, and what is signed now."""
    private, key_id = facts.asked(url, facts.own_key)
    public = load_public(key_id, key_id, server.public_key()).key
    if not isinstance(public, RSAPublicKey) or private.public_key() != public:
        raise BackupError(
            f"the private key in {manifest.name} is not the one of the public key that other servers know;"
            " a server restored from it could not sign: take another backup, and run `connectme db check`"
        )
    if not manifest.is_sealed_by(public):
        raise BackupError(
            f"the seal of {manifest.name} is not by the key in it: manifest or key was changed; take another backup"
        )
