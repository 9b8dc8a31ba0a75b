"""What both signature schemes share: the message, what its sender claims, the clock, the arithmetic.

`federation.signatures` is the door; nothing else needs this module.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from time import gmtime
from typing import Final, Literal, TypeAlias

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA512

from federation.errors import Forged, Malformed
from federation.keys import Kind, Private, Public

Scheme: TypeAlias = Literal["cavage", "rfc9421"]
Algorithm: TypeAlias = Literal["rsa-sha256", "rsa-sha512", "rsa-pss-sha512", "ed25519", "ecdsa-p256-sha256"]

# A second one of these is how one reader is made to check what another then uses.
SINGLE: Final = frozenset(
    {
        "content-digest",
        "content-length",
        "content-type",
        "date",
        "digest",
        "host",
        "signature",
        "signature-input",
    }
)
DIGESTS: Final = ("digest", "content-digest")
READS: Final = frozenset({"GET", "HEAD"})  # methods that have no body to vouch for
DEFAULT_PORT: Final = {"https": ":443", "http": ":80"}

# Seconds.  A message waits in a peer's queue, so one whose body is signed (and whose id we remember) may be old; a
# fetch may not.  (created) is written by newer software on clocks that are kept; Date by everybody, and clocks of
# small servers are an hour off after a wrongly applied summer time.
PAST: Final = 3600
PAST_WITH_BODY: Final = 12 * 3600
DATE_AHEAD: Final = 3600
CREATED_AHEAD: Final = 300
EXPIRED_SINCE: Final = 300

HEADER_AT_MOST: Final = 8192  # characters of Signature and of Signature-Input
KEY_ID_AT_MOST: Final = 2048
KEY_ID: Final = re.compile(r"https?://[!-~]++")
MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
HTTP_DATE: Final = re.compile(
    rf"(?:{'|'.join(DAYS)}), (\d\d?) ({'|'.join(MONTHS)}) (\d{{4}}) (\d\d):(\d\d):(\d\d) (?:GMT|UTC|[+-]0000)", re.ASCII
)
URL: Final = re.compile(r"(https?)://([A-Za-z0-9.:_\[\]-]++)(/[!\"$-~]*+)?(\?[!\"$-~]*+)?(?:#[!-~]*+)?")


@dataclass(frozen=True, slots=True)
class Message:
    """A request as it was received.

    `target` is the raw path with the query; `authority` the host[:port] that this server answers for (not the Host
    header, which must equal it), `scheme` that of BASE_URL; `headers` all of them, in order, duplicates kept, decoded
    as aiohttp does (UTF-8 with surrogateescape); `body` None for none.
    """

    method: str
    target: str
    authority: str
    scheme: str
    headers: Sequence[tuple[str, str]]
    body: bytes | None


@dataclass(frozen=True, slots=True)
class Signature:
    """What the sender claims: not verified yet.  Holds all that verifying needs, so the raw headers are read once.

    `label` is the algorithm that the sender names (empty: none); it is compared with the type of the key, never obeyed.
    `bases` are the texts that may have been signed, the likeliest first; `digests` the signed ones (header, value);
    times are Unix seconds, None when absent.
    """

    key_id: str
    scheme: Scheme
    label: str
    covered: tuple[str, ...]
    date: float | None
    created: float | None
    expires: float | None
    digests: tuple[tuple[str, str], ...] = field(repr=False)
    bases: tuple[bytes, ...] = field(repr=False)
    value: bytes = field(repr=False)


def fields(message: Message) -> dict[str, str]:
    """Headers by lower-case name, several of one name joined as RFC 9421 section 2.1 says.  Raises: Forged."""
    found: dict[str, str] = {}
    for name, value in message.headers:
        name = name.lower()  # noqa: PLW2901  # of what is called for every header of every message
        if name not in found:
            found[name] = value.strip(" \t")
        elif name in SINGLE:
            raise Forged(f"there are two {name} headers")
        else:
            found[name] += ", " + value.strip(" \t")
    return found


def canonical(authority: str, scheme: str) -> str:
    """Lower case, without the port that the scheme implies (RFC 9110 section 4.2.3)."""
    return authority.lower().removesuffix(DEFAULT_PORT.get(scheme, ""))


def vouches_for_body(message: Message) -> bool:
    """Whether the signature has to cover a digest of the body."""
    return message.method.upper() not in READS or bool(message.body)


def signed_digests(found: Mapping[str, str], covered: Sequence[str]) -> tuple[tuple[str, str], ...]:
    return tuple([(name, found[name]) for name in DIGESTS if name in covered])


def checked_key_id(text: object) -> str:
    """A key id is an http(s) URL: what we can fetch, from a host that answers for it.  Raises: Malformed."""
    if not isinstance(text, str) or len(text) > KEY_ID_AT_MOST or KEY_ID.fullmatch(text) is None:
        raise Malformed("keyId", text)
    return text


def encoded(lines: Sequence[str]) -> bytes:
    """The text to sign: the bytes as they were received.  Raises: Malformed when a value spans lines."""
    text = "\n".join(lines)
    if text.count("\n") != len(lines) - 1:
        raise Malformed("signed headers", "a line break")
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise Malformed("signed headers", "a lone surrogate") from None


def moment(text: str) -> float:
    """Unix seconds of an HTTP date (RFC 9110 section 5.6.7, IMF-fixdate).  Raises: Malformed."""
    parts = HTTP_DATE.fullmatch(text)
    if parts is None:
        raise Malformed("Date", text)
    day, month, year, hour, minute, second = parts.groups()
    try:
        found = datetime(int(year), MONTHS.index(month) + 1, int(day), int(hour), int(minute), int(second), tzinfo=UTC)
    except ValueError:
        raise Malformed("Date", text) from None
    return found.timestamp()


def http_date(now: float) -> str:
    """IMF-fixdate, in English whatever the locale."""
    return _http_date(int(now))


@lru_cache(maxsize=16)  # a post to a thousand servers says it a thousand times a second
def _http_date(now: int) -> str:
    at = gmtime(now)
    return (
        f"{DAYS[at.tm_wday]}, {at.tm_mday:02} {MONTHS[at.tm_mon - 1]} {at.tm_year:04} "
        f"{at.tm_hour:02}:{at.tm_min:02}:{at.tm_sec:02} GMT"
    )


def check_clock(signature: Signature, now: float, past: float) -> None:
    """Date, created and expires, each when present, against `now`.  Raises: Forged."""
    for name, at, ahead in (("Date", signature.date, DATE_AHEAD), ("created", signature.created, CREATED_AHEAD)):
        if at is None:
            continue
        if at < now - past:
            raise Forged(f"{name} is too old")
        if at > now + ahead:
            raise Forged(f"{name} is in the future")
    if signature.expires is not None and signature.expires < now - EXPIRED_SINCE:
        raise Forged("the signature has expired")


def target_of(url: str) -> tuple[str, str, str]:
    """(scheme, authority, path with query) of an absolute URL that is already encoded.  Raises: Malformed."""
    parts = URL.fullmatch(url)
    if parts is None:
        raise Malformed("url", url)
    scheme, authority, path, query = parts.groups()
    return scheme, canonical(authority, scheme), (path or "/") + (query or "")


def holds(key: Public, algorithm: Algorithm, base: bytes, value: bytes) -> bool:
    """Whether `value` is a signature of `base` by `key`.  A key of another type than the algorithm's never holds."""
    try:
        ARITHMETIC[algorithm](key, value, base)
    except (InvalidSignature, ValueError):
        return False
    return True


def signed(key: Private, base: bytes) -> bytes:
    """The signature of `base`: RSA PKCS#1 v1.5 with SHA-256, Ed25519, or ECDSA P-256 with SHA-256 as r‖s."""
    if isinstance(key, RSAPrivateKey):
        return key.sign(base, PKCS1, SHA_256)
    if isinstance(key, EllipticCurvePrivateKey):
        r, s = decode_dss_signature(key.sign(base, ECDSA_SHA_256))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")
    return key.sign(base)


PKCS1: Final = PKCS1v15()
SHA_256: Final = SHA256()
SHA_512: Final = SHA512()
PSS_512: Final = PSS(mgf=MGF1(SHA_512), salt_length=64)  # RFC 9421 section 3.3.1
ECDSA_SHA_256: Final = ECDSA(SHA_256)


def _rsa_sha256(key: Public, value: bytes, base: bytes) -> None:
    if not isinstance(key, RSAPublicKey):
        raise InvalidSignature
    key.verify(value, base, PKCS1, SHA_256)


def _rsa_sha512(key: Public, value: bytes, base: bytes) -> None:
    if not isinstance(key, RSAPublicKey):
        raise InvalidSignature
    key.verify(value, base, PKCS1, SHA_512)


def _rsa_pss_sha512(key: Public, value: bytes, base: bytes) -> None:
    if not isinstance(key, RSAPublicKey):
        raise InvalidSignature
    key.verify(value, base, PSS_512, SHA_512)


def _ed25519(key: Public, value: bytes, base: bytes) -> None:
    if not isinstance(key, Ed25519PublicKey):
        raise InvalidSignature
    key.verify(value, base)


def _ecdsa_p256_sha256(key: Public, value: bytes, base: bytes) -> None:
    if not isinstance(key, EllipticCurvePublicKey) or len(value) != 64:  # r‖s, RFC 9421 section 3.3.4
        raise InvalidSignature
    r, s = int.from_bytes(value[:32], "big"), int.from_bytes(value[32:], "big")
    key.verify(encode_dss_signature(r, s), base, ECDSA_SHA_256)


ARITHMETIC: Final[dict[Algorithm, Callable[[Public, bytes, bytes], None]]] = {
    "rsa-sha256": _rsa_sha256,
    "rsa-sha512": _rsa_sha512,
    "rsa-pss-sha512": _rsa_pss_sha512,
    "ed25519": _ed25519,
    "ecdsa-p256-sha256": _ecdsa_p256_sha256,
}

Table: TypeAlias = Mapping[str, Mapping[Kind, tuple[Algorithm, ...]]]
