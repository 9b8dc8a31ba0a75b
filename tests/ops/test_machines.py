"""Several machines on one PostgreSQL: one changes the tables, the others wait or are refused, with a sentence."""

import asyncio
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import migrations
from connectme import schema
from connectme.settings import Settings
from ops import machines
from ops.change import checks, engine, progress, rollback, snapshots, upgrade
from ops.change.place import Locked, NotChanged, Place
from social import instance
from store.tables import spool_metadata
from tests import postgresql
from tests.ops.test_change import OLD, at, done, names, somebody

ROOT = Path(__file__).parent.parent.parent
HOLDS = """
import sys
from ops import machines
with machines.alone(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def url(postgres_rooms):
    yield postgres_rooms.enter()
    postgres_rooms.leave()


@pytest.fixture
def one(url, tmp_path):
    """A machine, and a database from before the last migrations."""
    there = Place(url, tmp_path / "one", f"sqlite:///{tmp_path}/one-spool.db", "1.0")
    engine.write(there.spool_url, spool_metadata.create_all)
    engine.write(url, somebody)
    engine.write(url, lambda tx: migrations.downgrade(tx, OLD))
    return there


@pytest.fixture
def other(one, tmp_path, monkeypatch):
    """Another machine with the same database."""
    there = replace(one, data_dir=tmp_path / "other", spool_url=f"sqlite:///{tmp_path}/other-spool.db")
    engine.write(there.spool_url, spool_metadata.create_all)
    monkeypatch.setattr(machines, "PATIENCE", 0.0)
    return there


def environment(place):
    return {
        "CONNECTME_CONFIG": "/dev/null", "CONNECTME_DOMAIN": "ours.test", "CONNECTME_DATABASE_URL": place.url,
        "CONNECTME_DATA_DIR": str(place.data_dir),
    }  # fmt: skip


def looked(place):
    return schema.look(Settings.load(environ=environment(place)))


def command(place, *words):
    """`connectme db WORDS` on that machine."""
    argv, env = [sys.executable, "-m", "connectme", "db", *words], {**os.environ, **environment(place)}
    return subprocess.run(argv, cwd=ROOT, env=env, capture_output=True, text=True, check=False)


def test_a_change_is_refused_while_a_server_of_another_machine_has_the_database_open(other):
    async def served():
        async with machines.shared(other.url):
            await asyncio.to_thread(refused)

    def refused():
        with pytest.raises(Locked, match=r"servers have the database open \(connectme on .*\); stop them on all"):
            done(other)

    asyncio.run(served())
    assert at(other) == OLD
    assert progress.last(other.data_dir) is None
    assert done(other).to == migrations.newest()


def test_two_processes_do_not_change_it_at_the_same_time_and_the_second_says_who_does(one, other):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDS, one.url], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with holder:
        assert holder.stdout.readline() == "held\n"
        second = command(other, "upgrade", "--without-rehearsal")
        assert second.returncode == 1
        assert "the database is being changed already (connectme on " in second.stderr
        assert "Traceback" not in second.stderr
        with pytest.raises(machines.Taken, match="wait until that has ended"):
            asyncio.run(_opened(other.url))
        with pytest.raises(Locked, match="being changed already"):
            rollback.back(other, snapshots.take(other, upgrade.datetime.now(upgrade.UTC)))
        holder.kill()
    assert at(other) == OLD
    assert done(other).to == migrations.newest()  # the lock went with the process


async def _opened(url):
    async with machines.shared(url):
        pass


async def test_a_share_that_was_lost_is_had_again_unless_the_database_is_changed_meanwhile(url, monkeypatch):
    monkeypatch.setattr(machines, "HEALING", 0.0)
    monkeypatch.setattr(machines, "PATIENCE", 0.0)
    real, lost, again = machines._shared, asyncio.Event(), asyncio.Event()

    async def healed(url):
        made = await real(url)
        again.set()
        return made

    async def too_late(url):
        await changing.fetchval(machines._ALONE)
        return await real(url)

    def refused():
        with pytest.raises(machines.Taken, match="servers have"), machines.alone(url):
            pass

    async def ends():
        await postgresql.do(url, f"SELECT pg_terminate_backend({share._connection.get_server_pid()})")

    changing = await machines._connected(url)
    async with machines.shared(url) as share:
        keeping = asyncio.create_task(share.keep(lost))
        monkeypatch.setattr(machines, "_shared", healed)
        await ends()
        await again.wait()
        await asyncio.to_thread(refused)
        monkeypatch.setattr(machines, "_shared", too_late)
        await ends()
        await keeping
    assert lost.is_set()
    await changing.close()


def test_the_lock_that_was_lost_in_mid_change_is_noticed_before_the_next_step(one):
    with engine.alone(one.url) as still:
        still()
        asyncio.run(
            postgresql.do(one.url, "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'")
        )
        with pytest.raises(Locked, match="connection to PostgreSQL was lost"):
            still()


KILLED = """
import os, signal, sys
from pathlib import Path
from ops.change import checks, place, snapshots, upgrade
there = place.Place(sys.argv[1], Path(sys.argv[2]), sys.argv[3], "1.0")
def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)
def wait(*_, **__):
    print("at it", flush=True)
    sys.stdin.readline()
    return []
real = upgrade.migrations.upgrade
if sys.argv[4] == "migrating":
    upgrade.migrations.upgrade = lambda tx, to: die() if to == "0016" else real(tx, to)
elif sys.argv[4] == "verifying":
    checks.verify = die
elif sys.argv[4] == "alive":
    checks.verify = wait
else:
    checks.verify = lambda *_: ["a row is missing"]
    snapshots.copies.load = die
upgrade.upgrade(there, rehearsed=False, patience=0)
"""


def begun(place, stage):
    words = [place.url, place.data_dir, place.spool_url, stage]
    return subprocess.Popen([sys.executable, "-c", KILLED, *map(str, words)], cwd=ROOT, text=True,
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # fmt: skip


def killed(place, stage):
    with begun(place, stage) as process:
        assert process.wait() == -signal.SIGKILL


def test_what_one_machine_is_half_through_with_no_other_serves_or_changes(one, other):
    killed(one, "verifying")
    assert at(other) == migrations.newest()
    for tried in (lambda: looked(other), lambda: done(other)):
        with pytest.raises((schema.Changing, NotChanged), match=r"begun .* on .*, has not ended.*--take-over"):
            tried()
    assert looked(one).state == "current"
    assert done(one).to == migrations.newest()
    assert progress.last(one.data_dir).stage == "done"
    assert looked(other).state == "current"


def test_a_change_that_others_took_over_is_not_taken_back_when_its_machine_comes_again(one, other, monkeypatch):
    killed(one, "verifying")
    upgrade.take_over(other)
    assert done(other).steps == 0
    engine.write(other.url, lambda tx: tx.exec_driver_sql("DELETE FROM post"))  # they live with it
    monkeypatch.setattr(checks, "verify", lambda *_: ["a row is missing"])
    assert done(one).steps == 0
    assert (progress.last(one.data_dir).stage, progress.last(one.data_dir).says) == ("failed", "it was ended by others")
    assert checks.count(one)["post"] == 0


def test_who_is_at_it_is_not_taken_over(one, other):
    with begun(one, "alive") as process:
        assert process.stdout.readline() == "at it\n"
        refused = command(other, "upgrade", "--take-over", "--without-rehearsal")
        assert refused.returncode == 1
        assert "the database is being changed already (connectme on " in refused.stderr
        assert "wait until that has ended" in refused.stderr
        assert refused.stderr.count("\n") == 1
        assert engine.read(one.url, upgrade.mark.found)
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.wait() == 0
    assert progress.last(one.data_dir).stage == "done"
    assert looked(other).state == "current"


def test_what_was_killed_between_two_migrations_another_machine_ends_when_it_is_told_to(one, other):
    killed(one, "migrating")
    assert at(other) == "0015"
    refused = command(other, "upgrade", "--without-rehearsal")
    assert refused.returncode == 1
    assert "has not ended" in refused.stderr
    assert "--take-over" in refused.stderr
    ended = command(other, "upgrade", "--take-over", "--without-rehearsal")
    assert ended.returncode == 0, ended.stderr
    assert f"the database is at migration {migrations.newest()}; the snapshot" in ended.stdout
    assert snapshots.found(other)[0].schema == "0015"
    assert "https://far.test/users/bob" in names(other)
    assert engine.read(other.url, upgrade.mark.found) is None
    assert done(one).steps == 0  # it comes back, and touches nothing
    assert progress.last(one.data_dir).says == "it was ended by others"


def test_what_was_through_and_not_checked_is_checked_before_it_is_taken_over(one, other):
    killed(one, "verifying")
    engine.write(one.url, lambda tx: tx.exec_driver_sql("DROP TABLE follow CASCADE"))
    refused = command(other, "upgrade", "--take-over")
    assert refused.returncode == 1
    assert "left the database not as it should be" in refused.stderr
    assert "restore a backup, or start that machine again" in refused.stderr
    assert engine.read(one.url, upgrade.mark.found)  # its snapshot may still be brought back
    with pytest.raises(upgrade.Returned):
        done(one)
    assert at(one) == OLD


def test_nothing_is_written_into_the_database_of_another_instance_to_take_it_over(one, other):
    killed(one, "verifying")
    engine.write(one.url, lambda tx: instance.note(tx, "domain", "far.example"))
    refused = command(other, "upgrade", "--take-over")
    assert refused.returncode == 1
    assert "far.example" in refused.stderr
    assert engine.read(one.url, upgrade.mark.found)


def test_killed_while_the_database_is_empty_it_is_filled_from_the_snapshot_at_the_next_call(one):
    killed(one, "returning")
    assert engine.read(one.url, migrations.current) is None
    assert looked(one).state == "empty"
    with pytest.raises(upgrade.Returned, match="a row is missing"):
        done(one)
    assert at(one) == OLD
    assert "https://far.test/users/bob" in names(one)
    assert looked(one).state == "behind"
