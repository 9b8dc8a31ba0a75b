"""Each fault is made, found, and mended by what the doctor says; then it is well."""

import asyncio
import json
import os
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from datetime import UTC, datetime
from types import SimpleNamespace

import click
import pytest
from sqlalchemy import create_engine

from connectme.cli import main
from connectme.lock import alone
from federation.keys import KeyPair
from ops import damage, state
from ops.backup import records
from ops.change import progress
from ops.doctor import case, embedded, places, runbook, whole
from ops.doctor.words import PLACES, WORDS
from ops.watch.samples import Samples
from store.database import Database
from store.tables import spool_metadata
from tests.ops.doctoring import Patient, claimed, copied, settings
from tests.people import rsa_pem
from tests.test_house import ROOT


@pytest.fixture
def patient(tmp_path, sqlite_template, origin):
    """A server that ran, on SQLite."""
    server = Patient(tmp_path / "data")
    copied(sqlite_template, server.file)

    async def begin():
        async with await Database.open(server.settings.database_url) as db:
            await claimed(db, server.folder, origin, [KeyPair("rsa", *rsa_pem("server"))])

    asyncio.run(begin())
    return server


def run_sql(file, *statements):
    with closing(sqlite3.connect(file)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def test_a_server_without_faults_is_well_and_nothing_is_written(patient):
    before = {path: path.stat().st_mtime_ns for path in patient.folder.rglob("*") if path.is_file()}
    assert patient.ill() == {}
    assert patient.minute() == {}
    after = {path: path.stat().st_mtime_ns for path in patient.folder.rglob("*") if path.is_file()}
    assert {path: when for path, when in after.items() if path in before} == before


def test_a_folder_that_is_not_there_is_a_finding_and_not_made(tmp_path):
    server = Patient(tmp_path / "data")
    server.folder.rmdir()
    assert set(server.ill()) == {"files.data_dir", "database.there"}
    assert not server.folder.exists()


def test_a_database_that_is_gone_is_the_worst_finding(patient):
    kept = patient.file.read_bytes()
    patient.file.unlink()
    for found in (patient.ill(), patient.minute()):
        assert "ours.test" in found["identity.lost"].says
        assert "connectme backup restore" in found["identity.lost"].remedy
    assert not patient.file.exists()
    patient.file.write_bytes(kept)
    assert patient.ill() == {}


@pytest.mark.parametrize(
    "content",
    [b"it is a text, and long enough to be looked at " * 99, random.Random(76).randbytes(8192)],
    ids=["text", "noise"],
)
def test_what_is_no_database_is_a_finding(patient, content):
    patient.file.write_bytes(content)
    assert "not a database" in patient.ill()["database.reads"].evidence
    assert "database.reads" in patient.minute()


def test_a_page_that_was_overwritten_is_found_and_a_copy_mends_it(patient):
    copy = patient.file.with_suffix(".copy")
    with closing(sqlite3.connect(patient.file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(truncate)")
        (root,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'account'").fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    shutil.copy(patient.file, copy)
    with patient.file.open("r+b") as stream:
        stream.seek((root - 1) * size)
        stream.write(b"\x55" * size)
    assert "damaged" in patient.ill()["database.sound"].says
    shutil.copy(copy, patient.file)
    copy.unlink()
    assert patient.ill() == {}


def test_a_file_that_was_cut_short_is_seen_each_minute(patient):
    with closing(sqlite3.connect(patient.file, isolation_level=None)) as server:
        server.execute("CREATE TABLE filler (words)")
        server.execute("INSERT INTO filler VALUES (zeroblob(40960))")  # at the end, where nothing is looked for
        server.execute("PRAGMA wal_checkpoint(truncate)")
        server.execute("INSERT INTO fact VALUES ('a', 'b')")
        os.truncate(patient.file, patient.file.stat().st_size - 4 * 4096)
        assert "cut short" in patient.minute()["database.sound"].evidence
    os.truncate(patient.file, patient.file.stat().st_size // 2)
    assert "malformed" in patient.minute()["database.reads"].evidence


@pytest.mark.parametrize("where", [0, 4096], ids=["no database", "a page"])
def test_a_damaged_spool_is_put_aside_when_the_server_is_stopped(patient, where):
    spool = patient.folder / "spool.db"
    with closing(sqlite3.connect(spool)) as connection:
        spool_metadata.create_all(create_engine("sqlite://", creator=lambda: connection))
    assert patient.ill() == {}
    content = bytearray(spool.read_bytes())
    content[where : where + 4096] = b"\x55" * 4096
    spool.write_bytes(content)
    assert "spool.reads" in patient.minute()
    if not where:
        said = patient.serves()
        assert "spool.db cannot be used (file is not a database); `connectme doctor`" in said
        assert "Traceback" not in said
    with alone(patient.settings):
        assert "stop the server" in patient.fix()["spool.reads"]
    assert spool.read_bytes() == content
    assert "has what was there" in patient.fix()["spool.reads"]
    [aside] = patient.folder.glob("spool.db.damaged-*")
    assert aside.read_bytes() == content
    assert patient.ill() == {}


def test_damage_that_the_server_met_is_told_until_the_file_is_another(patient):
    damage.note(patient.folder, patient.file, "database disk image is malformed", datetime.now(UTC))
    for found in (patient.ill(), patient.minute()):
        assert "malformed" in found["database.sound"].evidence
    shutil.copy(patient.file, patient.file.with_suffix(".copy"))
    patient.file.with_suffix(".copy").replace(patient.file)
    assert patient.minute() == {}


def test_whoever_has_the_database_locked_is_named(patient):
    words = f"import sqlite3, time; c = sqlite3.connect({str(patient.file)!r}); c.execute('BEGIN IMMEDIATE'); print(1)"
    holder = [sys.executable, "-uc", f"{words}; time.sleep(60)"]
    with subprocess.Popen(holder, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        found = patient.minute()["database.locked"]
        process.kill()
    assert f"process {process.pid} (python" in found.says
    assert f"`kill {process.pid}`" in found.remedy
    assert patient.minute() == {}


def test_a_dropped_index_is_seen_each_minute_and_made_anew(patient):
    run_sql(patient.file, "DROP INDEX ix_account_host")
    assert "ix_account_host" in patient.minute()["schema.parts"].says
    assert patient.ill()["schema.parts"].fixable
    assert patient.fix() == {"schema.parts": "1 indexes made"}
    assert patient.ill() == {}


def test_a_table_that_is_missing_is_not_made_by_force(patient):
    run_sql(patient.file, "DROP TABLE rule")
    assert patient.ill()["schema.needed"].evidence == "missing: rule"
    assert "still missing: rule" in patient.fix()["schema.needed"]
    assert "schema.needed" in patient.ill()


def rebuilt(file, table, change):
    """The table, copied as an import would, with another definition."""
    with closing(sqlite3.connect(file)) as link, link:
        link.execute("PRAGMA writable_schema = on")
        (before,) = link.execute("SELECT sql FROM sqlite_master WHERE name = ?", (table,)).fetchone()
        assert change[0] in before
        after = before.replace(*change).replace(f"CREATE TABLE {table}", "CREATE TABLE copied")
        link.execute(after)
        link.execute(f"INSERT INTO copied SELECT * FROM {table}")
        link.execute(f"DROP TABLE {table}")
        link.execute(f"ALTER TABLE copied RENAME TO {table}")


@pytest.mark.parametrize(
    ("fault", "part"),
    [
        ("DROP TABLE rule", "rule"),
        ("ALTER TABLE rule DROP COLUMN hint", "rule.hint"),
        ("DROP INDEX uq_post_boost", "uq_post_boost"),
        ("DROP INDEX uq_conversation_thread", "conversation(owner_id, thread_id)"),
    ],
)
def test_a_server_does_not_start_on_tables_that_it_would_do_harm_to(patient, fault, part):
    assert patient.refuses() == ""
    run_sql(patient.file, fault)
    assert part in patient.refuses()
    found = patient.minute()["schema.needed"]
    assert (found.severity, part in found.says) == ("error", True)
    if part in ("rule", "rule.hint"):
        said = patient.serves() if part == "rule.hint" else patient.refuses()
        assert "parts are missing: " + part in said
        assert "connectme backup restore" in said
    else:
        assert "not done" not in patient.fix()["schema.needed"]
        assert (patient.refuses(), patient.ill()) == ("", {})


def test_a_table_that_lost_its_keys_is_refused_and_gets_them_back_unless_rows_are_alike(patient):
    rebuilt(patient.file, "follow", (", \n\tCONSTRAINT uq_follow_uri UNIQUE (uri)", ""))
    rebuilt(patient.file, "rule", ("CONSTRAINT pk_rule PRIMARY KEY (id)", "CHECK (1)"))
    assert "2 parts are missing: follow(uri), rule(id)" in patient.refuses()
    alike = "INSERT INTO rule (id, text, hint, position) VALUES (7, '', '', 0)"
    run_sql(patient.file, *[alike] * 2)
    assert "not done" in patient.fix()["schema.needed"]
    run_sql(patient.file, "DELETE FROM rule")
    assert patient.fix()["schema.needed"].startswith("1 indexes made")
    assert (patient.refuses(), patient.ill()) == ("", {})


def test_a_server_starts_without_an_index_that_only_makes_it_fast(patient):
    run_sql(patient.file, "DROP INDEX ix_account_host")
    assert patient.refuses() == ""


def test_columns_that_were_changed_by_hand_are_drift(patient):
    run_sql(patient.file, "ALTER TABLE rule ADD COLUMN colour TEXT", "ALTER TABLE rule DROP COLUMN hint")
    found = patient.ill()
    assert (found["schema.drift"].evidence, found["schema.needed"].evidence) == ("rule.colour", "missing: rule.hint")
    run_sql(
        patient.file,
        "ALTER TABLE rule DROP COLUMN colour",
        "ALTER TABLE rule ADD COLUMN hint TEXT NOT NULL DEFAULT ''",
    )
    assert patient.ill() == {}


def test_another_journal_is_set_right(patient):
    run_sql(patient.file, "PRAGMA journal_mode = delete")
    assert "delete" in patient.minute()["database.journal"].says
    assert patient.fix() == {"database.journal": "the journal mode is wal"}
    assert patient.ill() == {}


def test_commits_that_are_not_on_disk_are_a_warning(patient):
    patient.settings = Patient(patient.folder, DATABASE_URL=f"sqlite:///{patient.file}?synchronous=off").settings
    assert "off" in patient.ill()["database.synchronous"].says


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_files_of_another_user_are_given_back(patient):
    os.chown(patient.file, 12345, 12345)
    assert "of user 12345" in patient.minute()["files.owner"].evidence
    assert patient.fix()["files.owner"].endswith("given to user 0")
    assert patient.ill() == {}


def test_a_folder_that_others_can_look_into_is_closed(patient):
    patient.folder.chmod(0o755)
    assert patient.minute()["files.private"].severity == "warning"
    patient.fix()
    assert patient.folder.stat().st_mode & 0o777 == 0o700
    assert patient.ill() == {}


def test_a_file_that_cannot_be_written_is_an_error(patient, monkeypatch):
    patient.file.chmod(0o400)

    with monkeypatch.context() as patch:
        patch.setattr(places.os, "access", lambda path, _: path != patient.file)  # as for any user but root
        found = patient.minute()["database.rights"]
        assert "-r--------" in found.evidence
        assert "chattr -i" in found.remedy
        patient.fix()
    assert patient.file.stat().st_mode & 0o600 == 0o600
    assert patient.ill() == {}


def test_what_was_left_half_written_is_removed_when_it_is_old(patient):
    left = state.folder(patient.folder) / ".mode.json.123"
    left.touch()
    assert patient.ill() == {}
    os.utime(left, (0, 0))
    assert patient.ill()["files.settled"].severity == "notice"
    assert patient.fix() == {"files.settled": "1 files removed"}
    assert not left.exists()


@pytest.mark.parametrize(("free", "severity"), [(0.5, None), (0.05, "warning"), (0.001, "error")])
def test_a_disk_that_fills_is_told_in_time(patient, monkeypatch, free, severity):
    total = 100 << 30
    usage = shutil._ntuple_diskusage(total, int(total * (1 - free)), int(total * free))
    monkeypatch.setattr(places.shutil, "disk_usage", lambda _: usage)
    found = patient.minute().get("disk.room")
    assert (found and found.severity) == severity


@pytest.mark.parametrize(("mount", "check"), [("nfs4 rw", "disk.system"), ("ext4 ro,noatime", "disk.writable")])
def test_a_network_or_read_only_disk_is_an_error(patient, tmp_path, monkeypatch, mount, check):
    (tmp_path / "mounts").write_text(f"root / overlay rw 0 0\nserver:/x {tmp_path} {mount} 0 0\n")
    monkeypatch.setattr(places, "MOUNTS", tmp_path / "mounts")
    assert patient.minute()[check].severity == "error"


def test_keys_that_cannot_be_used_are_named(patient):
    run_sql(patient.file, "UPDATE account_key SET private = replace(private, 'BEGIN', 'BROKEN')")
    assert "cannot be read" in patient.ill()["keys.server"].evidence
    private = rsa_pem("another")[0]
    run_sql(patient.file, f"UPDATE account_key SET private = '{private}'")
    found = patient.ill()["keys.server"]
    assert "not that of the private one" in found.evidence
    assert "PRIVATE" not in found.evidence
    run_sql(patient.file, f"UPDATE account_key SET private = '{rsa_pem('server')[0]}'")
    run_sql(patient.file, "INSERT INTO fact VALUES ('vapid_key', 'AAAA')")
    assert set(patient.ill()) == {"keys.push"}


def test_queues_that_stand_still_are_warnings(patient):
    run_sql(
        patient.file,
        "INSERT INTO job (id, kind, key, payload, due, attempts) VALUES (1, 'x', 'x', '{}', 1000000, 0)",
        "INSERT INTO activity (id, sender_id, body, synchronise, created_at) VALUES (1, 1, '{}', 0, 1000000)",
        "INSERT INTO delivery (activity_id, host, inbox) VALUES (1, 'far.test', 'https://far.test/inbox')",
        "INSERT INTO host (name, failures, due) VALUES ('far.test', 0, 1000000)",
    )
    found = patient.ill()
    assert found["queue.jobs"].severity == found["queue.deliveries"].severity == "warning"


def test_notes_of_other_parts_are_read(patient):
    """As they write them."""
    folder, then = state.folder(patient.folder), datetime(2026, 1, 1, tzinfo=UTC)
    change = progress.tell(patient.folder, progress.begun("upgrade", "migrating", step=2, of=5, migration="0016"))
    old = SimpleNamespace(name="20260101T000000Z", created=then, size=5, encrypted=False)
    records.note(patient.folder, old, "E3", then)
    records.note_drill(patient.folder, {"at": then.isoformat(), "ok": False, "says": "no table"})
    state.write_json(folder / "integrity.json", {"at": "2026-11-01", "findings": [{"id": "x", "severity": "error"}]})
    found = patient.minute()
    assert set(found) == {"schema.change", "backup.age", "drill.last", "integrity.last", "integrity.age"}
    assert "2 of 5" in found["schema.change"].says
    assert "2026-01-01" in found["backup.age"].evidence
    assert "no table" in found["drill.last"].says
    progress.tell(patient.folder, change, stage="done")
    damaged = SimpleNamespace(name="20260102T000000Z", created=datetime.now(UTC), size=5, encrypted=False)
    records.note(patient.folder, damaged, "E1", then)
    records.note_drill(patient.folder, {"at": datetime.now(UTC).isoformat(), "ok": True, "says": "it serves"})
    assert set(patient.minute()) == {"integrity.last", "integrity.age"}
    state.write_json(folder / "integrity.json", {"at": datetime.now(UTC).isoformat(), "findings": []})
    assert set(patient.minute()) == set()
    records.note_damage(patient.folder, damaged.name, "a byte is wrong")
    assert "backup.age" in patient.minute()


def test_a_disk_that_fills_is_told_with_the_hours_that_are_left(patient):
    now, file = int(time.time()), state.folder(patient.folder) / "samples.db"

    def filling(free, ends=0):
        file.unlink(missing_ok=True)
        kept = Samples(file)
        for n in range(7):
            kept.add(now - ends - 3600 + n * 600, {"disk_free": float(free - n * (1 << 30))})
        kept.close()
        return patient.minute().get("disk.filling")

    assert filling(20 << 30, ends=7200) is None  # that was two hours ago
    assert filling(1000 << 30) is None
    found = filling(20 << 30)
    assert (found.severity, found.evidence) == ("error", "full in about 2 hours at the rate of the last 60 min")
    assert filling(80 << 30).severity == "warning"


def test_an_index_of_words_that_is_lost_is_made_anew(patient):
    numbers = "WITH RECURSIVE n (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < 6000)"
    run_sql(patient.file, f"{numbers} INSERT INTO unindexed_post (post_id) SELECT id FROM n")
    assert set(patient.ill()) == {"search.waits"}
    run_sql(patient.file, "DROP TABLE post_words")
    assert set(patient.ill()) == {"search.index"}
    assert "made anew" in patient.fix()["search.index"]
    assert set(patient.ill()) == {"search.waits"}


def test_backups_and_drills_are_late_by_their_own_settings(tmp_path):
    def severities(**more):
        patient = Patient(tmp_path, **more)
        (file := state.folder(tmp_path) / "identity.json").touch()
        os.utime(file, (long_ago := time.time() - 10 * 86_400, long_ago))
        found = patient.minute()
        return [found[name].severity if name in found else "ok" for name in ("backup.age", "drill.age")]

    assert severities() == ["warning", "warning"]
    assert severities(BACKUP_EVERY_HOURS=str(24 * 14), DRILL_EVERY_DAYS="14") == ["ok", "ok"]
    assert severities(BACKUP_EVERY_HOURS="0", DRILL_EVERY_DAYS="0") == ["notice", "notice"]


def test_damaged_notes_are_passed_over(patient):
    for name in ("change", "backups", "drills", "integrity", "identity"):
        for content in ("[1, 2]", '{"a": [3]}', '"x"', "{", "null", '[{"at": 5}]'):
            (state.folder(patient.folder) / f"{name}.json").write_text(content)
            assert "check.broken" not in patient.minute(), (name, content)


def test_a_check_that_breaks_is_a_finding_and_the_others_go_on(patient, monkeypatch):
    def breaks(_):
        raise RuntimeError("no\nwonder")

    monkeypatch.setattr(embedded, "THOROUGH", (breaks,))
    found = patient.look()
    [broken] = [one for one in found if one.id == "check.broken"]
    assert broken.evidence == "RuntimeError: no"
    assert sum(one.severity == "ok" for one in found) > 10


def test_a_writer_at_work_is_no_fault(patient):
    with closing(sqlite3.connect(patient.file, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("INSERT INTO fact VALUES ('a', 'b')")
        assert patient.ill() == {}


def test_the_runbook_has_the_words_of_every_check():
    assert (ROOT / "docs/admin/runbook.md").read_text() == runbook.text(), "make docs"
    assert {name.partition(".")[0] for name in WORDS} <= set(runbook.SUBJECTS)
    for name, words in WORDS.items():
        for text in (words.wrong, words.remedy):
            assert "{" not in text.format_map(PLACES), name


def test_every_command_and_page_that_is_named_exists():
    """In what the doctor says, and in the pages for administrators."""
    pages = [ROOT / "docs/admin/runbook.md", *(ROOT / "ops/doctor").glob("*.py")]
    for page in pages:
        text = re.sub(r'"\s*\n\s*f?"', "", page.read_text())  # a sentence that goes on in the next line
        for named in re.findall(r"docs/[\w/.-]+\w", text):
            assert (ROOT / named).exists(), (page, named)
        for line in re.findall(r"`connectme ([^`\n]+)`", text):
            assert is_command(line.split()), (page, line)


def is_command(words):
    """Each word that may be one is a command, and each option is one of it."""
    command, words = main, words[2:] if words[0] in ("--config", "--set") else list(words)
    while isinstance(command, click.Group) and words and words[0][0] not in "-…":
        command = command.get_command(None, words.pop(0))
    known = {option for param in command.params for option in param.opts} if command else set()
    return command is not None and {word for word in words if word.startswith("--")} <= known


def test_every_fix_that_is_promised_exists():
    from ops.doctor import fixing  # noqa: PLC0415

    assert set(fixing.FIXES) == {name for name, words in WORDS.items() if words.fix}


def test_what_the_supervisor_imports_is_light():
    """Neither the server nor the database."""
    import subprocess  # noqa: PLC0415
    import sys  # noqa: PLC0415

    says = "import sys, ops.doctor.often; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", f"import json; {says}"], cwd=ROOT, capture_output=True, check=True)
    assert not {"sqlalchemy", "aiohttp", "asyncpg", "cryptography", "asyncio"} & set(json.loads(done.stdout))
    assert case.size(3 << 20) == "3.0 MB"


@pytest.mark.parametrize(
    ("setting", "value", "package", "extra"),
    [
        ("MEDIA_STORE", "s3://files", "obstore", "s3"),
        ("OTLP_ENDPOINT", "http://127.0.0.1:4318", "opentelemetry", "otel"),
        ("SENTRY_DSN", "https://key@sentry.test/1", "sentry_sdk", "sentry"),
    ],
)
def test_what_a_setting_needs_and_is_not_installed_is_named(patient, monkeypatch, setting, value, package, extra):
    patient.settings = settings(patient.folder, **{setting: value})
    assert "settings.extras" not in patient.ill()
    monkeypatch.setattr(whole, "find_spec", lambda name: None if name == package else object())
    found = patient.ill()["settings.extras"]
    assert (found.severity, found.evidence) == ("error", package)
    assert f"pip install 'connectme[{extra}]'" in found.remedy
