"""What the client remembers of each host it talks with: little, bounded, in memory, lost without harm."""

from dataclasses import dataclass
from typing import Final

from federation.envelope import Scheme

MOST_PEERS: Final = 10_000  # about 2 MB

# For a host that we know nothing about.  Draft-cavage is the one that all understand (GoToSocial and Takahe
# know no other, Mastodon knows both); who wants RFC 9421 alone refuses, and is asked again with that.
FIRST_SCHEME: Final[Scheme] = "cavage"
_OTHER: Final[dict[Scheme, Scheme]] = {"cavage": "rfc9421", "rfc9421": "cavage"}

ONE_KNOCK: Final = 900.0  # seconds: who refused both schemes is not asked twice each time


@dataclass(slots=True)
class Peer:
    """Times are Unix times in seconds; 0 is long ago."""

    scheme: Scheme | None = None  # which it accepted last
    one_knock_until: float = 0.0  # it refused both schemes: the signature is not what it minds
    quiet_until: float = 0.0  # it asked us not to fetch
    warm_until: float = 0.0  # a connection to it is probably open

    def schemes(self, preferred: Scheme | None, now: float) -> tuple[Scheme, ...]:
        """Which to try, in order."""
        first = preferred or self.scheme or FIRST_SCHEME
        return (first,) if self.one_knock_until > now else (first, _OTHER[first])


class Peers:
    """The most recently used ones."""

    def __init__(self, most: int = MOST_PEERS) -> None:
        self._most = most
        self._peers: dict[str, Peer] = {}  # the longest unused first

    def __len__(self) -> int:
        return len(self._peers)

    def of(self, host: str) -> Peer:
        peer = self._peers.pop(host, None) or Peer()
        self._peers[host] = peer
        if len(self._peers) > self._most:
            del self._peers[next(iter(self._peers))]
        return peer
