"""Is this the right database?  It carries the domain it was made for; another domain is refused.

A server that starts on the wrong database would sign with the wrong keys, and tell the world so.
"""

import secrets

from sqlalchemy import Connection

from federation.origin import Origin
from social import instance

DOMAIN, BASE_URL, INSTANCE, PROXY_KEY = "domain", "base_url", "instance", "proxy_key"


class WrongDatabase(Exception):
    """The server must not start.  `str` says what to do."""


def check(tx: Connection, origin: Origin) -> None:
    """Raises: WrongDatabase, when it was made for somebody else.  Writes nothing."""
    for name, ours, setting in ((DOMAIN, origin.domain, "DOMAIN"), (BASE_URL, origin.base_url, "BASE_URL")):
        found = instance.fact(tx, name)
        if found is not None and found != ours:
            raise WrongDatabase(
                f"this database was made for {found}, and {setting} says {ours}; other servers know its people by that "
                f"name: set {setting} back to {found}, or name the right database in DATABASE_URL"
            )


def claim(tx: Connection, origin: Origin) -> None:
    """Makes an empty database ours.  Does nothing to one that is.  Raises: WrongDatabase."""
    for name, value in ((DOMAIN, origin.domain), (BASE_URL, origin.base_url), (INSTANCE, secrets.token_hex(16))):
        instance.note(tx, name, value)
    note_proxy_key(tx)
    check(tx, origin)


def note_proxy_key(tx: Connection) -> None:
    """What signs the addresses of /proxy, in all processes alike; made once."""
    instance.note(tx, PROXY_KEY, secrets.token_hex(32))


def proxy_key(tx: Connection) -> bytes | None:
    found = instance.fact(tx, PROXY_KEY)
    return None if found is None else bytes.fromhex(found)
