"""Posts as JSON, most of each made once.

What is the same for all readers who may, or may not, show its author in a collection (entities.status.shared) is kept
as bytes with the very Parts that it was made of.  As outbox.parts.recall gives the same Parts again as long as nothing
about a post or its author has changed, no piece is ever stale, and nobody has to say that it is.
"""

from typing import Any, Final, NamedTuple

import orjson

from federation.origin import Origin
from outbox.parts import Parts
from social.collections.consent import Verdict
from social.views import PostView
from store.kept import Kept
from web.api.entities.frame import Frame
from web.api.entities.status import shared, vary

MOST: Final = 8 << 20  # bytes: some 4,000 posts, fewer long ones


class _Piece(NamedTuple):
    """json: a post, of which what all have alike comes first, up to `ends`, and then the rest for one in that `state`.

    state: None: without the rest.
    """

    parts: Parts
    origin: Origin
    state: object
    ends: int
    json: bytes


_kept: Kept[tuple[int, Verdict], _Piece] = Kept(MOST)


def piece(view: PostView, frame: Frame) -> orjson.Fragment:
    """As entities.status.status, for orjson.dumps."""
    key, state = (view.parts.post.id, view.may_show), _state(view, frame)
    found = _kept.get(key)
    if found is not None and (found.parts is not view.parts or found.origin is not frame.origin):
        found = None
    if found is not None and state is not None and found.state == state:
        return orjson.Fragment(found.json)
    varying: Any = {}
    vary(varying, view, frame, piece)
    alike = _shared(view, frame, varying) if found is None else found.json[: found.ends]
    made = alike + orjson.dumps(varying)[1:]
    if found is None or state is not None:
        kept = _Piece(view.parts, frame.origin, state, len(alike), alike if state is None else made)
        _kept.put(key, kept, len(kept.json))
    return orjson.Fragment(made)


def _state(view: PostView, frame: Frame) -> object:
    """Two readers for whom it is equal are told the same.  None: it depends on more, or on when it is."""
    card = view.parts.card
    if view.boost_of is not None or view.quote is not None or view.filters or view.collections:
        return None
    if view.parts.poll is not None:
        return None
    named = card is not None and frame.reader_id is not None and card.creator_id == frame.reader_id
    return (frame.reader_id is None, named, *view[1:])


def _shared(view: PostView, frame: Frame, varying: dict[str, Any]) -> bytes:
    """All but the end of the object."""
    entity: dict[str, Any] = {**shared(view, frame)}
    for key in varying:
        entity.pop(key, None)
    return orjson.dumps(entity)[:-1] + b","
