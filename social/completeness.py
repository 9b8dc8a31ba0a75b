"""How much of a conversation is here, as social/posts/refreshing.py finds out."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Completeness:
    """Of a thread: `known` posts are here, and `said` should be, where somebody said so.

    asked_at: None: nobody was asked yet.  silent: servers that did not answer.
    """

    thread_id: int
    known: int
    said: int | None
    asked_at: datetime | None
    running: bool
    found: int
    silent: tuple[str, ...]

    @property
    def asked(self) -> bool:
        return self.asked_at is not None
