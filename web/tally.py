"""How many requests were answered how, and how fast: about a microsecond for each, written down with other counts.

aiohttp times requests for whoever keeps an access log; this is one that only counts.
"""

import logging
from bisect import bisect_left
from collections.abc import Callable
from typing import Final

from aiohttp.abc import AbstractAccessLogger
from aiohttp.web import BaseRequest, StreamResponse

LIMITS: Final = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)  # seconds
LONGEST: Final = 30.0  # what takes longer is a stream


class Tally:
    def __init__(self) -> None:
        self._classes = [0] * 6
        self._buckets = [0] * (len(LIMITS) + 1)
        self._seconds = 0.0

    def add(self, status: int, seconds: float) -> None:
        self._classes[status // 100 % 6] += 1
        if seconds < LONGEST:
            self._buckets[bisect_left(LIMITS, seconds)] += 1
            self._seconds += seconds

    def take(self) -> dict[str, int]:
        """What came since the last `take`, as ops/metrics.py reads it: http/2xx, latency/0.05, latency_us."""
        found = {f"http/{n}xx": number for n, number in enumerate(self._classes) if number}
        places = (*map(str, LIMITS), "+Inf")
        found.update(
            {f"latency/{place}": number for place, number in zip(places, self._buckets, strict=True) if number}
        )
        if self._seconds:
            found["latency_us"] = round(self._seconds * 1_000_000)
        self._classes, self._buckets, self._seconds = [0] * 6, [0] * (len(LIMITS) + 1), 0.0
        return found


def access_log(add: Callable[[int, float], None]) -> type[AbstractAccessLogger]:
    """For `access_log_class` of aiohttp."""

    class Counted(AbstractAccessLogger):
        __slots__ = ()

        def log(self, request: BaseRequest, response: StreamResponse, time: float) -> None:  # noqa: ARG002  aiohttp's
            add(response.status, time)

    return Counted


LOG: Final = logging.getLogger("connectme.requests")  # nothing is written to it; without one aiohttp takes no time
