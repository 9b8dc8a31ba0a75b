"""What the client remembers of each host it talks with: little, bounded, in memory, lost without harm."""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from federation.envelope import Scheme

# How a request is signed: "ed25519" is RFC 9421 with such a key, the others are with RSA.
Manner: TypeAlias = Literal["cavage", "rfc9421", "ed25519"]

MOST_PEERS: Final = 10_000  # about 2 MB

# For a host that we know nothing about.  Draft-cavage is the one that all understand (GoToSocial and Takahe
# know no other, Mastodon knows both); who wants RFC 9421 alone refuses, and is asked again with that.
FIRST_SCHEME: Final[Scheme] = "cavage"
_OTHER: Final[dict[Scheme, Scheme]] = {"cavage": "rfc9421", "rfc9421": "cavage"}

ONE_KNOCK: Final = 900.0  # seconds: who refused both schemes is not asked twice each time
RSA_ONLY: Final = 3600.0  # seconds: who refused Ed25519 gets none of it, whatever it says that it knows


def scheme_of(manner: Manner) -> Scheme:
    return "rfc9421" if manner == "ed25519" else manner


@dataclass(slots=True)
class Peer:
    """Times are Unix times in seconds; 0 is long ago."""

    scheme: Scheme | None = None  # which it accepted last, with RSA
    ed25519: bool = False  # it says that it knows it
    rsa_until: float = 0.0  # it refused it
    one_knock_until: float = 0.0  # it refused both schemes: the signature is not what it minds
    quiet_until: float = 0.0  # it asked us not to fetch
    warm_until: float = 0.0  # a connection to it is probably open

    def schemes(self, preferred: Manner | None, now: float) -> tuple[Scheme, ...]:
        """Which to try with RSA, in order."""
        first = self._first(preferred)
        return (first,) if self.one_knock_until > now else (first, _OTHER[first])

    def manners(self, preferred: Manner | None, now: float, *, ed25519: bool) -> list[Manner]:
        """Which to try, in order.  ed25519: the sender has such a key, too."""
        first: list[Manner] = ["ed25519"] if ed25519 and self.takes_ed25519(preferred, now) else []
        return [*first, *self.schemes(preferred, now)]

    def takes_ed25519(self, preferred: Manner | None, now: float) -> bool:
        return (self.ed25519 or preferred == "ed25519") and self.rsa_until <= now

    def refused_ed25519(self, now: float) -> None:
        self.ed25519, self.rsa_until = False, now + RSA_ONLY

    def _first(self, preferred: Manner | None) -> Scheme:
        if preferred and preferred != "ed25519":
            return preferred
        return self.scheme or ("rfc9421" if self.ed25519 or preferred else FIRST_SCHEME)


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
