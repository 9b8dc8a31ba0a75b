"""Sockets, the lock of the data folder, and the loop that ends when it is told to."""

import os
import signal
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from connectme.lock import InUse, alone
from connectme.settings import Settings
from connectme.sockets import CannotListen, free_address, open_listener
from tests.ops.test_full_disk import room_for

ROOT = Path(__file__).parent.parent.parent

MAIN = """
import asyncio, sys
from connectme.loop import run
from connectme.settings import Settings
how = sys.argv[1]
async def main(settings, *, stop):
    print("up", flush=True)
    if how == "breaks":
        raise ValueError("of no use")
    await stop.wait()
    while how != "good":
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            print("cancelled", flush=True)
            if how == "late":
                raise
    print("stopped", flush=True)
print("status", run(main, Settings.load("/dev/null", environ={}), grace=float(sys.argv[2])), flush=True)
"""


def settings(tmp_path, bind="127.0.0.1:0"):
    environ = {"CONNECTME_BIND": bind, "CONNECTME_DATA_DIR": str(tmp_path / "data")}
    return Settings.load("/dev/null", environ=environ)


def test_an_address_in_use_is_refused_in_a_line_that_names_it(tmp_path):
    with closing(open_listener(settings(tmp_path))) as first:
        taken = settings(tmp_path, f"127.0.0.1:{first.getsockname()[1]}")
        with pytest.raises(CannotListen, match="is in use by another program"):
            open_listener(taken)
        with pytest.raises(CannotListen, match="is in use by another program"):
            free_address(taken)


def test_an_address_of_another_machine_is_refused(tmp_path):
    with pytest.raises(CannotListen, match=r"cannot listen on 192\.0\.2\.1:8000"):
        open_listener(settings(tmp_path, "192.0.2.1:8000"))


def test_a_port_shared_by_our_own_processes_does_not_hide_another_program(tmp_path):
    with closing(open_listener(settings(tmp_path), shared=True)) as first:
        same = settings(tmp_path, f"127.0.0.1:{first.getsockname()[1]}")
        open_listener(same, shared=True).close()
        with pytest.raises(CannotListen):
            free_address(same)


def test_port_0_becomes_a_port_of_the_systems_choice(tmp_path):
    assert free_address(settings(tmp_path)).startswith("127.0.0.1:")
    assert not free_address(settings(tmp_path)).endswith(":0")


def test_a_unix_socket_left_by_a_killed_server_is_replaced_and_a_living_one_is_not(tmp_path):
    there = settings(tmp_path, f"unix:{tmp_path}/s")
    open_listener(there).close()  # leaves the file
    with closing(open_listener(there)):
        assert oct((tmp_path / "s").stat().st_mode & 0o777) == "0o660"
        with closing(socket.socket(socket.AF_UNIX)) as client:
            client.connect(str(tmp_path / "s"))
        with pytest.raises(CannotListen, match="in use"):
            open_listener(there)


def test_a_file_that_is_no_socket_is_left_alone(tmp_path):
    (tmp_path / "s").write_text("precious")
    with pytest.raises(CannotListen):
        open_listener(settings(tmp_path, f"unix:{tmp_path}/s"))
    assert (tmp_path / "s").read_text() == "precious"


def test_a_data_folder_is_for_one_server(tmp_path):
    with (
        alone(settings(tmp_path)),
        pytest.raises(InUse, match=f"process {os.getpid()}"),
        alone(settings(tmp_path), patience=0),
    ):
        pass
    with alone(settings(tmp_path), patience=0):
        assert oct((tmp_path / "data").stat().st_mode & 0o777) == "0o700"


def test_a_full_disk_lets_a_server_hold_its_data_folder_all_the_same(tmp_path):
    with (
        room_for(0),
        alone(settings(tmp_path)),
        pytest.raises(InUse, match="process unknown"),
        alone(settings(tmp_path), patience=0),
    ):
        pass


def start(how, grace="30"):
    return subprocess.Popen(
        [sys.executable, "-c", MAIN, how, grace], cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_lets_main_finish(number):
    with start("good") as process:
        assert process.stdout.readline() == "up\n"
        process.send_signal(number)
        assert process.communicate(timeout=120)[0] == "stopped\nstatus 0\n"


@pytest.mark.parametrize("signals", [1, 2])
def test_main_that_does_not_finish_in_time_or_after_a_second_signal_is_cancelled(signals):
    with start("late", "0.1" if signals == 1 else "3600") as process:
        assert process.stdout.readline() == "up\n"
        process.send_signal(signal.SIGTERM)
        if signals == 2:
            process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=120)[0] == "cancelled\nstatus 1\n"


def test_main_that_refuses_to_be_cancelled_is_left():
    with start("stubborn", "0.1") as process:
        assert process.stdout.readline() == "up\n"
        process.send_signal(signal.SIGTERM)
        assert process.communicate(timeout=120)[0] == "cancelled\n"
        assert process.returncode == 1


def test_what_breaks_main_is_raised():
    with start("breaks") as process:
        said = process.communicate(timeout=120)[1]
        assert process.returncode == 1
        assert "ValueError: of no use" in said
