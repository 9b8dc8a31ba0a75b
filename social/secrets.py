"""Secrets that we hand out (cookies, tokens) and what is kept of them: only their hash."""

import hashlib
import secrets
from typing import Final

BYTES: Final = 32


def new_token() -> str:
    """256 random bits, in 43 characters that need no escaping in a URL, a header or a cookie."""
    return secrets.token_urlsafe(BYTES)


def sha256(secret: str) -> bytes:
    """What the tables keep of it.  A hash without salt is enough for what cannot be guessed."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
