"""How often what arrived, and what became of it: gathered in memory, added up in the spool's file.

A name is `subject` or `subject/detail`, as in `refused/signature` or `handled/Create`.
"""

import re
from collections import Counter

DETAILS = 200  # different names at most: some of them come from outside

_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_/-]{0,63}")


class Counts:
    def __init__(self) -> None:
        self._new: Counter[str] = Counter()
        self._names: set[str] = set()

    def add(self, subject: str, detail: str = "", number: int = 1) -> None:
        self._new[self._name(subject, detail)] += number

    def take(self) -> dict[str, int]:
        """What came since the last `take`; the caller adds it to the file, or gives it back."""
        taken, self._new = self._new, Counter()
        return dict(taken)

    def give_back(self, taken: dict[str, int]) -> None:
        self._new.update(taken)

    def _name(self, subject: str, detail: str) -> str:
        if not detail:
            return subject
        name = f"{subject}/{detail}" if _WORD.fullmatch(detail) else f"{subject}/other"
        if name not in self._names:
            if len(self._names) >= DETAILS:
                return f"{subject}/other"
            self._names.add(name)
        return name
