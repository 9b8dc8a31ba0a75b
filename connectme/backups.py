"""What ops/backup needs to know of this server, and the one lock of all who make, prove or remove backups.

The worker makes backups, drills and checks of the data by itself: each in a process of its own, of low priority, one
at a time.
"""

import asyncio
import fcntl
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, NoReturn

from connectme import __version__
from connectme.errors import Failure
from connectme.loop import until
from connectme.settings import Settings
from ops import state
from ops.backup import records
from ops.backup.create import Source
from ops.backup.places import Folder, InBucket, Place
from ops.backup.retention import Keep
from ops.backup.verify import Scratch
from ops.watch import looks
from store.bucket import Bucket
from store.bucket import Place as BucketPlace

log = logging.getLogger(__name__)

LOOK: Final = 60.0  # seconds between two looks at what is due
FIRST: Final = timedelta(minutes=15)  # after the start: a server that is tried out for a minute makes no backup
AGAIN: Final = timedelta(hours=1)  # after one that failed
WORDS: Final = {
    "backup": ("backup", "create", "--then-prune"),
    "drill": ("drill", "run"),
    "check": ("db", "check"),
}
_SEE: Final = {"backup": "backup list", "drill": "drill list", "check": "db check"}


class Busy(Failure):
    lasting = False


@contextmanager
def alone(settings: Settings) -> Iterator[None]:
    """SIGTERM ends what is done meanwhile in order: what is half made is removed.  Raises: Busy."""
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (settings.data_dir / "backup.lock").open("a", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Busy("another backup or drill is running; wait until it has ended") from None
        with _ended_in_order():
            yield


@contextmanager
def _ended_in_order() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _end(number: int, _: object) -> NoReturn:
    signal.signal(number, signal.SIG_IGN)  # once is enough
    sys.exit(128 + number)


def place_of(settings: Settings, other: str | None = None) -> Place:
    """other: a folder that is named in the command."""
    if other:
        return Folder(Path(other).absolute())
    if settings.backup_bucket is None:
        return Folder(settings.backup_folder)
    at = BucketPlace(*settings.backup_bucket, settings.s3_endpoint, settings.s3_region,
                     settings.s3_access_key_id, settings.s3_secret_access_key)  # fmt: skip
    try:
        return InBucket(Bucket(at), settings.backup_folder)
    except ImportError as error:
        raise Failure("backup_store is a bucket, and obstore is not installed: pip install 'connectme[s3]'") from error


def source_of(settings: Settings) -> Source:
    """The passphrase is not in a backup that it opens."""
    kept = {name: value for name, value in settings.environment().items() if not name.endswith("_PASSPHRASE")}
    return Source(
        __version__, settings.data_dir, settings.database_url, settings.sqlite_file, settings.media_store, kept,
        settings.backup_passphrase,
    )  # fmt: skip


def scratch_of(settings: Settings) -> Scratch:
    database = "" if settings.sqlite_file else settings.database_url
    return Scratch(settings.backup_folder / "scratch", database, settings.backup_passphrase)


def keep_of(settings: Settings) -> Keep:
    return Keep(settings.backup_keep_daily, settings.backup_keep_weekly, settings.backup_keep_monthly)


def due(settings: Settings, started: datetime, now: datetime) -> str | None:
    """What has to be done now: "backup", "drill", "check" or nothing."""
    if now - started < FIRST:
        return None
    known = records.backups(settings.data_dir)
    made = [datetime.fromisoformat(facts["created"]) for facts in known.values() if facts.get("created")]
    if _is_old(made, timedelta(hours=settings.backup_every_hours), now):
        return "backup"
    drills = [datetime.fromisoformat(report["at"]) for report in records.drills(settings.data_dir)]
    if made and _is_old(drills, timedelta(days=settings.drill_every_days), now):
        return "drill"
    checked = looks.last_check(settings.data_dir / state.FOLDER)
    every = timedelta(days=settings.check_every_days)
    return "check" if _is_old([checked.at] if checked else [], every, now) else None


def _is_old(done: Iterable[datetime], every: timedelta, now: datetime) -> bool:
    """What was done later than now was done by a clock that was ahead, and says nothing."""
    return bool(every) and not any(now - every < moment <= now for moment in done)


class Schedule:
    """One of the worker's loops."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._started = datetime.now(UTC)
        self._not_before = self._started

    async def run(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            now = datetime.now(UTC)
            what = due(self._settings, self._started, now) if now >= self._not_before else None
            if what is not None and not await self._do(what, stop):
                self._not_before = now + AGAIN
            await until(stop, LOOK)

    async def _do(self, what: str, stop: asyncio.Event) -> bool:
        """Is it done, whatever came of it?"""
        log.info("%s: begins", what)
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", "connectme", *WORDS[what], env={**os.environ, **self._settings.environment()},
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, preexec_fn=_politely,
        )  # fmt: skip
        ended, stopped = asyncio.ensure_future(child.wait()), asyncio.ensure_future(stop.wait())
        await asyncio.wait([ended, stopped], return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if not ended.done():
            child.terminate()
        status = await ended
        if status and not stop.is_set():
            log.error("%s: not well; `connectme %s` says why", what, _SEE[what])
        return status == 0 or due(self._settings, self._started, datetime.now(UTC)) != what


def _politely() -> None:
    os.nice(10)
