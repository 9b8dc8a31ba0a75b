"""Pictures among the words of a post: many servers send them (Lemmy, Discourse, Ghost), and no text here shows them."""

import re
from html import unescape
from typing import NamedTuple

from federation.reading import values

TAG = re.compile(r"<img\s([^<>]{1,4096})>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"(?<![\w-])(src|alt|class|width|height)=(?:\"([^\"]*)\"|'([^']*)')", re.IGNORECASE)
_EMOJI = re.compile("emoji|smil", re.IGNORECASE)
_TINY = 64  # pixels


class Inline(NamedTuple):
    """word: it stands for one, as an emoji does, or is too small to be looked at."""

    url: str | None
    description: str
    word: bool


def read_inline(attributes: str) -> Inline:
    """What stands between `<img ` and `>`."""
    said = {name.lower(): unescape(one or other) for name, one, other in _ATTRIBUTE.findall(attributes)}
    sides = [int(said[side]) for side in ("width", "height") if re.fullmatch("[0-9]{1,6}", said.get(side, ""))]
    word = bool(_EMOJI.search(said.get("class", ""))) or min(sides, default=_TINY) < _TINY
    return Inline(values.address(said.get("src")), values.clean(said.get("alt", "")).strip(), word)
