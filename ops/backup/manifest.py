"""What a backup says of itself, and who signs for it.  It can be read without the passphrase."""

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

FORMAT: Final = 1
FILE: Final = "manifest.json"
LARGEST: Final = 1 << 20
LEVELS: Final = ("E1", "E2", "E3", "E4")
NAME: Final = re.compile(r"[0-9]{8}T[0-9]{6}Z")
_WORDS: Final = ("name", "version", "engine", "schema", "domain", "base_url", "instance", "seal")
PART: Final = re.compile(r"[a-z]{1,20}\.[a-z]{1,10}(\.age)?")


class BackupError(Exception):
    """It was not done.  `str` is a line for the administrator, with what to do."""


class Untried(BackupError):
    """What it takes to try a backup is missing here: nothing is known of the backup itself."""


@dataclass(frozen=True, slots=True)
class Part:
    name: str  # database.sqlite, media.tar …
    file: str  # the same, with .age when it is encrypted
    size: int  # as it lies there
    sha256: str  # as it lies there
    plain: str  # SHA-256 of what it was before it was encrypted


@dataclass(frozen=True, slots=True)
class Manifest:
    name: str
    created: datetime
    version: str  # of ConnectMe
    engine: str  # sqlite, postgresql
    schema: str  # the last migration
    domain: str
    base_url: str
    instance: str
    newest_id: int
    newest_row: datetime | None
    rows: dict[str, int]
    parts: tuple[Part, ...]
    encrypted: bool
    elsewhere: dict[str, Any]  # what was not copied, and where it is
    tools: dict[str, str]
    seal: str = ""  # RSA-SHA256 of all else by the server's own key, base64
    format: int = field(default=FORMAT)

    @property
    def size(self) -> int:
        return sum(part.size for part in self.parts)

    def part(self, name: str) -> Part:
        for part in self.parts:
            if part.name == name:
                return part
        raise BackupError(f"{self.name} has no {name} in its manifest; take another backup")

    def facts(self) -> dict[str, Any]:
        return {**asdict(self), "created": self.created.isoformat(), "newest_row": _text(self.newest_row)}

    def dumped(self) -> bytes:
        return json.dumps(self.facts(), indent=1, sort_keys=True).encode() + b"\n"

    def sealed(self, key: RSAPrivateKey) -> "Manifest":
        return replace(self, seal=b64encode(key.sign(self._signed(), padding.PKCS1v15(), hashes.SHA256())).decode())

    def is_sealed_by(self, key: RSAPublicKey) -> bool:
        try:
            key.verify(b64decode(self.seal), self._signed(), padding.PKCS1v15(), hashes.SHA256())
        except (InvalidSignature, ValueError):
            return False
        return True

    def _signed(self) -> bytes:
        return json.dumps({**self.facts(), "seal": ""}, sort_keys=True).encode()


def parse(raw: bytes, name: str) -> Manifest:
    """Raises: BackupError, for whatever is no manifest of that backup."""
    try:
        found: Mapping[str, Any] = json.loads(raw)
        if found["format"] != FORMAT:
            raise BackupError(f"{name} is of format {found['format']!s:.20}; use the version of ConnectMe that made it")
        parts = tuple(Part(str(p["name"]), str(p["file"]), int(p["size"]), str(p["sha256"]), str(p["plain"]))
                      for p in found["parts"])  # fmt: skip
        word = {key: str(found[key]) for key in _WORDS}
        made = Manifest(
            name=word["name"],
            created=datetime.fromisoformat(found["created"]),
            version=word["version"],
            engine=word["engine"],
            schema=word["schema"],
            domain=word["domain"],
            base_url=word["base_url"],
            instance=word["instance"],
            newest_id=int(found["newest_id"]),
            newest_row=datetime.fromisoformat(found["newest_row"]) if found["newest_row"] else None,
            rows={str(table): int(number) for table, number in found["rows"].items()},
            parts=parts,
            encrypted=bool(found["encrypted"]),
            elsewhere=dict(found["elsewhere"]),
            tools=dict(found["tools"]),
            seal=word["seal"],
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BackupError(f"the manifest of {name} is damaged ({type(error).__name__}); take another backup") from error
    if made.name != name or made.created.tzinfo is None or made.engine not in ("sqlite", "postgresql"):
        raise BackupError(f"the manifest of {name} is damaged or of another backup; take another backup")
    if not all(PART.fullmatch(part.file) and PART.fullmatch(part.name) for part in parts):
        raise BackupError(f"the manifest of {name} names files that are none of a backup; take another backup")
    return made


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
