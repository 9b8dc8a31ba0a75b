"""What operations remember in files, because it must be known while the database is away: DATA_DIR/state/.

Light: the supervisor imports it.  A file is whole or is not there: it is written beside its place, made durable, and
then named.  What finds no room on the disk leaves everything as it was.
"""

import json
import os
from pathlib import Path
from typing import Any, Final

FOLDER: Final = "state"


def folder(data_dir: Path) -> Path:
    """DATA_DIR/state, made when it is missing; for our eyes only."""
    place = data_dir / FOLDER
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    return place


def write(file: Path, content: bytes) -> None:
    """Durable when this returns.  Raises: OSError; then the file is as it was."""
    replace(file, content, durable=True)
    descriptor = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace(file: Path, content: bytes, *, durable: bool = False, rights: int | None = None) -> None:
    """Who reads it sees the old one or the new one.  Raises: OSError; then the file is as it was."""
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with beside.open("wb") as stream:
            stream.write(content)
            stream.flush()
            if durable:
                os.fsync(stream.fileno())
        if rights is not None:
            beside.chmod(rights)
        beside.replace(file)
    except OSError:
        beside.unlink(missing_ok=True)
        raise


def write_json(file: Path, value: Any) -> None:
    write(file, json.dumps(value, indent=2, ensure_ascii=False, default=str).encode() + b"\n")


def read_json(file: Path) -> Any:
    """None when it is not there, or is not JSON: a damaged note is no reason to stop."""
    try:
        return json.loads(file.read_bytes())
    except (FileNotFoundError, ValueError):
        return None
