"""What was seen is kept for as long as it was meant to be, in a file that does not grow beyond that."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

from federation.origin import Origin
from ops import identity
from ops.watch import looks, samples
from ops.watch.samples import COARSE, DAY, FINE, PLACES, Samples
from store.database import Database
from store.tables import spool_metadata


def test_samples_are_kept_finely_for_a_day_and_as_averages_for_longer(tmp_path):
    kept = Samples(tmp_path / "s.db")
    for n in range(90):
        kept.add(1_000_200 + n * 10, {"x": float(n)})
    assert kept.since(FINE, 1_000_200)[:2] == [(1_000_200, {"x": 0.0}), (1_000_210, {"x": 1.0})]
    assert kept.since(COARSE, 0) == [(1_000_200, {"x": 14.5}), (1_000_500, {"x": 44.5}), (1_000_800, {"x": 74.5})]
    assert kept.last() == 1_001_090
    kept.close()
    assert len(samples.read(tmp_path / "s.db", FINE, 1_001_000)) == 10


def test_the_file_does_not_grow_beyond_its_rings(tmp_path, monkeypatch):
    monkeypatch.setitem(PLACES, FINE, 5)
    kept = Samples(tmp_path / "s.db")
    for n in range(20):
        kept.add(n * 10.0, {"x": float(n)})
    assert [at for at, _ in kept.since(FINE, 0)] == [150, 160, 170, 180, 190]
    kept.close()


def test_days_count_good_probes_of_each_component(tmp_path):
    kept = Samples(tmp_path / "s.db")
    kept.count(DAY * 3 + 5, {"web": True, "api": False})
    kept.count(DAY * 3 + 15, {"web": True, "api": True})
    kept.count(DAY * 4, {"web": False}, probes=10)
    assert samples.read(tmp_path / "s.db", DAY, 0) == [
        (DAY * 3, {"web": 2, "web/all": 2, "api": 1, "api/all": 2}),
        (DAY * 4, {"web": 0, "web/all": 10}),
    ]
    kept.close()


def test_a_damaged_file_is_put_aside(tmp_path):
    (tmp_path / "s.db").write_bytes(b"no database" * 1000)
    kept = Samples(tmp_path / "s.db")
    kept.add(10, {"x": 1.0})
    kept.close()
    assert (tmp_path / "s.damaged").exists()


def test_nobody_has_looked_yet(tmp_path):
    assert samples.read(tmp_path / "s.db", FINE, 0) == []


def test_numbers_are_read_by_name_and_label():
    found = looks.metrics(b'# TYPE a counter\na_total{outcome="x"} 1\na_total{outcome="y"} 2.5\nnonsense\nb NaN\n')
    assert looks.total(found, "a_total") == 3.5
    assert looks.total(found, "a_total", 'outcome="y"') == 2.5


def test_what_ready_says_is_believed_only_when_it_is_what_it_should_be():
    for wrong in (b"", b"[]", b"{", b'{"parts": []}', b'{"parts": {"x": 3}}', b'{"parts": {"x": {}}}'):
        assert looks.ready(wrong) == {}


async def test_databases_as_we_make_them_can_be_looked_at(sqlite_db, tmp_path):
    await sqlite_db.write(identity.claim, Origin("ours.test", "https://ours.test"))
    assert len(looks.database(tmp_path / "main.db")) == 32
    async with await Database.open(f"sqlite:///{tmp_path}/spool.db") as spool:
        await spool.write(spool_metadata.create_all)
        assert looks.spool(tmp_path / "spool.db", 1e9) == {"spool_waiting": 0.0, "spool_oldest": 0.0}


def test_the_database_is_the_file_that_is_there(tmp_path):
    file = tmp_path / "c.db"
    with sqlite3.connect(file) as link:
        link.execute("CREATE TABLE fact (name TEXT, value TEXT)")
        link.execute("INSERT INTO fact VALUES ('instance', 'abc')")
    link.close()
    assert looks.database(file) == "abc"


def test_memory_that_processes_share_is_counted_once():
    """Two of them, one piece of 32 MB that both have written in or read."""
    program = """
import mmap, os, sys
piece = mmap.mmap(-1, 32 << 20)
for at in range(0, len(piece), 4096):
    piece[at] = 1
if (child := os.fork()) == 0:
    sum(piece[at] for at in range(0, len(piece), 4096))
print(os.getpid(), flush=True)
os.read(0, 1)
"""
    with subprocess.Popen([sys.executable, "-c", program], stdin=-1, stdout=-1, text=True) as both:
        pids = [int(both.stdout.readline()) for _ in range(2)]
        used, resident = looks.memory(pids), sum(rss(pid) for pid in pids)
        both.stdin.close()
    assert resident > 2 * 32 << 20
    assert 32 << 20 < used < resident - (30 << 20)
    assert looks.memory([both.pid, os.getpid()]) is None, "one that has ended says nothing, and none is guessed"
    assert looks.memory([]) == 0.0


def rss(pid):
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
