"""Children that come from a nursery: real processes, small programs that note in a folder what they live through."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from connectme.nursery import is_possible
from tests.connectme.test_supervisor import CHILD, PATIENCE, ROOT, alive, until

pytestmark = pytest.mark.skipif(not is_possible(), reason="this system gives orphans to process 1 alone")

PARENT = """
import logging, sys
from connectme.nursery import Command, Nursery
from connectme.supervisor import Supervisor
logging.basicConfig(level="INFO", stream=sys.stderr)
folder, child, program, *kinds = sys.argv[1:]
commands = [Command(f"{how} {n}", (sys.executable, "-c", child, folder, str(n), how)) for n, how in enumerate(kinds)]
nursery = Nursery(Command("nursery", (sys.executable, "-c", program, child, folder, *kinds)))
sys.exit(Supervisor(commands, grace=5.0, nursery=nursery).run())
"""

GOOD = """
import os, sys
child, folder, *kinds, ids = sys.argv[1:]
if not os.read(0, 1):
    os._exit(1)
pids = []
for number, how in enumerate(kinds):
    if (pid := os.fork()) == 0:
        os.close(int(ids))
        sys.argv = ["", folder, str(number), how]
        exec(child, {"__name__": "__main__"})
        os._exit(0)
    pids.append(pid)
os.write(int(ids), " ".join(map(str, pids)).encode())
os._exit(0)
"""
BROKEN = "import sys; sys.exit(1)"
SLOW = "import os; os.write(2, b'loading\\n'); os.read(0, 1); os.read(0, 1)"
LOADED = "import sys; sys.path.insert(0, {root!r}); import {modules}; print(*sys.modules)"


@pytest.fixture
def family(tmp_path):
    processes = []

    def start(program, *kinds):
        argv = [sys.executable, "-c", PARENT, str(tmp_path), CHILD, program, *kinds]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        processes.append(subprocess.Popen(argv, stderr=subprocess.PIPE, text=True, env=environment))
        return processes[-1]

    yield start
    for process in processes:
        process.kill()
        process.wait()
        process.stderr.close()


@pytest.fixture
def pids(tmp_path):
    """Of all processes that ran as that child, in their order."""

    def of(child):
        file = tmp_path / f"{child}.log"
        return [int(line) for line in file.read_text().splitlines()] if file.exists() else []

    return of


def ended(process, number=signal.SIGTERM):
    process.send_signal(number)
    said = process.communicate(timeout=PATIENCE)[1]
    return process.returncode, said


def parent_of(pid):
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()[1])


def test_when_it_fails_each_child_is_started_alone(family, pids):
    process = family(BROKEN, "good", "good")
    until(lambda: pids(0) and pids(1))
    status, said = ended(process)
    assert status == 0
    assert "starting each alone" in said


def test_it_can_be_stopped_while_it_loads(family, pids):
    process = family(SLOW, "good")
    assert process.stderr.readline() == "loading\n"
    status, _ = ended(process)
    assert status == 0
    assert pids(0) == []


def test_an_adopted_child_that_would_always_fail_ends_all(family, pids):
    process = family(GOOD, "good", "useless")
    said = process.communicate(timeout=PATIENCE)[1]
    assert process.returncode == 1
    assert "useless 1 cannot work with these settings" in said
    assert not any(map(alive, pids(0) + pids(1)))


def test_adopted_children_do_not_outlive_a_parent_that_was_killed(family, pids):
    process = family(GOOD, "good", "stubborn")
    until(lambda: pids(0) and pids(1))
    process.kill()
    until(lambda: not any(map(alive, pids(0) + pids(1))))


def test_adopted_children_are_the_supervisors_and_start_again_alone(family, pids):
    process = family(GOOD, "good", "good")
    until(lambda: pids(0) and pids(1))
    until(lambda: {parent_of(pids(0)[0]), parent_of(pids(1)[0])} == {process.pid})
    os.kill(pids(0)[0], signal.SIGKILL)
    until(lambda: len(pids(0)) == 2)
    status, said = ended(process)
    assert status == 0
    assert "good 0 ended (by SIGKILL); again in 0.5 s" in said
    assert len(pids(1)) == 1
    assert not any(map(alive, pids(0) + pids(1)))


def loaded(modules):
    program = LOADED.format(root=str(ROOT), modules=modules)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


# What few ever need, or a process of its own: each has cost a megabyte or more, in every process.
RARE = {
    *("PIL", "aiosmtplib", "alembic", "asyncpg", "blurhash_rs", "click", "http_ece", "linkify_it", "obstore"),
    *("pyrage", "puremagic", "pythonjsonlogger", "segno", "opentelemetry", "sentry_sdk"),
}
OF_THE_WEB = {"aiohttp.web_app", "argon2", "authlib", "jinja2", "limits", "prometheus_client", "pyotp", "web"}


@pytest.mark.parametrize(
    ("modules", "without"),
    [
        ("connectme.app, connectme.loop", RARE | {"connectme.worker", "connectme.backups", "inbox.process"}),
        ("connectme.worker, connectme.loop", RARE | OF_THE_WEB),
        ("connectme.nursery", {"asyncio", "sqlalchemy", "aiohttp"}),
    ],
    ids=["web", "worker", "supervisor"],
)
def test_what_a_process_loads_is_what_it_needs(modules, without):
    assert loaded(modules) & without == set()


def test_a_forked_process_makes_ids_of_its_own():
    program = """
import os
from store.ids import new_id
read, write = os.pipe()
if os.fork() == 0:
    os.write(write, f"{new_id()} {new_id(5)}".encode())
    os._exit(0)
os.wait()
theirs = [int(one) for one in os.read(read, 100).split()]
mine = [new_id(), new_id(5)]
print(*[(one >> 11) & 1023 for one in (theirs[0], mine[0])], theirs[1] == mine[1])
"""
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    theirs, mine, same = said.stdout.split()
    assert theirs != mine
    assert same == "False"
