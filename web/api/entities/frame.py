"""What rendering needs beside the views: who we are, when it is, and who reads."""

from dataclasses import dataclass
from datetime import datetime

from federation.origin import Origin


@dataclass(frozen=True, slots=True)
class Frame:
    origin: Origin
    now: datetime
    reader_id: int | None  # None: nobody in particular; then what only he would be told is left out
