"""Brings the database to the newest migration, with a way back at every moment.

    rehearsed? → marked, snapshot → each migration in a transaction of its own → verified? → done
                                                                                 └ no → the snapshot is brought back

Progress is written before each step, so a kill leaves one of two: before the snapshot is whole nothing has happened,
and all begins anew; after it the same snapshot is used, and the migrations go on where they are.  The database has a
mark (mark.py) meanwhile, and other machines are shut out (ops/machines.py).
"""

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Final

import migrations
from ops.change import checks, engine, mark, plan, progress, rehearsal, snapshots
from ops.change.place import Locked, NotChanged, Place
from ops.change.progress import Progress
from store import journal

log = logging.getLogger(__name__)

PATIENCE: Final = 60.0  # seconds for which a lock is tried again


class Returned(NotChanged):
    """The change was no good; the database is as it was before."""


@dataclass(frozen=True, slots=True)
class Done:
    start: str | None
    to: str
    steps: int
    snapshot: str | None


@dataclass(frozen=True, slots=True)
class _Way:
    """How it is done; the same in each step."""

    rehearsed: bool
    patience: float
    clock: Callable[[], datetime]
    still: Callable[[], None]  # raises when we have the database no longer alone


def upgrade(
    place: Place,
    *,
    rehearsed: bool = True,
    patience: float = PATIENCE,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Done:
    """rehearsed: wants a rehearsal that passed; on SQLite it holds one itself where there is none.

    Raises: NotChanged; Returned; Locked.  What a killed one left is finished first.
    """
    with engine.alone(place.url) as still:
        way = _Way(rehearsed, patience, clock, still)
        before = progress.unfinished(place.data_dir)
        if before is not None and before.stage == "returning":
            return_to(place, before)
            why = before.says or "an earlier change was interrupted"
            raise Returned(f"{why}; the database is as it was before; {progress.BACK}")
        found = engine.read(place.url, migrations.current) if place.file is None or place.file.exists() else None
        if found is None:
            return _fill(place, patience)
        if before is not None and _is_to_go_on(place, before):
            log.warning("going on with the change that began at %s", before.since)
            return _changed(place, before, way)
        return _anew(place, found, way)


def take_over(place: Place) -> None:
    """A change that another machine began is no longer its own.  Nobody checked what it was through with: now we do.

    Raises: NotChanged; Locked, while that machine is at it.
    """
    with engine.alone(place.url):
        begun = engine.read(place.url, mark.found)
        is_through = begun is not None and engine.read(place.url, migrations.current) == migrations.newest()
        if is_through and (wrong := checks.verify(place, {}, ())):
            raise NotChanged(
                f"what was begun {begun} left the database not as it should be: {'; '.join(wrong)};"
                " restore a backup, or start that machine again, which brings its snapshot back"
            )
        engine.write(place.url, mark.clear)


def _is_to_go_on(place: Place, before: Progress) -> bool:
    """Not when the database has its mark no more: then others have ended it, and have lived with it since."""
    if before.stage not in ("migrating", "verifying") or not before.snapshot:
        return False
    if not before.machine or engine.read(place.url, mark.found) == before.mark:  # an older version made no mark
        return True
    progress.tell(place.data_dir, before, stage="failed", says="it was ended by others")
    return False


def _anew(place: Place, found: str, way: _Way) -> Done:
    if why := progress.foreign(place.data_dir, engine.read(place.url, mark.found)):
        raise NotChanged(why)
    before = progress.unfinished(place.data_dir)
    numbers = plan.pending(found)
    if not numbers:
        if before is not None:
            engine.write(place.url, mark.clear)
            progress.tell(place.data_dir, before, stage="failed", says="it was interrupted before it changed anything")
        return Done(found, found, 0, None)
    now = progress.begun("upgrade", "rehearsing", start=found, to=numbers[-1], of=len(numbers), version=place.version)
    return _begun(place, now, way)


def _fill(place: Place, patience: float) -> Done:
    """An empty database has nothing to lose."""
    _patiently(lambda: engine.write(place.url, migrations.upgrade), patience)
    return Done(None, migrations.newest(), len(migrations.files()), None)


def _begun(place: Place, now: Progress, way: _Way) -> Done:
    now = progress.tell(place.data_dir, now)
    try:
        if way.rehearsed:
            _want_rehearsal(place, way.clock())
        else:
            log.warning("upgrading from %s to %s without a rehearsal", now.start, now.to)
        way.still()
        now = progress.tell(place.data_dir, now, stage="snapshot")
        engine.write(place.url, partial(mark.put, now=now))
        engine.write(place.spool_url, journal.begin)
        taken = snapshots.take(place, way.clock())
    except NotChanged as error:
        with suppress(NotChanged):
            engine.write(place.url, partial(mark.clear, only=now.mark))
        progress.tell(place.data_dir, now, stage="failed", says=str(error))
        raise
    return _changed(place, progress.tell(place.data_dir, now, stage="migrating", snapshot=taken.name), way)


def _want_rehearsal(place: Place, now: datetime) -> None:
    record = rehearsal.fresh(place, now)
    if record is None or (not record.passed and place.file):
        if place.file is None:
            raise NotChanged(
                "there is no fresh rehearsal of this upgrade; run `connectme db rehearse`,"
                " or `connectme db upgrade --without-rehearsal`"
            )
        record = rehearsal.rehearse(place, now)
    if not record.passed:
        raise NotChanged(
            f"the rehearsal failed: {'; '.join(record.findings)}; the database was not touched; `connectme doctor`"
            " says whether a migration was run by hand; else stay with the version that you had, and report this"
        )


def _changed(place: Place, now: Progress, way: _Way) -> Done:
    snapshot = snapshots.find(place, now.snapshot)
    numbers = plan.pending(now.start)
    left = plan.pending(engine.read(place.url, migrations.current))
    try:
        for number in left:
            step = numbers.index(number) + 1
            now = progress.tell(place.data_dir, now, stage="migrating", migration=number, step=step)
            way.still()
            log.info("migration %s, %s of %s", number, step, now.of)
            _patiently(partial(engine.write, place.url, partial(migrations.upgrade, to=number)), way.patience)
    except Locked:
        raise  # it goes on from here the next time
    except Exception as error:  # noqa: BLE001  whatever a migration raises, the way is back
        _give_up(place, now, way, f"migration {now.migration} failed: {str(error).splitlines()[0]}", error)
    way.still()
    now = progress.tell(place.data_dir, now, stage="verifying", migration=None)
    if wrong := checks.verify(place, snapshot.rows, numbers):
        _give_up(place, now, way, f"the changed database is not as it should be: {'; '.join(wrong)}", None)
    engine.write(place.url, mark.clear)
    progress.tell(place.data_dir, now, stage="done")
    snapshots.prune(place)
    return Done(now.start, now.to or "", now.of, snapshot.name)


def _give_up(place: Place, now: Progress, way: _Way, why: str, error: Exception | None) -> None:
    way.still()  # what fails because PostgreSQL is away goes on when it is back
    log.error("%s; bringing back the snapshot", why)
    now = progress.tell(place.data_dir, now, stage="returning", says=why)
    return_to(place, now)
    raise Returned(f"{why}; the snapshot {now.snapshot} was brought back; {progress.BACK}") from error


def return_to(place: Place, now: Progress) -> int:
    """Brings the snapshot of `now` back, and what the inbox handled since; how many messages that was."""
    snapshot = snapshots.find(place, now.snapshot)
    if not _is_back(place, now):
        snapshots.bring_back(place, snapshot, now.since)
        engine.write(place.url, mark.clear)
    again = engine.write(place.spool_url, partial(journal.again, since=snapshot.moment))
    progress.tell(place.data_dir, now, stage="returned")
    return again


def _is_back(place: Place, now: Progress) -> bool:
    """Was it brought back, with no time to note that?  Once others may have opened it, it is not done again."""
    if now.kind != "upgrade" or not now.machine:
        return False
    try:
        return engine.read(place.url, lambda tx: migrations.current(tx) is not None and mark.found(tx) != now.mark)
    except NotChanged:
        return False


def _patiently(work: Callable[[], object], patience: float) -> None:
    end = time.monotonic() + patience
    while True:
        try:
            work()
        except Locked:
            if time.monotonic() >= end:
                raise
            log.warning("the database is held by somebody else; trying again")
        else:
            return
