"""On a disk with no room left, nothing that was known is lost, and people are told.

Files may grow to a few bytes only (RLIMIT_FSIZE): like a full disk, that lets a file begin and not end.
"""

import resource
import time
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from ops import alerts, belonging, damage, findings, incidents, modes, outages, state, status
from ops.backup import records
from ops.change import progress
from ops.doctor.words import ill
from ops.watch.samples import FINE, Samples, read
from tests.ops.test_monitor import begin, database, watched, watching, web  # noqa: F401  fixtures

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
SITE = status.Site("Ours", "ours.test", "https://ours.test")
THEN, TOLD = modes.Mode("read-only", 1.0), modes.Mode("emergency", 2.0)


@contextmanager
def room_for(size):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def kept(folder):
    """What is in each file, those for locks left out."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock"]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files if not path.name.startswith("samples")}


def drafted(folder, word):
    incidents.open_(state.folder(folder), word, word, NOW, draft=True)


WRITERS = {
    "notes": lambda folder, word: state.write_json(state.folder(folder) / "x.json", {"word": word}),
    "modes": lambda folder, word: modes.say(folder, THEN if word == "before" else TOLD),
    "findings": lambda folder, word: findings.keep(folder, [ill("drill.last", "error", word, why=word)], NOW),
    "alerts": lambda folder, word: alerts.save(state.folder(folder), {}, [{"word": word}]),
    "incidents": drafted,
    "identity": lambda folder, word: belonging.remember(folder, belonging.Identity(word, word, word, (), word, ())),
    "outages": lambda folder, word: outages.restored(folder, 1.0, 2.0, word),
    "damage": lambda folder, word: damage.note(folder, None, word, NOW),
    "backups": lambda folder, word: records.note_drill(folder, {"at": NOW.isoformat(), "ok": True, "says": word}),
    "changes": lambda folder, word: progress.tell(folder, progress.begun(word, "migrating", step=1, of=2)),
    "status": lambda folder, word: status.render(folder, status.Site(word, word, word), NOW),
}


@pytest.mark.parametrize("size", [0, 1, 40])
@pytest.mark.parametrize("writer", WRITERS)
def test_what_finds_no_room_is_as_it_was(tmp_path, writer, size):
    WRITERS[writer](tmp_path, "before")
    if writer == "damage":
        damage.forget(tmp_path)  # only the first word is written
    before = kept(tmp_path)
    with room_for(size), pytest.raises(OSError, match="File too large"):
        WRITERS[writer](tmp_path, "after, with more words than there is room for")
    assert kept(tmp_path) == before
    WRITERS[writer](tmp_path, "after")
    assert kept(tmp_path) != before


def test_the_ring_of_samples_is_not_put_aside_for_want_of_room(tmp_path):
    file = tmp_path / "samples.db"
    ring = Samples(file)
    for n in range(200):
        ring.add(n * 10.0, {"x": float(n)})
    ring.close()
    size = file.stat().st_size
    with room_for(1), pytest.raises(Exception, match=r"disk|full|I/O"):
        Samples(file).add(2000.0, {"x": 200.0})
    assert file.stat().st_size == size
    assert len(read(file, FINE, 0)) == 200
    assert not file.with_suffix(".damaged").exists()


def test_people_are_told_though_nothing_can_be_written(web, database, tmp_path, monkeypatch):  # noqa: F811
    web.answers |= {"/hook": (200, b"")}
    with watching(watched(web, tmp_path, database=database, webhook=f"http://{web.bind}/hook")) as monitor:
        monitor.tick(begin() - 10)
        before = kept(tmp_path / "state")
        monkeypatch.setattr("ops.watch.looks.disk", lambda _: {"disk_free": 0.0, "disk_share": 0.0})
        with room_for(0):
            web.ready(database_writes=False)
            for n in range(4):
                monitor.tick(begin() + 10 * n)
            told(web, monitor)
        assert kept(tmp_path / "state") == before
        assert incidents.all_of(tmp_path / "state") == []
        monitor.tick(begin() + 50)
    [draft] = incidents.all_of(tmp_path / "state")
    assert draft.alert == "database-read-only"
    page = (tmp_path / "state/status/index.html").read_text(encoding="utf-8")
    assert "Some things do not work" in page
    [_, body] = web.heard[0]
    assert b"less than a tenth of the disk is free" in body
    assert b"takes no writes" in body
    assert set(alerts.is_open(alerts.load(tmp_path / "state"))) >= {"disk-low", "database-read-only"}, "written later"


def told(web, monitor):  # noqa: F811
    end = time.monotonic() + 120
    while not web.heard:
        assert time.monotonic() < end
        time.sleep(0.02)
        monitor.tick(begin() + 40)
