"""The parent of web and worker processes: starts them, starts them again, and stops them.

    supervisor (this) ─┬─ web 0 … web N-1         answer requests
                       └─ worker 0 … worker M-1   read the inbox, deliver

A child is a program of its own (exec, not fork alone): nothing that the parent has in memory is shared, and
the parent stays small because it imports neither the server nor the database.  At the start they may come from a
nursery, and share among themselves: connectme/nursery.py.

* A child that ends is started again, after 0.5 s, then twice as long each time up to 10 s; when it has lived
  for a minute, the count begins anew.  One that says `NO_USE` (exit status 78) would fail in the same
  way again: then all stops.
* SIGTERM, SIGINT or SIGHUP: the children get SIGTERM and have ten seconds to finish what they do; then, or
  at a second signal, they are killed.
* When the parent itself is killed, the children notice: each has the reading end of a pipe as its
  standard input (`leave_with_parent`), which ends with the parent.
"""

import logging
import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from types import FrameType

from connectme.nursery import Adopted, Command, Nursery

log = logging.getLogger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 10.0  # seconds before a child is started again
STEADY = 60.0  # seconds of life after which a child is not thought to fail at its start
GRACE = 10.0  # seconds to finish, between SIGTERM and SIGKILL
NO_USE = 78  # EX_CONFIG of sysexits.h: wrong settings, wrong database
STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Child:
    """One command, and the process that runs it now."""

    def __init__(self, command: Command, environment: Mapping[str, str] | None) -> None:
        self.command = command
        self.process: subprocess.Popen[bytes] | Adopted | None = None
        self.due = 0.0  # when to start it, on the monotonic clock
        self._environment = environment
        self.restarts = 0
        self._failures = 0
        self._started = 0.0

    def start(self, now: float) -> None:
        # In a group of its own: Ctrl-C in the terminal reaches the parent alone, which passes it on.
        self._runs(
            subprocess.Popen(  # noqa: S603  our own command
                self.command.argv, stdin=subprocess.PIPE, env=self._environment, process_group=0
            ),
            now,
        )

    def adopt(self, pid: int, now: float) -> None:
        self._runs(Adopted(pid), now)

    def ended(self, now: float) -> int | None:
        """The exit status if the process has ended since the last look; it is then due to start again."""
        if self.process is None or (status := self.process.poll()) is None:
            return None
        self._let_go()
        self.restarts += 1
        self._failures = 1 if now - self._started >= STEADY else self._failures + 1
        self.due = now + pause(self._failures)
        return status

    def tell(self, number: signal.Signals) -> None:
        if self.process is not None:
            self.process.send_signal(number)

    def _runs(self, process: subprocess.Popen[bytes] | Adopted, now: float) -> None:
        self.process, self._started = process, now
        log.info("%s started as process %s", self.command.name, process.pid)

    def _let_go(self) -> None:
        if self.process is not None and self.process.stdin is not None:
            self.process.stdin.close()
        self.process = None


class Supervisor:
    """`Supervisor(commands).run()` returns when all children have stopped.

    environment: of the children; by default the parent's own.
    grace:       seconds that they have to finish.
    nursery:     makes all of them together, the first time; None: each is started alone.
    """

    def __init__(
        self,
        commands: Sequence[Command],
        environment: Mapping[str, str] | None = None,
        *,
        grace: float = GRACE,
        nursery: Nursery | None = None,
    ) -> None:
        self._children = [Child(command, environment) for command in commands]
        self._nursery = nursery
        self._is_born = nursery is None
        self._grace = grace
        self._signals = 0  # to stop, until now
        self._status = 0

    def run(self) -> int:
        """Exit status: 0 stopped when asked to, 1 a child could not go on or had to be killed."""
        with _Bell(self._asked) as bell:
            if self._nursery is not None:
                self._nursery.go()
            while not self._signals and not self._status:
                bell.wait(self._look_after(time.monotonic()))
            self._stop(bell)
        return self._status

    def processes(self) -> list[tuple[str, int | None, int]]:
        """Name, process id and how often it had to be started again, of each; any thread may ask."""
        running = [(child, child.process) for child in self._children]
        return [(child.command.name, process.pid if process else None, child.restarts) for child, process in running]

    def _asked(self, number: int, _frame: FrameType | None) -> None:
        if number in STOPPING:
            self._signals += 1

    def _look_after(self, now: float) -> float | None:
        """Starts what is due; returns the seconds until the next is, None when all are running."""
        if not self._is_born and not self._born(now):
            return None
        for child in self._children:
            status = child.ended(now)
            if status == NO_USE:
                log.error("%s cannot work with these settings; stopping", child.command.name)
                self._status = 1
                return 0.0
            if status is not None:
                log.error("%s ended (%s); again in %.1f s", child.command.name, _reason(status), child.due - now)
        for child in self._children:
            if child.process is None and child.due <= now:
                child.start(now)
        return min((child.due - now for child in self._children if child.process is None), default=None)

    def _born(self, now: float) -> bool:
        """Has the nursery done its work?  Where it failed, its children are started alone."""
        if self._nursery is None or (pids := self._nursery.ended()) is None:
            return False
        self._is_born = True
        if not pids:
            log.warning("what they load could not be shared; starting each alone")
        for child, pid in zip(self._children, pids, strict=False):
            child.adopt(pid, now)
        return True

    def _stop(self, bell: "_Bell") -> None:
        if self._nursery is not None and not self._is_born:
            self._nursery.stop()
        signals, end = self._signals, time.monotonic() + self._grace
        log.info("stopping")
        self._tell_all(signal.SIGTERM)
        while self._alive() and self._signals == signals and (rest := end - time.monotonic()) > 0:
            bell.wait(rest)
        for child in self._alive():
            log.error("%s did not stop; killing it", child.command.name)
            child.tell(signal.SIGKILL)
            self._status = 1
        while self._alive():
            bell.wait(self._grace)
        log.info("stopped")

    def _tell_all(self, number: signal.Signals) -> None:
        for child in self._children:
            child.tell(number)

    def _alive(self) -> list[Child]:
        for child in self._children:
            child.ended(time.monotonic())
        return [child for child in self._children if child.process is not None]


class _Bell:
    """`wait` sleeps until a signal comes, also one that came just before it."""

    def __init__(self, handler: Callable[[int, FrameType | None], None]) -> None:
        self._handler = handler

    def __enter__(self) -> "_Bell":
        self._read, write = os.pipe()
        self._write = write
        os.set_blocking(self._read, False)
        os.set_blocking(write, False)
        self._before = {number: signal.signal(number, self._handler) for number in (*STOPPING, signal.SIGCHLD)}
        self._wakeup_before = signal.set_wakeup_fd(write, warn_on_full_buffer=False)
        return self

    def wait(self, seconds: float | None) -> None:
        ready, _, _ = select.select([self._read], [], [], seconds)
        if ready:
            os.read(self._read, 4096)

    def __exit__(self, *error: object) -> None:
        signal.set_wakeup_fd(self._wakeup_before)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        os.close(self._read)
        os.close(self._write)


def pause(failures: int) -> float:
    """Seconds to wait before a child is started again that ended `failures` times in a row (1 or more).

    >>> [pause(n) for n in (1, 2, 3, 4, 5, 6, 99)]
    [0.5, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0]
    """
    return min(FIRST_PAUSE * 2.0 ** min(failures - 1, 16), LONGEST_PAUSE)


def leave_with_parent() -> None:
    """For children: ends this process at once when the parent is gone.

    At once and not in good order: who killed the parent may start another server the next moment, and what
    was acknowledged is on disk.  A thread, because a busy event loop would notice too late.
    """
    threading.Thread(target=_wait_for_the_end, name="leave with parent", daemon=True).start()


def _wait_for_the_end() -> None:
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGKILL)


def _reason(status: int) -> str:
    if status >= 0:
        return f"exit status {status}"
    try:
        return f"by {signal.Signals(-status).name}"
    except ValueError:
        return f"by signal {-status}"
