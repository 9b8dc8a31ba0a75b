"""Real processes: small programs that note in a folder what they live through."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from connectme.nursery import Command
from connectme.supervisor import Supervisor

ROOT = Path(__file__).parent.parent.parent
PATIENCE = 120.0  # seconds; only a broken test waits that long

CHILD = """
import os, signal, sys, time
from connectme.supervisor import leave_with_parent
folder, name, how = sys.argv[1:]
leave_with_parent()
def stop(number, frame):
    if how != "stubborn":
        open(f"{folder}/{name}.stopped", "w").close()
        sys.exit(0)
signal.signal(signal.SIGTERM, stop)
with open(f"{folder}/{name}.log", "a") as log:
    log.write(f"{os.getpid()}\\n")
if how == "useless":
    sys.exit(78)
if how == "done":
    sys.exit(0)
while True:
    time.sleep(60)
"""

PARENT = """
import logging, sys
from connectme.nursery import Command
from connectme.supervisor import Supervisor
logging.basicConfig(level="INFO", stream=sys.stderr)
folder, child, grace, *kinds = sys.argv[1:]
commands = [Command(f"{how} {n}", (sys.executable, "-c", child, folder, str(n), how)) for n, how in enumerate(kinds)]
sys.exit(Supervisor(commands, grace=float(grace)).run())
"""


class House:
    """A supervisor in a process of its own, and what its children wrote."""

    def __init__(self, folder, kinds, grace):
        self.folder = folder
        argv = [sys.executable, "-c", PARENT, str(folder), CHILD, str(grace), *kinds]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen(argv, stderr=subprocess.PIPE, text=True, env=environment)

    def pids(self, child):
        """Of all processes that ran as that child, in their order."""
        file = self.folder / f"{child}.log"
        return [int(line) for line in file.read_text().splitlines()] if file.exists() else []

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        said = self.process.communicate(timeout=PATIENCE)[1]
        return self.process.returncode, said


def until(condition):
    end = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)
    return found


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):  # it may go while it is looked at
        return False


@pytest.fixture
def house(tmp_path):
    houses = []

    def build(*kinds, grace=10.0):
        houses.append(House(tmp_path, kinds, grace))
        return houses[-1]

    yield build
    for built in houses:
        built.process.kill()
        built.process.wait()
        built.process.stderr.close()


def test_a_child_that_is_killed_starts_again(house):
    built = house("good", "good")
    until(lambda: built.pids(0) and built.pids(1))
    os.kill(built.pids(0)[0], signal.SIGKILL)
    until(lambda: len(built.pids(0)) == 2)
    status, said = built.stop()
    assert status == 0
    assert "good 0 ended (by SIGKILL); again in 0.5 s" in said
    assert len(built.pids(1)) == 1


def test_a_child_that_ends_by_itself_starts_again_after_a_longer_pause_each_time(house):
    built = house("done")
    until(lambda: len(built.pids(0)) >= 2)
    _, said = built.stop()
    assert "done 0 ended (exit status 0); again in 0.5 s" in said


def test_a_child_that_would_always_fail_ends_all(house):
    built = house("good", "useless")
    said = built.process.communicate(timeout=PATIENCE)[1]
    assert built.process.returncode == 1
    assert "useless 1 cannot work with these settings" in said
    assert not any(map(alive, built.pids(0) + built.pids(1)))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_stops_all_children_in_good_order(house, number):
    built = house("good", "good")
    until(lambda: built.pids(0) and built.pids(1))
    status, _ = built.stop(number)
    assert status == 0
    assert {path.name for path in built.folder.glob("*.stopped")} == {"0.stopped", "1.stopped"}
    assert not any(map(alive, built.pids(0) + built.pids(1)))


def test_a_child_that_does_not_stop_is_killed_when_its_time_is_over(house):
    built = house("stubborn", "good", grace=2.0)  # of which the good one needs little, however busy the machine is
    until(lambda: built.pids(0) and built.pids(1))
    status, said = built.stop()
    assert status == 1
    assert "stubborn 0 did not stop" in said
    assert not alive(built.pids(0)[0])
    assert (built.folder / "1.stopped").exists()


def test_a_second_signal_does_not_wait_for_that_time(house):
    built = house("stubborn", grace=3600.0)
    until(lambda: built.pids(0))
    built.process.send_signal(signal.SIGTERM)
    assert until(lambda: "stopping" in built.process.stderr.readline())
    status, _ = built.stop()
    assert status == 1
    assert not alive(built.pids(0)[0])


@pytest.mark.parametrize("kind", ["good", "stubborn"])
def test_children_do_not_outlive_a_parent_that_was_killed(house, kind):
    built = house(kind, kind)
    until(lambda: built.pids(0) and built.pids(1))
    built.process.kill()
    until(lambda: not any(map(alive, built.pids(0) + built.pids(1))))
    assert list(built.folder.glob("*.stopped")) == []


def test_the_supervisor_loads_neither_the_server_nor_the_database():
    program = "import sys, connectme.cli.serve; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout.split()
    assert {"sqlalchemy", "aiohttp", "alembic", "asyncio", "jinja2", "cryptography"} & set(loaded) == set()


def test_signals_are_as_before_when_it_has_stopped():
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGCHLD)
    assert Supervisor([Command("useless", (sys.executable, "-c", "import sys; sys.exit(78)"))]).run() == 1
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGCHLD)) == before
