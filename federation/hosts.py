"""Which policy holds for a server: the one rule, wherever a host is compared with the names of a list.  Pure.

A host is `name` or `name:port`, as federation.guard.host_of gives it.
"""

from collections.abc import Mapping
from typing import TypeVar

T = TypeVar("T")


def nearest(policies: Mapping[str, T], host: str) -> T | None:
    """What holds for `host`: what is said of itself, of the same without its port, or of the nearest domain above it.

    >>> nearest({"far.test": "block", "good.far.test": "allow"}, "a.good.far.test:8443")
    'allow'
    """
    if policies:
        for name in upwards(host):
            if name in policies:
                return policies[name]
    return None


def upwards(host: str) -> list[str]:
    """The names whose policies hold for `host`, the nearest first.  Nothing is above an IPv6 address.

    >>> upwards("A.far.test:8443"), upwards("[::1]:8443")
    (['a.far.test:8443', 'a.far.test', 'far.test', 'test'], ['[::1]:8443', '[::1]'])
    """
    host = host.lower()
    name = host if host.endswith("]") else host.rpartition(":")[0] or host
    found = [name] if name == host else [host, name]
    if not name.startswith("["):
        while name := name.partition(".")[2]:
            found.append(name)
    return found if host else []
