"""What members do, tried as they would do it: live updates, pictures, search.

streaming  a WebSocket on which one message has to come, through all that others come through
media      a small picture is written where files are kept and read back (the server does that), and asked for by HTTP
search     a word is looked up in the index (the server does that); how many posts are not in it yet

What goes wrong is tried again at the next look, however seldom it is tried else: a rule waits for two looks.
"""

import json
from typing import Any, Final

from ops.watch import asking

STREAM, MEDIA, SEARCH = "/api/v1/streaming/health", "/probez/media", "/probez/search"
SEARCH_EVERY: Final = 30.0  # seconds
NOT_TOLD: Final = (403, 404, 429)  # whoever answers so lets nobody try
PATIENCE: Final = 8.0  # seconds


class Probes:
    """`look(now)` is one look at those that are due; what is known of the others comes with it.

    media_every: seconds between two files that are written.
    pace: what times are multiplied by.
    """

    def __init__(self, bind: str, media_every: float, pace: float = 1.0) -> None:
        self._bind = bind
        self._every = {"streaming": 0.0, "media": media_every * pace, "search": SEARCH_EVERY * pace}
        self._tries = {"streaming": self._streaming, "media": self._media, "search": self._search}
        self._due: dict[str, float] = {}
        self._found: dict[str, dict[str, float]] = {}
        self._first: tuple[str, float] | None = None  # of the posts that wait for the index, and since when

    def look(self, now: float) -> dict[str, float]:
        for name, attempt in self._tries.items():
            due = self._due.get(name, 0.0)
            if now < due <= now + self._every[name]:  # a clock that was set back makes nothing wait for long
                continue
            if (found := attempt(now)) is None:
                continue
            self._found[name] = found
            self._due[name] = now + self._every[name] if found[name] == 1 else 0.0
        return {name: value for found in self._found.values() for name, value in found.items()}

    def forget(self) -> None:
        """No web process answers: that says all."""
        self._found.clear()
        self._due.clear()

    def _streaming(self, _now: float) -> dict[str, float] | None:
        heard = asking.listen(self._bind, STREAM, timeout=PATIENCE)
        if heard.status in NOT_TOLD:
            return None
        return {"streaming": float(heard.status == asking.SWITCHED and b'"tried"' in heard.body)}

    def _media(self, _now: float) -> dict[str, float] | None:
        """1: all is well; 0.5: what is there can be seen; 0: not even that."""
        said = self._asked(MEDIA)
        if said is None:
            return None
        name = str(said.get("name"))
        picture = asking.ask(self._bind, f"/media/{name}", timeout=PATIENCE)
        served = picture.status == 200 and len(picture.body) == said.get("bytes")
        return {"media": (1.0 if said.get("writes") else 0.5) if served and said.get("reads") else 0.0}

    def _search(self, now: float) -> dict[str, float] | None:
        said = self._asked(SEARCH)
        if said is None or not said.get("answers"):
            return None if said is None else {"search": 0.0}
        first = str(said.get("first") or "")
        if self._first is None or self._first[0] != first:
            self._first = first, now
        waits = max(now - self._first[1], 0.0) if first else 0.0
        return {"search": 1.0, "search_waiting": float(said.get("waiting") or 0), "search_oldest": waits}

    def _asked(self, path: str) -> dict[str, Any] | None:
        """Empty, when it does not answer as it should; None, when it does not let itself be asked."""
        heard = asking.ask(self._bind, path, timeout=PATIENCE)
        if heard.status in NOT_TOLD:
            return None
        try:
            said = json.loads(heard.body) if heard.status == 200 else {}
        except ValueError:
            said = {}
        return said if isinstance(said, dict) else {}
