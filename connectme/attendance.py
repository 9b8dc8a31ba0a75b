"""Notes down that this process listens, and when it turned messages away: ops/outages.py makes windows of that."""

import asyncio
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from connectme.loop import until
from ops import outages

log = logging.getLogger(__name__)

EVERY: Final = 10.0  # seconds


class Attendance:
    """Of one web process."""

    def __init__(self, data_dir: Path, clock: Callable[[], float] = time.time) -> None:
        self._data_dir = data_dir
        self._clock = clock
        self._missed: tuple[float, float] | None = None

    def missed(self) -> None:
        """A message was turned away that should have been kept.  Cheap: there may be thousands of them."""
        now = self._clock()
        self._missed = (self._missed[0] if self._missed else now, now)

    def note(self) -> None:
        """What could not be written, as on a disk that is full, waits for the next time."""
        try:
            outages.beat(self._data_dir, self._clock())
            if self._missed is not None:
                outages.refused(self._data_dir, *self._missed)
                self._missed = None
        except OSError as error:
            log.warning("it cannot be noted down that this server listens: %s", error)

    async def run(self, stop: asyncio.Event) -> None:
        self.note()
        while not await until(stop, EVERY):
            self.note()
        self.note()
