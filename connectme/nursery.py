"""Children that begin together share what they have loaded.

    supervisor ── starts ──→ nursery: loads what they need, forks one process for each, says their ids, ends
        └──────── adopts ──→ web 0, worker 0, …   in one piece of memory, until they write to it

Each program that loads the server's modules has 60 MB of its own, most of which never changes.  Whoever starts again
later is a program of its own, with the memory that costs.  The supervisor does not load them itself: it is small, and
outlives its children.

A process whose parent has ended is given to the nearest ancestor that asks for such (PR_SET_CHILD_SUBREAPER: Linux),
and may be waited for there like a child.  Where that cannot be asked for, each child is started as a program.
"""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Final, NamedTuple

_SUBREAPER: Final = 36  # PR_SET_CHILD_SUBREAPER of linux/prctl.h


class Command(NamedTuple):
    """What a child runs."""

    name: str  # "web 0"
    argv: tuple[str, ...]


class Adopted:
    """A child that the nursery made: what Popen is to one of our own."""

    stdin = None

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._status: int | None = None

    def poll(self) -> int | None:
        if self._status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self._status = os.waitstatus_to_exitcode(status) if pid else None
        return self._status

    def send_signal(self, number: int) -> None:
        if self.poll() is None:  # nobody else waits for it: until then the id is its own
            os.kill(self.pid, number)


class Nursery:
    """Loads from the beginning, makes them after `go()`; then ask `ended()` until it has.

    Keep it as long as the children: their standard input is its pipe, and they leave when that ends.

    command: gets the number of a file descriptor as its last word.  Once a line came on its standard input, it writes
             the process ids of all children into that, in their order, and ends with 0.
    """

    def __init__(self, command: Command, environment: Mapping[str, str] | None = None) -> None:
        _adopt(True)
        self._ids, write = os.pipe()
        read, self._pipe = os.pipe()
        self._process = subprocess.Popen(  # noqa: S603  our own command
            [*command.argv, str(write)], stdin=read, env=environment, process_group=0, pass_fds=[write]
        )
        os.close(write)
        os.close(read)

    def go(self) -> None:
        """The children may begin."""
        with suppress(BrokenPipeError):  # it has failed: `ended` tells
            os.write(self._pipe, b"\n")

    def ended(self) -> list[int] | None:
        """The ids of the children; none of them when it failed, None while it is at work."""
        if (status := self._process.poll()) is None:
            return None
        _adopt(False)
        said = os.read(self._ids, 65_536) if status == 0 else b""
        os.close(self._ids)
        if not said:
            self._forsake()
        return [int(pid) for pid in said.split()]

    def stop(self) -> None:
        """Children that it made already leave by themselves."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        _adopt(False)
        self._forsake()

    def _forsake(self) -> None:
        os.close(self._pipe)


def is_possible() -> bool:
    """May this process adopt children?"""
    possible = _adopt(True)
    _adopt(False)
    return possible


def _adopt(wanted: bool) -> bool:
    if sys.platform != "linux":
        return False
    with suppress(OSError, AttributeError):  # no prctl in this C library
        status: int = ctypes.CDLL(None).prctl(_SUBREAPER, ctypes.c_ulong(wanted), 0, 0, 0)
        return status == 0
    return False
