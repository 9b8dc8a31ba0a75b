"""Ids that sort by time, as Mastodon clients expect, and that two processes never make twice.

63 bits: 42 of Unix milliseconds (until 2109), 10 of node, 11 of sequence.  A process never goes back in time: when
the clock does, or when 2,048 ids of one millisecond are used up, the next millisecond is borrowed.
"""

import hashlib
import itertools
import os
import random
import socket
import threading
import time
from datetime import datetime

NODE_BITS, SEQUENCE_BITS = 10, 11
_SHIFT = NODE_BITS + SEQUENCE_BITS
_SEQUENCES = 1 << SEQUENCE_BITS
_LOW = (1 << _SHIFT) - 1
LARGEST = (1 << 63) - 1
LATELY = 60_000  # milliseconds: what happened so lately is sorted by its arrival, which keeps the order of an actor


def node() -> int:
    """10 bits for this process: processes of one machine differ by pid, machines by the hash of their name."""
    machine = hashlib.blake2b(socket.gethostname().encode(), digest_size=2).digest()
    return (int.from_bytes(machine, "big") ^ os.getpid()) & ((1 << NODE_BITS) - 1)


class Maker:
    """Makes ids; safe to use from several threads (units of SQLite run in their own)."""

    def __init__(self, number: int) -> None:
        self._node = number << SEQUENCE_BITS
        self._ms = 0
        self._sequence = 0
        self._lock = threading.Lock()

    def not_before(self, moment_ms: int) -> None:
        """None that is made from now on is of that moment or an earlier one, whatever the clock says."""
        with self._lock:
            if moment_ms >= self._ms:
                self._ms, self._sequence = moment_ms + 1, -1

    def __call__(self) -> int:
        with self._lock:
            now = time.time_ns() // 1_000_000
            if now > self._ms:
                self._ms, self._sequence = now, 0
            else:
                self._sequence += 1
                if self._sequence == _SEQUENCES:
                    self._ms, self._sequence = self._ms + 1, 0
            return (self._ms << _SHIFT) | self._node | self._sequence


def _begin() -> None:
    """In each process, also in one that was forked: it would make the ids of its parent."""
    global _make, _earlier  # noqa: PLW0603
    _make = Maker(node())
    # For moments of the past: begins anywhere, so that two processes hardly ever meet.
    _earlier = itertools.count(random.getrandbits(_SHIFT))


_make: Maker
_earlier: "itertools.count[int]"
_begin()
os.register_at_fork(after_in_child=_begin)


def new_id(at_ms: int | None = None) -> int:
    """A 63-bit id.

    at_ms: for what happened earlier (a post fetched long after it was written), its moment in Unix milliseconds; it
           then sorts among the others of its time, never after now; those of one millisecond in the order of calls.
    """
    if at_ms is None:
        return _make()
    now = time.time_ns() // 1_000_000
    if at_ms >= now - LATELY:
        return _make()
    return (max(at_ms, 0) << _SHIFT) | (next(_earlier) & _LOW)


def id_of(at_ms: int, name: str) -> int:
    """The id of what happened at that moment of the past, and has a name elsewhere: always the same one."""
    return (at_ms << _SHIFT) | (int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "big") & _LOW)


def not_before(moment_ms: int) -> None:
    """For a clock that is behind, or a database that was restored: ids that were used once are not made again."""
    _make.not_before(moment_ms)


def first_id(moment: datetime) -> int:
    """The least that an id of that moment can be."""
    return int(moment.timestamp() * 1000) << _SHIFT


def moment_ms(number: int) -> int:
    """The Unix milliseconds in an id."""
    return number >> _SHIFT
