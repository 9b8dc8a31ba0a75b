"""Posts as JSON, most of each made once.

What is the same for all readers (entities.status.shared) is kept as bytes with the very Parts that it was made of.  As
outbox.parts.recall gives the same Parts again as long as nothing about a post or its author has changed, no piece is
ever stale, and nobody has to say that it is.
"""

from typing import Any, Final

import orjson

from federation.origin import Origin
from outbox.parts import Parts
from social.views import PostView
from web.api.entities.frame import Frame
from web.api.entities.status import shared, vary

MOST: Final = 4_000  # posts, of about 2 KB

_kept: dict[int, tuple[Parts, Origin, bytes]] = {}


def piece(view: PostView, frame: Frame) -> orjson.Fragment:
    """As entities.status.status, for orjson.dumps."""
    varying: Any = {}
    vary(varying, view, frame, piece)
    return orjson.Fragment(_shared(view, frame, varying) + orjson.dumps(varying)[1:])


def _shared(view: PostView, frame: Frame, varying: dict[str, Any]) -> bytes:
    """All but the end of the object."""
    number = view.parts.post.id
    found = _kept.get(number)
    if found is not None and found[0] is view.parts and found[1] is frame.origin:
        return found[2]
    entity: dict[str, Any] = {**shared(view, frame)}
    for key in varying:
        entity.pop(key, None)
    made = orjson.dumps(entity)[:-1] + b","
    _kept.pop(number, None)
    if len(_kept) >= MOST:  # the older half goes
        for old in list(_kept)[: MOST // 2]:
            del _kept[old]
    _kept[number] = (view.parts, frame.origin, made)
    return made
