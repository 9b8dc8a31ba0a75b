"""One running server per data folder: two would deliver twice and fight over one SQLite file."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from connectme.errors import Failure
from connectme.settings import Settings

PATIENCE = 2.0  # seconds: the processes of a server that was just killed need a moment to vanish
LOOK = 0.05  # seconds between two tries


class InUse(Failure):
    pass


@contextmanager
def alone(settings: Settings, *, patience: float = PATIENCE) -> Iterator[None]:
    """Makes DATA_DIR if needed and holds it until the block ends, or the process does, however it ends.

    Raises: InUse.
    """
    try:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = (settings.data_dir / "connectme.lock").open("a+", encoding="ascii")
    except OSError as error:
        raise Failure(
            f"data_dir {settings.data_dir} cannot be used ({error.strerror}); correct it or its rights"
        ) from error
    with lock:
        _take(lock, settings, time.monotonic() + patience)
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def is_taken(lock: TextIO) -> bool:
    """By us, now or before.  The lock goes with the process, however it ends."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _take(lock: TextIO, settings: Settings, end: float) -> None:
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() < end:
                time.sleep(LOOK)
                continue
            lock.seek(0)
            holder = lock.read().strip() or "unknown"
            raise InUse(
                f"another server (process {holder}) runs on {settings.data_dir}; stop it, or choose another data_dir"
            ) from None
        return
