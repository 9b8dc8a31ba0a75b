"""Digests of bodies, in the two spellings that servers use: RFC 3230 `Digest` and RFC 9530 `Content-Digest`."""

import hashlib
from binascii import b2a_base64
from collections.abc import Callable, Iterable
from typing import Any

from federation.errors import Forged

# MD5, SHA-1 and the rest are not known: a digest is believed only for what nobody can collide.
HASHES: dict[str, Callable[[bytes], Any]] = {"sha-256": hashlib.sha256, "sha-512": hashlib.sha512}


def digest_header(body: bytes) -> str:
    """`SHA-256=base64`, for draft-cavage signatures (RFC 3230 section 4.3.2)."""
    return f"SHA-256={_base64(hashlib.sha256(body).digest())}"


def content_digest(body: bytes) -> str:
    """`sha-256=:base64:`, for RFC 9421 signatures (RFC 9530 section 2)."""
    return f"sha-256=:{_base64(hashlib.sha256(body).digest())}:"


def check_digest(value: str, body: bytes) -> None:
    """Every SHA-256 and SHA-512 member of a `Digest` header is that of `body`, and there is one at least.

    Names are compared without case, other algorithms are passed over.  Raises: Forged.
    """
    _check("Digest", ((name, found.strip()) for name, found in _members(value)), body)


def check_content_digest(value: str, body: bytes) -> None:
    """The same for a `Content-Digest` header, whose values stand between colons.  Raises: Forged."""
    _check("Content-Digest", ((name, _unwrap(found)) for name, found in _members(value)), body)


def _check(header: str, members: Iterable[tuple[str, str]], body: bytes) -> None:
    seen = set()
    for name, found in members:
        if name not in HASHES:
            continue
        if name in seen:  # also keeps a long header from making us hash a long body again and again
            raise Forged(f"{header} has {name} twice")
        seen.add(name)
        if found != _base64(HASHES[name](body).digest()):
            raise Forged(f"{header} is not that of the body")
    if not seen:
        raise Forged(f"{header} has neither SHA-256 nor SHA-512")


def _members(value: str) -> Iterable[tuple[str, str]]:
    for member in value.split(","):
        name, _, found = member.partition("=")
        yield name.strip().lower(), found


def _unwrap(found: str) -> str:
    """The base64 of `:base64:;parameters`; empty, which matches nothing, when the colons are missing."""
    before, _, rest = found.strip().partition(":")
    inside, closed, _ = rest.partition(":")
    return inside if closed and not before else ""


def _base64(raw: bytes) -> str:
    return b2a_base64(raw, newline=False).decode("ascii")
