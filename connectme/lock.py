"""Locks in the data folder: a file each, held until the process ends, however it ends.

connectme.lock     one running server per data folder: two would deliver twice and fight over one SQLite file
state/change.lock  shared by all who have the database open; whoever changes its tables has it alone
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import FileIO
from typing import TextIO

from connectme.errors import Failure
from connectme.schema import Away, Changing
from connectme.settings import Settings
from ops import state
from ops.change import progress

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
        lock = (settings.data_dir / "connectme.lock").open("ab+", buffering=0)
    except OSError as error:
        raise Failure(
            f"data_dir {settings.data_dir} cannot be used ({error.strerror}); correct it or its rights"
        ) from error
    with lock:
        _take(lock, settings, time.monotonic() + patience)
        with suppress(OSError):  # a full disk: the lock holds all the same, only who has it is not told
            lock.truncate(0)
            lock.write(str(os.getpid()).encode())
        yield


@contextmanager
def using(settings: Settings) -> Iterator[None]:
    """Nobody changes the tables until the block ends.  Raises: Changing, when somebody does."""
    with _change_lock(settings) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Changing("the database is being changed") from None
        yield


@contextmanager
def changing(settings: Settings, *, patience: float = PATIENCE) -> Iterator[None]:
    """No server of this data folder has the database open until the block ends.  Raises: InUse."""
    with _change_lock(settings) as lock:
        end = time.monotonic() + patience
        while not is_taken(lock):
            if time.monotonic() >= end:
                raise InUse(
                    f"a server has the database of {settings.data_dir} open, or somebody changes it already; stop it"
                    " and try again (one of the new version may run: it waits for the change)"
                )
            time.sleep(LOOK)
        yield


@contextmanager
def _change_lock(settings: Settings) -> Iterator[TextIO]:
    try:
        lock = (state.folder(settings.data_dir) / progress.LOCK).open("a", encoding="ascii")
    except OSError as error:
        raise Away(
            f"data_dir {settings.data_dir} cannot be written ({error.strerror}); correct its rights, or make room"
        ) from error
    with lock:
        yield lock


def is_taken(lock: TextIO) -> bool:
    """By us, now or before.  The lock goes with the process, however it ends."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _take(lock: FileIO, settings: Settings, end: float) -> None:
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() < end:
                time.sleep(LOOK)
                continue
            lock.seek(0)
            holder = lock.read().decode().strip() or "unknown"
            raise InUse(
                f"another server (process {holder}) runs on {settings.data_dir}; stop it, or choose another data_dir"
            ) from None
        return
