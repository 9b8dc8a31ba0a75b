"""Handles, as people and pages write them.  Pure."""

import re
from functools import lru_cache
from typing import Final

import idna

_NAME: Final = re.compile(r"[A-Za-z0-9_.~-]{1,128}")
_PORT: Final = re.compile(r"[1-9][0-9]{0,4}")
_LONGEST: Final = 512
_HOSTS_KEPT: Final = 2_048


def parse_handle(text: str) -> tuple[str, str] | None:
    """(name, domain) of `name@domain`, `@name@domain` or `acct:name@domain`; None when it is no handle.

    The domain comes out in lower case and punycode; for labs it may have a port: `localhost:8001`.
    """
    text = text.strip()
    if len(text) > _LONGEST:
        return None
    if text[:5].lower() == "acct:":
        text = text[5:]
    name, found, domain = text.removeprefix("@").partition("@")
    if not found or not _NAME.fullmatch(name):
        return None
    host, colon, port = domain.partition(":")
    if colon and not _PORT.fullmatch(port):
        return None
    normal = _normalised(host)
    return (name, normal + colon + port) if normal else None


@lru_cache(_HOSTS_KEPT)
def _normalised(host: str) -> str | None:
    """In lower case and punycode; None when it is no host name."""
    try:
        return idna.encode(host, uts46=True).decode("ascii") if host and not host.endswith(".") else None
    except idna.IDNAError:
        return None
