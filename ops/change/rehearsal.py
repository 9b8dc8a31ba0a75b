"""An upgrade tried on a copy, in a scratch place; what came of it is kept in DATA_DIR/state/rehearsals.json.

The live database is only read.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final

from sqlalchemy import inspect, make_url

import migrations
from ops import copies, state
from ops.change import checks, engine, plan, snapshots
from ops.change.place import NotChanged, Place

FILE: Final = "rehearsals.json"
FRESH: Final = timedelta(days=3)  # a rehearsal of longer ago proves little: the database has grown
_KEPT: Final = 20  # records
_COPY: Final = "rehearsal"
_SCRATCH: Final = "_rehearsal"
_LONGEST: Final = 63  # bytes of a name


@dataclass(frozen=True, slots=True)
class Record:
    at: str
    start: str | None
    to: str
    instance: str
    version: str
    fingerprint: str  # of the migrations
    engine: str
    passed: bool
    findings: tuple[str, ...]
    seconds: float  # all of it
    copy_seconds: float
    migrations: dict[str, float] = field(default_factory=dict)  # seconds each
    bytes: int = 0  # of the database before
    bytes_after: int = 0


def records(data_dir: Path) -> list[Record]:
    """The newest first."""
    found = state.read_json(data_dir / state.FOLDER / FILE)
    notes = found if isinstance(found, list) else []
    return [Record(**note) for note in notes if isinstance(note, dict) and note.keys() == set(Record.__slots__)]


def durations(data_dir: Path) -> dict[str, float]:
    """Seconds of each migration, as last rehearsed."""
    found: dict[str, float] = {}
    for record in reversed(records(data_dir)):
        found |= record.migrations
    return found


def fresh(place: Place, now: datetime) -> Record | None:
    """The last rehearsal of exactly what is to be done, passed or not; None when there is none that counts."""
    start, owner = engine.read(place.url, migrations.current), engine.read(place.url, snapshots.instance_of)
    wanted = (start, migrations.newest(), owner, place.version, plan.fingerprint(plan.pending(start)))
    for one in records(place.data_dir):
        same = (one.start, one.to, one.instance, one.version, one.fingerprint) == wanted
        if same and now - datetime.fromisoformat(one.at) < FRESH:
            return one
    return None


def rehearse(place: Place, now: datetime, scratch_url: str | None = None) -> Record:
    """Tries all pending migrations on a copy.  Raises: NotChanged, when there can be no copy."""
    began = time.monotonic()
    start, owner = engine.read(place.url, migrations.current), engine.read(place.url, snapshots.instance_of)
    if start is None:
        raise NotChanged("the database is empty: there is nothing to rehearse; run `connectme db upgrade`")
    numbers = plan.pending(start)
    with _scratch(place, scratch_url) as copy:
        copied = time.monotonic() - began
        found, seconds = _tried(copy, numbers)
        after = snapshots.size(copy)
    record = Record(
        at=now.isoformat(),
        start=start,
        to=migrations.newest(),
        instance=owner,
        version=place.version,
        fingerprint=plan.fingerprint(numbers),
        engine="sqlite" if place.file else "postgresql",
        passed=not found,
        findings=tuple(found),
        seconds=round(time.monotonic() - began, 3),
        copy_seconds=round(copied, 3),
        migrations=seconds,
        bytes=snapshots.size(place),
        bytes_after=after,
    )
    kept = [asdict(one) for one in [record, *records(place.data_dir)][:_KEPT]]
    state.write_json(state.folder(place.data_dir) / FILE, kept)
    return record


def _tried(copy: Place, numbers: list[str]) -> tuple[list[str], dict[str, float]]:
    """(what is wrong, seconds of each migration)"""
    seconds: dict[str, float] = {}
    rows = checks.count(copy)
    for number in numbers:
        began = time.monotonic()
        try:
            engine.write(copy.url, partial(migrations.upgrade, to=number))
        except Exception as error:  # noqa: BLE001  whatever a migration raises is what we want to know
            return [f"migration {number} fails: {str(error).splitlines()[0]}"], seconds
        seconds[number] = round(time.monotonic() - began, 3)
    return checks.verify(copy, rows, numbers), seconds


@contextmanager
def _scratch(place: Place, url: str | None) -> Iterator[Place]:
    """A copy of the database, gone afterwards."""
    copy = place.snapshots / (_COPY + (".db" if place.file else ".dump"))
    _forget(copy)
    try:
        snapshots.copy_to(place, copy)
        if place.file:
            yield replace(place, url=f"sqlite:///{copy}")
            return
        with _database(place, url) as scratch:
            try:
                copies.load(copy, scratch.url, server=engine.read(place.url, snapshots.server_version))
            except copies.CopyError as error:
                raise NotChanged(f"the copy cannot be loaded: {error}") from error
            yield scratch
    finally:
        _forget(copy)


def _forget(copy: Path) -> None:
    for end in ("", "-wal", "-shm", "-journal"):
        with suppress(FileNotFoundError):
            copy.with_name(copy.name + end).unlink()


def _beside(name: str) -> str:
    """PostgreSQL cuts longer names off, and then it would be that of the database itself.

    >>> _beside("connectme"), _beside("c" * 63)[50:]
    ('connectme_rehearsal', 'ccc_rehearsal')
    """
    return f"{name.encode()[: _LONGEST - len(_SCRATCH)].decode(errors='ignore')}{_SCRATCH}"


@contextmanager
def _database(place: Place, url: str | None) -> Iterator[Place]:
    """An empty database of PostgreSQL: the one of `url`, or one beside ours."""
    if url:
        scratch = replace(place, url=url)
        if engine.read(url, lambda tx: inspect(tx).get_table_names()):
            raise NotChanged("the scratch database is not empty; name an empty one")
        try:
            yield scratch
        finally:
            engine.write(url, snapshots.empty)
        return
    address = make_url(place.url)
    name = _beside(address.database or "")
    quoted = '"' + name.replace('"', '""') + '"'
    drop = f"DROP DATABASE IF EXISTS {quoted}"
    try:
        engine.command(place.url, drop)  # of a rehearsal that was killed
        engine.command(place.url, f"CREATE DATABASE {quoted} TEMPLATE template0")
    except NotChanged as error:
        raise NotChanged(
            f"no scratch database can be made beside this one ({error}); give the role CREATEDB, or make an empty"
            " database and name it: connectme db rehearse --scratch postgresql://…"
        ) from error
    try:
        yield replace(place, url=address.set(database=name).render_as_string(hide_password=False))
    finally:
        engine.command(place.url, drop)
