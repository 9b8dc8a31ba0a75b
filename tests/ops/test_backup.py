"""Backups: what they hold, what each level of evidence finds, what is refused, and how they come back."""

import asyncio
import itertools
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from connectme import backups
from connectme.settings import Settings
from federation.keys import generate
from federation.origin import Origin
from ops import copies, drill, identity, metrics, outages, state
from ops.backup import create, facts, records, restore, retention, swap, verify
from ops.backup.create import Source
from ops.backup.manifest import FILE, BackupError, Manifest
from ops.backup.places import Folder, InBucket, look
from ops.backup.retention import Keep
from ops.backup.verify import Scratch
from ops.change import engine
from ops.watch import looks
from social import accounts
from store import ids, journal
from store.bucket import Bucket
from store.bucket import Place as BucketPlace
from store.database import Database
from store.tables import spool_metadata
from tests import postgresql, s3

NOW = datetime(2026, 11, 27, 2, tzinfo=UTC)
HERE = Origin("ours.test", "https://ours.test")
PAIR = generate("rsa")
SCHEMA = "9999"
ROOT = Path(__file__).parent.parent.parent
_numbers = itertools.count()


def _live(tx: Connection) -> None:
    identity.claim(tx, HERE)
    accounts.create_instance_actor(tx, HERE, [PAIR], NOW)


async def _fill(url: str, data_dir: Path) -> None:
    async with await Database.open(url) as db:
        await db.write(_live)
    async with await Database.open(f"sqlite:///{data_dir}/spool.db") as spool:
        await spool.write(spool_metadata.create_all)


@pytest.fixture
def source(url: str, tmp_path: Path) -> Source:
    return _source(url, tmp_path / "data")


@pytest.fixture
def lite(sqlite_template: Path, tmp_path: Path) -> Source:
    (tmp_path / "data").mkdir()
    shutil.copy(sqlite_template, tmp_path / "data" / "connectme.db")
    return _source(f"sqlite:///{tmp_path}/data/connectme.db", tmp_path / "data")


def _source(url: str, data: Path) -> Source:
    (data / "media" / "ab").mkdir(parents=True)
    (data / "media" / "ab" / "ab.png").write_bytes(b"a picture" * 1000)
    asyncio.run(_fill(url, data))
    file = Path(url.removeprefix("sqlite:///")) if url.startswith("sqlite") else None
    return Source("1.0", data, url, file, "", {"CONNECTME_DOMAIN": "ours.test"})


@pytest.fixture
def place(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "backups")


def _scratch(source: Source, tmp_path: Path) -> Scratch:
    return Scratch(tmp_path / "scratch", "" if source.sqlite_file else source.database_url, source.passphrase)


def _prove(place: Folder, made: Manifest, source: Source, tmp_path: Path, level: str) -> None:
    verify.verify(place, made, level, _scratch(source, tmp_path), SCHEMA)


def test_what_is_saved_is_restored_on_both_engines(source: Source, place: Folder, tmp_path: Path) -> None:
    made = create.create(source, place, NOW)

    assert place.names() == ["20261127T020000Z"]
    assert look(place, made.name) == made
    assert made.domain == "ours.test"
    assert made.rows["account"] == 1
    _prove(place, made, source, tmp_path, "E3")
    assert list((tmp_path / "scratch").iterdir()) == []


def test_an_encrypted_backup_needs_its_passphrase(lite: Source, place: Folder, tmp_path: Path) -> None:
    locked = replace(lite, passphrase="open sesame")
    made = create.create(locked, place, NOW)

    for file in (place.root / made.name).iterdir():
        assert b"BEGIN PRIVATE KEY" not in file.read_bytes()
        assert b"a picture" not in file.read_bytes()
    _prove(place, made, replace(lite, passphrase=""), tmp_path, "E2")
    with pytest.raises(BackupError, match="is encrypted; give its passphrase"):
        _prove(place, made, replace(lite, passphrase=""), tmp_path, "E3")
    with pytest.raises(BackupError, match="not the one of this backup"):
        _prove(place, made, replace(lite, passphrase="open simsim"), tmp_path, "E3")
    _prove(place, made, locked, tmp_path, "E3")


@pytest.mark.parametrize("passphrase", ["", "open sesame"])
def test_a_flipped_bit_is_found_when_it_is_read_back(
    lite: Source, place: Folder, tmp_path: Path, passphrase: str
) -> None:
    lite = replace(lite, passphrase=passphrase)
    made = create.create(lite, place, NOW)
    file = place.root / made.name / made.part("database.sqlite").file
    raw = bytearray(file.read_bytes())
    raw[len(raw) // 2] ^= 1
    file.write_bytes(raw)

    with pytest.raises(BackupError, match="is not what was written"):
        _prove(place, made, lite, tmp_path, "E2")
    with pytest.raises(BackupError, match="damaged"):
        restore.restore(place, made, tmp_path / "new", passphrase)


def _rewritten(place: Folder, made: Manifest, statement: str) -> Manifest:
    """As if that had been so when the backup was made: with checksums that are right."""
    from ops.backup import sealing  # noqa: PLC0415

    file = place.root / made.name / "database.sqlite"
    with closing(sqlite3.connect(file)) as opened, opened:
        opened.execute(statement)
    size, plain = sealing.sum_of(file)
    parts = [replace(p, size=size, sha256=plain, plain=plain) if p.file == file.name else p for p in made.parts]
    return replace(made, parts=tuple(parts))


def test_a_missing_table_is_found_when_it_is_restored(lite: Source, place: Folder, tmp_path: Path) -> None:
    made = _rewritten(place, create.create(lite, place, NOW), "DROP TABLE marker")
    _prove(place, made, lite, tmp_path, "E2")
    with pytest.raises(BackupError, match="the table marker is missing"):
        _prove(place, made, lite, tmp_path, "E3")


def test_a_wrong_key_is_found_when_it_is_booted(lite: Source, place: Folder, tmp_path: Path) -> None:
    made = create.create(lite, place, NOW)
    _prove(place, made, lite, tmp_path, "E4")

    other = generate("rsa").private
    made = _rewritten(place, made, f"UPDATE account_key SET private = '{other}'")
    _prove(place, made, lite, tmp_path, "E3")
    with pytest.raises(BackupError, match="is not the one of the public key"):
        _prove(place, made, lite, tmp_path, "E4")


def test_a_manifest_that_was_changed_has_no_seal(lite: Source, place: Folder) -> None:
    made = create.create(lite, place, NOW)
    key = facts.asked(lite.database_url, facts.own_key)[0].public_key()
    assert made.is_sealed_by(key)
    assert not replace(made, domain="evil.test").is_sealed_by(key)
    assert not replace(made, seal="?").is_sealed_by(key)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (b"", "damaged"),
        (b"[]", "damaged"),
        (b'{"format": 1}', "damaged"),
        (b'{"format": 2}', "the version of ConnectMe that made it"),
    ],
)
def test_damaged_manifests_are_refused(lite: Source, place: Folder, change: bytes, says: str) -> None:
    made = create.create(lite, place, NOW)
    (place.root / made.name / FILE).write_bytes(change)
    with pytest.raises(BackupError, match=says):
        look(place, made.name)


def test_a_manifest_leads_nowhere_else(lite: Source, place: Folder) -> None:
    made = create.create(lite, place, NOW)
    file = place.root / made.name / FILE
    changed = json.loads(file.read_bytes())
    changed["parts"][0]["file"] = "../../etc/passwd"
    file.write_text(json.dumps(changed))
    with pytest.raises(BackupError, match="none of a backup"):
        look(place, made.name)
    with pytest.raises(BackupError, match="no name of a backup"):
        look(place, "../data")


def test_what_failed_leaves_nothing_that_looks_like_a_backup(
    lite: Source, place: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(create, "SPARE", 1 << 60)
    with pytest.raises(BackupError, match="make room"):
        create.create(lite, place, NOW)
    assert list(place.root.iterdir()) == []
    (place.root / ".unfinished-1").mkdir()  # of one that was killed
    monkeypatch.undo()
    create.create(lite, place, NOW)
    assert [path.name for path in place.root.iterdir()] == ["20261127T020000Z"]


def test_a_restore_never_goes_over_something_and_can_be_repeated(lite: Source, place: Folder, tmp_path: Path) -> None:
    made = create.create(lite, place, NOW)
    with pytest.raises(BackupError, match="is not empty"):
        restore.restore(place, made, lite.data_dir, "")
    into = tmp_path / "new"
    into.mkdir()
    (into / restore.MARK).write_text(made.name)
    (into / "connectme.db").write_bytes(b"half of it")
    with pytest.raises(BackupError, match="not restored to its end"):
        swap.note_of(into)
    restore.restore(place, made, into, "")
    assert (into / "media" / "ab" / "ab.png").read_bytes() == b"a picture" * 1000
    assert (into / "settings-of-backup.json").stat().st_mode & 0o077 == 0
    with pytest.raises(BackupError, match="migrations up to 0000"):
        restore.check_known(made, "0000")


def test_a_swap_keeps_what_was_there_and_holds_deliveries(lite: Source, place: Folder, tmp_path: Path) -> None:
    made = create.create(lite, place, NOW)
    restore.restore(place, made, tmp_path / "new", "")
    (lite.data_dir / "media" / "ab" / "late.png").write_bytes(b"late")
    with closing(sqlite3.connect(lite.data_dir / "spool.db")) as spool, spool:
        spool.execute(
            "INSERT INTO spooled (id, actor_uri, body, received, attempts, due) VALUES (7, 'a', '{}', 1, 0, 1)"
        )
    here = swap.Here(lite.data_dir, lite.database_url, lite.sqlite_file, made.instance)
    later = NOW + timedelta(days=1)

    with pytest.raises(BackupError, match="another instance"):
        swap.swap(tmp_path / "new", replace(here, instance="other"), later)
    away, again, whole = swap.swap(tmp_path / "new", here, later)
    assert (again, whole) == (0, False)  # that spool kept nothing

    assert (away / "media" / "ab" / "late.png").exists()
    assert not (lite.data_dir / "media" / "ab" / "late.png").exists()
    assert facts.asked(lite.database_url, facts.look).rows == made.rows
    with closing(sqlite3.connect(lite.data_dir / "spool.db")) as spool:
        assert spool.execute("SELECT id FROM spooled").fetchall() == [(7,)]  # acknowledged is kept
    assert swap.held(lite.data_dir) is not None
    assert swap.ids_after(lite.data_dir) == later.timestamp() * 1000
    [gap] = [one for one in outages.all_of(lite.data_dir) if one.mode == "restored"]
    assert (gap.until, gap.lost_messages) == (later.timestamp(), True)
    assert swap.release(lite.data_dir)
    assert not swap.release(lite.data_dir)


def handled(spool: Path, *numbers: int) -> None:
    with closing(sqlite3.connect(spool)) as raw, raw:
        for number in numbers:
            columns = "id, actor_uri, body, received, attempts, due"
            raw.execute(f"INSERT INTO spooled ({columns}) VALUES (?, 'a', '', 1, 0, 1)", (number,))
            raw.execute("DELETE FROM spooled WHERE id = ?", (number,))


@pytest.mark.parametrize("stranger", [False, True])
def test_what_was_handled_since_the_backup_comes_again(lite: Source, place: Folder, tmp_path: Path, stranger) -> None:
    spool, now = lite.data_dir / "spool.db", datetime.now(UTC)
    engine.write(f"sqlite:///{spool}", journal.begin)
    handled(spool, 1)
    with closing(sqlite3.connect(spool)) as raw, raw:
        raw.execute("UPDATE settled SET at = at - 3600")
        raw.execute("UPDATE settled_since SET at = at - 3600")
    made = create.create(lite, place, now)
    restore.restore(place, made, tmp_path / "new", "")
    with closing(sqlite3.connect(tmp_path / "new" / "spool.db")) as raw:
        assert "settled" not in {name for (name,) in raw.execute("SELECT name FROM sqlite_master")}
    handled(spool, 2, 3)

    here = swap.Here(lite.data_dir, lite.database_url, lite.sqlite_file, made.instance)
    _, again, whole = swap.swap(tmp_path / "new", here, now + timedelta(hours=1), other_instance=stranger)

    assert (again, whole) == ((0, False) if stranger else (2, True))  # they were said to that one
    with closing(sqlite3.connect(spool)) as raw:
        assert raw.execute("SELECT id FROM spooled").fetchall() == [] if stranger else [(2,), (3,)]


def test_ids_go_forward_whatever_the_clock_says() -> None:
    make = ids.Maker(5)
    late = (1 << 42) - 5
    make.not_before(late)
    first, second = make(), make()
    assert ids.moment_ms(first) > late
    assert second > first


def test_a_drill_is_reported_whether_it_works_or_not(lite: Source, place: Folder, tmp_path: Path) -> None:
    scratch, data = _scratch(lite, tmp_path), lite.data_dir
    assert "there is no backup" in drill.run(place, data, scratch, SCHEMA, NOW)["says"]
    made = create.create(lite, place, NOW)
    good = drill.run(place, data, scratch, SCHEMA, NOW + timedelta(hours=1))
    assert good["ok"], good["says"]
    assert good["rto_seconds"] > 0
    assert good["rpo_seconds"] >= 3600
    assert records.backups(data)[made.name]["level"] == "E4"
    numbers = metrics.render(metrics.of_backups(data, NOW + timedelta(hours=1))).decode()
    assert "connectme_backup_age_seconds 3600.0" in numbers
    assert "connectme_drill_age_seconds 0.0" in numbers
    assert "connectme_integrity_age_seconds -1.0" in metrics.render(metrics.of_checks(data, NOW)).decode()
    state.write_json(state.folder(data) / "integrity.json", {
        "at": NOW.isoformat(), "seconds": 2.5, "findings": [{"severity": "warning"}, {"severity": "ok"}]})  # fmt: skip
    numbers = metrics.render(metrics.of_checks(data, NOW + timedelta(hours=1))).decode()
    for line in ("connectme_integrity_age_seconds 3600.0", "connectme_integrity_faults 1.0",
                 "connectme_integrity_seconds 2.5"):  # fmt: skip
        assert line in numbers
    (place.root / made.name / "spool.sqlite").write_bytes(b"")
    bad = drill.run(place, data, scratch, SCHEMA, NOW + timedelta(hours=2))
    assert not bad["ok"]
    assert [one["ok"] for one in records.drills(data)] == [False, True, False]
    assert records.backups(data)[made.name]["damage"]


def test_a_drill_without_the_passphrase_says_nothing_of_the_backup(lite: Source, place: Folder, tmp_path: Path) -> None:
    made = create.create(replace(lite, passphrase="open sesame"), place, NOW)
    records.note(lite.data_dir, made, "E3", NOW)
    report = drill.run(place, lite.data_dir, _scratch(lite, tmp_path), SCHEMA, NOW)
    assert (report["ok"], "give its passphrase" in report["says"]) == (False, True)
    kept = records.backups(lite.data_dir)[made.name]
    assert (kept["level"], kept["damage"]) == ("E3", None)


def test_backups_in_a_bucket_are_listed_proved_restored_and_removed(lite: Source, tmp_path: Path) -> None:
    if reason := s3.why_not():
        pytest.skip(reason)
    with s3.store(tmp_path) as address:
        place = InBucket(Bucket(BucketPlace(s3.BUCKET, "backups", address, *s3.KEYS.values())), tmp_path / "near")
        assert place.names() == []
        made = create.create(lite, place, NOW)
        later = create.create(lite, place, NOW + timedelta(days=1))
        assert place.names() == [made.name, later.name]
        assert look(place, made.name) == made
        _prove(place, made, lite, tmp_path, "E3")
        restore.restore(place, made, tmp_path / "new", "")
        assert (tmp_path / "new" / "media" / "ab" / "ab.png").read_bytes() == b"a picture" * 1000
        place.delete(made.name)
        assert place.names() == [later.name]
        assert list((tmp_path / "near").iterdir()) == []
    with pytest.raises(BackupError, match="the bucket of backups does not do it"):
        place.names()


def test_the_newest_that_is_proved_is_never_removed() -> None:
    names = [(NOW - timedelta(days=day)).strftime("%Y%m%dT%H%M%SZ") for day in range(400)]
    keep = Keep(7, 4, 6)
    gone = retention.superfluous(names, {names[200]: "E3", names[300]: "E4", names[10]: "E2"}, keep)
    left = sorted(set(names) - set(gone))
    assert {names[0], names[200], names[300]} <= set(left)
    assert 13 <= len(left) <= 19
    assert set(names[:7]) <= set(left)
    assert retention.superfluous(names[:1], {}, Keep(0, 0, 0)) == []


@pytest.fixture
def served(postgres: str, postgres_template: str, tmp_path: Path) -> Source:
    """On a PostgreSQL of its own: what is started from a backup is another database beside it."""
    postgresql.create(postgres, name := f"saved{next(_numbers)}", postgres_template)
    return _source(postgres.format(name), tmp_path / "data")


def test_a_backup_of_postgresql_is_started_and_nothing_of_the_trial_is_left(
    served: Source, place: Folder, postgres: str, tmp_path: Path
) -> None:
    made = create.create(served, place, NOW)
    report = drill.run(place, served.data_dir, _scratch(served, tmp_path), SCHEMA, NOW)
    assert (report["ok"], report["level"]) == (True, "E4"), report["says"]
    left = facts.asked(
        postgres.format("postgres"), lambda tx: tx.scalars(text("SELECT datname FROM pg_database")).all()
    )
    assert not [name for name in left if name.startswith("connectme_try")]
    damaged = place.root / made.name / "database.dump"
    damaged.write_bytes(damaged.read_bytes()[:-100])
    assert (
        "is not what was written" in drill.run(place, served.data_dir, _scratch(served, tmp_path), SCHEMA, NOW)["says"]
    )


def test_a_backup_of_postgresql_comes_back_into_a_new_database_and_is_swapped_in(
    served: Source, place: Folder, postgres: str, tmp_path: Path
) -> None:
    made = create.create(served, place, NOW)
    with pytest.raises(BackupError, match="name a new, empty database"):
        restore.restore(place, made, tmp_path / "new", "")
    with pytest.raises(BackupError, match="already exists"):
        restore.restore(place, made, tmp_path / "new", "", served.database_url)
    postgresql.create(postgres, name := f"restored{next(_numbers)}", "template0")
    url = restore.restore(place, made, tmp_path / "new", "", postgres.format(name))
    (served.data_dir / "media" / "ab" / "late.png").write_bytes(b"late")

    here = swap.Here(served.data_dir, served.database_url, None, made.instance)
    with pytest.raises(BackupError, match=rf"is not what was restored; set database_url to .*/{name}\?"):
        swap.swap(tmp_path / "new", here, NOW)
    with pytest.raises(BackupError, match=r"does not answer .* set database_url to"):
        swap.swap(tmp_path / "new", replace(here, database_url=postgres.format("nowhere")), NOW)
    with pytest.raises(BackupError, match="database_url names SQLite; set database_url to"):
        swap.swap(tmp_path / "new", replace(here, sqlite_file=tmp_path / "connectme.db"), NOW)
    assert (served.data_dir / "media" / "ab" / "late.png").exists()
    assert swap.held(served.data_dir) is None

    away = swap.swap(tmp_path / "new", replace(here, database_url=url), NOW).away

    assert facts.asked(url, facts.look).rows == made.rows
    assert (away / "media" / "ab" / "late.png").exists()
    assert not (served.data_dir / "media" / "ab" / "late.png").exists()
    assert swap.held(served.data_dir) is not None
    assert swap.ids_after(served.data_dir) == NOW.timestamp() * 1000


_KILLED = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from ops import copies
from ops.backup import create, places
modules = {"copies": copies, "create": create, "places": places}
module, _, name = sys.argv[1].partition(".")
def die(*args, **more):
    os.kill(os.getpid(), signal.SIGKILL)
setattr(modules[module], name, die)
data = Path(sys.argv[2])
source = create.Source("1.0", data, f"sqlite:///{data}/connectme.db", data / "connectme.db", "", {}, sys.argv[4])
create.create(source, places.Folder(Path(sys.argv[3])), datetime(2026, 11, 27, 2, tzinfo=UTC))
"""


@pytest.mark.parametrize("stage", ["copies._copy", "create._pack", "create._parts", "places._sync"])
def test_a_backup_that_is_killed_is_none_and_the_next_one_cleans_up(lite: Source, place: Folder, stage: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", _KILLED, stage, lite.data_dir, place.root, "open sesame"], check=False, cwd=ROOT
    )
    assert ended.returncode == -signal.SIGKILL
    assert place.names() == []
    [left] = place.root.iterdir()
    assert left.name.startswith(".unfinished-")
    made = create.create(lite, place, NOW)
    assert [path.name for path in place.root.iterdir()] == [made.name]


def test_what_a_killed_trial_left_goes_with_the_next_one(source: Source, place: Folder, tmp_path: Path) -> None:
    made, scratch = create.create(source, place, NOW), _scratch(source, tmp_path)
    (scratch.folder / "try-Killed" / "data").mkdir(parents=True)
    (scratch.folder / "try-Killed" / "data" / "connectme.db").write_text("private")
    if scratch.database_url:
        restore.make_database(scratch.database_url, "connectme_try_killed")
    _prove(place, made, source, tmp_path, "E3")
    assert list(scratch.folder.iterdir()) == []
    if scratch.database_url:
        again = restore.make_database(scratch.database_url, "connectme_try_killed")  # refused, if it were there
        restore.drop_database(scratch.database_url, again.rpartition("/")[2])


_HOLDS = """
import sys, time
from pathlib import Path
from connectme.lock import alone
from connectme.settings import Settings
with alone(Settings.load("/dev/null", {}, {"domain": "ours.test", "data_dir": sys.argv[1]})):
    print("up", flush=True)
    sys.stdin.read()
"""


def test_the_server_that_a_killed_trial_left_is_ended(lite: Source, place: Folder, tmp_path: Path) -> None:
    made, left = create.create(lite, place, NOW), _scratch(lite, tmp_path).folder / "try-killed" / "data"
    words = [sys.executable, "-c", _HOLDS, str(left)]
    with subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            assert server.stdout.readline() == "up\n"
            _prove(place, made, lite, tmp_path, "E3")
            assert server.wait(60) == -signal.SIGTERM
        finally:
            server.kill()
    assert list(_scratch(lite, tmp_path).folder.iterdir()) == []


def test_a_backup_that_is_told_to_end_leaves_nothing(
    lite: Source, place: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings.load("/dev/null", {}, {"domain": "ours.test", "data_dir": tmp_path / "mine"})
    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(copies, "_copy", lambda *_, **__: os.kill(os.getpid(), signal.SIGTERM))
    with pytest.raises(SystemExit, match=str(128 + signal.SIGTERM)), backups.alone(settings):
        create.create(lite, place, NOW)
    assert list(place.root.iterdir()) == []
    assert signal.getsignal(signal.SIGTERM) == before


def test_the_worker_makes_backups_and_drills_when_they_are_due(tmp_path: Path) -> None:
    settings = Settings.load("/dev/null", {}, {"domain": "ours.test", "data_dir": tmp_path})

    def due(hours: float, **more: object) -> str | None:
        changed = Settings.load("/dev/null", {}, {"domain": "ours.test", "data_dir": tmp_path, **more})
        return backups.due(changed, NOW, NOW + timedelta(hours=hours))

    assert (due(0.1), due(0.3)) == (None, "backup")
    assert due(0.3, backup_every_hours=0, check_every_days=0) is None
    known = {"created": NOW.isoformat(), "level": "E1"}
    state.write_json(state.folder(settings.data_dir) / records.BACKUPS, {"backups": {"one": known}})
    assert due(1) == "drill"
    records.note_drill(settings.data_dir, {"at": NOW.isoformat(), "ok": True})
    assert (due(23), due(24), due(24, backup_every_hours=48)) == ("check", "backup", "check")
    assert due(24 * 7, backup_every_hours=0) == "drill"
    assert due(24 * 7, backup_every_hours=0, drill_every_days=0) == "check"
    assert due(1, backup_every_hours=0, check_every_days=0) is None
    state.write_json(state.folder(settings.data_dir) / "integrity.json", {"at": NOW.isoformat(), "findings": []})
    ahead = [known, {"created": (NOW + timedelta(days=99)).isoformat(), "level": "E1"}]
    state.write_json(state.folder(settings.data_dir) / records.BACKUPS, {"backups": {"one": ahead[0], "two": ahead[1]}})
    records.note_drill(settings.data_dir, {"at": (NOW + timedelta(days=99)).isoformat(), "ok": True})
    assert (due(1), due(24)) == (None, "backup")  # by a clock that was ahead
    assert due(24 * 7, backup_every_hours=0) == "drill"
    assert looks.newest_backup(state.folder(settings.data_dir), NOW + timedelta(days=2)) == NOW
    off = {"backup_every_hours": 0, "drill_every_days": 0}
    assert (due(24 * 6, **off), due(24 * 7, **off), due(24 * 7, check_every_days=8, **off)) == (None, "check", None)
