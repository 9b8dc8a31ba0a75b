"""Which policy holds for a server: the one rule, wherever a host is compared with the names of a list.  Pure.

A host is `name` or `name:port`, as federation.guard.host_of gives it.
"""

from collections.abc import Iterator, Mapping
from typing import TypeVar

T = TypeVar("T")


def nearest(policies: Mapping[str, T], host: str) -> T | None:
    """What holds for `host`: what is said of itself, of the same without its port, or of the nearest domain above it.

    >>> nearest({"far.test": "block", "good.far.test": "allow"}, "a.good.far.test:8443")
    'allow'
    """
    return next((policies[name] for name in upwards(host) if name in policies), None) if policies else None


def upwards(host: str) -> Iterator[str]:
    """The names whose policies hold for `host`, the nearest first.  Nothing is above an IPv6 address.

    >>> list(upwards("A.far.test:8443")), list(upwards("[::1]:8443"))
    (['a.far.test:8443', 'a.far.test', 'far.test', 'test'], ['[::1]:8443', '[::1]'])
    """
    host = host.lower()
    name = host if host.endswith("]") else host.rpartition(":")[0] or host
    if name != host:
        yield host
    while name:
        yield name
        name = "" if name.startswith("[") else name.partition(".")[2]
