"""In which steps a batch of messages can be handled: as much as possible together, each actor's in their order."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from federation.reading import Note
from inbox.handlers.posts import plain_note
from inbox.messages import Verified
from inbox.spool import Kept

LINE: Final = 8  # messages of one actor in one unit


@dataclass(slots=True)
class Step:
    """What may happen at the same time: of one actor either new posts, or one line of other things."""

    creates: list[tuple[Kept, Verified, Note]] = field(default_factory=list)
    lines: dict[str, list[Kept]] = field(default_factory=lambda: defaultdict(list))


@dataclass(slots=True)
class _Place:
    """Where the last message of an actor was put."""

    step: int
    creates: bool
    number: int = 0  # of messages of his there


def plan(batch: Iterable[Kept]) -> list[Step]:
    steps: list[Step] = []
    places: dict[str, _Place] = {}
    for kept in batch:
        message = kept.message
        note = plain_note(message) if isinstance(message, Verified) and message.introduction is None else None
        place = places.get(kept.signer) or _Place(0, note is not None)
        if place.creates is not (note is not None) or (note is None and place.number == LINE):
            place = _Place(place.step + 1, note is not None)
        place.number += 1
        places[kept.signer] = place
        if place.step == len(steps):
            steps.append(Step())
        if note is not None and isinstance(message, Verified):
            steps[place.step].creates.append((kept, message, note))
        else:
            steps[place.step].lines[kept.signer].append(kept)
    return steps
