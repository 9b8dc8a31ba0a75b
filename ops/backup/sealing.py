"""Encryption of parts, in the format of age (age-encryption.org), so that `age` alone can open a backup.

Each backup has a key of its own; `key.age` is that key under the passphrase.  By hand:

    age -d key.age > key.txt        asks for the passphrase
    age -d -i key.txt database.sqlite.age > connectme.db

All is streamed: nothing but the key is in memory.
"""

import hashlib
import shutil
from pathlib import Path
from typing import IO, Any, Final

from ops.backup.manifest import BackupError, Untried

KEY_FILE: Final = "key.age"
CHUNK: Final = 1 << 20


class Sum:
    """A stream that is read or written through, and its SHA-256."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._hash = hashlib.sha256()
        self.size = 0

    def read(self, size: int = -1) -> bytes:
        return self._note(self._stream.read(size))

    def write(self, data: bytes) -> int:
        self._note(data)
        return self._stream.write(data)

    def flush(self) -> None:
        self._stream.flush()

    def hex(self) -> str:
        return self._hash.hexdigest()

    def _note(self, data: bytes) -> bytes:
        self._hash.update(data)
        self.size += len(data)
        return data


def new_key() -> Any:
    import pyrage  # noqa: PLC0415  a library that few commands need

    return pyrage.x25519.Identity.generate()


def lock(content: bytes, passphrase: str) -> bytes:
    """For what is small: the work of guessing a passphrase is in each."""
    import pyrage  # noqa: PLC0415

    locked: bytes = pyrage.passphrase.encrypt(content, passphrase)
    return locked


def lock_key(key: Any, passphrase: str) -> bytes:
    return lock(str(key).encode(), passphrase)


def unlock_key(locked: bytes, passphrase: str) -> Any:
    """Raises: BackupError."""
    import pyrage  # noqa: PLC0415

    if not passphrase:
        raise Untried("this backup is encrypted; give its passphrase by BACKUP_PASSPHRASE or BACKUP_PASSPHRASE_FILE")
    try:
        return pyrage.x25519.Identity.from_str(pyrage.passphrase.decrypt(locked, passphrase).decode())
    except (pyrage.DecryptError, pyrage.IdentityError, ValueError) as error:
        raise Untried("the passphrase is not the one of this backup, or its key.age is damaged") from error


def encrypt(source: Path, into: Path, key: Any) -> None:
    import pyrage  # noqa: PLC0415

    with source.open("rb") as plain, into.open("wb") as kept:
        pyrage.encrypt_io(plain, kept, [key.to_public()])


def decrypted(source: IO[bytes], into: IO[bytes], key: Any | None) -> str:
    """Copies, through the key if there is one; the SHA-256 of what was written.  Raises: BackupError."""
    out = Sum(into)
    if key is None:
        shutil.copyfileobj(source, out, CHUNK)
    else:
        import pyrage  # noqa: PLC0415

        try:
            pyrage.decrypt_io(source, out, [key])
        except (pyrage.DecryptError, OSError) as error:
            if isinstance(error, OSError) and error.errno:  # of the disk; age's own have no number
                raise
            raise BackupError(f"a part cannot be decrypted ({error}); it is damaged: take another backup") from error
    return out.hex()


def sum_of(file: Path) -> tuple[int, str]:
    with file.open("rb") as opened:
        found = hashlib.file_digest(opened, "sha256")
        return opened.tell(), found.hexdigest()
