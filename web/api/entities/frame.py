"""What rendering needs beside the views: who we are, when it is, and who reads."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from federation.origin import Origin
from social.collections import consent
from social.collections.consent import Verdict
from social.relationships import Relationship
from store.tables import Account


@dataclass(frozen=True, slots=True)
class Frame:
    origin: Origin
    now: datetime
    reader_id: int | None  # None: nobody in particular; then what only he would be told is left out
    standing: Mapping[int, Relationship] = field(default_factory=dict)  # of the reader, where it matters

    def may_show(self, it: Account) -> Verdict:
        """May the reader show him in a collection?"""
        return consent.verdict(it, self.reader_id, self.standing.get(it.id))
