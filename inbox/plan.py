"""In which steps a batch of messages can be handled: as much as possible together, each actor's in their order."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from federation.reading import Note
from inbox.handlers.follows import plain_follow
from inbox.handlers.posts import plain_note
from inbox.messages import Verified
from inbox.spool import Kept

LINE: Final = 8  # messages of one actor in one unit


@dataclass(slots=True)
class Step:
    """What may happen at the same time: of one actor either new posts, or one plain Follow (of the target whose uri
    is beside it), or one line of other things."""

    creates: list[tuple[Kept, Verified, Note]] = field(default_factory=list)
    follows: list[tuple[Kept, Verified, str]] = field(default_factory=list)
    lines: dict[str, list[Kept]] = field(default_factory=lambda: defaultdict(list))


@dataclass(slots=True)
class _Place:
    """Where the last message of an actor was put."""

    step: int
    what: str
    number: int = 0  # of messages of his there

    @property
    def is_full(self) -> bool:
        return self.what != "creates" and self.number == (LINE if self.what == "lines" else 1)


def plan(batch: Iterable[Kept]) -> list[Step]:
    steps: list[Step] = []
    places: dict[str, _Place] = {}
    for kept in batch:
        message = kept.message
        plain = message if isinstance(message, Verified) else None
        note = plain_note(plain) if plain and plain.introduction is None else None
        target = plain_follow(plain) if plain else None
        what = "creates" if note else "follows" if target else "lines"
        place = places.get(kept.signer) or _Place(0, what)
        if place.what != what or place.is_full:
            place = _Place(place.step + 1, what)
        place.number += 1
        places[kept.signer] = place
        if place.step == len(steps):
            steps.append(Step())
        step = steps[place.step]
        if plain and note:
            step.creates.append((kept, plain, note))
        elif plain and target:
            step.follows.append((kept, plain, target))
        else:
            step.lines[kept.signer].append(kept)
    return steps
