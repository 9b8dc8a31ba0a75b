"""draft-cavage-http-signatures-12, as the fediverse speaks it since 2017: one `Signature` header.

Where the draft and practice differ, practice: `hs2019` with an RSA key is PKCS#1 v1.5 (Mastodon, GoToSocial), the
target may be signed without its query (Takahe), the host without its port (Takahe).
"""

import re
from binascii import Error as NotBase64
from binascii import a2b_base64, b2a_base64
from collections.abc import Mapping
from typing import Final

from federation import envelope
from federation.envelope import Message, Signature, Table
from federation.errors import Forged, Malformed
from federation.keys import PrivateKey

RSA: Final = ("rsa-sha256", "rsa-sha512", "rsa-pss-sha512")  # the likeliest first
# What the sender may name, and what a key of each type then means.  Not here: hmac-*, whose secret would be the public
# key that the sender knows as well as we do; rsa-sha1.
LABELS: Final[Table] = {
    "": {"rsa": RSA, "ed25519": ("ed25519",)},
    "hs2019": {"rsa": RSA, "ed25519": ("ed25519",)},
    "rsa-sha256": {"rsa": ("rsa-sha256",)},
    "rsa-sha512": {"rsa": ("rsa-sha512",)},
    "ed25519": {"ed25519": ("ed25519",)},
}
SAID: Final = {"rsa": "rsa-sha256", "ed25519": "hs2019"}

# One `name="text"` or `name=number` with its comma.  Possessive throughout: it never goes back.
PARAMETER: Final = re.compile(
    r'[ \t]*+([A-Za-z]++)[ \t]*+=[ \t]*+(?:"([^"\\]*+)"|([0-9.]++))[ \t]*+(?:,|\Z)',
)
SECONDS: Final = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,9})?")
PORT: Final = re.compile(r":[0-9]++\Z")
REQUIRED: Final = frozenset({"(request-target)", "host"})


def parse(message: Message, found: Mapping[str, str]) -> Signature:
    """The claim of a `Signature` header; `found` are the message's fields.  Raises: Malformed, Forged."""
    parameters = _parameters(found["signature"])
    covered = tuple(parameters.get("headers", "date").lower().split())
    created, expires = _seconds(parameters, "created"), _seconds(parameters, "expires")
    _check_coverage(message, covered)
    label = parameters.get("algorithm", "").lower()
    if label not in LABELS:
        raise Forged(f"algorithm {label[:40]!r} is not accepted")
    return Signature(
        key_id=envelope.checked_key_id(parameters.get("keyid")),
        scheme="cavage",
        label=label,
        covered=covered,
        bases=_bases(message, found, covered, parameters),
        digests=envelope.signed_digests(found, covered),
        date=envelope.moment(found["date"]) if "date" in covered else None,
        created=created,
        expires=expires,
        value=_value(parameters),
    )


def sign(
    method: str,
    url: str,
    key: PrivateKey,
    now: float,
    *,
    digest: str | None,
    content_type: str | None,
    also: Mapping[str, str],
) -> dict[str, str]:
    """The headers of a request of ours, the order of what is signed being Mastodon's.  Raises: Malformed."""
    if key.kind not in SAID:
        raise Malformed("key", key.kind)
    _, authority, target = envelope.target_of(url)
    headers = {"Host": authority, "Date": envelope.http_date(now)}
    if digest is not None:
        headers["Digest"] = digest
    if content_type is not None:
        headers["Content-Type"] = content_type
    headers |= also
    lines = [f"(request-target): {method.lower()} {target}"]
    lines += [f"{name.lower()}: {value}" for name, value in headers.items()]
    value = b2a_base64(envelope.signed(key.key, envelope.encoded(lines)), newline=False).decode("ascii")
    names = " ".join(["(request-target)", *headers]).lower()
    headers["Signature"] = f'keyId="{key.id}",algorithm="{SAID[key.kind]}",headers="{names}",signature="{value}"'
    return headers


def _parameters(header: str) -> dict[str, str]:
    if len(header) > envelope.HEADER_AT_MOST:
        raise Malformed("Signature", f"{len(header)} characters")
    parameters: dict[str, str] = {}
    at = 0
    while at < len(header):
        part = PARAMETER.match(header, at)
        if part is None:
            raise Malformed("Signature", header[at:])
        name, text, number = part.groups()
        name = name.lower()
        if name in parameters:
            raise Forged(f"the signature has {name[:40]} twice")
        parameters[name] = number if text is None else text
        at = part.end()
    return parameters


def _seconds(parameters: Mapping[str, str], name: str) -> float | None:
    text = parameters.get(name)
    if text is None:
        return None
    if SECONDS.fullmatch(text) is None:
        raise Malformed(name, text)
    return float(text)


def _check_coverage(message: Message, covered: tuple[str, ...]) -> None:
    names = frozenset(covered)
    if len(names) != len(covered):
        raise Forged("the signature covers a header twice")
    if not names >= REQUIRED:
        raise Forged("the signature does not cover (request-target) and host")
    if "date" not in names and "(created)" not in names:
        raise Forged("the signature covers neither date nor (created)")
    if envelope.vouches_for_body(message) and names.isdisjoint(envelope.DIGESTS):
        raise Forged("the signature does not cover a digest of the body")


def _bases(
    message: Message, found: Mapping[str, str], covered: tuple[str, ...], parameters: Mapping[str, str]
) -> tuple[bytes, ...]:
    method = message.method.lower()
    values = {**found, "(created)": parameters.get("created"), "(expires)": parameters.get("expires")}
    bases = []
    for host in _hosts(found["host"]):
        for target in _targets(message):
            values["host"] = host
            values["(request-target)"] = f"{method} {target}"
            bases.append(envelope.encoded([f"{name}: {_of(values, name)}" for name in covered]))
    return tuple(bases)


def _of(values: Mapping[str, str | None], name: str) -> str:
    value = values.get(name)
    if value is None:
        raise Malformed("signed headers", f"{name} is not there")
    return value


def _targets(message: Message) -> tuple[str, ...]:
    """Without the query only for what is read: a delivery to an address with a query is signed whole."""
    path, question, _ = message.target.partition("?")
    if question and message.method.upper() in envelope.READS:
        return message.target, path
    return (message.target,)


def _hosts(host: str) -> tuple[str, ...]:
    bare = PORT.sub("", host)
    return (host,) if bare == host else (host, bare)


def _value(parameters: Mapping[str, str]) -> bytes:
    text = parameters.get("signature", "")
    try:
        value = a2b_base64(text.encode("ascii"), strict_mode=True)
    except (NotBase64, UnicodeEncodeError):
        raise Malformed("signature", text) from None
    if not value:
        raise Malformed("signature", text)
    return value
