"""Changing the database: nothing is lost when it fails, when it is killed, and when it is taken back."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select

import migrations
from inbox import spool
from ops.change import checks, engine, half, plan, progress, rehearsal, rollback, snapshots, upgrade
from ops.change.place import Locked, NotChanged, Place
from store import journal
from store.rows import many
from store.tables import Spooled, accounts, posts, spool_metadata, spooled
from store.tables.posts import blank_post
from tests.people import remote

OLD = "0013"
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
ROOT = Path(__file__).parent.parent.parent


def somebody(tx):
    bob = remote("bob")
    tx.execute(insert(accounts), asdict(bob))
    values = blank_post(
        uri="https://far.test/1",
        author_id=bob.id,
        html="<p>hello</p>",
        published=NOW,
        id=7,
        local=False,
        visibility="public",
    )
    tx.execute(insert(posts), {**values, "thread_id": 7})


@pytest.fixture
def place(url, tmp_path):
    """A database from before the last migrations, with somebody in it."""
    there = Place(url, tmp_path / "data", f"sqlite:///{tmp_path}/spool.db", "1.0")
    engine.write(there.spool_url, spool_metadata.create_all)
    engine.write(url, somebody)
    engine.write(url, lambda tx: migrations.downgrade(tx, OLD))
    return there


@pytest.fixture
def embedded(sqlite_template, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "main.db").write_bytes(sqlite_template.read_bytes())
    there = Place(f"sqlite:///{tmp_path}/data/main.db", tmp_path / "data", f"sqlite:///{tmp_path}/spool.db", "1.0")
    engine.write(there.spool_url, spool_metadata.create_all)
    engine.write(there.url, somebody)
    engine.write(there.url, lambda tx: migrations.downgrade(tx, OLD))
    return there


def at(place):
    return engine.read(place.url, migrations.current)


def names(place):
    return engine.read(place.url, lambda tx: tx.scalars(select(accounts.c.uri)).all())


def done(place):
    return upgrade.upgrade(place, rehearsed=False, patience=0)


def test_a_plan_says_what_each_migration_touches_and_how_to_go_back(place):
    steps = plan.make(place, {"0014": 1.5})
    assert [step.number for step in steps] == plan.pending(OLD)
    assert all(step.why and step.locks and step.back for step in steps)
    assert steps[0].online
    assert steps[0].seconds == 1.5
    assert steps[0].reversible
    engine.write(place.url, lambda tx: migrations.downgrade(tx, "0001"))
    second = plan.make(place, {})[0]
    assert (second.number, second.online, list(second.rows)) == ("0002", False, ["media"])


def test_a_rehearsal_tries_it_on_a_copy_and_leaves_the_live_one_alone(place):
    record = rehearsal.rehearse(place, NOW)
    assert record.passed, record.findings
    assert (record.start, record.to, at(place)) == (OLD, migrations.newest(), OLD)
    assert list(record.migrations) == plan.pending(OLD)
    assert rehearsal.records(place.data_dir) == [replace(record, findings=[])]
    assert not list(place.snapshots.iterdir())


def test_a_rehearsal_counts_for_what_was_rehearsed_and_for_a_while(place):
    rehearsal.rehearse(place, NOW)
    assert rehearsal.fresh(place, NOW + timedelta(days=1))
    assert not rehearsal.fresh(place, NOW + timedelta(days=4))
    assert not rehearsal.fresh(replace(place, version="2.0"), NOW)
    engine.write(place.url, lambda tx: migrations.upgrade(tx, "0014"))
    assert not rehearsal.fresh(place, NOW)


def test_an_upgrade_without_a_rehearsal_is_refused_or_rehearsed_first(place):
    if place.file:
        upgrade.upgrade(place, clock=lambda: NOW)
        assert rehearsal.records(place.data_dir)[0].passed
    else:
        with pytest.raises(NotChanged, match="db rehearse"):
            upgrade.upgrade(place, clock=lambda: NOW)
        assert at(place) == OLD
        rehearsal.rehearse(place, NOW)
        upgrade.upgrade(place, clock=lambda: NOW)
    assert at(place) == migrations.newest()
    assert progress.last(place.data_dir).stage == "done"


def test_a_rehearsal_that_fails_blocks_the_upgrade(embedded, monkeypatch):
    monkeypatch.setattr(checks, "verify", lambda *_: ["a row is missing"])
    with pytest.raises(NotChanged, match="a row is missing"):
        upgrade.upgrade(embedded)
    assert at(embedded) == OLD
    assert progress.last(embedded.data_dir).stage == "failed"


def test_a_change_that_is_no_good_is_taken_back(place, monkeypatch):
    monkeypatch.setattr(checks, "verify", lambda *_: ["a row is missing"])
    with pytest.raises(upgrade.Returned, match="a row is missing"):
        done(place)
    assert at(place) == OLD
    assert "https://far.test/users/bob" in names(place)
    assert progress.last(place.data_dir).stage == "returned"
    assert list(place.snapshots.glob("replaced-*"))


def test_a_migration_that_fails_is_taken_back(place, monkeypatch):
    real = migrations.upgrade

    def fails(tx, to="head"):
        real(tx, to)
        if to == migrations.newest():
            raise ValueError("no")

    monkeypatch.setattr(migrations, "upgrade", fails)
    with pytest.raises(upgrade.Returned, match=r"migration .* failed"):
        done(place)
    assert at(place) == OLD


def test_a_lock_that_others_hold_is_waited_for_and_then_said(embedded, monkeypatch):
    monkeypatch.setattr(engine, "WAIT", 0.05)
    with closing(sqlite3.connect(embedded.file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        monkeypatch.setattr(engine, "write", quick(engine.write))
        with pytest.raises(Locked, match="stop what uses it"):
            done(embedded)
    assert done(embedded).to == migrations.newest()


def quick(write):
    return lambda url, f, **_: write(url, f, wait=0.05)


KILLED = """
import os, signal, sys, json
from pathlib import Path
from ops.change import progress, upgrade, rollback, snapshots
from ops.change.place import Place
place, stage, when = Place(*sys.argv[1:5]), sys.argv[5], sys.argv[6]
place = Place(place.url, Path(place.data_dir), place.spool_url, place.version)
real = progress.tell
def tell(folder, now, **changed):
    if when == "before" and changed.get("stage") == stage:
        os.kill(os.getpid(), signal.SIGKILL)
    now = real(folder, now, **changed)
    if when == "after" and now.stage == stage:
        os.kill(os.getpid(), signal.SIGKILL)
    return now
progress.tell = tell
if stage == "returning" or stage == "returned":
    rollback.back(place, rollback.choose(place, None))
else:
    upgrade.upgrade(place, rehearsed=stage == "rehearsing", patience=0)
"""


def kill(place, stage, when):
    words = [place.url, place.data_dir, place.spool_url, place.version, stage, when]
    ended = subprocess.run([sys.executable, "-c", KILLED, *map(str, words)], cwd=ROOT, check=False, env=os.environ)
    assert ended.returncode == -signal.SIGKILL


@pytest.mark.parametrize(
    ("stage", "when"),
    [
        ("rehearsing", "after"),
        ("snapshot", "after"),
        ("migrating", "before"),
        ("migrating", "after"),
        ("verifying", "before"),
        ("verifying", "after"),
        ("done", "before"),
    ],
)
@pytest.mark.slow
def test_killed_in_any_step_it_goes_on_to_the_end(embedded, stage, when):
    kill(embedded, stage, when)
    assert progress.unfinished(embedded.data_dir)
    done(embedded)
    assert at(embedded) == migrations.newest()
    assert names(embedded) == ["https://far.test/users/bob"]
    assert progress.last(embedded.data_dir).is_final


@pytest.mark.parametrize(("stage", "when"), [("returning", "after"), ("returned", "before")])
@pytest.mark.slow
def test_killed_while_it_goes_back_it_is_back_at_the_next_call(embedded, stage, when):
    done(embedded)
    kill(embedded, stage, when)
    with pytest.raises(upgrade.Returned):
        done(embedded)
    assert at(embedded) == OLD


def message(number):
    return {**spool.row(f"https://far.test/{number}", b"{}", NOW, None, None), "id": number}


def waiting(place):
    return [one.id for one in engine.read(place.spool_url, lambda tx: many(tx, select(spooled), Spooled))]


def test_what_was_handled_since_the_snapshot_comes_again_after_a_rollback(place):
    engine.write(place.spool_url, lambda tx: spool.keep(tx, [message(1)]))
    engine.write(place.spool_url, lambda tx: spool.settle(tx, [1], []))
    done(place)
    engine.write(place.spool_url, lambda tx: spool.keep(tx, [message(2), message(3), message(4)]))
    engine.write(place.spool_url, lambda tx: spool.settle(tx, [2, 3], []))
    assert waiting(place) == [4]
    snapshot = rollback.choose(place, None)
    lost = rollback.loss(place, snapshot)
    assert (lost.replayed, lost.complete, lost.posts) == (2, True, 0)
    replaced, again = rollback.back(place, snapshot)
    assert (at(place), again, waiting(place)) == (OLD, 2, [2, 3, 4])
    assert replaced.exists()
    done(place)
    assert at(place) == migrations.newest()


def test_a_rollback_says_when_not_all_that_came_since_is_kept(embedded):
    done(embedded)
    engine.write(embedded.spool_url, lambda tx: spool.keep(tx, [message(1), message(2)]))
    engine.write(embedded.spool_url, lambda tx: spool.settle(tx, [1, 2], []))
    assert engine.write(embedded.spool_url, lambda tx: journal.trim(tx, most=0)) == 2
    assert not rollback.loss(embedded, rollback.choose(embedded, None)).complete


def test_a_release_from_before_rolls_back_what_it_does_not_know(embedded, monkeypatch):
    done(embedded)
    monkeypatch.setattr(migrations, "newest", lambda: OLD)
    rollback.back(embedded, rollback.choose(embedded, None))
    assert at(embedded) == OLD


def test_a_snapshot_that_is_not_there_is_refused_by_its_name(embedded):
    with pytest.raises(NotChanged, match="there is no snapshot nonsense"):
        rollback.choose(embedded, "nonsense")


def test_a_disk_without_room_is_said_beforehand(embedded, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 10})())
    with pytest.raises(NotChanged, match="make room"):
        done(embedded)
    assert at(embedded) == OLD


def test_old_snapshots_go_and_the_newest_stay(embedded):
    for hour in range(5):
        snapshots.take(embedded, NOW + timedelta(hours=hour))
    snapshots.prune(embedded)
    assert [one.at[11:13] for one in snapshots.found(embedded)] == ["16", "15", "14"]


def test_statements_of_a_migration_that_were_run_by_hand_are_named_with_what_takes_them_away(place):
    assert engine.read(place.url, lambda tx: half.look(tx, OLD)) == half.Half((), (), ())
    for statement in ("ALTER TABLE host_policy ADD COLUMN reject_media BOOLEAN", "CREATE TABLE repair (id BIGINT)"):
        engine.write(place.url, lambda tx, said=statement: tx.exec_driver_sql(said))
    engine.write(place.url, lambda tx: tx.exec_driver_sql("ALTER TABLE rule DROP COLUMN hint"))
    seen = engine.read(place.url, lambda tx: half.look(tx, OLD))
    assert seen.early == ("host_policy.reject_media", "repair")
    assert seen.missing == ("rule.hint",)
    assert not rehearsal.rehearse(place, NOW).passed
    for command in seen.commands:
        engine.write(place.url, lambda tx, said=command: tx.exec_driver_sql(said))
    assert engine.read(place.url, lambda tx: half.look(tx, OLD)).early == ()


def test_rows_that_vanish_are_noticed(embedded):
    before = checks.count(embedded)
    engine.write(embedded.url, migrations.upgrade)
    assert checks.verify(embedded, before, plan.pending(OLD)) == []
    assert "post had 2 rows" in checks.verify(embedded, {**before, "post": 2}, [])[0]


def test_a_damaged_note_of_progress_is_no_progress(tmp_path):
    (tmp_path / "state").mkdir()
    for content in ("", "[]", "{", json.dumps({"kind": 1})):
        (tmp_path / "state" / "change.json").write_text(content)
        assert progress.unfinished(tmp_path) is None
