"""Which hosts are talked to at the same time, and who comes next.  In memory, of one worker.

A host that hangs holds its place among the quick ones for SLOW seconds only.  Hosts that were silent before have
places of their own.  Hosts that took mail from us just now are served before those of which we know nothing.
"""

import asyncio
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from outbox.mail import LEASE, Mail

SLOW: Final = 1.0  # seconds after which a talk is no longer quick
FAILING: Final = 4  # one place in so many is for hosts that were silent
WARM: Final = 60.0  # seconds: a host that took mail so lately is served before others …
PATIENCE: Final = 0.5  # … which wait so many seconds for that, at most
WARM_KEPT: Final = 20_000
_LEASE: Final = LEASE.total_seconds()


@dataclass(slots=True, eq=False)
class Line:
    """A talk that goes on.  `quick`: it counts among the quick ones, still."""

    mail: Mail
    task: asyncio.Task[None]
    since: float
    leased: float
    quick: bool


class Window:
    """size: quick talks at a time; places: all talks, slow ones included.  Moments are of time.monotonic."""

    def __init__(self, size: int, places: int) -> None:
        self.lines: dict[str, Line] = {}
        self._size = size
        self._places = places
        self._quick = 0
        self._failing = 0
        self._young: deque[Line] = deque()  # the quick ones, and some that ended, the oldest first
        self._later: deque[tuple[float, Mail]] = deque()  # claimed, the oldest first
        self._warm: dict[str, float] = {}  # the longest ago first

    def __len__(self) -> int:
        return len(self.lines)

    @property
    def has_room(self) -> bool:
        """For so many hosts that it is worth a claim."""
        return self._quick <= self._size * 3 // 4 and len(self.lines) < self._places

    @property
    def wants_mail(self) -> bool:
        return self.has_room and len(self._later) < self._size

    def room(self) -> tuple[int, int]:
        """Free places for hosts that are thought well, and for those that were silent."""
        free = self._places - len(self.lines)
        failing = max(0, min(self._size // FAILING - self._failing, free))
        return max(0, min(self._size - self._quick, free - failing)), failing

    def grow_old(self, now: float) -> None:
        """Who talks for SLOW seconds is no longer among the quick ones."""
        while self._young and self._young[0].since < now - SLOW:
            line = self._young.popleft()
            self._quick -= line.quick
            line.quick = False

    def begin(self, mail: Mail, task: asyncio.Task[None], now: float) -> None:
        line = Line(mail, task, now, now, quick=not mail.failures)
        self.lines[mail.host] = line
        if line.quick:
            self._quick += 1
            self._young.append(line)
        else:
            self._failing += 1

    def end(self, host: str, now: float, *, accepted: bool) -> None:
        line = self.lines.pop(host)
        self._quick -= line.quick
        self._failing -= line.mail.failures > 0
        line.quick = False
        self._warm.pop(host, None)
        if accepted:
            self._warm[host] = now
            if len(self._warm) > WARM_KEPT:
                del self._warm[next(iter(self._warm))]

    def sort(self, found: Sequence[Mail], now: float) -> list[Mail]:
        """Those to talk with at once; the others are kept for `later`."""
        at_once = []
        for mail in found:
            if now - self._warm.get(mail.host, now - WARM) < WARM:
                at_once.append(mail)
            else:
                self._later.append((now, mail))
        return at_once

    def later(self, now: float, *, patient: bool) -> Iterator[Mail]:
        """Those that waited, as places allow; when `patient` only those that waited long, or if there are many."""
        while self._later and self._quick < self._size and len(self.lines) < self._places:
            if patient and self._later[0][0] > now - PATIENCE and len(self._later) < self._size:
                return
            yield self._later.popleft()[1]

    def expired(self, now: float) -> list[Mail]:
        """Those that waited until their lease is about to end; now they may go to any worker."""
        found = []
        while self._later and self._later[0][0] < now - _LEASE / 2:
            found.append(self._later.popleft()[1])
        return found

    def close(self) -> list[Mail]:
        """All that waited."""
        found = [mail for _, mail in self._later]
        self._later.clear()
        return found

    def leases(self, now: float) -> list[str]:
        """Hosts that are talked to for so long that another worker might think us dead; they count as renewed."""
        found = [host for host, line in self.lines.items() if now - line.leased > _LEASE / 4]
        for host in found:
            self.lines[host].leased = now
        return found
